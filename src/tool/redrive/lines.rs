//! The lines of an error object's file, gzip or not, whatever it is called. A line has a bound, so
//! that no file needs much memory.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;
use memchr::memchr;

/// Longer than any line that Firehose writes: an answer of 6 MB can deliver no more.
pub(super) const LINE_BYTES_MAX: usize = 9 * 1024 * 1024;

const BUFFER_BYTES: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

pub(super) struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    pub(super) number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Whole,
    /// Only its beginning was kept.
    TooLong,
}

impl<'a> Lines<'a> {
    /// `read_bytes` counts what is read as it lies there.
    pub(super) fn of(raw: impl Read + 'a, read_bytes: &Arc<AtomicU64>) -> io::Result<Self> {
        let counted = Counted {
            inner: raw,
            bytes: Arc::clone(read_bytes),
        };
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, counted);
        let reader: Box<dyn BufRead + 'a> = if begins_as_gzip(&mut plain)? {
            let unpacked = MultiGzDecoder::new(plain);
            Box::new(BufReader::with_capacity(BUFFER_BYTES, unpacked))
        } else {
            Box::new(plain)
        };
        Ok(Self { reader, number: 0 })
    }

    /// Reads the next line, without its end; `None` behind the last.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Line>> {
        line.clear();
        let mut kind = Line::Whole;
        let mut is_begun = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                filled => filled?,
            };
            if buffer.is_empty() {
                self.number += u64::from(is_begun);
                return Ok(is_begun.then_some(kind));
            }
            is_begun = true;
            let end = memchr(b'\n', buffer);
            let piece = buffer.split_at(end.unwrap_or(buffer.len())).0;
            let room = LINE_BYTES_MAX - line.len();
            if piece.len() > room {
                kind = Line::TooLong;
            }
            line.extend_from_slice(piece.split_at(piece.len().min(room)).0);
            let taken = piece.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            if end.is_some() {
                self.number += 1;
                return Ok(Some(kind));
            }
        }
    }
}

/// Reads at most one buffer ahead.
fn begins_as_gzip(plain: &mut impl BufRead) -> io::Result<bool> {
    Ok(plain.fill_buf()?.starts_with(&GZIP_MAGIC))
}

/// Counts what is read, for the progress bar.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> (Vec<(u64, Vec<u8>)>, io::Result<()>) {
        let mut lines = Lines::of(bytes, &Arc::default()).unwrap();
        let (mut read, mut line) = (Vec::new(), Vec::new());
        loop {
            match lines.next(&mut line) {
                Ok(Some(kind)) => {
                    assert_eq!(kind, Line::Whole);
                    read.push((lines.number, line.clone()));
                }
                Ok(None) => return (read, Ok(())),
                Err(error) => return (read, Err(error)),
            }
        }
    }

    #[test]
    fn lines_are_counted_from_one_packed_or_not() {
        let expected = [(1, b"a".to_vec()), (2, b"".to_vec()), (3, b"b".to_vec())];
        let twice = [gzip(b"a\n\n"), gzip(b"b")].concat();
        for bytes in [&b"a\n\nb"[..], b"a\n\nb\n", &gzip(b"a\n\nb\n"), &twice] {
            let (lines, ended) = read(bytes);
            assert_eq!(lines, expected);
            ended.unwrap();
        }
        assert_eq!(read(b"").0, []);
    }

    #[test]
    fn what_comes_before_broken_gzip_is_read() {
        let whole = gzip(b"a\nb\nc\n");
        let mut many = whole.clone();
        many.extend(&whole[..whole.len() / 2]);
        let (lines, ended) = read(&many);
        assert!(lines.len() >= 3, "{lines:?}");
        assert!(ended.is_err());
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let bytes = [b"a\n", &vec![b'x'; LINE_BYTES_MAX + 1][..], b"\nb"].concat();
        let mut lines = Lines::of(&*bytes, &Arc::default()).unwrap();
        let mut line = Vec::new();
        assert_eq!(lines.next(&mut line).unwrap(), Some(Line::Whole));
        assert_eq!(lines.next(&mut line).unwrap(), Some(Line::TooLong));
        assert_eq!(line.len(), LINE_BYTES_MAX);
        assert_eq!(lines.next(&mut line).unwrap(), Some(Line::Whole));
        assert_eq!((lines.number, &*line), (3, &b"b"[..]));
        assert_eq!(lines.next(&mut line).unwrap(), None);
    }
}
