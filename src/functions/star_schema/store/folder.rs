//! Objects and parameters in a folder of this machine, each a file. What S3 says beside an object
//! stands under `.nozzle`; a file that is there is whole, whoever is killed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use md5::{Digest, Md5};
use tokio::time::Instant;
use xxhash_rust::xxh3::Xxh3;

use super::{
    ObjectStore, Origin, Parameter, ParameterStore, Put, Sink, Standing,
    spool::{PART_BYTES, Spool},
};
use crate::aws::{Cause, Failure};

const OWN_FOLDER: &str = ".nozzle";
const PIECE_BYTES: usize = 256 << 10;

/// A folder as a bucket.
#[derive(Debug, Clone)]
pub struct FolderStore {
    path: PathBuf,
}

impl FolderStore {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn put_file(&self, key: &str, spool: &mut Spool, origin: &Origin) -> io::Result<Put> {
        let path = self.path.join(inside(key)?);
        let _turn = take_turn(&self.path)?;
        if path.try_exists()? {
            return Ok(Put::Refused);
        }
        let beside = serde_json::to_vec(origin)?;
        write_whole(&self.path, &self.origin_path(key), &mut beside.as_slice())?;
        write_whole(&self.path, &path, spool.reader()?)?;
        Ok(Put::Written)
    }

    fn origin_path(&self, key: &str) -> PathBuf {
        let own = self.path.join(OWN_FOLDER).join("origins");
        own.join(format!("{key}.json"))
    }

    fn look_at(&self, key: &str) -> io::Result<Option<Standing>> {
        let Some(etag) = self.read_file(key, &mut |_| ())? else {
            return Ok(None);
        };
        let origin = match present(fs::read(self.origin_path(key)))? {
            Some(beside) => serde_json::from_slice(&beside)?,
            None => None,
        };
        Ok(Some(Standing { etag, origin }))
    }

    /// Its `ETag`: MD5 of what S3 takes in one request, and of more something else.
    fn read_file(&self, key: &str, sink: Sink<'_>) -> io::Result<Option<String>> {
        let path = self.path.join(inside(key)?);
        // Whoever opens a pipe waits for somebody to write into it.
        if !present(fs::metadata(&path))?.is_some_and(|found| found.is_file()) {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let (mut small, mut large) = (Md5::new(), Xxh3::new());
        let is_small = bytes <= PART_BYTES as u64;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = file.read(&mut piece)?;
            let read = piece.get(..read).unwrap_or_default();
            match (read, is_small) {
                ([], true) => return Ok(Some(hexadecimal(&small.finalize()))),
                ([], false) => {
                    let parts = bytes.div_ceil(PART_BYTES as u64);
                    return Ok(Some(format!("{:032x}-{parts}", large.digest128())));
                }
                (read, true) => small.update(read),
                (read, false) => large.update(read),
            }
            sink(read);
        }
    }

    fn failure(&self, key: &str, error: &io::Error) -> Failure {
        failure(&self.path.join(key), error)
    }
}

impl ObjectStore for FolderStore {
    async fn list(&self, prefix: &str, after: &str, _: Instant) -> Result<Vec<String>, Failure> {
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let below = inside(folder).map_err(|error| self.failure(folder, &error))?;
        let mut keys = Vec::new();
        collect(&self.path.join(below), folder, &mut keys)?;
        keys.retain(|key| key.starts_with(prefix) && key.as_str() > after);
        keys.sort_unstable();
        Ok(keys)
    }

    async fn look(&self, key: &str, _: Instant) -> Result<Option<Standing>, Failure> {
        let found = self.look_at(key);
        found.map_err(|error| self.failure(key, &error))
    }

    async fn read(&self, key: &str, sink: Sink<'_>, _: Instant) -> Result<Option<String>, Failure> {
        let read = self.read_file(key, sink);
        read.map_err(|error| self.failure(key, &error))
    }

    async fn put(
        &self,
        key: &str,
        spool: &mut Spool,
        origin: &Origin,
        _: Instant,
    ) -> Result<Put, Failure> {
        let put = self.put_file(key, spool, origin);
        put.map_err(|error| self.failure(key, &error))
    }
}

/// A folder as a parameter store: a table's parameter is the file of its name.
#[derive(Debug, Clone)]
pub struct FolderParameters {
    path: PathBuf,
}

impl FolderParameters {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn read(&self, table: &str) -> io::Result<Option<Parameter>> {
        let Some(text) = present(fs::read(self.path.join(inside(table)?)))? else {
            return Ok(None);
        };
        let parameter = serde_json::from_slice(&text);
        parameter.map(Some).map_err(|error| {
            let why = format!("its file `{table}` is no parameter, mend it or remove it: {error}");
            io::Error::new(io::ErrorKind::InvalidData, why)
        })
    }

    fn write(&self, table: &str, value: &str) -> io::Result<u64> {
        let _turn = take_turn(&self.path)?;
        let parameter = Parameter {
            value: value.to_owned(),
            version: self.read(table)?.map_or(1, |before| before.version + 1),
        };
        let text = serde_json::to_vec(&parameter)?;
        write_whole(
            &self.path,
            &self.path.join(inside(table)?),
            &mut text.as_slice(),
        )?;
        Ok(parameter.version)
    }
}

impl ParameterStore for FolderParameters {
    async fn get(&self, table: &str, _: Instant) -> Result<Option<Parameter>, Failure> {
        let read = self.read(table);
        read.map_err(|error| failure(&self.path, &error))
    }

    async fn put(&self, table: &str, value: &str, _: Instant) -> Result<u64, Failure> {
        let written = self.write(table, value);
        written.map_err(|error| failure(&self.path, &error))
    }
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let why = format!("`{}` cannot be read or written: {error}", path.display());
    Failure::Lasting(Cause::Refused, why)
}

/// A key as a path that does not lead out of the folder.
fn inside(key: &str) -> io::Result<&Path> {
    let path = Path::new(key);
    let mut components = path.components();
    if components.all(|component| matches!(component, Component::Normal(_))) {
        Ok(path)
    } else {
        let why = format!("the key {key:?} leads out of it");
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// None where there is no such file.
fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Whoever has it is the one that writes, of all processes; it ends with the process.
fn take_turn(folder: &Path) -> io::Result<File> {
    let own = folder.join(OWN_FOLDER);
    fs::create_dir_all(&own)?;
    let lock = File::create(own.join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Writes a file, whole or not at all, in one's turn.
fn write_whole(folder: &Path, path: &Path, bytes: &mut impl Read) -> io::Result<()> {
    let part = folder.join(OWN_FOLDER).join("part");
    let mut file = File::create(&part)?;
    io::copy(bytes, &mut file)?;
    file.sync_all()?;
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    fs::rename(part, path)?;
    File::open(parent)?.sync_all()
}

/// The keys of all files below a folder but our own, of links that lead nowhere and, as good as can
/// be, of names that are no text.
fn collect(folder: &Path, key: &str, keys: &mut Vec<String>) -> Result<(), Failure> {
    let failed = |error: io::Error| failure(folder, &error);
    let Some(entries) = present(fs::read_dir(folder)).map_err(failed)? else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == OWN_FOLDER {
            continue;
        }
        let key = if key.is_empty() {
            name.into_owned()
        } else {
            format!("{key}/{name}")
        };
        let found = present(fs::metadata(entry.path())).map_err(failed)?;
        if found.is_some_and(|found| found.is_dir()) {
            collect(&entry.path(), &key, keys)?;
        } else {
            keys.push(key);
        }
    }
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
