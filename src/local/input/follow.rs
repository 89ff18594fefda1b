//! Files that grow, and folders that get more of them: their end is no end while somebody follows.

use std::{
    collections::HashMap,
    fmt,
    fs::{File, Metadata},
    io::{self, Read, Stdin},
    os::{
        fd::AsFd,
        unix::fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use memchr::memrchr;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::reader::{Awaited, GZIP_MAGIC, Unpacked};

/// How soon it is seen that a file has grown, or that there is another.
const EVERY: Duration = Duration::from_millis(200);
/// So long the rest of a line is waited for that is too long for a record, when another file has
/// something.
const LINE_PATIENCE: Duration = Duration::from_secs(10);
/// What is held back of a line that has no end yet: more than any record.
const LINE_BYTES_HELD: usize = 1024 * 1024;
const READ_BYTES: usize = 256 * 1024;
/// So many files are kept open, so that what they got before they were renamed is not missed.
const OPEN_MAX: usize = 100;
/// A packed file that has had nothing for so long is whole.
const PACKED_WHOLE_AFTER: Duration = Duration::from_secs(1);
/// A file that has no name any more gets nothing more after so long a time.
const GONE_AFTER: Duration = Duration::from_mins(1);

/// Which files are followed.
pub(super) struct Follow {
    /// Lists them anew.
    pub(super) files: Box<dyn Fn() -> Vec<PathBuf> + Send + Sync>,
    pub(super) stop: Arc<AtomicBool>,
    /// Says why a file is not read further, while the others are.
    pub(super) passed_over: fn(&dyn fmt::Display),
}

/// What is known of files, by what they are: a name may be given to another.
type Known = HashMap<FileId, KnownFile>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct FileId {
    device: u64,
    number: u64,
    /// The number of a file that is gone may be another's.
    created: Option<SystemTime>,
}

/// A file that was read.
#[derive(Debug, Clone)]
struct KnownFile {
    path: PathBuf,
    taken: Taken,
    /// How long it was, the line with it that had no end.
    seen_bytes: u64,
    then: Then,
    /// Where it is kept open.
    file: Option<Arc<File>>,
}

/// How far a file is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    bytes: u64,
    lines: u64,
}

/// What becomes of a file that gets more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// It was packed, or broke off.
    Again,
    /// It holds no events.
    Nothing,
}

/// Where to begin with a file.
#[derive(Debug, Clone)]
struct Start {
    path: PathBuf,
    taken: Taken,
    file: Option<Arc<File>>,
}

/// What is known of files that are followed.
pub(super) struct Followed {
    follow: Arc<Follow>,
    known: Known,
    /// Of sources that are opened already.
    starts: HashMap<usize, Start>,
    current: Option<Current>,
    way: Way,
}

/// The file that is read.
struct Current {
    path: PathBuf,
    id: FileId,
    file: Arc<File>,
    taken: Taken,
    /// Its length, where it is packed.
    packed_bytes: Option<u64>,
    seen_bytes: Arc<AtomicU64>,
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

/// A file that is read to its end again and again, until another has something. Of a line that has
/// no end yet nothing is given.
pub(super) struct Growing {
    file: Arc<File>,
    id: FileId,
    given_bytes: u64,
    /// What comes behind that.
    held: Vec<u8>,
    /// So much of it may be given.
    whole_bytes: usize,
    seen_bytes: Arc<AtomicU64>,
    /// What was given last is part of a line that is too long to be held.
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

impl KnownFile {
    /// From where on it is to be read, being so long now.
    fn waiting(&self, length: u64) -> Option<Taken> {
        match self.then {
            // What is shorter now begins anew.
            _ if length < self.seen_bytes => Some(Taken::default()),
            Then::GoOn if length > self.seen_bytes => Some(self.taken),
            Then::Again if length > self.seen_bytes => Some(Taken::default()),
            Then::GoOn | Then::Again | Then::Nothing => None,
        }
    }

    /// Whether its name is another's by now, or nobody's, and it gets nothing more.
    fn is_gone(&self, id: FileId) -> bool {
        let named = self.path.metadata();
        let is_named = named.is_ok_and(|metadata| FileId::of(&metadata) == id);
        let modified = self.file.as_ref().and_then(|file| modified(file));
        !is_named && modified.is_some_and(|modified| is_past(modified, GONE_AFTER))
    }
}

fn modified(file: &File) -> Option<SystemTime> {
    file.metadata()
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// A time to come is a clock's mistake.
fn is_past(time: SystemTime, age: Duration) -> bool {
    time.elapsed().map_or(true, |elapsed| elapsed > age)
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
    fn wait(&self, known: &Known, most: Duration) -> Vec<Start> {
        let began = Instant::now();
        loop {
            let waiting = self.waiting(known, None);
            let left = most.saturating_sub(began.elapsed());
            if !waiting.is_empty() || left.is_zero() || self.is_over() {
                return waiting;
            }
            thread::sleep(left.min(EVERY));
        }
    }

    /// Those first that have lost their name: what has it now came later.
    fn waiting(&self, known: &Known, but: Option<FileId>) -> Vec<Start> {
        let files = (self.files)().into_iter();
        let listed = files.filter_map(|path| {
            let metadata = path.metadata().ok()?;
            let id = FileId::of(&metadata);
            Some((id, path, metadata))
        });
        let mut listed: HashMap<_, _> = listed
            .enumerate()
            .map(|(place, (id, path, metadata))| (id, (place, path, metadata)))
            .collect();
        let nameless = known.iter().filter(|(id, _)| !listed.contains_key(id));
        let mut waiting: Vec<_> = nameless
            .filter_map(|(_, file)| nameless_start(file))
            .collect();
        if let Some(id) = but {
            listed.remove(&id);
        }
        let mut named: Vec<_> = listed.into_iter().collect();
        named.sort_unstable_by_key(|(_, (place, ..))| *place);
        let named = named.into_iter();
        waiting.extend(
            named.filter_map(|(id, (_, path, metadata))| {
                named_start(path, &metadata, known.get(&id))
            }),
        );
        waiting
    }
}

fn nameless_start(known: &KnownFile) -> Option<Start> {
    let file = known.file.clone()?;
    let length = file.metadata().ok()?.len();
    Some(Start {
        path: known.path.clone(),
        taken: known.waiting(length).filter(|_| length > 0)?,
        file: Some(file),
    })
}

fn named_start(path: PathBuf, metadata: &Metadata, known: Option<&KnownFile>) -> Option<Start> {
    let length = metadata.len();
    let taken = known.map_or(Some(Taken::default()), |known| known.waiting(length));
    let taken = taken.filter(|_| length > 0)?;
    let is_fresh = || {
        let modified = metadata.modified().ok();
        modified.is_some_and(|modified| !is_past(modified, PACKED_WHOLE_AFTER))
    };
    if taken.bytes == 0 && is_fresh() && File::open(&path).is_ok_and(|file| is_packed(&file)) {
        return None;
    }
    Some(Start {
        path,
        taken,
        file: None,
    })
}

/// Packed, a file is whole or damaged: it does not grow.
fn is_packed(file: &File) -> bool {
    let mut head = [0; GZIP_MAGIC.len()];
    file.read_exact_at(&mut head, 0).is_ok() && head == *GZIP_MAGIC
}

impl Followed {
    pub(super) fn new(follow: Arc<Follow>, sources: impl Iterator<Item = PathBuf>) -> Self {
        let opened = sources
            .take(OPEN_MAX)
            .enumerate()
            .filter_map(|(source, path)| {
                let file = Some(Arc::new(File::open(&path).ok()?));
                let taken = Taken::default();
                Some((source, Start { path, taken, file }))
            });
        Self {
            known: Known::new(),
            starts: opened.collect(),
            current: None,
            way: Way::Following,
            follow,
        }
    }

    /// Until it is told otherwise, only what was read before is read.
    pub(super) fn pass(&mut self) {
        self.way = Way::Passing;
    }

    /// As if nothing were known.
    pub(super) fn begin_anew(&mut self, sources: impl Iterator<Item = PathBuf>) {
        *self = Self::new(Arc::clone(&self.follow), sources);
    }

    /// Goes on behind what was passed over. Whether the file that this ends in is to be opened again,
    /// because it may grow.
    pub(super) fn go_on(&mut self, source: usize, bytes: u64, lines: u64) -> bool {
        self.way = Way::Following;
        let Some(current) = self.current.take_if(|file| file.packed_bytes.is_none()) else {
            return false;
        };
        let bytes = bytes - current.base_bytes;
        let start = Start {
            path: current.path,
            taken: Taken { bytes, lines },
            file: Some(current.file),
        };
        self.starts.insert(source, start);
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
        let waiting = self.follow.wait(&self.known, most);
        let opened = waiting
            .into_iter()
            .filter_map(|start| self.open_start(start));
        let opened: Vec<_> = opened.take(OPEN_MAX).collect();
        let paths = opened.iter().map(|start| start.path.clone()).collect();
        self.starts.extend((sources..).zip(opened));
        paths
    }

    /// Another file may have the name by now: that one comes when it is listed.
    fn open_start(&self, start: Start) -> Option<Start> {
        if start.file.is_some() {
            return Some(start);
        }
        // What cannot be opened is passed over at its turn.
        let Ok(file) = File::open(&start.path) else {
            return Some(start);
        };
        let metadata = file.metadata().ok()?;
        let known = self.known.get(&FileId::of(&metadata));
        let start = named_start(start.path, &metadata, known)?;
        Some(Start {
            file: Some(Arc::new(file)),
            ..start
        })
    }

    /// How many of the file's lines are taken, which is read from now on.
    pub(super) fn begin(&mut self, path: &Path, source: usize, bytes: u64) -> io::Result<u64> {
        let (taken, file) = match self.starts.remove(&source) {
            Some(Start {
                taken,
                file: Some(file),
                ..
            }) => (taken, file),
            _ => (Taken::default(), Arc::new(File::open(path)?)),
        };
        let metadata = file.metadata()?;
        self.current = Some(Current {
            path: path.to_owned(),
            id: FileId::of(&metadata),
            packed_bytes: is_packed(&file).then_some(metadata.len()),
            file,
            taken,
            seen_bytes: Arc::default(),
            base_bytes: bytes.saturating_sub(taken.bytes),
        });
        Ok(taken.lines)
    }

    /// The file that was begun with.
    pub(super) fn open(
        &self,
        are_next: bool,
        read_bytes: &Arc<AtomicU64>,
    ) -> io::Result<Unpacked<Raw>> {
        let Some(current) = &self.current else {
            return Err(io::Error::other("it was not begun with"));
        };
        if current.packed_bytes.is_some() || self.way == Way::Passing {
            // What is cloned is at the same place.
            let mut file = current.file.try_clone()?;
            io::Seek::rewind(&mut file)?;
            return Unpacked::open(Raw::File(file), read_bytes);
        }
        let mut known = self.known.clone();
        known.remove(&current.id);
        let growing = Growing {
            file: Arc::clone(&current.file),
            id: current.id,
            given_bytes: current.taken.bytes,
            held: Vec::new(),
            whole_bytes: 0,
            seen_bytes: Arc::clone(&current.seen_bytes),
            is_in_line: false,
            idle: None,
            others: Others {
                follow: Arc::clone(&self.follow),
                known,
                are_next,
            },
        };
        Ok(Unpacked::plain(Raw::Growing(Box::new(growing)), read_bytes))
    }

    /// Remembers how far the file was read.
    pub(super) fn leave(&mut self, bytes: u64, lines: u64) {
        if let Some(file) = self.current.take() {
            let bytes = bytes - file.base_bytes;
            let (seen_bytes, then) = match file.packed_bytes {
                Some(packed_bytes) => (packed_bytes, Then::Again),
                None => (
                    bytes.max(file.seen_bytes.load(Ordering::Relaxed)),
                    Then::GoOn,
                ),
            };
            self.know(file, Taken { bytes, lines }, seen_bytes, then);
        }
    }

    fn know(&mut self, file: Current, taken: Taken, seen_bytes: u64, then: Then) {
        self.close_some();
        let known = KnownFile {
            path: file.path,
            taken,
            seen_bytes,
            then,
            file: (then == Then::GoOn).then_some(file.file),
        };
        self.known.insert(file.id, known);
    }

    /// Files that are gone, and of too many the one that has had nothing for longest.
    fn close_some(&mut self) {
        for (id, known) in &mut self.known {
            if known.file.is_some() && known.is_gone(*id) {
                known.file = None;
            }
        }
        let open = || self.known.values().filter(|known| known.file.is_some());
        if open().count() >= OPEN_MAX {
            let open = self.known.values_mut().filter(|known| known.file.is_some());
            let oldest =
                open.min_by_key(|known| known.file.as_ref().and_then(|file| modified(file)));
            if let Some(oldest) = oldest {
                oldest.file = None;
            }
        }
    }

    /// Whether it goes over to the other files, because it is this one's fault.
    pub(super) fn pass_over(&mut self, path: &Path, why: &dyn fmt::Display, then: Then) -> bool {
        if self.follow.is_over() || self.way == Way::Passing {
            return false;
        }
        (self.follow.passed_over)(why);
        if let Some(file) = self.current.take() {
            let length = file.file.metadata().map_or(0, |metadata| metadata.len());
            let seen_bytes = file.packed_bytes.unwrap_or(length);
            self.know(file, Taken::default(), seen_bytes, then);
        } else if let Ok(metadata) = path.metadata() {
            let known = KnownFile {
                path: path.to_owned(),
                taken: Taken::default(),
                seen_bytes: metadata.len(),
                then,
                file: None,
            };
            self.known.insert(FileId::of(&metadata), known);
        }
        true
    }
}

impl Growing {
    fn wait(&mut self, most: Duration) -> bool {
        let began = Instant::now();
        loop {
            // What fails here fails again where it is read.
            let is_there = self.fill().is_err() || self.whole_bytes > 0;
            if is_there || self.is_over() || self.others.follow.is_over() {
                return true;
            }
            let left = most.saturating_sub(began.elapsed());
            if left.is_zero() {
                return false;
            }
            thread::sleep(left.min(EVERY));
        }
    }

    /// Reads on until there is a line's end, as far as there is something.
    fn fill(&mut self) -> io::Result<()> {
        while self.whole_bytes == 0 && !self.is_packed() {
            let before = self.held.len();
            self.held.resize(before + READ_BYTES, 0);
            let room = self.held.split_at_mut(before).1;
            let read = self.file.read_at(room, self.given_bytes + before as u64);
            self.held
                .truncate(before + read.as_ref().copied().unwrap_or(0));
            if read? == 0 {
                break;
            }
            self.idle = None;
            let seen_bytes = self.given_bytes + self.held.len() as u64;
            self.seen_bytes.store(seen_bytes, Ordering::Relaxed);
            let is_long = self.is_in_line || self.held.len() > LINE_BYTES_HELD;
            self.whole_bytes = match memrchr(b'\n', self.held.split_at(before).1) {
                Some(end) => before + end + 1,
                None if is_long => self.held.len(),
                None => 0,
            };
            if self.is_packed() {
                self.whole_bytes = 0;
            }
        }
        Ok(())
    }

    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let given = self.whole_bytes.min(buffer.len());
        let bytes = self.held.split_at(given).0;
        buffer.split_at_mut(given).0.copy_from_slice(bytes);
        self.is_in_line = bytes.last().is_some_and(|last| *last != b'\n');
        self.held.drain(..given);
        self.whole_bytes -= given;
        self.given_bytes += given as u64;
        given
    }

    /// It had nothing when it was opened, or it would have been seen then.
    fn is_packed(&self) -> bool {
        self.given_bytes == 0 && self.held.starts_with(GZIP_MAGIC)
    }

    /// Whether others have something, or it has begun anew, so that its end is one.
    fn is_over(&mut self) -> bool {
        if self.is_packed() {
            self.seen_bytes.store(0, Ordering::Relaxed);
            return true;
        }
        if self.is_cut() {
            // However long it is by the time it is looked at.
            self.seen_bytes.store(u64::MAX, Ordering::Relaxed);
            return true;
        }
        let idle = self.idle.get_or_insert_with(Instant::now).elapsed();
        let may_end = !self.is_in_line || idle > LINE_PATIENCE;
        may_end && (self.others.are_next || self.others_wait())
    }

    fn is_cut(&self) -> bool {
        let read_bytes = self.given_bytes + self.held.len() as u64;
        let metadata = self.file.metadata();
        metadata.is_ok_and(|metadata| metadata.len() < read_bytes)
    }

    fn others_wait(&self) -> bool {
        let Others { follow, known, .. } = &self.others;
        !follow.waiting(known, Some(self.id)).is_empty()
    }
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // The line that is begun must not be taken for a whole one.
            if self.others.follow.is_over() {
                return Err(io::Error::other("nobody follows it any more"));
            }
            self.fill()?;
            if self.whole_bytes > 0 {
                return Ok(self.give(buffer));
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

    fn begun(&self) -> &[u8] {
        match self {
            Self::Growing(growing) => &growing.held,
            Self::File(_) | Self::StandardInput(_) => &[],
        }
    }
}

/// What cannot be waited for is read: that says why.
fn is_readable(file: &impl AsFd, most: Duration) -> bool {
    let most = Timespec::try_from(most).ok();
    let mut files = [PollFd::new(file, PollFlags::IN)];
    poll(&mut files, most.as_ref()).map_or(true, |ready| ready > 0)
}
