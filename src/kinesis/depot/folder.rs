//! Objects in a folder of this machine, each a file; and no queue.

use std::{fs, io, path::PathBuf};

use tokio::time::Instant;

use super::{Depot, Object};
use crate::aws::{Asked, Cause, Failure};

#[derive(Debug, Clone)]
pub struct FolderDepot {
    path: PathBuf,
    name: String,
}

impl FolderDepot {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            name: path.display().to_string(),
            path,
        }
    }

    /// A file is there whole or not at all.
    fn put_one(&self, object: &Object<'_>) -> io::Result<()> {
        let path = self.path.join(&object.key);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let part = path.with_extension("part");
        fs::write(&part, &object.bytes)?;
        fs::rename(&part, &path)
    }
}

impl Depot for FolderDepot {
    fn bucket(&self) -> Option<&str> {
        Some(&self.name)
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
                let why = format!("{} cannot be written: {error}", self.name);
                Some(Failure::Lasting(Cause::Refused, why))
            });
        }
        asked
    }

    async fn tell(&self, _: &[String], _: Instant) -> Asked<()> {
        Asked::all(0)
    }
}
