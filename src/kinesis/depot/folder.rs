//! Objects in a folder of this machine, each a file; and no queue.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use tokio::time::Instant;

use super::{Depot, Object};
use crate::aws::{Asked, Cause, Failure};

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

    /// A file is there whole or not at all, and on the disk.
    fn put_one(&self, object: &Object<'_>) -> io::Result<()> {
        let path = self.path.join(&object.key);
        let folder = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder)?;
        let part = path.with_extension("part");
        let mut file = File::create(&part)?;
        file.write_all(&object.bytes)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(folder)?.sync_all()
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
        let mut asked = Asked::all(0);
        for object in objects {
            let put = self.put_one(object);
            asked.answers.push(put.as_ref().ok().copied());
            asked.failure = put.err().map_or(asked.failure, |error| {
                let why = format!("{} cannot be written: {error}", self.path.display());
                Some(Failure::Lasting(Cause::Refused, why))
            });
        }
        asked
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
            let left = fs::read_dir(folder.path().join("a/b")).unwrap();
            assert_eq!(left.count(), 1);
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
