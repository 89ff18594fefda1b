//! A file while it is written. It holds its bytes back and is opened only to write them, so that
//! thousands need few of the process's files.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use flate2::write::GzEncoder;

use super::files::Rename;
use crate::disk::{FileError, failed};

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

/// What a file's name ends in, so that readers know what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileExtension(pub(in crate::local) String);

impl FileExtension {
    pub(in crate::local) const BYTES_MAX: usize = 20;

    /// JSON Lines'.
    #[must_use]
    pub fn usual(compression: Compression) -> Self {
        Self(match compression {
            Compression::None => ".jsonl".to_owned(),
            Compression::Gzip => ".jsonl.gz".to_owned(),
        })
    }

    /// Whether readers, ours too, will take the file for gzip.
    #[must_use]
    pub fn says_gzip(&self) -> bool {
        self.0.rsplit('.').next() == Some("gz")
    }
}

impl FromStr for FileExtension {
    type Err = &'static str;

    /// What Firehose takes, but no longer than this; `none` is nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let may_be = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!-_.*'()".contains(&byte)
        };
        match text {
            "none" => Ok(Self(String::new())),
            _ if (2..=Self::BYTES_MAX).contains(&text.len())
                && text.starts_with('.')
                && text.bytes().all(may_be) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err("it must be `none`, or a dot and 1 to 19 of a-z 0-9 ! - _ . * ' ( )"),
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
