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
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::reader::{Awaited, Unpacked};

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
type Known = HashMap<FileId, Taken>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct FileId {
    device: u64,
    number: u64,
    /// The number of a file that is gone may be another's.
    created: Option<SystemTime>,
}

/// How far a file is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    bytes: u64,
    lines: u64,
}

/// What is known of files that are followed.
pub(super) struct Followed {
    follow: Arc<Follow>,
    known: Known,
    /// Where a source begins that is not read from its first byte on.
    starts: HashMap<usize, Taken>,
    current: Option<Current>,
    way: Way,
}

/// The file that is read.
struct Current {
    id: FileId,
    is_gzip: bool,
    /// Where its first byte stands, or would, among the bytes of all sources.
    base_bytes: u64,
}

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As far as they were read before.
    Passing,
    /// To their end, and what comes then.
    Following,
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
struct Others {
    follow: Arc<Follow>,
    known: Known,
    /// Some that are found already stand behind this one.
    are_next: bool,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
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
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Files that have something that is not known, and from where on; none when there are none
    /// within so long a time, or it is to stop.
    fn wait(&self, known: &Known, most: Duration) -> Vec<(PathBuf, Taken)> {
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
pub(super) fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

impl Followed {
    pub(super) fn new(follow: Arc<Follow>) -> Self {
        Self {
            follow,
            known: Known::new(),
            starts: HashMap::new(),
            current: None,
            way: Way::Following,
        }
    }

    /// Until it is told otherwise, only what was read before is read.
    pub(super) fn pass(&mut self) {
        self.way = Way::Passing;
    }

    /// As if nothing were known.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::new(Arc::clone(&self.follow));
    }

    /// Goes on behind what was passed over. Whether the file that this ends in is to be opened again,
    /// because it may grow.
    pub(super) fn go_on(&mut self, source: usize, bytes: u64, lines: u64) -> bool {
        self.way = Way::Following;
        let Some(file) = self.current.take_if(|file| !file.is_gzip) else {
            return false;
        };
        let bytes = bytes - file.base_bytes;
        self.starts.insert(source, Taken { bytes, lines });
        true
    }

    pub(super) fn gets_more(&self) -> bool {
        !self.follow.is_over()
    }

    /// The files that come behind so many sources, when there are some within so long a time.
    pub(super) fn wait(&mut self, most: Duration, sources: usize) -> Vec<PathBuf> {
        if self.way == Way::Passing {
            return Vec::new();
        }
        let waiting = self.follow.wait(&self.known, most).into_iter();
        let begun = waiting.zip(sources..).map(|((path, taken), source)| {
            self.starts.insert(source, taken);
            path
        });
        begun.collect()
    }

    /// How many of the file's lines are taken, which is read from now on.
    pub(super) fn begin(&mut self, path: &Path, source: usize, bytes: u64) -> io::Result<u64> {
        let taken = self.start(source);
        self.current = Some(Current {
            id: FileId::of(&path.metadata()?),
            is_gzip: is_gzip(path),
            base_bytes: bytes.saturating_sub(taken.bytes),
        });
        Ok(taken.lines)
    }

    /// None where it is to be read as a file that does not grow.
    pub(super) fn open(
        &self,
        path: &Path,
        source: usize,
        are_next: bool,
    ) -> io::Result<Option<Growing>> {
        if is_gzip(path) || self.way == Way::Passing {
            return Ok(None);
        }
        let others = Others {
            follow: Arc::clone(&self.follow),
            known: self.known.clone(),
            are_next,
        };
        Growing::open(File::open(path)?, self.start(source), others).map(Some)
    }

    /// Remembers how far the file was read.
    pub(super) fn leave(&mut self, bytes: u64, lines: u64) {
        if let Some(file) = self.current.take() {
            let bytes = bytes - file.base_bytes;
            self.known.insert(file.id, Taken { bytes, lines });
        }
    }

    fn start(&self, source: usize) -> Taken {
        self.starts.get(&source).copied().unwrap_or_default()
    }
}

impl Growing {
    /// Goes on behind what was taken.
    fn open(mut file: File, taken: Taken, mut others: Others) -> io::Result<Self> {
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

    /// What is begun with, and there, tells whether it is packed.
    pub(super) fn unpack(mut self, read_bytes: &Arc<AtomicU64>) -> io::Result<Unpacked<Raw>> {
        let may_be_packed = self.taken_bytes == 0 && self.wait(Duration::ZERO);
        let raw = Raw::Growing(Box::new(self));
        if may_be_packed {
            Unpacked::open(raw, read_bytes)
        } else {
            Ok(Unpacked::plain(raw, read_bytes))
        }
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
