//! All that lies in a source, line by line, and what of it is looked for. A folder is read by several
//! threads.

use std::{
    collections::BTreeSet,
    fmt,
    path::Path,
    process::ExitCode,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::sync_channel,
    },
    thread,
};

use anyhow::{Context, Error, Result};
use indicatif::HumanCount;
use memchr::memmem::{self, Finder};

use super::{
    days::SoughtDays,
    options::FindOptions,
    sighting::{Redriven, Sighting, SightingKind},
};
use crate::{
    database::lock,
    functions::{
        event_processor::event::archived_datetime,
        firehose_transform::{
            Settings,
            event::EventFields,
            transform::{Identity, transform},
        },
    },
    instant::Instant,
    local::{
        field_names::FieldNames,
        input::reader::{Part, Unpacked, read_line},
        shell::quoted,
    },
    tool::{
        claim_key::ClaimKey,
        criterion::{Criterion, LETTER_ID},
        exit::FAILED,
        objects::{ErrorSource, Folder, LINE_BYTES_MAX, Objects},
        other_names::has_instead,
        redriven::{History, RecordMark},
        terminal::{print_json, tell},
        wrapped::{Contained, Wrapper, WrapperKind},
    },
};

const THREADS: usize = 2;
const NAMES_AHEAD: usize = 64;
/// For so many events claims are looked up.
const CLAIMS_MAX: usize = 1000;
/// What a line has in which a record lies: an error object, a dead letter, a line for repair.
const WRAPPED: [[&[u8]; 2]; 3] = [
    [b"rawData", b"rrorCode"],
    [b"\"reason\"", b"\"shard\""],
    [b"\"reason\"", b"\"code\""],
];

pub(super) struct EventSearch<'a> {
    pub(super) options: &'a FindOptions,
    pub(super) settings: &'a Settings,
    criterion: Criterion,
    /// In an archive and a dead letter of the event processor the uuid has another name.
    event_id: Option<Criterion>,
    seen: Mutex<FoundSoFar>,
    fields: FieldSearch<'a>,
}

/// Whether any line has the field that uuids are in.
struct FieldSearch<'a> {
    name: &'a str,
    finder: Finder<'a>,
    is_there: AtomicBool,
    /// The fields of a line that has it not.
    elsewhere: OnceLock<FieldNames>,
}

#[derive(Default)]
struct FoundSoFar {
    sightings: u64,
    /// Of the events that were seen, each once.
    claims: Vec<ClaimKey>,
    has_failed: bool,
    /// Places that were looked into.
    searched: Vec<String>,
    /// Where claims are, while no event was seen that may have one.
    unasked: Vec<String>,
    /// Identities of delivered events, and of error objects that no redrive has sent, as many as claims
    /// are looked up for.
    delivered: BTreeSet<String>,
    unsent: Vec<String>,
    /// Why nothing more can be printed.
    broken: Option<Error>,
}

impl<'a> EventSearch<'a> {
    pub(super) fn new(options: &'a FindOptions, settings: &'a Settings) -> Self {
        let search = Self {
            options,
            settings,
            criterion: options.criterion(&settings.rules.event_fields),
            event_id: options
                .uuid()
                .map(|uuid| Criterion::of_member(LETTER_ID, uuid)),
            seen: Mutex::default(),
            fields: FieldSearch::of(&settings.rules.event_fields),
        };
        if let (Identity::Uuid, Some(uuid)) = (settings.identity, options.uuid()) {
            let identity = serde_json::json!([uuid]).to_string();
            search.expect(ClaimKey {
                identity,
                led_by: None,
            });
        }
        search
    }

    /// Reads a folder, on several threads.
    pub(super) fn folder(&self, folder: &Folder, place: &ErrorSource) -> Result<()> {
        let history = OnceLock::new();
        let (names, waiting) = sync_channel::<String>(NAMES_AHEAD);
        let waiting = Mutex::new(waiting);
        let next = || lock(&waiting).recv().ok();
        let mut extent = Extent::default();
        let walked = thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some(name) = next() {
                        self.object(folder, &name, &history);
                    }
                });
            }
            let walked = folder.each(&mut |object| {
                if extent.takes(self.options.days, &object.name) {
                    names.send(object.name).context("nobody reads any more")?;
                }
                Ok(())
            });
            // Else they would wait for more.
            drop(names);
            walked
        });
        walked.map(|()| self.have_searched(format!("{place} ({extent})")))
    }

    pub(super) fn objects(&self, objects: &dyn Objects, place: &ErrorSource) -> Result<()> {
        let history = OnceLock::new();
        let mut extent = Extent::default();
        let walked = objects.each(&mut |object| {
            if extent.takes(self.options.days, &object.name) {
                self.object(objects, &object.name, &history);
            }
            Ok(())
        });
        walked.map(|()| self.have_searched(format!("{place} ({extent})")))
    }

    pub(super) fn have_searched(&self, place: String) {
        lock(&self.seen).searched.push(place);
    }

    /// No event was seen that says whose claims are to be looked for there.
    pub(super) fn have_not_asked(&self, place: &str) {
        lock(&self.seen).unasked.push(place.to_owned());
    }

    /// A place that cannot be asked is said, and what others have is found all the same.
    pub(super) fn asked(&self, asked: Result<()>) {
        if let Err(error) = asked {
            self.pass_over(&format!("{error:#}"));
        }
    }

    /// What cannot be read is named, and the rest is.
    fn object(&self, objects: &dyn Objects, name: &str, history: &OnceLock<History>) {
        if lock(&self.seen).broken.is_some() {
            return;
        }
        let source = ReadSource { objects, history };
        if let Err(error) = self.read(&source, name) {
            self.pass_over(&format!("{name} cannot be read to its end: {error:#}"));
        }
    }

    fn read(&self, source: &ReadSource<'_>, name: &str) -> Result<()> {
        let raw = source.objects.open(name)?;
        let mut reader = Unpacked::open_named(raw, Path::new(name), &Arc::default())?;
        let (mut line, mut number) = (Vec::new(), 0_u64);
        while let Some(part) = read_line(&mut reader, &mut line, LINE_BYTES_MAX)? {
            number += 1;
            self.fields.look_at(&line);
            let place = || format!("{name}:{number}");
            match part {
                Part::Last if self.may_hold(&line) => self.look_at(source, &line, place)?,
                Part::Last => {}
                Part::Open => self.pass_over(&format!(
                    "{} is longer than {} MiB, and what is in it is not looked at",
                    place(),
                    LINE_BYTES_MAX / 1024 / 1024,
                )),
            }
        }
        Ok(())
    }

    /// Something that was to be read.
    fn pass_over(&self, sentence: &str) {
        tell(sentence);
        lock(&self.seen).has_failed = true;
    }

    /// Whether it is what is looked for.
    pub(super) fn is_sought(&self, record: &[u8]) -> bool {
        self.criterion.holds(record) || self.event_id.as_ref().is_some_and(|id| id.holds(record))
    }

    /// Whether it says so itself, or a record may that lies in it.
    fn may_hold(&self, line: &[u8]) -> bool {
        self.is_sought(line) || is_wrapped(line)
    }

    fn look_at(
        &self,
        source: &ReadSource<'_>,
        line: &[u8],
        place: impl FnOnce() -> String,
    ) -> Result<()> {
        let fields = &self.settings.rules.event_fields;
        let Contained { bytes, wrapper } = match Contained::of(line.to_vec(), fields) {
            Ok(contained) => contained,
            Err(why) => {
                self.pass_over(&format!("{} is passed over: {why}", place()));
                return Ok(());
            }
        };
        if !self.is_sought(&bytes) {
            return Ok(());
        }
        let mut sighting = Sighting::new(SightingKind::Record, place());
        let created = self.describe(&bytes, &mut sighting);
        let arrived = wrapper
            .as_ref()
            .and_then(|wrapper| wrapper.arrival_milliseconds);
        if let Some(wrapper) = wrapper {
            source.add_wrapper(wrapper, &mut sighting)?;
        }
        if self.options.days.cover(arrived.or(created)) {
            self.note(&sighting);
        }
        Ok(())
    }

    /// What the function makes of the record; its time, where it has one.
    fn describe(&self, record: &[u8], sighting: &mut Sighting) -> Option<i64> {
        let event = match transform(record, &self.settings.rules) {
            Ok(event) => event,
            Err(refusal) => {
                // Another function has accepted it, by rules of its own.
                let Some(datetime) = archived_datetime(record) else {
                    sighting.refused = Some(refusal.as_str());
                    return None;
                };
                sighting.found = SightingKind::Archived;
                let time = Instant::from_text(&datetime).ok();
                sighting.created_datetime = Some(datetime);
                return time.map(Instant::milliseconds);
            }
        };
        let claim = ClaimKey::of(&event, self.settings.identity);
        sighting.found = SightingKind::Event;
        sighting.identity = Some(claim.identity.clone());
        self.expect(claim);
        sighting.created_datetime = String::from_utf8(event.calendar.datetime().into()).ok();
        Some(event.created_at.milliseconds())
    }

    fn expect(&self, claim: ClaimKey) {
        let claims = &mut lock(&self.seen).claims;
        if claims.len() < CLAIMS_MAX && !claims.contains(&claim) {
            claims.push(claim);
        }
    }

    /// The claims that the events which were seen would have, as many as are looked up.
    pub(super) fn claims(&self) -> Vec<ClaimKey> {
        let claims = lock(&self.seen).claims.clone();
        if claims.len() == CLAIMS_MAX {
            tell(&format!(
                "claims are looked up for {CLAIMS_MAX} events, and not for more"
            ));
        }
        claims
    }

    pub(super) fn note(&self, sighting: &Sighting) {
        let mut seen = lock(&self.seen);
        seen.sightings += 1;
        seen.remember(sighting);
        let printed = if self.options.json {
            print_json(sighting)
        } else {
            sighting.table().print()
        };
        if let Err(error) = printed {
            seen.broken.get_or_insert(error);
        }
    }

    pub(super) fn end(self) -> Result<ExitCode> {
        let seen = self.seen.into_inner().unwrap_or_default();
        seen.tell_of_copies();
        if seen.sightings == 0 {
            let names_log = self.options.log.is_some() || self.options.log_table.is_some();
            tell(&seen.nothing(names_log));
            let deeper = self.criterion.deeper().map(quoted);
            let meant = deeper.map(|deeper| format!("did you mean --where {deeper}?"));
            let meant = meant.or_else(|| self.options.uuid().and(self.fields.meant()));
            if let Some(meant) = meant {
                tell(&meant);
            }
        } else if !seen.unasked.is_empty() {
            tell(&format!("not looked at: {}", seen.unasked_in_words()));
        }
        match seen {
            FoundSoFar {
                broken: Some(error),
                ..
            } => Err(error),
            FoundSoFar {
                sightings: 0,
                has_failed,
                ..
            } => Ok(if has_failed {
                FAILED.into()
            } else {
                ExitCode::FAILURE
            }),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

impl FoundSoFar {
    fn remember(&mut self, sighting: &Sighting) {
        let Some(identity) = sighting.identity.clone() else {
            return;
        };
        match (sighting.found, sighting.redriven) {
            (SightingKind::Event, _) if self.delivered.len() < CLAIMS_MAX => {
                self.delivered.insert(identity);
            }
            (SightingKind::ErrorObject, Some(Redriven::No)) if self.unsent.len() < CLAIMS_MAX => {
                self.unsent.push(identity);
            }
            _ => {}
        }
    }

    /// Whoever reads that they were not sent again need not send them.
    fn tell_of_copies(&self) {
        let unsent = self.unsent.iter();
        let copies = unsent.filter(|event| self.delivered.contains(*event));
        let copies = copies.count();
        if copies > 0 {
            tell(&format!(
                "error objects that were not sent again, and whose event is delivered all the same: {copies}"
            ));
        }
    }

    /// That nothing was found, and where nobody has looked.
    fn nothing(&self, names_log: bool) -> String {
        let unread = if self.has_failed {
            ", but not everything could be read"
        } else {
            ""
        };
        let claims = (!self.unasked.is_empty()).then(|| self.unasked_in_words());
        let log = "an event log, which --log or --log-table names".to_owned();
        let log = (!names_log).then_some(log);
        let left: Vec<_> = claims.into_iter().chain(log).collect();
        let left = if left.is_empty() {
            String::new()
        } else {
            format!("; not looked at: {}", left.join("; "))
        };
        let searched = if self.searched.is_empty() {
            String::new()
        } else {
            format!(": looked at {}", self.searched.join(", "))
        };
        format!("nothing was found{unread}{searched}{left}")
    }

    fn unasked_in_words(&self) -> String {
        let places = self.unasked.join(", ");
        format!("{places}, for a claim is known by its event's uuid, name and time")
    }
}

/// How many objects were read, and how many lie in folders of other days.
#[derive(Debug, Default)]
struct Extent {
    read: u64,
    of_other_days: u64,
}

impl Extent {
    fn takes(&mut self, days: SoughtDays, name: &str) -> bool {
        let is_taken = days.may_lie_in(name);
        let count = if is_taken {
            &mut self.read
        } else {
            &mut self.of_other_days
        };
        *count += 1;
        is_taken
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "objects: {}", HumanCount(self.read))?;
        match self.of_other_days {
            0 => Ok(()),
            others => write!(f, ", of other days and not read: {}", HumanCount(others)),
        }
    }
}

impl<'a> FieldSearch<'a> {
    fn of(fields: &'a EventFields) -> Self {
        let name = fields.names().next().unwrap_or_default();
        Self {
            name,
            finder: Finder::new(name),
            is_there: AtomicBool::new(false),
            elsewhere: OnceLock::new(),
        }
    }

    /// A field's name within base64 is not seen.
    fn look_at(&self, line: &[u8]) {
        if self.is_there.load(Ordering::Relaxed) || is_wrapped(line) {
            return;
        }
        if self.finder.find(line).is_some() {
            self.is_there.store(true, Ordering::Relaxed);
        } else {
            self.elsewhere.get_or_init(|| FieldNames::of(line));
        }
    }

    fn meant(&self) -> Option<String> {
        let names = self.elsewhere.get()?;
        (!self.is_there.load(Ordering::Relaxed)).then(|| {
            format!(
                "none of the events that were read has {}; one {}",
                self.name,
                has_instead(names)
            )
        })
    }
}

/// Whether it may be a line in which a record lies.
fn is_wrapped(line: &[u8]) -> bool {
    let has = |mark: &&[u8]| memmem::find(line, mark).is_some();
    WRAPPED.iter().any(|marks| marks.iter().all(has))
}

/// What is read, and what was redriven of it, which is read once and only where it is asked for.
struct ReadSource<'a> {
    objects: &'a dyn Objects,
    history: &'a OnceLock<History>,
}

impl ReadSource<'_> {
    /// What the record lay in, and whether it was sent again.
    fn add_wrapper(&self, wrapper: Wrapper, sighting: &mut Sighting) -> Result<()> {
        sighting.found = match wrapper.kind {
            WrapperKind::ErrorObject => SightingKind::ErrorObject,
            WrapperKind::ExportLine => SightingKind::ExportLine,
            WrapperKind::DeadLetter { .. } => SightingKind::DeadLetter,
        };
        if sighting.found == SightingKind::DeadLetter {
            // Another function has refused it, by rules of its own.
            sighting.refused = None;
        }
        sighting.code = Some(wrapper.code);
        sighting.arrival_milliseconds = wrapper.arrival_milliseconds;
        if sighting.found != SightingKind::ExportLine {
            sighting.redriven = Some(self.redriven(wrapper.mark)?);
        }
        Ok(())
    }

    fn redriven(&self, mark: RecordMark) -> Result<Redriven> {
        let history = if let Some(history) = self.history.get() {
            history
        } else {
            let read = History::read(self.objects, "")?;
            self.history.get_or_init(|| read)
        };
        Ok(if history.has_mended(mark) {
            Redriven::Mended
        } else if history.has_sent(mark) {
            Redriven::AsItWas
        } else if history.sendings(mark) > 0 {
            Redriven::Copy
        } else {
            Redriven::No
        })
    }
}
