//! Objects in a folder of this machine, each a file; and no queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use tokio::time::Instant;

use super::{Depot, Object};
use crate::{
    aws::{Asked, Cause, Failure},
    disk::{FileError, failed, sync_all},
};

/// The bucket's name.
pub const BUCKET: &str = "this-folder";

#[derive(Debug, Clone)]
pub struct FolderDepot {
    path: PathBuf,
}

impl FolderDepot {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Files are there whole or not at all, and on the disk: waiting for it is most of the time, so
    /// all are waited for together.
    fn put_all(&self, objects: &[Object<'_>]) -> Result<(), FileError> {
        let mut files = BTreeMap::new();
        let mut folders = BTreeSet::new();
        for object in objects {
            let path = self.path.join(&object.key);
            let folder = path.parent().unwrap_or(&self.path).to_owned();
            let part = path.with_added_extension("part");
            fs::create_dir_all(&folder)
                .and_then(|()| fs::write(&part, &object.bytes))
                .map_err(failed(&path))?;
            files.insert(part, path);
            folders.insert(folder);
        }
        sync_all(&self.path, files.keys())?;
        for (part, path) in &files {
            fs::rename(part, path).map_err(failed(path))?;
        }
        sync_all(&self.path, folders.iter())
    }
}

impl Depot for FolderDepot {
    fn bucket(&self) -> Option<&str> {
        Some(BUCKET)
    }

    fn has_queue(&self) -> bool {
        false
    }

    async fn put(&self, objects: &[Object<'_>], _: Instant) -> Asked<()> {
        let put = self.put_all(objects);
        let answers = vec![put.as_ref().ok().copied(); objects.len()];
        let failure = put.map_err(|error| Failure::Lasting(Cause::Refused, error.to_string()));
        Asked {
            answers,
            failure: failure.err(),
        }
    }

    async fn tell(&self, _: &[String], _: Instant) -> Asked<()> {
        Asked::all(0)
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
        let depot = FolderDepot::new(folder.path().to_owned());
        let mut objects = vec![object("a/b/1.json", b"one"), object("a/2.json", b"")];
        objects.extend((0..20).map(|n| object(&format!("a/b/0.{n}"), b"many")));
        objects.push(object("a/b/1.json", b"one"));
        for _ in 0..2 {
            let put = depot.put(&objects, Instant::now()).await;
            assert_eq!(put.answers, [Some(()); 23]);
            assert!(put.failure.is_none());
            let read = |key: &str| fs::read(folder.path().join(key)).unwrap();
            assert_eq!(
                (read("a/b/1.json"), read("a/2.json")),
                (b"one".to_vec(), vec![])
            );
            let left = fs::read_dir(folder.path().join("a/b")).unwrap();
            assert_eq!(left.count(), 21);
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let depot = FolderDepot::new(file.path().to_owned());
        let put = depot.put(&[object("a", b"")], Instant::now()).await;
        assert_eq!(put.answers, [None]);
        let why = put.failure.unwrap().to_string();
        assert!(why.contains("cannot be written"), "{why}");
    }
}
