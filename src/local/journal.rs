//! What a window has come to, in the note that its claims are committed with: a run that was killed
//! leaves nothing behind, and the next one goes on from there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::files::{Rename, publish_rest};
use crate::{
    dedup::{StoreError, embedded::EmbeddedStore},
    disk::FileError,
};

/// The notes of one folder of files in one claim store.
#[derive(Clone)]
pub struct Journal<'a> {
    store: &'a EmbeddedStore,
    claims: PathBuf,
    /// The files' folder as the store's sees it, so that both may move together.
    folder: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note<U> {
    #[serde(rename = "lake")]
    folder: PathBuf,
    /// Files whose final names are decided but perhaps not given yet.
    renames: Vec<Rename>,
    arrival_milliseconds: i64,
    unfinished: Option<U>,
}

/// What the last run left.
#[derive(Debug)]
pub struct Left<U> {
    /// No record of an earlier run arrived later.
    pub arrival_milliseconds: i64,
    pub wrote: Wrote,
    /// What a run that has not reached its end says of itself.
    pub unfinished: Option<U>,
}

/// Where the last run wrote, if there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    Here,
    Elsewhere,
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the claim store's note cannot be read ({0}): it was written by another version")]
    Unreadable(serde_json::Error),
    #[error("the note cannot be written: {0}")]
    Unwritable(serde_json::Error),
    #[error(
        "the last run left {files} finished files in `{}`, which is not there: put it back, or create \
         an empty folder of that name to give them up",
        folder.display()
    )]
    FolderGone { files: usize, folder: PathBuf },
}

impl<'a> Journal<'a> {
    /// `claims` is the store's folder.
    #[must_use]
    pub fn new(store: &'a EmbeddedStore, claims: &Path, folder: &Path) -> Self {
        Self {
            store,
            claims: claims.to_owned(),
            folder: seen_from(claims, folder),
        }
    }

    /// Finishes what the last run left half-done, in whatever folder that was.
    pub fn recover<U: Serialize + DeserializeOwned>(&self) -> Result<Left<U>, JournalError> {
        let Some(bytes) = self.store.note()? else {
            return Ok(Left {
                arrival_milliseconds: 0,
                wrote: Wrote::Elsewhere,
                unfinished: None,
            });
        };
        let mut note: Note<U> = serde_json::from_slice(&bytes).map_err(JournalError::Unreadable)?;
        let folder = self.claims.join(&note.folder);
        if !note.renames.is_empty() && !folder.is_dir() {
            let files = note.renames.len();
            return Err(JournalError::FolderGone { files, folder });
        }
        publish_rest(&folder, &note.renames)?;
        if !note.renames.is_empty() {
            // What has its name must not get it again: the next temporary files are others.
            note.renames.clear();
            note.commit(self.store)?;
        }
        Ok(Left {
            arrival_milliseconds: note.arrival_milliseconds,
            wrote: if note.folder == self.folder {
                Wrote::Here
            } else {
                Wrote::Elsewhere
            },
            unfinished: note.unfinished,
        })
    }

    /// Makes a window's claims durable, and with them that its files are part of the folder.
    pub fn commit<U: Serialize>(
        &self,
        renames: &[Rename],
        arrival_milliseconds: i64,
        unfinished: Option<&U>,
    ) -> Result<(), JournalError> {
        let note = Note {
            folder: self.folder.clone(),
            renames: renames.to_vec(),
            arrival_milliseconds,
            unfinished,
        };
        note.commit(self.store)
    }
}

impl<U: Serialize> Note<U> {
    fn commit(&self, store: &EmbeddedStore) -> Result<(), JournalError> {
        let bytes = serde_json::to_vec(self).map_err(JournalError::Unwritable)?;
        Ok(store.commit(&bytes)?)
    }
}

/// A name for who writes into a folder, the same when it and its claims have moved together.
#[must_use]
pub fn writer(claims: &Path, folder: &Path) -> String {
    match claims.strip_prefix(folder) {
        Ok(inside) => inside.display().to_string(),
        Err(_) => claims.display().to_string(),
    }
}

/// `../..` for claims inside the folder, else where the folder is.
fn seen_from(claims: &Path, folder: &Path) -> PathBuf {
    match claims.strip_prefix(folder) {
        Ok(inside) => inside.components().map(|_| "..").collect(),
        Err(_) => folder.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::local::{
        files::{OWN_FOLDER, publish, tests::files},
        random::Random,
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

        /// Writes a file, but for its final name.
        fn write(&self, text: &str) -> Rename {
            let temporary = Path::new(OWN_FOLDER).join(Random::default().uuid());
            fs::create_dir_all(self.lake.join(OWN_FOLDER)).expect("a folder");
            fs::write(self.lake.join(&temporary), text).expect("written");
            Rename(temporary, "events/1".into())
        }

        /// Commits a file, as a run that is killed there.
        fn commit(&self, text: &str) -> Vec<Rename> {
            let store = self.store();
            let journal = Journal::new(&store, &self.claims, &self.lake);
            let renames = vec![self.write(text)];
            journal.commit::<()>(&renames, 7, None).expect("committed");
            renames
        }

        fn recover(&self) -> Result<Left<()>, JournalError> {
            Journal::new(&self.store(), &self.claims, &self.lake).recover()
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
        place.write("later\n");
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
        let journal = Journal::new(&store, &claims, &moved);
        let left = journal.recover::<()>().expect("recovered");
        assert_eq!(left.wrote, Wrote::Here);
        assert_eq!(texts(&moved), ["committed\n"]);
    }

    #[test]
    fn whether_the_last_run_wrote_here_is_known() {
        let place = Place::new("claims");
        let wrote = |lake| {
            let store = place.store();
            let journal = Journal::new(&store, &place.claims, lake);
            journal.recover::<()>().expect("recovered").wrote
        };
        assert_eq!(wrote(&place.lake), Wrote::Elsewhere);
        place.commit("committed\n");
        assert_eq!(wrote(&place.lake), Wrote::Here);
        assert_eq!(wrote(&place.folder.path().join("other")), Wrote::Elsewhere);
    }

    #[test]
    fn a_folder_that_is_gone_is_asked_for() {
        let place = Place::new("claims");
        place.commit("committed\n");
        fs::remove_dir_all(&place.lake).expect("removed");
        let error = place
            .recover()
            .expect_err("a folder that is gone")
            .to_string();
        assert!(error.contains("left 1 finished files in `"), "{error}");
        fs::create_dir(&place.lake).expect("a folder");
        place.recover().expect("given up");
    }
}
