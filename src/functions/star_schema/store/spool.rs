//! An object while it is written: in memory as long as it is small, then in a temporary file.

use std::io::{self, Read, Seek, Write};

use tempfile::{SpooledTempFile, spooled_tempfile};

/// What stays in memory, and what is uploaded at a time.
pub const PART_BYTES: usize = 8 << 20;

/// Bytes that are written once, then read from their beginning.
#[derive(Debug)]
pub struct Spool {
    file: SpooledTempFile,
    bytes: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            file: spooled_tempfile(PART_BYTES),
            bytes: 0,
        }
    }
}

impl Spool {
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Whether one request takes it.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.bytes <= PART_BYTES as u64
    }

    /// To be read from the beginning.
    pub fn reader(&mut self) -> io::Result<&mut impl Read> {
        self.file.rewind()?;
        Ok(&mut self.file)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The next part; empty at the end.
pub fn read_part(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    reader.take(PART_BYTES as u64).read_to_end(&mut part)?;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_in_parts_however_much_it_is() {
        for bytes in [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7] {
            let written: Vec<u8> = (0..251).cycle().take(bytes).collect();
            let mut spool = Spool::default();
            for piece in written.chunks(100_003) {
                spool.write_all(piece).unwrap();
            }
            assert_eq!(spool.is_small(), bytes <= PART_BYTES);
            assert_eq!(spool.bytes(), bytes as u64);
            for _ in 0..2 {
                let reader = spool.reader().unwrap();
                let mut read = Vec::new();
                loop {
                    let part = read_part(reader).unwrap();
                    if part.is_empty() {
                        break;
                    }
                    assert!(part.len() == PART_BYTES || read.len() + part.len() == bytes);
                    read.extend(part);
                }
                assert!(read == written);
            }
        }
    }
}
