//! A file while it is written. It holds its bytes back and is opened only to write them, so that
//! thousands need few of the process's files.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::write::GzEncoder;

use super::files::{FileError, Rename, failed};

/// What is held back before it is written; with gzip, what becomes a member of its own.
const BUFFER_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
}

/// A file under its temporary name.
pub struct OpenFile {
    pub(in crate::local) path: PathBuf,
    pub(in crate::local) rename: Rename,
    pub(in crate::local) written_bytes: u64,
    compression: Compression,
    buffer: Vec<u8>,
}

/// The length of a file that has no compression.
#[derive(Debug, Clone, Copy)]
pub struct Length(u64);

impl Compression {
    pub(in crate::local) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
        }
    }
}

impl OpenFile {
    pub(in crate::local) fn new(folder: &Path, rename: Rename, compression: Compression) -> Self {
        Self {
            path: folder.join(&rename.0),
            rename,
            written_bytes: 0,
            compression,
            buffer: Vec::new(),
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < BUFFER_BYTES {
            Ok(())
        } else {
            self.write()
        }
    }

    /// The memory for what is held back.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    #[must_use]
    pub fn length(&self) -> Length {
        Length(self.written_bytes + self.buffer.len() as u64)
    }

    /// Takes back what was pushed since it had this length.
    pub fn cut_back(&mut self, length: Length) -> Result<(), FileError> {
        self.write()?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path);
        file.and_then(|file| file.set_len(length.0))
            .map_err(failed(&self.path))?;
        self.written_bytes = length.0;
        Ok(())
    }

    /// Writes what is held back.
    pub(in crate::local) fn write(&mut self) -> Result<(), FileError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = match self.compression {
            Compression::None => append(&self.path, &self.buffer),
            Compression::Gzip => gzip(&self.buffer).and_then(|member| append(&self.path, &member)),
        };
        self.written_bytes += written.map_err(failed(&self.path))?;
        // A long line shall not make the buffer large for good.
        if self.buffer.capacity() > 2 * BUFFER_BYTES {
            self.buffer = Vec::new();
        } else {
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes what is held back, and needs no memory for more.
    pub(in crate::local) fn finish(&mut self) -> Result<(), FileError> {
        self.write()?;
        self.buffer = Vec::new();
        Ok(())
    }
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<u64> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(bytes)?;
    Ok(bytes.len() as u64)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let member = Vec::with_capacity(bytes.len() / 4);
    let mut encoder = GzEncoder::new(member, flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
