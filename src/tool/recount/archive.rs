//! The archive, read object by object and given day by day.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    mem,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use anyhow::Result;

use crate::{
    functions::event_processor::{
        archive::plan::Named,
        event::CountedAs,
        key::{Subject, ledger},
        table::Key,
        window::Window,
    },
    kinesis::Sequence,
    local::input::reader::{Part, Unpacked, read_line},
    tool::objects::{Object, Objects},
};

/// Longer than any archived line: a record has 1 MiB, and what is added is short.
const LINE_BYTES_MAX: usize = 9 * 1024 * 1024;

/// What the archive says of a day.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) window: Window,
    /// By hour.
    pub(super) events: BTreeMap<Subject, u64>,
    /// That have an object, be it an empty one.
    pub(super) hours: BTreeSet<Window>,
    /// By ledger, hour for hour the last segment that has an object.
    pub(super) segments: BTreeMap<Key, BTreeMap<Window, Sequence>>,
}

/// What of the archive says nothing.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// That are no archived event.
    pub(super) lines: u64,
    /// Why each cannot be read to its end.
    pub(super) objects: Vec<String>,
    /// The hours that these are of, and their days.
    pub(super) windows: BTreeSet<Window>,
}

impl Unread {
    fn note(&mut self, hour: Window) {
        self.windows.extend([hour, hour.day()]);
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.windows.is_empty()
    }
}

/// The archive on its way: objects come in the order of their names, and so by day.
pub(super) struct Days<'a> {
    objects: &'a dyn Objects,
    read_bytes: Arc<AtomicU64>,
    open: Option<Day>,
    pub(super) unread: Unread,
}

impl<'a> Days<'a> {
    pub(super) fn new(objects: &'a dyn Objects, read_bytes: Arc<AtomicU64>) -> Self {
        Self {
            objects,
            read_bytes,
            open: None,
            unread: Unread::default(),
        }
    }

    /// Takes an object; gives the day before it where it begins a new one.
    pub(super) fn take(&mut self, object: &Object) -> Result<Option<Day>> {
        let Some(named) = Named::read(&object.name) else {
            return Ok(None);
        };
        let is_other = |day: &mut Day| day.window != named.hour.day();
        let before = self.open.take_if(is_other);
        let mut day = self.open.take().unwrap_or_else(|| Day::new(named.hour));
        day.note(&named);
        self.read(&object.name, named.hour, &mut day)?;
        self.open = Some(day);
        Ok(before)
    }

    pub(super) fn last(&mut self) -> Option<Day> {
        mem::take(&mut self.open)
    }

    fn read(&mut self, name: &str, hour: Window, day: &mut Day) -> Result<()> {
        let raw = self.objects.open(name)?;
        if let Err(error) = self.read_lines(raw, name, hour, day) {
            let sentence = format!("{name} cannot be read to its end: {error}");
            self.unread.objects.push(sentence);
            self.unread.note(hour);
        }
        Ok(())
    }

    fn read_lines(
        &mut self,
        raw: impl Read,
        name: &str,
        hour: Window,
        day: &mut Day,
    ) -> io::Result<()> {
        let mut lines = Unpacked::open_named(raw, Path::new(name), &self.read_bytes)?;
        let mut line = Vec::new();
        while let Some(part) = read_line(&mut lines, &mut line, LINE_BYTES_MAX)? {
            let read = match part {
                Part::Last => CountedAs::read(line.trim_ascii_end()).ok(),
                Part::Open => None,
            };
            match read {
                Some(Some(counted)) => day.add(counted, hour),
                Some(None) => {}
                None => {
                    self.unread.lines += 1;
                    self.unread.note(hour);
                }
            }
        }
        Ok(())
    }
}

impl Day {
    fn new(hour: Window) -> Self {
        Self {
            window: hour.day(),
            events: BTreeMap::new(),
            hours: BTreeSet::new(),
            segments: BTreeMap::new(),
        }
    }

    fn note(&mut self, named: &Named) {
        self.hours.insert(named.hour);
        let segments = self
            .segments
            .entry(ledger(named.tag, named.shard))
            .or_default();
        let last = segments.entry(named.hour).or_insert(named.first);
        *last = named.first.max(*last);
    }

    fn add(&mut self, counted: CountedAs, window: Window) {
        let subject = Subject {
            experiment: counted.experiment,
            variant: counted.variant,
            event_type: counted.event_type,
            window,
        };
        *self.events.entry(subject).or_default() += 1;
    }
}
