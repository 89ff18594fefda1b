//! A database in a folder of this machine: for one process at a time, created whole or not at all,
//! and told from one that is damaged. What it holds is for others to say.

use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::PermissionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use fjall::{
    AbstractTree, CompressionType, Database, DatabaseBuilder, Keyspace, KeyspaceCreateOptions,
    LsmError, OwnedWriteBatch, PersistMode, config::CompressionPolicy,
};
use tempfile::TempDir;
use tracing::warn;
use xxhash_rust::xxh3::xxh3_128;

/// Opens what a folder holds, whatever state that is in: what is damaged can make fjall panic.
fn open<T>(
    what: &'static str,
    folder: &Path,
    open: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(open))
        .unwrap_or_else(|_| Err(Trouble::Damaged("a file makes no sense".into())))
        .map_err(|trouble| OpenError {
            what,
            folder: folder.to_owned(),
            trouble,
        })
}

/// Locks a folder, and creates its database where there is none, completely or not at all: what a
/// crash left half-made is made anew. Gives where the database is.
fn prepare(
    folder: &Path,
    create: impl FnOnce(&Path) -> Result<(), Trouble>,
) -> Result<(PathBuf, Seal), Trouble> {
    let seal = Seal::lock(folder)?;
    let path = folder.join(STORE);
    if !path.try_exists()? {
        seal.check_unused()?;
        let half_made = folder.join("new");
        if half_made.try_exists()? {
            fs::remove_dir_all(&half_made)?;
        }
        create(&half_made)?;
        fs::rename(&half_made, &path)?;
        sync_folder_of(&path)?;
    }
    check_manifests(&path.join(KEYSPACES))?;
    Ok((path, seal))
}

/// Whether one lies in a folder, in whatever state that is.
#[must_use]
pub fn lies_in(folder: &Path) -> bool {
    folder.join(STORE).join(KEYSPACES).is_dir() && folder.join(SEAL).is_file()
}

/// The database in its folder, and what is beside it.
const STORE: &str = "store";
const KEYSPACES: &str = "keyspaces";
const SEAL: &str = "commits";
/// In a keyspace, which manifest it has.
const CURRENT: &str = "current";

/// The note of how keys and values are written.
pub(crate) const FORMAT: &str = "format";
const COMMITS: &str = "commits";
/// What whoever commits wants to be told.
const LAST_NOTE: &str = "note";

const NOTES: &str = "notes";
const NOTES_MEMORY_BYTES: u64 = 1 << 20;
const CACHE_BYTES: u64 = 32 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;
/// The rest of the usual 1,024 is for a lake.
const OPEN_FILES: usize = 128;
const WORKERS: usize = 2;

/// What a folder's database holds.
pub trait Holding: Sized {
    /// As a person knows it.
    const NAME: &'static str;
    /// How keys and values are written; another number, and it is not ours to read.
    const FORMAT: u64;

    fn open_files(path: &Path) -> Result<Self, Trouble>;

    fn files(&self) -> &Noted;

    /// Adds what a new one holds to its first transaction.
    fn begin(&self, _batch: &mut OwnedWriteBatch) {}

    /// Looks for what is sure to be there.
    fn check(&self) -> Result<(), Trouble> {
        Ok(())
    }
}

/// A folder whose database is open, and counts its commits.
pub struct SealedFolder {
    what: &'static str,
    pub path: PathBuf,
    /// How many there were. Whoever has it is the one that commits.
    commits: Mutex<u64>,
    pub(crate) seal: Seal,
}

impl SealedFolder {
    /// Opens what is in this folder, or creates it there. To be dropped after it: then the folder is
    /// free.
    pub fn open<H: Holding>(path: &Path) -> Result<(H, Self), OpenError> {
        let create = |path: &Path| {
            let held = H::open_files(path)?;
            let mut batch = held.files().begin(H::FORMAT);
            held.begin(&mut batch);
            Ok(batch.commit()?)
        };
        open(H::NAME, path, || {
            let (store, seal) = prepare(path, create)?;
            let held = H::open_files(&store)?;
            held.files().check_format(H::FORMAT)?;
            let commits = held.files().commits()?;
            seal.check(commits)?;
            held.check()?;
            let folder = Self {
                what: H::NAME,
                path: path.to_owned(),
                commits: Mutex::new(commits),
                seal,
            };
            Ok((held, folder))
        })
    }

    /// Makes the next commit, which is told its number.
    pub fn commit<T>(
        &self,
        commit: impl FnOnce(u64) -> Result<T, Trouble>,
    ) -> Result<T, OpenError> {
        let mut commits = lock(&self.commits);
        let next = *commits + 1;
        let done = self.said(commit(next))?;
        *commits = next;
        self.said(self.seal.write(next).map_err(Trouble::from))?;
        Ok(done)
    }

    /// With whose trouble it is.
    pub fn said<T>(&self, result: Result<T, Trouble>) -> Result<T, OpenError> {
        result.map_err(|trouble| self.error(trouble))
    }

    #[must_use]
    pub fn error(&self, trouble: Trouble) -> OpenError {
        OpenError {
            what: self.what,
            folder: self.path.clone(),
            trouble,
        }
    }
}

/// A database that is being opened, keyspace by keyspace, the notes last.
pub struct Opening {
    database: Database,
    /// Whether it came with its keyspaces.
    is_old: bool,
}

impl Opening {
    /// Opens the files at this path, or begins them.
    pub fn at(
        path: &Path,
        more: impl FnOnce(DatabaseBuilder<Database>) -> DatabaseBuilder<Database>,
    ) -> Result<Self, Trouble> {
        let is_old = path.try_exists()?;
        let builder = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .max_cached_files(Some(OPEN_FILES))
            .worker_threads(WORKERS);
        let database = more(builder).open()?;
        Ok(Self { database, is_old })
    }

    /// One that came with its database: fjall would begin anew with one whose files it does not
    /// find.
    pub fn keyspace(&self, name: &str, memory_bytes: u64) -> Result<Keyspace, Trouble> {
        if self.is_old && !self.database.keyspace_exists(name) {
            return Err(Trouble::Damaged(format!("the {name} are missing")));
        }
        Ok(self.database.keyspace(name, || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(memory_bytes)
                .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        })?)
    }

    pub fn notes(self) -> Result<Noted, Trouble> {
        Ok(Noted {
            notes: self.keyspace(NOTES, NOTES_MEMORY_BYTES)?,
            database: self.database,
        })
    }
}

/// A database with notes beside what it holds: how that is written, how many commits there were, and
/// what was to be noted with the last.
pub struct Noted {
    database: Database,
    pub notes: Keyspace,
}

impl Noted {
    /// The first transaction of a new one.
    fn begin(&self, format: u64) -> OwnedWriteBatch {
        let mut batch = self.batch();
        for (name, number) in [(FORMAT, format), (COMMITS, 0)] {
            batch.insert(&self.notes, name, number.to_be_bytes());
        }
        batch
    }

    /// What is written in another way is not ours to read.
    fn check_format(&self, ours: u64) -> Result<(), Trouble> {
        match self.number(FORMAT)? {
            format if format == ours => Ok(()),
            later => Err(Trouble::Later(format!("format {later}"))),
        }
    }

    /// A transaction, to be durable once it is committed.
    #[must_use]
    pub fn batch(&self) -> OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::SyncAll))
    }

    /// Notes in the same transaction which commit it is, and what it comes to.
    pub fn commit(
        &self,
        mut batch: OwnedWriteBatch,
        number: u64,
        note: &[u8],
    ) -> Result<(), Trouble> {
        batch.insert(&self.notes, LAST_NOTE, note);
        self.commit_beside_note(batch, number)
    }

    /// The same, and the last note stays.
    pub fn commit_beside_note(
        &self,
        mut batch: OwnedWriteBatch,
        number: u64,
    ) -> Result<(), Trouble> {
        batch.insert(&self.notes, COMMITS, number.to_be_bytes());
        Ok(batch.commit()?)
    }

    fn commits(&self) -> Result<u64, Trouble> {
        self.number(COMMITS)
    }

    pub fn last_note(&self) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.notes.get(LAST_NOTE)?.map(|note| note.to_vec()))
    }

    pub fn number(&self, name: &str) -> Result<u64, Trouble> {
        self.note(name).map(u64::from_be_bytes)
    }

    pub fn note<const LENGTH: usize>(&self, name: &str) -> Result<[u8; LENGTH], Trouble> {
        let bytes = self.notes.get(name)?;
        bytes
            .and_then(|bytes| bytes.as_ref().try_into().ok())
            .ok_or_else(|| Trouble::Damaged(format!("the note \"{name}\" is missing")))
    }

    /// fjall waits for its workers even when they have ended on an error, so that a full disk would
    /// hold a commit for ever. Waited for here, the error comes out.
    pub fn wait_for_room(&self, keyspaces: &[&Keyspace]) -> Result<(), Trouble> {
        let is_behind = |keyspace: &&Keyspace| {
            keyspace.tree.sealed_memtable_count() > 1 || keyspace.tree.l0_run_count() > 24
        };
        while is_behind(&&self.notes) || keyspaces.iter().any(is_behind) {
            self.database.persist(PersistMode::Buffer)?;
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// fjall ends the process on a manifest that makes no sense, so what it keeps to check them is
/// looked at before: `current` holds a manifest's number and its hash.
fn check_manifests(keyspaces: &Path) -> Result<(), Trouble> {
    for keyspace in fs::read_dir(keyspaces)? {
        let folder = keyspace?.path();
        if folder.is_dir() && !manifest_is_whole(&folder).unwrap_or(false) {
            let name = folder.display();
            return Err(Trouble::Damaged(format!(
                "the manifest of {name} is not what was written"
            )));
        }
    }
    Ok(())
}

/// fjall lets nobody else read which manifest holds, whatever they may read of the rest.
fn let_read(keyspaces: &Path) -> io::Result<()> {
    for keyspace in fs::read_dir(keyspaces)? {
        let folder = keyspace?.path();
        let (current, mode) = (
            folder.join(CURRENT),
            fs::metadata(&folder)?.permissions().mode(),
        );
        if current.exists() {
            fs::set_permissions(current, Permissions::from_mode(mode & 0o666))?;
        }
    }
    Ok(())
}

fn manifest_is_whole(keyspace: &Path) -> io::Result<bool> {
    let current = fs::read(keyspace.join(CURRENT))?;
    let Some((number, rest)) = current.split_first_chunk() else {
        return Ok(false);
    };
    let number = u64::from_le_bytes(*number);
    let manifest = fs::read(keyspace.join(format!("v{number}")))?;
    Ok(rest.starts_with(&xxh3_128(&manifest).to_le_bytes()))
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// A file beside the database that one process has locked, and that holds how many commits there
/// were: after damage, fjall opens with the last ones silently gone. Never ahead of the database.
#[derive(Debug)]
pub(crate) struct Seal {
    pub(crate) file: File,
    folder: PathBuf,
}

/// What a folder's database holds, to be looked at without writing anything there: a copy in a
/// temporary folder, in which what never changes is only linked to. Nobody writes the folder
/// meanwhile.
#[derive(Debug)]
pub struct Mirror {
    original: PathBuf,
    folder: TempDir,
    _seal: File,
}

impl Mirror {
    /// None where there is no database.
    pub fn find(what: &'static str, folder: &Path) -> Result<Option<Self>, OpenError> {
        if !folder.join(STORE).exists() {
            return Ok(None);
        }
        open(what, folder, || {
            let seal = File::open(folder.join(SEAL))?;
            match seal.try_lock_shared() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Trouble::InUse),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            let mirror = tempfile::tempdir()?;
            let whole = fs::canonicalize(folder)?;
            fs::write(mirror.path().join(SEAL), fs::read(whole.join(SEAL))?)?;
            copy(&whole.join(STORE), &mirror.path().join(STORE))?;
            Ok(Some(Self {
                original: folder.to_owned(),
                folder: mirror,
                _seal: seal,
            }))
        })
    }

    /// Opens the copy. What is wrong with it is wrong with what it was made of.
    pub fn open<T>(
        &self,
        open: impl FnOnce(&Path) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        open(self.folder.path()).map_err(|error| OpenError {
            folder: self.original.clone(),
            ..error
        })
    }
}

/// fjall never changes a table once it is written.
const TABLES: &str = "tables";

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied)?;
        } else if from.ends_with(TABLES) {
            link(&path, &copied)?;
        } else {
            // A copy of its mode too could not be written.
            let copy = |mut from: File| io::copy(&mut from, &mut File::create(&copied)?);
            File::open(&path).and_then(copy).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

#[cfg(not(unix))]
fn link(original: &Path, link: &Path) -> io::Result<()> {
    fs::copy(original, link).map(drop)
}

impl Seal {
    fn lock(folder: &Path) -> Result<Self, Trouble> {
        fs::create_dir_all(folder)?;
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(SEAL))?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                file,
                folder: folder.to_owned(),
            }),
            Err(TryLockError::WouldBlock) => Err(Trouble::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn check(&self, commits: u64) -> Result<(), Trouble> {
        let text = self.read()?;
        let number = text
            .strip_suffix('\n')
            .and_then(|digits| digits.parse().ok());
        let sealed: u64 = match number {
            Some(sealed) if text == seal(sealed) => sealed,
            _ => {
                return Err(Trouble::Damaged(
                    "the file \"commits\" holds no number".into(),
                ));
            }
        };
        if sealed > commits {
            let lost = sealed - commits;
            return Err(Trouble::Damaged(format!(
                "of {sealed} commits, the last {lost} are lost"
            )));
        }
        Ok(())
    }

    /// Without a database there were no commits, or it is lost.
    fn check_unused(&self) -> Result<(), Trouble> {
        if !self.read()?.is_empty() {
            self.check(0)?;
        }
        self.write(0)?;
        Ok(self.file.sync_all()?)
    }

    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        (&self.file).rewind()?;
        (&self.file).read_to_string(&mut text)?;
        Ok(text)
    }

    fn write(&self, commits: u64) -> io::Result<()> {
        (&self.file).rewind()?;
        (&self.file).write_all(seal(commits).as_bytes())
    }
}

/// Closing the file would not free it while a process that is just being started holds it too.
impl Drop for Seal {
    fn drop(&mut self) {
        // Whoever may not read it is told so.
        let _ = let_read(&self.folder.join(STORE).join(KEYSPACES));
        if let Err(error) = self.file.unlock() {
            warn!(%error, "a folder stays locked until this process has ended");
        }
    }
}

/// Of one length, so that it is written in place, needs no space and is never half-written.
pub(crate) fn seal(commits: u64) -> String {
    format!("{commits:020}\n")
}

/// A thread that panicked while it held what is not durable yet has left it whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a folder's database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the {what} {} {trouble}", folder.display())]
pub struct OpenError {
    /// As a person knows it.
    pub what: &'static str,
    pub folder: PathBuf,
    pub trouble: Trouble,
}

/// What is wrong with a folder, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("is in use by another process: wait until it has ended, or name another folder")]
    InUse,
    #[error(
        "is damaged ({0}): move it away and run again; events that were in it are then new again"
    )]
    Damaged(String),
    #[error("was written by a later version ({0}): use that version, or name another folder")]
    Later(String),
    #[error(
        "cannot be used ({0}): see that it is a folder one may read and write, on a disk with space"
    )]
    Unusable(io::Error),
    #[error(
        "could not be written in the background: see that its disk has space and run again; \
         if that does not help it is damaged, so move it away; events that were in it \
         are then new again"
    )]
    Stopped,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            UnexpectedEof | InvalidData | InvalidInput | Other => Self::Damaged(error.to_string()),
            _ => Self::Unusable(error),
        }
    }
}

impl From<fjall::Error> for Trouble {
    fn from(error: fjall::Error) -> Self {
        use fjall::Error::{InvalidVersion, Io, Locked, Poisoned, Storage};
        match error {
            Io(error) | Storage(LsmError::Io(error)) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists => {
                    Self::Damaged(error.to_string())
                }
                _ => error.into(),
            },
            Locked => Self::InUse,
            Poisoned => Self::Stopped,
            InvalidVersion(Some(version)) => Self::Later(format!("{version:?}")),
            Storage(error) => Self::Damaged(error.to_string()),
            error => Self::Damaged(error.to_string()),
        }
    }
}
