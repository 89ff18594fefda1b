//! An input's lines on their way into a stream: in windows, each a point that can be gone on from.

use std::{
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::record::RECORD_BYTES_MAX;
use crate::local::input::{Fingerprint, Fingerprinter, InputError, Lines, Part, Position};

/// A window has no more, so that what it takes until it is done is bounded.
const LINES_MAX: usize = 5_000;
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Of a line, what is read at once: with its end, and one byte more than a stream takes.
pub const PART_BYTES_MAX: usize = RECORD_BYTES_MAX + 3;
/// How many parts of lines wait.
const WAITING_MAX: usize = 64;
/// So long a window that is not full waits for more, and so soon a wish to stop is heard.
const PATIENCE: Duration = Duration::from_millis(100);

/// What was read, but for lines of white space.
#[derive(Debug, Default)]
pub struct Window {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// Of the input, line ends too.
    pub input_bytes: u64,
    /// Where the input goes on.
    pub mark: Mark,
}

#[derive(Debug)]
struct Line {
    source: usize,
    number: u64,
    range: Range<usize>,
    /// Bytes that are not held, because no stream takes them.
    more: usize,
}

/// A line as it is put, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub data: &'a [u8],
    /// All its bytes, where they are more than the data.
    pub bytes: usize,
    pub source: usize,
    pub line: u64,
}

/// A point that can be gone on from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub position: Position,
    pub fingerprint: Fingerprint,
}

/// Why there is no further window.
#[derive(Debug)]
pub enum Ending {
    /// All is read.
    Complete,
    /// It was to stop.
    Stopped,
    /// The input cannot be read further.
    Broken(InputError),
}

/// Windows of an input that is read by another thread.
pub struct Feed {
    taken: Receiver<Taken>,
    fingerprinter: Fingerprinter,
    stop: Arc<AtomicBool>,
    ending: Option<Ending>,
    /// Of a line whose end has not come yet, what was known before it.
    open: Option<Fingerprinter>,
}

/// What a window is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// What is there, up to what one may hold.
    Usual,
    Lines(usize),
}

/// From the thread that reads.
enum Taken {
    Part(Vec<u8>, Part, Position),
    End(Ending),
}

impl Feed {
    /// Goes on from where `lines` are, of which `fingerprinter` knows what comes before.
    pub fn start(
        lines: Lines,
        fingerprinter: Fingerprinter,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let (sender, taken) = sync_channel(WAITING_MAX);
        // Not waited for: it may hang on an input that has nothing.
        thread::Builder::new()
            .name("reader".into())
            .spawn(move || read(lines, &sender))?;
        Ok(Self {
            taken,
            fingerprinter,
            stop,
            ending: None,
            open: None,
        })
    }

    /// Waits for the next lines. A window is given when it is full, or when nothing has come for a
    /// moment.
    pub fn next_window(&mut self) -> Result<Window, Ending> {
        self.gather(Size::Usual)
    }

    /// Waits for as many lines as a window had that has to come again, whatever it ended at. None
    /// where it is to stop before they are there.
    pub fn next_lines(&mut self, lines: usize) -> Result<Window, Ending> {
        let window = self.gather(Size::Lines(lines))?;
        match &self.ending {
            Some(Ending::Stopped) if window.lines() < lines => Err(Ending::Stopped),
            _ => Ok(window),
        }
    }

    fn gather(&mut self, size: Size) -> Result<Window, Ending> {
        let mut window = Window::default();
        while self.ending.is_none() && (self.open.is_some() || !window.has(size)) {
            match self.taken.recv_timeout(PATIENCE) {
                Ok(Taken::Part(bytes, part, position)) => {
                    self.add(&mut window, &bytes, part, position);
                }
                Ok(Taken::End(ending)) => self.ending = Some(ending),
                Err(RecvTimeoutError::Timeout)
                    if size == Size::Usual && !window.is_empty() && self.open.is_none() =>
                {
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.ending = Some(reader_gone()),
            }
            if self.stop.load(Ordering::Relaxed) {
                self.ending.get_or_insert(Ending::Stopped);
            }
        }
        if let Some(before) = self.open.take() {
            self.fingerprinter = before;
            window.leave_open_line();
        }
        window.mark.fingerprint = self.fingerprinter.digest();
        match &self.ending {
            Some(_) if window.is_empty() => Err(self.ending.take().unwrap_or(Ending::Stopped)),
            _ => Ok(window),
        }
    }

    fn add(&mut self, window: &mut Window, bytes: &[u8], part: Part, position: Position) {
        let before = self.open.take();
        window.input_bytes += bytes.len() as u64;
        match window.lines.last_mut().filter(|_| before.is_some()) {
            Some(line) => line.more += bytes.strip_suffix(b"\n").unwrap_or(bytes).len(),
            None => window.begin_line(bytes, position),
        }
        self.open = match part {
            Part::Open => before.or_else(|| Some(self.fingerprinter.clone())),
            Part::Last => None,
        };
        self.fingerprinter.update(bytes);
        if part == Part::Last {
            window.end_line(position);
        }
    }
}

fn reader_gone() -> Ending {
    Ending::Broken(InputError::Broken {
        source_name: "the input".to_owned(),
        line: 0,
        error: io::Error::other("its reader has ended early: this is a mistake in nozzle"),
    })
}

fn read(mut lines: Lines, sender: &SyncSender<Taken>) {
    loop {
        let mut bytes = Vec::new();
        let taken = match lines.read(&mut bytes) {
            Ok(Some(part)) => Taken::Part(bytes, part, lines.position),
            Ok(None) => Taken::End(Ending::Complete),
            Err(error) => Taken::End(Ending::Broken(error)),
        };
        let is_last = matches!(taken, Taken::End(_));
        // Who does not listen any more wants no more.
        if sender.send(taken).is_err() || is_last {
            return;
        }
    }
}

impl Window {
    /// The lines that are not empty.
    pub fn events(&self) -> impl Iterator<Item = Event<'_>> {
        self.lines.iter().filter_map(|line| {
            let data = self.bytes.get(line.range.clone()).unwrap_or_default();
            let data = data.trim_ascii_end();
            let event = Event {
                data,
                bytes: data.len() + line.more,
                source: line.source,
                line: line.number,
            };
            let is_blank = line.more == 0 && data.trim_ascii().is_empty();
            (!is_blank).then_some(event)
        })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Blank ones too.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    fn has(&self, size: Size) -> bool {
        match size {
            Size::Usual => self.lines() >= LINES_MAX || self.bytes.len() >= BYTES_MAX,
            Size::Lines(lines) => self.lines() >= lines,
        }
    }

    fn begin_line(&mut self, bytes: &[u8], position: Position) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.lines.push(Line {
            source: position.source,
            number: position.line,
            range: start..self.bytes.len(),
            more: 0,
        });
    }

    fn leave_open_line(&mut self) {
        self.lines.pop();
    }

    fn end_line(&mut self, position: Position) {
        self.mark.position = position;
        if let Some(line) = self.lines.last_mut() {
            line.number = position.line;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, path::PathBuf};

    use flate2::{Compression, write::GzEncoder};
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::local::input::{Input, Skipped};

    struct Place {
        _folder: TempDir,
        file: PathBuf,
    }

    impl Place {
        fn holding(text: impl AsRef<[u8]>) -> Self {
            let folder = tempdir().unwrap();
            let file = folder.path().join("in");
            fs::write(&file, text).unwrap();
            Self {
                _folder: folder,
                file,
            }
        }

        fn lines(&self) -> Lines {
            let input = Input::find(std::slice::from_ref(&self.file), &self.file).unwrap();
            Lines::new(input, PART_BYTES_MAX, Arc::default())
        }

        fn feed(&self) -> Feed {
            Feed::start(self.lines(), Fingerprinter::default(), Arc::default()).unwrap()
        }
    }

    #[test]
    fn lines_are_events_but_for_blank_ones() {
        let place = Place::holding("{\"a\":1}\n\n \t\r\n {\"b\":2}\r\nlast");
        let mut feed = place.feed();
        let window = feed.next_window().unwrap();
        let events: Vec<_> = window
            .events()
            .map(|event| (event.data, event.line))
            .collect();
        let expected: [(&[u8], u64); 3] = [(b"{\"a\":1}", 1), (b" {\"b\":2}", 4), (b"last", 5)];
        assert_eq!(events, expected);
        assert_eq!(window.input_bytes, 27);
        assert!(matches!(feed.next_window(), Err(Ending::Complete)));
    }

    #[test]
    fn a_line_that_no_stream_takes_is_counted_and_not_held() {
        let place = Place::holding([vec![b'x'; 3 * PART_BYTES_MAX], b"\nnext\n".to_vec()].concat());
        let window = place.feed().next_window().unwrap();
        let events: Vec<_> = window.events().collect();
        assert_eq!(events[0].data.len(), PART_BYTES_MAX);
        assert!(events[0].bytes > 3 * RECORD_BYTES_MAX);
        assert_eq!((events[0].line, events[1].line), (1, 2));
        assert_eq!(events[1].data, b"next");
    }

    #[test]
    fn windows_are_bounded_and_each_can_be_gone_on_from() {
        let numbers: Vec<_> = (0..2 * LINES_MAX + 5).map(|n| n.to_string()).collect();
        let text = numbers.join("\n");
        let place = Place::holding(text);
        let mut feed = place.feed();
        let first = feed.next_window().unwrap();
        assert_eq!(first.events().count(), LINES_MAX);
        drop(feed);

        let mut lines = place.lines();
        let mut fingerprinter = Fingerprinter::default();
        let Mark {
            position,
            fingerprint,
        } = first.mark;
        let skipped = lines.skip(&position, fingerprint, &mut fingerprinter);
        assert_eq!(skipped.unwrap(), Skipped::Same);
        let mut feed = Feed::start(lines, fingerprinter, Arc::default()).unwrap();
        let second = feed.next_window().unwrap();
        let data = second.events().next().unwrap().data;
        assert_eq!(data, LINES_MAX.to_string().as_bytes());
        assert_eq!(feed.next_window().unwrap().events().count(), 5);
        assert!(feed.next_window().is_err());
    }

    #[test]
    fn where_the_input_breaks_the_lines_before_are_given() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let text = [b"1\n2\n".to_vec(), vec![b'x'; PART_BYTES_MAX + 9]].concat();
        gzip.write_all(&text).unwrap();
        let mut bytes = gzip.finish().unwrap();
        bytes.truncate(bytes.len() - 12);
        let place = Place::holding(bytes);
        let mut feed = place.feed();
        let window = feed.next_window().unwrap();
        assert_eq!(window.events().count(), 2);
        let mut same = Fingerprinter::default();
        same.update(b"1\n2\n");
        assert_eq!(window.mark.fingerprint, same.digest());
        assert_eq!(window.mark.position.bytes, 4);
        assert!(matches!(feed.next_window(), Err(Ending::Broken(_))));
    }

    #[test]
    fn a_window_that_comes_again_has_as_many_lines_or_does_not_come() {
        let place = Place::holding("1\n\n3\n4");
        let mut first = place.feed();
        let window = first.next_lines(2).unwrap();
        assert_eq!((window.lines(), window.mark.position.bytes), (2, 3));
        assert_eq!(first.next_window().unwrap().lines(), 2);
        let all = place.feed().next_lines(5).unwrap();
        assert_eq!(all.lines(), 4, "the input has no more");

        let stop = Arc::new(AtomicBool::new(true));
        let mut stopped = Feed::start(place.lines(), Fingerprinter::default(), stop).unwrap();
        assert!(matches!(stopped.next_lines(2), Err(Ending::Stopped)));
    }

    #[test]
    fn who_wants_it_to_stop_gets_what_is_read_and_then_the_end() {
        let place = Place::holding("1\n2\n");
        let stop = Arc::new(AtomicBool::new(true));
        let mut feed = Feed::start(place.lines(), Fingerprinter::default(), stop).unwrap();
        let window = feed.next_window().unwrap();
        assert_eq!(window.events().count(), 1);
        assert!(matches!(feed.next_window(), Err(Ending::Stopped)));
    }
}
