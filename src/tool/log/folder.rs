//! Where an event log lies on this machine, and the note of how far it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::summary::LogSum;
use crate::{
    database::Mirror,
    functions::event_log::table::embedded::EmbeddedLog,
    local::files,
    tool::{
        intake,
        places::{no_file, table_folder},
    },
};

/// A log in a folder, opened.
pub(super) struct LogFolder {
    /// Absolute. Dead letters and what is too large for an item lie in it.
    pub(super) path: PathBuf,
    pub(super) table: EmbeddedLog,
    /// Of what is only looked at.
    _mirror: Option<Mirror>,
}

/// What a commit says beside its items.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LogNote {
    /// Over how many keys each search key is spread, where there are any.
    pub(super) search_buckets: Option<u64>,
    pub(super) intake: intake::Note<LogSum>,
}

impl LogFolder {
    /// Makes what is not there yet.
    pub(super) fn prepare(path: &Path) -> Result<Self> {
        let path = no_file(path)
            .and_then(|()| Ok(files::prepare(path)?))
            .with_context(|| format!("--log {} cannot be used", path.display()))?;
        let table = table_folder(&path);
        fs::create_dir_all(&table)?;
        let table = EmbeddedLog::open(&table)?;
        Ok(Self {
            path,
            table,
            _mirror: None,
        })
    }

    /// The one that is there, to be looked at: nothing is written.
    pub(super) fn find(path: &Path) -> Result<Self> {
        let mirror = Mirror::find("event log", &table_folder(path))?;
        let mirror = mirror.with_context(|| {
            format!(
                "there is no event log in `{0}`; `nozzle log INPUT --log {0}` makes one",
                path.display()
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            table: mirror.open(EmbeddedLog::open)?,
            _mirror: Some(mirror),
        })
    }

    pub(super) fn note(&self) -> Result<LogNote> {
        let note = self.table.note()?.map(|note| serde_json::from_slice(&note));
        note.transpose()
            .map(Option::unwrap_or_default)
            .context("the event log's note cannot be read: it was written by another version")
    }

    /// Makes what was written durable, and with it how far that is.
    pub(super) fn commit(
        &self,
        search_buckets: Option<u64>,
        intake: &intake::Note<LogSum>,
    ) -> Result<()> {
        let note = LogNote {
            search_buckets,
            intake: intake.clone(),
        };
        Ok(self.table.commit(&serde_json::to_vec(&note)?)?)
    }
}
