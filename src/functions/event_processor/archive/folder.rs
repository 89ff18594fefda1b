//! The archive in a folder of this machine, for one process at a time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use flate2::{GzHeader, read::GzDecoder};
use xxhash_rust::xxh3::xxh3_128;

use super::{Head, Object, Objects, Put, PutOn};
use crate::aws::{Cause, Failure};

/// Objects as files; what S3 says beside one, its gzip header says.
pub struct Folder {
    path: PathBuf,
    /// Whoever has it is the one that writes.
    turn: Mutex<()>,
}

impl Folder {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Mutex::default(),
        }
    }

    fn put_file(&self, key: &str, object: &Object, on: &PutOn) -> io::Result<Put> {
        let _turn = self.turn.lock();
        let path = self.path.join(key);
        let there = look(&path)?;
        let holds = match on {
            PutOn::Absent => there.is_none(),
            PutOn::Match(etag) => there.is_some_and(|head| head.etag == *etag),
        };
        if !holds {
            return Ok(Put::Refused);
        }
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let part = path.with_extension("part");
        let mut file = fs::File::create(&part)?;
        io::Write::write_all(&mut file, &object.gzip)?;
        file.sync_data()?;
        fs::rename(&part, &path)?;
        Ok(Put::Written)
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let folder = self.path.display();
        Failure::Lasting(Cause::Refused, format!("the archive in {folder}: {error}"))
    }
}

impl Objects for Folder {
    async fn put(
        &self,
        key: &str,
        object: &Object,
        on: &PutOn,
        _: Duration,
    ) -> Result<Put, Failure> {
        let put = self.put_file(key, object, on);
        put.map_err(|error| self.failure(&error))
    }

    async fn head(&self, key: &str, _: Duration) -> Result<Option<Head>, Failure> {
        let found = look(&self.path.join(key));
        found.map_err(|error| self.failure(&error))
    }
}

fn look(path: &Path) -> io::Result<Option<Head>> {
    let gzip = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    let decoder = GzDecoder::new(gzip.as_slice());
    let plan = decoder.header().map_or(0, GzHeader::mtime);
    Ok(Some(Head {
        etag: format!("{:032x}", xxh3_128(&gzip)),
        plan: u64::from(plan),
    }))
}
