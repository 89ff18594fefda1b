//! What a window has come to, in the note that its claims are committed with: a run that was killed
//! leaves nothing behind, and the next one goes on from there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    firehose::batch::Mark,
    firehose::lake::{LakeError, Rename, publish_rest},
    firehose::picture::Picture,
    firehose::summary::Summary,
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
    /// Where somebody wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Box<Picture>>,
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

    /// Ends a run whose summary has been told: a finished one is not gone on with. With no names
    /// left to give, lake and claims may part.
    pub fn conclude(&self, progress: Unfinished, is_finished: bool) -> Result<(), JournalError> {
        let arrival = progress.mark.arrival_milliseconds;
        let unfinished = (!is_finished).then_some(progress);
        self.commit(&[], arrival, unfinished)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::local::firehose::lake::{
        Compression, publish,
        tests::{files, open},
    };

    struct Place {
        folder: TempDir,
        lake: PathBuf,
        claims: PathBuf,
    }

    impl Place {
        fn new(claims: &str) -> Self {
            let folder = tempdir().expect("a folder");
            let lake = folder.path().join("lake");
            fs::create_dir(&lake).expect("a folder");
            let claims = folder.path().join(claims);
            Self {
                folder,
                lake,
                claims,
            }
        }

        fn store(&self) -> EmbeddedStore {
            EmbeddedStore::open(&self.claims).expect("a store")
        }

        /// Ends a window with one line, but for its files' names, as a run that is killed there.
        fn commit(&self, line: &str) -> Vec<Rename> {
            let store = self.store();
            let mut lake = open(&self.lake, Compression::None);
            lake.deliver("x", 0, line.as_bytes()).expect("delivered");
            let window = lake.end_window().expect("written");
            let journal = Journal::new(&store, &self.claims, &self.lake);
            journal.commit(&window.renames, 7, None).expect("committed");
            window.renames
        }

        fn recover(&self) -> Result<Left, JournalError> {
            Journal::recover(&self.store(), &self.claims)
        }
    }

    fn texts(lake: &Path) -> Vec<String> {
        let text = |file: &PathBuf| fs::read_to_string(file).expect("text");
        files(lake).iter().map(text).collect()
    }

    #[test]
    fn what_was_committed_gets_its_name() {
        for claims in ["claims", "lake/.nozzle/claims"] {
            let place = Place::new(claims);
            place.commit("committed\n");
            assert_eq!(texts(&place.lake), Vec::<String>::new());
            for _ in 0..2 {
                assert_eq!(place.recover().expect("recovered").arrival_milliseconds, 7);
                assert_eq!(texts(&place.lake), ["committed\n"]);
            }
        }
    }

    #[test]
    fn a_file_of_a_later_run_is_never_taken_for_one_that_was_committed() {
        let place = Place::new("claims");
        let renames = place.commit("committed\n");
        publish(&place.lake, &renames).expect("published");
        let mut later = open(&place.lake, Compression::None);
        let line = "y".repeat(100_000);
        later.deliver("x", 0, line.as_bytes()).expect("delivered");
        drop(later);
        place.recover().expect("recovered");
        assert_eq!(texts(&place.lake), ["committed\n"]);
    }

    #[test]
    fn claims_inside_a_lake_move_with_it() {
        let place = Place::new("lake/.nozzle/claims");
        place.commit("committed\n");
        let moved = place.folder.path().join("moved");
        fs::rename(&place.lake, &moved).expect("moved");
        let claims = moved.join(".nozzle/claims");
        let store = EmbeddedStore::open(&claims).expect("a store");
        Journal::recover(&store, &claims).expect("recovered");
        assert_eq!(texts(&moved), ["committed\n"]);
    }

    #[test]
    fn a_lake_that_is_gone_is_asked_for() {
        let place = Place::new("claims");
        place.commit("committed\n");
        fs::remove_dir_all(&place.lake).expect("removed");
        let error = place
            .recover()
            .expect_err("a lake that is gone")
            .to_string();
        assert!(
            error.contains("left 1 finished files in the lake"),
            "{error}"
        );
        fs::create_dir(&place.lake).expect("a folder");
        place.recover().expect("given up");
    }
}
