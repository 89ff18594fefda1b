//! Which inputs a folder has taken in whole: given again, each of their events is one more record.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use xxhash_rust::xxh3::Xxh3Default;

use crate::local::{
    files::{self, OWN_FOLDER},
    input::Source,
};

/// Files, told from others by their places, sizes and times. The path is of an empty file that is
/// there once they are taken in.
pub(super) struct TakenInput(PathBuf);

impl TakenInput {
    /// None of what comes through a pipe, which cannot be told from another.
    pub(super) fn of(sources: &[Source], folder: &Path) -> Option<Self> {
        let mut hash = Xxh3Default::new();
        for source in sources {
            let Source::File(path) = source else {
                return None;
            };
            let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
            let known = (
                path.canonicalize().ok()?,
                metadata.len(),
                metadata.modified().ok()?,
            );
            hash.update(format!("{known:?}").as_bytes());
        }
        let name = format!("{:016x}", hash.digest());
        Some(Self(folder.join(OWN_FOLDER).join("taken").join(name)))
    }

    pub(super) fn is_known(&self) -> bool {
        self.0.exists()
    }

    pub(super) fn remember(&self) -> Result<()> {
        Ok(files::write_whole(&self.0, &[])?)
    }
}
