//! Where counters, archive and dead letters lie on this machine, and the note of how far they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::sum::ProcessSum;
use crate::{
    functions::event_processor::{
        enrichment::listed::Listed,
        services::folder::{ARCHIVE, Copies, FolderServices},
    },
    local::files,
    tool::{intake::Note, places::no_file},
};

/// For one process at a time.
pub(super) struct ProcessFolder {
    /// Absolute.
    pub(super) path: PathBuf,
    pub(super) services: FolderServices,
}

impl ProcessFolder {
    /// Makes what is not there yet.
    pub(super) fn prepare(path: &Path, copies: Copies, lookup: Listed) -> Result<Self> {
        let path = no_file(path)
            .and_then(|()| Ok(files::prepare(path)?))
            .with_context(|| format!("--into {} cannot be used", path.display()))?;
        let services = FolderServices::open(&path, copies, lookup)?;
        Ok(Self { path, services })
    }

    /// It lies in the table, so that neither is copied or lost without the other.
    pub(super) fn note(&self) -> Result<Note<ProcessSum>> {
        match self.services.table.note()? {
            Some(note) => serde_json::from_slice(&note)
                .context("the table's note cannot be read: it was written by another version"),
            None => self.begin_anew(),
        }
    }

    /// Objects of new records would take the places of those that are there.
    fn begin_anew(&self) -> Result<Note<ProcessSum>> {
        let archive = self.path.join(ARCHIVE);
        ensure!(
            files::holds_nothing(&archive),
            "`{}` holds events, and the table beside it does not know them, so that new ones \
             would be written over them: put their table back, or name another folder",
            archive.display()
        );
        Ok(Note::default())
    }

    pub(super) fn commit(&self, note: &Note<ProcessSum>) -> Result<()> {
        Ok(self.services.table.commit(&serde_json::to_vec(note)?)?)
    }
}
