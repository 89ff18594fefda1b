//! A bucket on this machine: what a function keeps beside its table, as files in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{
    files::{self, FileError, OWN_FOLDER, Rename, failed},
    random::Random,
};
use crate::{
    aws::{Asked, Cause, Failure},
    kinesis::depot::{Depot, Object},
};

/// The bucket's name.
pub const BUCKET: &str = "this-folder";

/// No queue is told.
#[derive(Debug)]
pub struct FolderDepot {
    folder: PathBuf,
    random: Mutex<Random>,
}

impl FolderDepot {
    /// An object's key is its path in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            random: Mutex::default(),
        }
    }

    /// All of them, or none, on the disk.
    fn write(&self, objects: &[Object<'_>]) -> Result<(), FileError> {
        let temporary_folder = Path::new(OWN_FOLDER).join("writing");
        files::create_folder(&self.folder.join(&temporary_folder))?;
        let mut renames = Vec::with_capacity(objects.len());
        for object in objects {
            let temporary = temporary_folder.join(self.new_name());
            let path = self.folder.join(&temporary);
            fs::write(&path, &object.bytes).map_err(failed(&path))?;
            renames.push(Rename(temporary, PathBuf::from(&object.key)));
        }
        files::sync(&self.folder, &renames)?;
        files::publish(&self.folder, &renames)
    }

    fn new_name(&self) -> String {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.uuid()
    }
}

impl Depot for FolderDepot {
    fn bucket(&self) -> Option<&str> {
        Some(BUCKET)
    }

    fn has_queue(&self) -> bool {
        false
    }

    async fn put(&self, objects: &[Object<'_>], _deadline: Instant) -> Asked<()> {
        match self.write(objects) {
            Ok(()) => Asked::all(objects.len()),
            Err(error) => Asked {
                answers: vec![None; objects.len()],
                failure: Some(Failure::Lasting(Cause::Refused, error.to_string())),
            },
        }
    }

    async fn tell(&self, messages: &[String], _deadline: Instant) -> Asked<()> {
        Asked::all(messages.len())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn object<'a>(key: &str, bytes: &'a [u8]) -> Object<'a> {
        Object {
            key: key.to_owned(),
            bytes: bytes.into(),
            content_type: "application/json",
        }
    }

    #[tokio::test]
    async fn an_object_is_a_file_and_put_again_it_is_the_same_one() {
        let folder = tempdir().unwrap();
        let depot = FolderDepot::new(folder.path());
        let objects = [object("a/b/1.json", b"one"), object("a/2.json", b"")];
        for _ in 0..2 {
            let put = depot.put(&objects, Instant::now()).await;
            assert_eq!(put.answers, [Some(()), Some(())]);
            assert!(put.failure.is_none());
            let read = |key: &str| fs::read(folder.path().join(key)).unwrap();
            assert_eq!(
                (read("a/b/1.json"), read("a/2.json")),
                (b"one".to_vec(), vec![])
            );
            assert_eq!(files::tests::files(folder.path()).len(), 2);
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let depot = FolderDepot::new(file.path());
        let put = depot.put(&[object("a", b"")], Instant::now()).await;
        assert_eq!(put.answers, [None]);
        let why = put.failure.unwrap().to_string();
        assert!(why.contains("cannot be written"), "{why}");
    }
}
