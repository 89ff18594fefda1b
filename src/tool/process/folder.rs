//! Where counters, archive and dead letters lie on this machine, and the note of how far they are.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::sum::ProcessSum;
use crate::{
    functions::event_processor::{
        enrichment::listed::Listed,
        services::folder::{Copies, FolderServices},
    },
    local::files::{self, OWN_FOLDER},
    tool::{intake::Note, places::no_file},
};

pub(super) struct ProcessFolder {
    /// Absolute.
    pub(super) path: PathBuf,
}

impl ProcessFolder {
    /// Makes what is not there yet.
    pub(super) fn prepare(path: &Path) -> Result<Self> {
        let path = no_file(path)
            .and_then(|()| Ok(files::prepare(path)?))
            .with_context(|| format!("--into {} cannot be used", path.display()))?;
        Ok(Self { path })
    }

    /// For one process at a time.
    pub(super) fn services(&self, copies: Copies, lookup: Listed) -> Result<FolderServices> {
        Ok(FolderServices::open(&self.path, copies, lookup)?)
    }

    pub(super) fn note(&self) -> Result<Note<ProcessSum>> {
        let path = self.note_path();
        match fs::read(&path) {
            Ok(note) => serde_json::from_slice(&note).with_context(|| {
                format!(
                    "`{}` cannot be read: it was written by another version",
                    path.display()
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Note::default()),
            Err(error) => Err(error).with_context(|| format!("`{}`", path.display())),
        }
    }

    pub(super) fn commit(&self, note: &Note<ProcessSum>) -> Result<()> {
        let bytes = serde_json::to_vec(note)?;
        Ok(files::write_whole(&self.note_path(), &bytes)?)
    }

    fn note_path(&self) -> PathBuf {
        self.path.join(OWN_FOLDER).join("process.json")
    }
}
