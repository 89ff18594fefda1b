//! Where events come from: files, folders and standard input, gzip or not, read line by line.

mod follow;
pub mod form;
pub mod reader;
pub mod resume;

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufRead, Chain, Cursor, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use follow::{Follow, Followed, Raw, Then};
use form::{Form, FormOf};
use memchr::memchr;
pub use reader::Part;
use reader::{Unpacked, keep_first, read_part};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::files::OWN_FOLDER;
use crate::dedup::embedded::EmbeddedStore;

/// So much of the input's beginning tells at once whether it is the same input.
pub const HEAD_BYTES: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Where so much is there, so is a line, as a rule: it need not be looked for.
const LINE_BYTES_USUAL: usize = 16 * 1024;

/// The sources of a run, found and readable, in the order in which they are read.
#[derive(Debug, Clone)]
pub struct Input {
    pub sources: Vec<Source>,
    /// Of all files together, as they lie on the disk; unknown with standard input.
    pub bytes: Option<u64>,
    pub expected: Expected,
    /// Told how many bytes of a stream come once more before it is gone on with.
    pub on_skip: fn(u64),
    /// Told what begins with a byte order mark, where that is no line's.
    pub on_byte_order_mark: fn(&Source),
    follow: Option<Arc<Follow>>,
}

/// What sources are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Lines,
    /// Lines that each stand by themselves: what is seen to be JSON over several of them or in one
    /// array, packed, or no text is not begun with.
    Records,
    /// Lines that are events each: what is seen to be in another form is not begun with.
    Events,
}

impl Expected {
    fn refuses(self, form: Form) -> bool {
        match self {
            Self::Lines => false,
            Self::Records => !matches!(form, Form::Csv | Form::Delivered | Form::ErrorObjects),
            Self::Events => true,
        }
    }
}

/// Sources, of which there may be more while they are followed.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<Mutex<Vec<Source>>>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    StandardInput,
}

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("there is no file or folder `{0}`")]
    Missing(PathBuf),
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("the folder `{0}` holds no file")]
    Empty(PathBuf),
    #[error(
        "`{0}` is what nozzle keeps for itself, claims and the like, and holds no events: name a \
         file or folder that does"
    )]
    Own(PathBuf),
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] io::Error),
    #[error("standard input can be given only once")]
    StandardInputTwice,
    #[error("{0} cannot be followed: --follow is for files and folders")]
    NotFollowed(String),
    #[error("{} {}; with --anyway each line is taken as it is", of.quoted_name(), of.in_form(*form))]
    OtherForm { of: Source, form: Form },
    #[error("{source_name} cannot be read beyond line {line}: {error}")]
    Broken {
        source_name: String,
        line: u64,
        #[source]
        error: io::Error,
    },
    #[error(
        "standard input is not what the interrupted run had read; that run is given up, so the \
         same command starts from the beginning now"
    )]
    OtherStream,
}

/// Up to where the input has been taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub source: usize,
    /// Lines of this source.
    pub line: u64,
    /// Of all sources, unpacked.
    pub bytes: u64,
}

/// What a position is checked against when a run goes on: the bytes before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub first_line: u64,
    pub head: u64,
    pub all: u64,
}

/// Hashes what has been taken in.
#[derive(Clone, Default)]
pub struct Fingerprinter {
    head: Vec<u8>,
    all: Xxh3Default,
}

impl Fingerprinter {
    pub fn update(&mut self, bytes: &[u8]) {
        let missing = HEAD_BYTES - self.head.len();
        let head = bytes.split_at(missing.min(bytes.len())).0;
        self.head.extend_from_slice(head);
        self.all.update(bytes);
    }

    #[must_use]
    pub fn digest(&self) -> Fingerprint {
        let mut lines = self.head.split_inclusive(|byte| *byte == b'\n');
        Fingerprint {
            first_line: xxh3_64(lines.next().unwrap_or_default()),
            head: xxh3_64(&self.head),
            all: self.all.digest(),
        }
    }
}

/// Whether the input begins with what an earlier run has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// It does; the lines after it come next.
    Same,
    /// It does not. All of it comes next.
    Other,
}

/// The lines of all sources.
pub struct Lines {
    pub sources: Sources,
    expected: Expected,
    on_skip: fn(u64),
    on_byte_order_mark: fn(&Source),
    followed: Option<Followed>,
    current: Option<Box<dyn Stream>>,
    in_line: bool,
    /// What there was of the next part, when it was waited for.
    begun: Vec<u8>,
    /// What waiting came upon.
    failed: Option<io::Error>,
    /// What one call to [`Lines::read`] appends at most.
    part_bytes_max: usize,
    read_bytes: Arc<AtomicU64>,
    pub position: Position,
}

/// Bytes that may be late.
trait Stream: BufRead + Send {
    /// Whether they are there, or their end is, within so long a time.
    fn wait(&mut self, most: Duration) -> bool;

    /// What is there of a line whose end is late.
    fn begun(&self) -> &[u8];
}

impl Stream for Unpacked<Raw> {
    fn wait(&mut self, most: Duration) -> bool {
        self.wait(most)
    }

    fn begun(&self) -> &[u8] {
        self.begun()
    }
}

impl Stream for Chain<Cursor<Vec<u8>>, Box<dyn Stream>> {
    fn wait(&mut self, most: Duration) -> bool {
        let (head, rest) = self.get_mut();
        head.fill_buf().is_ok_and(|left| !left.is_empty()) || rest.wait(most)
    }

    fn begun(&self) -> &[u8] {
        self.get_ref().1.begun()
    }
}

impl Sources {
    #[must_use]
    pub fn get(&self, position: usize) -> Option<Source> {
        self.lock().get(position).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Input {
    /// Finds what the arguments name: none or `-` is standard input, a folder all its files,
    /// sorted, but hidden ones, the lake's and claims. Everything is opened once, so that what is
    /// missing is known before any work.
    pub fn find(arguments: &[PathBuf], lake: &Path) -> Result<Self, InputError> {
        let standard_input = [PathBuf::from("-")];
        let arguments = match arguments {
            [] => &standard_input,
            given => given,
        };
        let lake = fs::canonicalize(lake).ok();
        let mut sources = Vec::new();
        for argument in arguments {
            find(argument, lake.as_deref(), &mut sources)?;
        }
        if sources.iter().filter(|source| !source.rewinds()).count() > 1 {
            return Err(InputError::StandardInputTwice);
        }
        let bytes = sources.iter().map(Source::readable).sum::<Result<_, _>>()?;
        Ok(Self {
            sources,
            bytes,
            expected: Expected::Lines,
            on_skip: |_| {},
            on_byte_order_mark: |_| {},
            follow: None,
        })
    }

    /// Finds what there is by now; what these files and folders get besides comes later, until it is
    /// to stop. `passed_over` says why a file is not read further, while the others are.
    pub fn follow(
        arguments: &[PathBuf],
        lake: &Path,
        stop: Arc<AtomicBool>,
        passed_over: fn(&dyn fmt::Display),
    ) -> Result<Self, InputError> {
        let found = match Self::find(arguments, lake) {
            Err(InputError::Empty(_)) => Vec::new(),
            found => found?.sources,
        };
        if let Some(source) = found.iter().find(|source| !source.rewinds()) {
            return Err(InputError::NotFollowed(source.name()));
        }
        let (arguments, lake) = (arguments.to_owned(), lake.to_owned());
        let files = Box::new(move || {
            let lake = fs::canonicalize(&lake).ok();
            let mut found = Vec::new();
            for argument in &arguments {
                // What is gone for now may come again.
                let _ = find(argument, lake.as_deref(), &mut found);
            }
            found.into_iter().filter_map(Source::into_path).collect()
        });
        Ok(Self {
            sources: found,
            bytes: None,
            expected: Expected::Lines,
            on_skip: |_| {},
            on_byte_order_mark: |_| {},
            follow: Some(Arc::new(Follow {
                files,
                stop,
                passed_over,
            })),
        })
    }
}

fn find(path: &Path, lake: Option<&Path>, sources: &mut Vec<Source>) -> Result<(), InputError> {
    if path == Path::new("-") {
        sources.push(Source::StandardInput);
        return Ok(());
    }
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if is_own(path) {
        return Err(InputError::Own(path.to_owned()));
    }
    if !metadata.is_dir() {
        sources.push(Source::File(path.to_owned()));
        return Ok(());
    }
    let before = sources.len();
    find_in_folder(path, lake, sources)?;
    if sources.len() == before {
        Err(InputError::Empty(path.to_owned()))
    } else {
        Ok(())
    }
}

/// Whether it is what Nozzle keeps for itself, or lies in a database of that.
fn is_own(path: &Path) -> bool {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    path.ends_with(OWN_FOLDER) || path.ancestors().any(EmbeddedStore::lies_in)
}

fn find_in_folder(
    folder: &Path,
    lake: Option<&Path>,
    sources: &mut Vec<Source>,
) -> Result<(), InputError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|error| unreadable(folder, error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry
            .file_type()
            .map_err(|error| unreadable(&path, error))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A folder behind a link may hold the link itself; a file cannot.
        if kind.is_dir() {
            let is_lake = lake.is_some() && fs::canonicalize(&path).ok().as_deref() == lake;
            if !is_lake && !EmbeddedStore::lies_in(&path) {
                find_in_folder(&path, lake, sources)?;
            }
        } else if path.is_file() {
            sources.push(Source::File(path));
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: io::Error) -> InputError {
    match error.kind() {
        io::ErrorKind::NotFound => InputError::Missing(path.to_owned()),
        _ => InputError::Unreadable(path.to_owned(), error),
    }
}

impl Source {
    /// As a person knows it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::StandardInput => "standard input".to_owned(),
        }
    }

    fn quoted_name(&self) -> String {
        format!("`{}`", self.name())
    }

    /// It, where it is of a form that nobody wants.
    #[must_use]
    pub fn in_form(&self, form: Form) -> FormOf<'_> {
        let file = match self {
            Self::File(path) => path.to_str(),
            Self::StandardInput => None,
        };
        FormOf { form, file }
    }

    fn into_path(self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::StandardInput => None,
        }
    }

    /// Pipes given by a path are as gone after reading as standard input.
    fn rewinds(&self) -> bool {
        match self {
            Self::File(path) => path.is_file(),
            Self::StandardInput => false,
        }
    }

    /// Its size, where it has one. A pipe is not opened, for that would end its writer.
    fn readable(&self) -> Result<Option<u64>, InputError> {
        match self {
            Self::File(path) if self.rewinds() => File::open(path)
                .and_then(|file| file.metadata())
                .map(|metadata| Some(metadata.len()))
                .map_err(|error| unreadable(path, error)),
            _ => Ok(None),
        }
    }

    /// Opens it, unpacked; `read_bytes` counts what is read as it lies there.
    pub fn open(&self, read_bytes: &Arc<AtomicU64>) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(Box::new(self.unpack(read_bytes)?))
    }

    fn unpack(&self, read_bytes: &Arc<AtomicU64>) -> io::Result<Unpacked<Raw>> {
        match self {
            Self::File(path) => {
                Unpacked::open_named(Raw::File(File::open(path)?), path, read_bytes)
            }
            Self::StandardInput => Unpacked::open(Raw::StandardInput(io::stdin()), read_bytes),
        }
    }
}

impl Lines {
    /// `read_bytes` counts what has been read of the files as they lie on the disk.
    #[must_use]
    pub fn new(input: Input, part_bytes_max: usize, read_bytes: Arc<AtomicU64>) -> Self {
        let sources = input.sources.iter().cloned();
        let followed = input
            .follow
            .map(|follow| Followed::new(follow, sources.filter_map(Source::into_path)));
        Self {
            sources: Sources(Arc::new(Mutex::new(input.sources))),
            expected: input.expected,
            on_skip: input.on_skip,
            on_byte_order_mark: input.on_byte_order_mark,
            followed,
            current: None,
            in_line: false,
            begun: Vec::new(),
            failed: None,
            part_bytes_max,
            read_bytes,
            position: Position::default(),
        }
    }

    /// Whether the next line is there within so long a time, or its end is, or what keeps it from
    /// being read. What there is of it is kept.
    pub fn wait(&mut self, most: Duration) -> bool {
        loop {
            let Some(stream) = &mut self.current else {
                match self.reader(most) {
                    Ok(Some(_)) => continue,
                    Ok(None) => return !self.gets_more(),
                    Err(_) => return true,
                }
            };
            if !stream.wait(most) {
                return false;
            }
            let buffer = match stream.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.failed = Some(error);
                    return true;
                }
            };
            let is_begun = self.in_line || !self.begun.is_empty();
            let bytes = buffer.len();
            if bytes == 0 && !is_begun {
                self.next_source();
            } else if bytes == 0
                || bytes >= LINE_BYTES_USUAL
                || memchr(b'\n', buffer).is_some()
                || self.begun.len() + bytes >= self.part_bytes_max
            {
                return true;
            } else {
                self.begun.extend_from_slice(buffer);
                stream.consume(bytes);
            }
        }
    }

    fn gets_more(&self) -> bool {
        self.followed.as_ref().is_some_and(Followed::gets_more)
    }

    /// Appends the next part of a line, with its line end; `None` when all sources are read.
    /// When a source fails, nothing of the line that it breaks off is appended.
    pub fn read(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Part>, InputError> {
        let start = bytes.len();
        loop {
            let bytes_max = self.part_bytes_max - self.begun.len();
            let begun = std::mem::take(&mut self.begun);
            let failed = self.failed.take();
            let Some(reader) = self.reader(Duration::MAX)? else {
                return Ok(None);
            };
            bytes.extend_from_slice(&begun);
            let read = failed.map_or_else(|| read_part(reader, bytes, bytes_max), Err);
            let part = match read {
                Ok(Some(part)) => part,
                Err(error) => {
                    bytes.truncate(start);
                    self.pass_over(self.broken(error))?;
                    if !self.in_line {
                        continue;
                    }
                    // What was given of the line is not the next file's.
                    self.in_line = false;
                    return Ok(Some(Part::Last));
                }
                Ok(None) if self.in_line || !begun.is_empty() => Part::Last,
                Ok(None) => {
                    self.next_source();
                    continue;
                }
            };
            self.position.bytes += (bytes.len() - start) as u64;
            self.in_line = part == Part::Open;
            self.position.line += u64::from(part == Part::Last);
            return Ok(Some(part));
        }
    }

    /// Reads the next line, as [`reader::read_line`] does.
    pub fn read_line(&mut self, line: &mut Vec<u8>) -> Result<Option<Part>, InputError> {
        keep_first(line, |line| self.read(line))
    }

    /// Passes over what an earlier run has read, if the input begins with it.
    pub fn skip(
        &mut self,
        to: &Position,
        expected: Fingerprint,
        fingerprinter: &mut Fingerprinter,
    ) -> Result<Skipped, InputError> {
        let rewinds = self.rewinds();
        if !rewinds {
            (self.on_skip)(to.bytes);
        }
        // What has gone by in a stream cannot be had again, so its head is looked at first.
        let same_head = rewinds || self.peek(to.bytes, expected)? == expected.head;
        if let Some(followed) = &mut self.followed {
            followed.pass();
        }
        if same_head {
            // Whatever fails here fails again where it is read for good.
            let passed = self.pass(to, expected.head, fingerprinter);
            if passed.is_ok_and(|passed| passed) && fingerprinter.digest() == expected {
                self.follow_from_here();
                return Ok(Skipped::Same);
            }
            if !rewinds {
                return Err(InputError::OtherStream);
            }
            self.current = None;
        }
        if let Some(followed) = &mut self.followed {
            let sources = self.sources.lock().clone().into_iter();
            followed.begin_anew(sources.filter_map(Source::into_path));
        }
        self.position = Position::default();
        self.read_bytes.store(0, Ordering::Relaxed);
        *fingerprinter = Fingerprinter::default();
        Ok(Skipped::Other)
    }

    fn rewinds(&self) -> bool {
        self.sources.lock().iter().all(Source::rewinds)
    }

    /// The hash of the first source's head, which remains to be read: of its first line alone where
    /// that is another one already, so that no more is waited for.
    fn peek(&mut self, bytes: u64, expected: Fingerprint) -> Result<u64, InputError> {
        let mut head = Vec::new();
        if let Some(reader) = self.reader(Duration::MAX)? {
            let mut reader = reader.take(bytes.min(HEAD_BYTES as u64));
            let mut read = reader.read_until(b'\n', &mut head);
            if read.is_ok() && xxh3_64(&head) == expected.first_line {
                read = reader.read_to_end(&mut head);
            }
            read.map_err(|error| self.broken(error))?;
        }
        let hash = xxh3_64(&head);
        if let Some(rest) = self.current.take() {
            self.current = Some(Box::new(Cursor::new(head).chain(rest)));
        }
        Ok(hash)
    }

    /// Whether there was that much, and its head was right.
    fn pass(
        &mut self,
        to: &Position,
        head: u64,
        fingerprinter: &mut Fingerprinter,
    ) -> Result<bool, InputError> {
        while self.position.bytes < to.bytes {
            let left = to.bytes - self.position.bytes;
            let Some(reader) = self.reader(Duration::MAX)? else {
                return Ok(false);
            };
            let buffer = match reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) => return Err(self.broken(error)),
            };
            let taken = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            fingerprinter.update(buffer.split_at(taken).0);
            reader.consume(taken);
            self.position.bytes += taken as u64;
            if taken == 0 {
                self.next_source();
            }
            if fingerprinter.head.len() == HEAD_BYTES && xxh3_64(&fingerprinter.head) != head {
                return Ok(false);
            }
        }
        // Where one source ends the next one begins: a position may mean either.
        while self.position.source < to.source {
            self.next_source();
        }
        let same_source = self.position.source == to.source;
        self.position = *to;
        Ok(same_source)
    }

    /// None when there is no further source, or none that comes within so long a time.
    fn reader(&mut self, most: Duration) -> Result<Option<&mut Box<dyn Stream>>, InputError> {
        while self.current.is_none() {
            let position = self.position.source;
            let Some(source) = self.sources.get(position).or_else(|| self.more(most)) else {
                return Ok(None);
            };
            match self.begin(&source) {
                Ok(stream) => self.current = Some(stream),
                Err(error) => self.pass_over(error)?,
            }
        }
        Ok(self.current.as_mut())
    }

    fn begin(&mut self, source: &Source) -> Result<Box<dyn Stream>, InputError> {
        let mut stream = self.open(source).map_err(|error| self.broken(error))?;
        self.check_form(source, &mut *stream)?;
        Ok(stream)
    }

    /// One of the files that are followed does not keep the others from being read.
    fn pass_over(&mut self, error: InputError) -> Result<(), InputError> {
        let source = self.sources.get(self.position.source);
        let then = match error {
            InputError::OtherForm { .. } => Then::Nothing,
            _ => Then::Again,
        };
        let is_passed = match (&mut self.followed, source) {
            (Some(followed), Some(Source::File(path))) => followed.pass_over(&path, &error, then),
            _ => false,
        };
        if !is_passed {
            return Err(error);
        }
        self.next_source();
        Ok(())
    }

    /// What has nothing yet has no form; a line whose end is late may have one.
    fn check_form(&self, source: &Source, stream: &mut dyn Stream) -> Result<(), InputError> {
        if self.expected == Expected::Lines {
            return Ok(());
        }
        let broken = |error| self.broken(error);
        let has_lines =
            stream.wait(Duration::ZERO) && !stream.fill_buf().map_err(broken)?.is_empty();
        let head = if has_lines {
            stream.fill_buf().map_err(broken)?
        } else {
            stream.begun()
        };
        let head = head.split_at(head.len().min(HEAD_BYTES)).0;
        if head.starts_with(BYTE_ORDER_MARK) {
            (self.on_byte_order_mark)(source);
        }
        match Form::of(head).filter(|form| self.expected.refuses(*form)) {
            None => Ok(()),
            Some(form) => Err(InputError::OtherForm {
                of: source.clone(),
                form,
            }),
        }
    }

    /// The next of what is followed, when there is one.
    fn more(&mut self, most: Duration) -> Option<Source> {
        let followed = self.followed.as_mut()?;
        let known = self.sources.lock().len();
        let more = followed.wait(most, known);
        let mut sources = self.sources.lock();
        sources.extend(more.into_iter().map(Source::File));
        sources.get(self.position.source).cloned()
    }

    fn open(&mut self, source: &Source) -> io::Result<Box<dyn Stream>> {
        let Position {
            source: at, bytes, ..
        } = self.position;
        let are_next = self.sources.get(at + 1).is_some();
        if let (Some(followed), Source::File(path)) = (&mut self.followed, source) {
            self.position.line = followed.begin(path, at, bytes)?;
            return Ok(Box::new(followed.open(are_next, &self.read_bytes)?));
        }
        Ok(Box::new(source.unpack(&self.read_bytes)?))
    }

    /// What was passed over is read, and the file that it ends in may grow.
    fn follow_from_here(&mut self) {
        let Position {
            source,
            line,
            bytes,
        } = self.position;
        if let Some(followed) = &mut self.followed
            && followed.go_on(source, bytes, line)
        {
            self.current = None;
        }
    }

    fn next_source(&mut self) {
        self.current = None;
        if let Some(followed) = &mut self.followed {
            followed.leave(self.position.bytes, self.position.line);
        }
        self.position = Position {
            source: self.position.source + 1,
            bytes: self.position.bytes,
            ..Position::default()
        };
    }

    fn broken(&self, error: io::Error) -> InputError {
        let source = self.sources.get(self.position.source);
        InputError::Broken {
            source_name: source
                .map(|source| format!("`{}`", source.name()))
                .unwrap_or_default(),
            line: self.position.line,
            error,
        }
    }
}
