//! What a window has come to, in the note that its claims are committed with: a run that was killed
//! leaves nothing behind, and the next one goes on from there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    batch::Mark,
    lake::{LakeError, Rename, publish_rest},
    summary::Summary,
};
use crate::dedup::{StoreError, embedded::EmbeddedStore};

/// The notes of one lake in one claim store.
pub struct Journal<'a> {
    store: &'a EmbeddedStore,
    /// The lake as the store's folder sees it, so that both may move together.
    lake: PathBuf,
}

/// A run that has not reached its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unfinished {
    /// A hash of what the run was asked to do with its input.
    pub task: u64,
    pub mark: Mark,
    pub summary: Summary,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    lake: PathBuf,
    /// Files whose final names are decided but perhaps not given yet.
    renames: Vec<Rename>,
    arrival_milliseconds: i64,
    unfinished: Option<Unfinished>,
}

/// What the last run left.
#[derive(Debug, Default)]
pub struct Left {
    /// No record of an earlier run arrived later.
    pub arrival_milliseconds: i64,
    pub unfinished: Option<Unfinished>,
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error("the claim store's note cannot be read ({0}): it was written by another version")]
    Unreadable(serde_json::Error),
    #[error("the note cannot be written: {0}")]
    Unwritable(serde_json::Error),
    #[error(
        "the last run left {files} finished files in the lake `{}`, which is not there: put it back, \
         or create an empty folder of that name to give them up",
        lake.display()
    )]
    LakeGone { files: usize, lake: PathBuf },
}

impl<'a> Journal<'a> {
    /// `claims` is the store's folder.
    #[must_use]
    pub fn new(store: &'a EmbeddedStore, claims: &Path, lake: &Path) -> Self {
        Self {
            store,
            lake: seen_from(claims, lake),
        }
    }

    /// Finishes what the last run left half-done, in whatever lake that was.
    pub fn recover(store: &EmbeddedStore, claims: &Path) -> Result<Left, JournalError> {
        let Some(bytes) = store.note()? else {
            return Ok(Left::default());
        };
        let mut note: Note = serde_json::from_slice(&bytes).map_err(JournalError::Unreadable)?;
        let lake = claims.join(&note.lake);
        if !note.renames.is_empty() && !lake.is_dir() {
            let files = note.renames.len();
            return Err(JournalError::LakeGone { files, lake });
        }
        publish_rest(&lake, &note.renames)?;
        if !note.renames.is_empty() {
            // What has its name must not get it again: the next temporary files are others.
            note.renames.clear();
            note.commit(store)?;
        }
        Ok(Left {
            arrival_milliseconds: note.arrival_milliseconds,
            unfinished: note.unfinished,
        })
    }

    /// Makes a window's claims durable, and with them that its files are part of the lake.
    pub fn commit(
        &self,
        renames: &[Rename],
        arrival_milliseconds: i64,
        unfinished: Option<Unfinished>,
    ) -> Result<(), JournalError> {
        let note = Note {
            lake: self.lake.clone(),
            renames: renames.to_vec(),
            arrival_milliseconds,
            unfinished,
        };
        note.commit(self.store)
    }
}

impl Note {
    fn commit(&self, store: &EmbeddedStore) -> Result<(), JournalError> {
        let bytes = serde_json::to_vec(self).map_err(JournalError::Unwritable)?;
        Ok(store.commit(&bytes)?)
    }
}

/// A name for who writes into a lake, the same when lake and claims have moved together.
#[must_use]
pub fn writer(claims: &Path, lake: &Path) -> String {
    match claims.strip_prefix(lake) {
        Ok(inside) => inside.display().to_string(),
        Err(_) => claims.display().to_string(),
    }
}

/// `../..` for claims inside the lake, else where the lake is.
fn seen_from(claims: &Path, lake: &Path) -> PathBuf {
    match claims.strip_prefix(lake) {
        Ok(inside) => inside.components().map(|_| "..").collect(),
        Err(_) => lake.to_owned(),
    }
}
