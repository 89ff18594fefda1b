//! The end of a window: its files on the disk, its claims and its note durable, then its files under
//! their final names. In this order nothing is lost or doubled wherever it breaks off.

use std::path::PathBuf;

use super::lake::{self, LakeError, Window};
use crate::local::journal::{Journal, JournalError, Unfinished};

/// A window to be committed, and how far the run is with it.
pub struct Closed {
    pub window: Window,
    pub progress: Unfinished,
}

/// Commits windows, one after the other.
pub struct Committer<'a> {
    pub journal: Journal<'a>,
    pub lake: PathBuf,
}

/// Why a window is not part of the lake.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error(transparent)]
    Sync(LakeError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It is committed; only names are missing.
    #[error("{0}; the next run finishes what is left")]
    Publish(#[source] LakeError),
}

impl Committer<'_> {
    pub fn commit(&self, closed: Closed) -> Result<(), CommitError> {
        let renames = &closed.window.renames;
        lake::sync(&self.lake, renames).map_err(CommitError::Sync)?;
        let arrival = closed.progress.mark.arrival_milliseconds;
        // The last window too: a run is finished when its summary has been told.
        self.journal
            .commit(renames, arrival, Some(closed.progress))?;
        lake::publish(&self.lake, renames).map_err(CommitError::Publish)
    }
}
