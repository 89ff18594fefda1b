//! Files that grow, and folders that get more of them: their end is no end while somebody follows.

use std::{
    collections::HashMap,
    fmt,
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom, Stdin},
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::reader::Awaited;

/// How soon it is seen that a file has grown, or that there is another.
const EVERY: Duration = Duration::from_millis(200);
/// So long the rest of a line is waited for, when another file has something.
const LINE_PATIENCE: Duration = Duration::from_secs(10);

/// Which files are followed.
pub(super) struct Follow {
    /// Lists them anew.
    pub(super) files: Box<dyn Fn() -> Vec<PathBuf> + Send + Sync>,
    pub(super) stop: Arc<AtomicBool>,
}

/// How far files are read, by what they are: a name may be given to another.
pub(super) type Known = HashMap<FileId, Taken>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileId {
    device: u64,
    number: u64,
    /// The number of a file that is gone may be another's.
    created: Option<SystemTime>,
}

/// How far a file is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) bytes: u64,
    pub(super) lines: u64,
}

/// Bytes as they lie there.
pub(super) enum Raw {
    File(File),
    StandardInput(Stdin),
    Growing(Box<Growing>),
}

/// A file that is read to its end again and again, until another has something.
pub(super) struct Growing {
    file: File,
    id: FileId,
    taken_bytes: u64,
    is_in_line: bool,
    /// Since when it has had nothing.
    idle: Option<Instant>,
    others: Others,
}

/// Who else may have something.
pub(super) struct Others {
    pub(super) follow: Arc<Follow>,
    pub(super) known: Known,
    /// Some that are found already stand behind this one.
    pub(super) are_next: bool,
}

impl FileId {
    #[must_use]
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
            created: metadata.created().ok(),
        }
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

impl Follow {
    #[must_use]
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Files that have something that is not known, and from where on; none when there are none
    /// within so long a time, or it is to stop.
    #[must_use]
    pub(super) fn wait(&self, known: &Known, most: Duration) -> Vec<(PathBuf, Taken)> {
        let began = Instant::now();
        loop {
            let waiting = self.waiting(known);
            let left = most.saturating_sub(began.elapsed());
            if !waiting.is_empty() || left.is_zero() || self.is_over() {
                return waiting;
            }
            thread::sleep(left.min(EVERY));
        }
    }

    fn waiting(&self, known: &Known) -> Vec<(PathBuf, Taken)> {
        let files = (self.files)().into_iter();
        let waiting = files.filter_map(|path| {
            let metadata = path.metadata().ok()?;
            let taken = match known.get(&FileId::of(&metadata)) {
                Some(taken) if is_gzip(&path) => Taken {
                    bytes: metadata.len(),
                    ..*taken
                },
                // What is shorter now begins anew.
                Some(taken) if taken.bytes <= metadata.len() => *taken,
                _ => Taken::default(),
            };
            (metadata.len() > taken.bytes).then_some((path, taken))
        });
        waiting.collect()
    }
}

/// Packed, a file is whole or damaged: it does not grow.
#[must_use]
pub(super) fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

impl Growing {
    /// Goes on behind what was taken.
    pub(super) fn open(mut file: File, taken: Taken, mut others: Others) -> io::Result<Self> {
        file.seek(SeekFrom::Start(taken.bytes))?;
        let id = FileId::of(&file.metadata()?);
        others.known.remove(&id);
        Ok(Self {
            file,
            id,
            taken_bytes: taken.bytes,
            is_in_line: false,
            idle: None,
            others,
        })
    }

    fn wait(&mut self, most: Duration) -> bool {
        let began = Instant::now();
        loop {
            if self.has_more() || self.is_over() || self.others.follow.is_over() {
                return true;
            }
            let left = most.saturating_sub(began.elapsed());
            if left.is_zero() {
                return false;
            }
            thread::sleep(left.min(EVERY));
        }
    }

    fn has_more(&self) -> bool {
        self.length()
            .is_some_and(|length| length > self.taken_bytes)
    }

    fn length(&self) -> Option<u64> {
        self.file.metadata().ok().map(|metadata| metadata.len())
    }

    /// Whether others have something, or it has begun anew, so that its end is one.
    fn is_over(&mut self) -> bool {
        let idle = self.idle.get_or_insert_with(Instant::now).elapsed();
        let may_end = !self.is_in_line || idle > LINE_PATIENCE;
        may_end && (self.others.are_next || self.is_cut() || self.others_wait())
    }

    fn is_cut(&self) -> bool {
        self.length()
            .is_some_and(|length| length < self.taken_bytes)
    }

    fn others_wait(&self) -> bool {
        let Others { follow, known, .. } = &self.others;
        let waiting = follow.waiting(known);
        waiting.iter().any(|(path, _)| {
            let metadata = path.metadata();
            metadata.is_ok_and(|metadata| FileId::of(&metadata) != self.id)
        })
    }
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // The line that is begun must not be taken for a whole one.
            if self.others.follow.is_over() {
                return Err(io::Error::other("nobody follows it any more"));
            }
            let read = self.file.read(buffer)?;
            if let Some(last) = buffer.get(..read).and_then(<[u8]>::last) {
                self.is_in_line = *last != b'\n';
                self.taken_bytes += read as u64;
                self.idle = None;
                return Ok(read);
            }
            if self.is_over() {
                return Ok(0);
            }
            thread::sleep(EVERY);
        }
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::StandardInput(stdin) => stdin.read(buffer),
            Self::Growing(growing) => growing.read(buffer),
        }
    }
}

impl Awaited for Raw {
    fn wait(&mut self, most: Duration) -> bool {
        match self {
            Self::File(file) => is_readable(file, most),
            Self::StandardInput(stdin) => is_readable(stdin, most),
            Self::Growing(growing) => growing.wait(most),
        }
    }
}

/// What cannot be waited for is read: that says why.
fn is_readable(file: &impl AsFd, most: Duration) -> bool {
    let most = Timespec::try_from(most).ok();
    let mut files = [PollFd::new(file, PollFlags::IN)];
    poll(&mut files, most.as_ref()).map_or(true, |ready| ready > 0)
}
