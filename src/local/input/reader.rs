//! What stands between a source and its lines: bytes counted, gzip unpacked.

use std::{
    io::{self, BufRead, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;

/// Counts what is read, for the progress bar.
pub(super) struct Counted {
    pub(super) inner: Box<dyn Read + Send>,
    pub(super) bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Says of damage that it is the gzip's.
pub(super) struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: BufRead> Unpacked<R> {
    pub(super) fn new(packed: R) -> Self {
        Self(MultiGzDecoder::new(packed))
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof => io::Error::new(
                error.kind(),
                format!("its gzip is cut off or damaged ({error})"),
            ),
            _ => error,
        })
    }
}
