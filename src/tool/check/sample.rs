//! Sound events to probe with: the caller's or our own, each made another event whenever it is
//! sent.

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::local::{
    firehose::batch::RECORD_BYTES_MAX,
    input::{
        Source,
        reader::{Part, read_line},
    },
    random::Random,
};

/// So many of a marker's characters are the same in all that are sent.
pub(super) const MARKER_RUN_CHARACTERS: usize = 9;
/// So many events of a sample are used.
pub(super) const EVENTS_MAX: usize = 100;

/// Events, and the field that tells them apart.
pub(super) struct EventSample {
    pub(super) events: Vec<SampleEvent>,
    pub(super) vary: String,
    /// Nobody has said that the function accepts them.
    pub(super) is_ours: bool,
    random: Random,
    /// What the markers of this sample begin with.
    run: String,
}

/// An event of the sample.
pub(super) struct SampleEvent {
    bytes: Vec<u8>,
    /// Of a JSON object.
    pub(super) fields: Option<Map<String, Value>>,
}

/// An event that was never sent before, where it can be made one.
#[derive(Debug, Clone)]
pub(super) struct Fresh {
    pub(super) bytes: Vec<u8>,
    /// A text that no other event has.
    pub(super) marker: Option<String>,
}

impl EventSample {
    pub(super) fn read(file: &Path, vary: &str) -> Result<Self> {
        let events = read_events(file)
            .with_context(|| format!("--sample {} cannot be read", file.display()))?;
        ensure!(
            !events.is_empty(),
            "--sample {} has no events; it must have one a line",
            file.display()
        );
        Ok(Self::of(events, vary))
    }

    /// Events of Nozzle's form, as of now.
    pub(super) fn ours(now: SystemTime, vary: &str) -> Self {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let events = [
            json!({ "event_uuid": "", "event_name": "account:created", "created_at": seconds,
                    "country": "DE", "age": 42, "agent": "Mozilla/5.0 (X11; Linux x86_64)" }),
            json!({ "event_uuid": "", "event_name": "payment:order:completed", "created_at": seconds,
                    "amount": 12.5, "items": [{ "name": "tea", "count": 2 }] }),
            json!({ "event_uuid": "", "event_name": "login", "created_at": seconds }),
        ];
        let events = events.map(|event| SampleEvent::new(event.to_string().as_bytes()));
        Self {
            is_ours: true,
            ..Self::of(events.into(), vary)
        }
    }

    fn of(events: Vec<SampleEvent>, vary: &str) -> Self {
        let mut random = Random::default();
        let run = random.uuid().chars().take(MARKER_RUN_CHARACTERS).collect();
        Self {
            events,
            vary: vary.to_owned(),
            is_ours: false,
            random,
            run,
        }
    }

    /// A UUID, as some functions want no other text.
    fn marker(&mut self) -> String {
        let uuid = self.random.uuid();
        let own = uuid.chars().skip(MARKER_RUN_CHARACTERS);
        self.run.chars().chain(own).collect()
    }

    pub(super) fn length(&self, position: usize) -> usize {
        self.events
            .get(position)
            .map_or(0, |event| event.bytes.len())
    }

    /// The event at a position, made another one.
    pub(super) fn fresh(&mut self, position: usize) -> Fresh {
        let marker = self.marker();
        let event = self.events.get(position);
        let fields = event.and_then(|event| event.fields.clone());
        match fields.filter(|fields| fields.contains_key(&self.vary)) {
            Some(mut fields) => {
                fields.insert(self.vary.clone(), Value::from(marker.as_str()));
                Fresh {
                    bytes: Value::Object(fields).to_string().into_bytes(),
                    marker: Some(marker),
                }
            }
            None => Fresh {
                bytes: event.map(|event| event.bytes.clone()).unwrap_or_default(),
                marker: None,
            },
        }
    }

    /// The event at a position, made another one, with a field changed; none if it is no JSON
    /// object.
    pub(super) fn changed(
        &mut self,
        position: usize,
        change: &Change,
    ) -> Option<Map<String, Value>> {
        let marker = self.marker();
        let mut fields = self.events.get(position)?.fields.clone()?;
        if fields.contains_key(&self.vary) {
            fields.insert(self.vary.clone(), Value::from(marker.as_str()));
        }
        match change {
            Change::Without(field) => drop(fields.remove(*field)),
            Change::With(field, Value::String(text)) if *field == self.vary => {
                fields.insert((*field).to_owned(), format!("{text}{marker}").into());
            }
            Change::With(field, value) => drop(fields.insert((*field).to_owned(), value.clone())),
        }
        Some(fields)
    }
}

/// What is done to an event.
pub(super) enum Change<'a> {
    Without(&'a str),
    With(&'a str, Value),
}

impl SampleEvent {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_owned(),
            fields: serde_json::from_slice(bytes).ok(),
        }
    }
}

fn read_events(file: &Path) -> Result<Vec<SampleEvent>> {
    let mut reader = Source::File(file.to_owned()).open(&Arc::default())?;
    let (mut events, mut line) = (Vec::new(), Vec::new());
    while events.len() < EVENTS_MAX
        && let Some(part) = read_line(&mut *reader, &mut line, RECORD_BYTES_MAX + 1)?
    {
        ensure!(
            part == Part::Last,
            "it has a line of more than 1,000 KiB, which Firehose takes from nobody"
        );
        let text = line.trim_ascii();
        if !text.is_empty() {
            events.push(SampleEvent::new(text));
        }
    }
    Ok(events)
}
