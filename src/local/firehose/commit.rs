//! The end of a window: its files on the disk, its claims and its note durable, then its files under
//! their final names. In this order nothing is lost or doubled wherever it breaks off.

use std::path::PathBuf;

use super::progress::Unfinished;
use crate::{
    disk::FileError,
    local::{
        files::{self, Rename},
        journal::{Journal, JournalError},
    },
};

/// A window to be committed.
pub struct Closed {
    pub renames: Vec<Rename>,
    /// No record arrived later.
    pub arrival_milliseconds: i64,
    /// What the next run can go on with.
    pub unfinished: Option<Unfinished>,
}

/// Commits windows, one after the other.
#[derive(Clone)]
pub struct Committer<'a> {
    pub journal: Journal<'a>,
    pub lake: PathBuf,
}

/// Why a window is not part of the lake.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error(transparent)]
    Sync(FileError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It is committed; only names are missing.
    #[error("{0}; the next run finishes what is left")]
    Publish(#[source] FileError),
}

impl Committer<'_> {
    pub fn commit(&self, closed: &Closed) -> Result<(), CommitError> {
        let renames = &closed.renames;
        files::sync(&self.lake, renames).map_err(CommitError::Sync)?;
        self.note(closed, renames)?;
        files::publish(&self.lake, renames).map_err(CommitError::Publish)
    }

    /// With no names left to give, lake and claims may part.
    pub fn forget_names(&self, closed: &Closed) -> Result<(), JournalError> {
        self.note(closed, &[])
    }

    fn note(&self, closed: &Closed, renames: &[Rename]) -> Result<(), JournalError> {
        let unfinished = closed.unfinished.as_ref();
        self.journal
            .commit(renames, closed.arrival_milliseconds, unfinished)
    }
}
