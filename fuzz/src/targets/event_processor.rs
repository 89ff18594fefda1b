//! The whole event processor, on everything that it keeps in memory.

use std::{collections::BTreeMap, io::Read};

use flate2::read::GzDecoder;
use nozzle::functions::{
    Response,
    event_processor::{
        Counts, EventProcessor, Settings, Unavailable,
        archive::Object,
        key::Named,
        table::{Item, Key},
        window::Span,
    },
};
use serde_json::{Value, json};

use super::{answered, pieces, record};
use world::World;

#[path = "../../../tests/event_processor/world.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod world;

/// Any records, under any settings: a byte chooses those, the pieces after it are the records. And
/// any bytes are a request, or none.
pub fn event_processor(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    if let Err(error) = answer(*choice, &world(*choice), rest) {
        assert!(matches!(error, Unavailable::Envelope(_)), "{error}");
    }
    let records = (1..)
        .zip(pieces(rest))
        .map(|(number, data)| record(number, data));
    let request = json!({ "Records": records.collect::<Vec<_>>() }).to_string();
    let world = world(*choice);
    let first = answer(*choice, &world, request.as_bytes()).expect("it is a request");
    assert_eq!(first.body, br#"{"batchItemFailures":[]}"#);
    check_kept(&world, &first.counts);
    let kept = snapshot(&world);
    let again = answer(*choice, &world, request.as_bytes()).expect("it is a request");
    assert!(
        kept == snapshot(&world),
        "the second pass changes something"
    );
    assert_eq!(again.counts.done_before, first.counts.records);
}

fn check_kept(world: &World, counts: &Counts) {
    assert_eq!(world.letters().len(), counts.dead_letters);
    let there = counts.archived + counts.duplicates + counts.dead_letters;
    assert_eq!(there, counts.events, "an event is nowhere, or twice");
    let lines: usize = world.objects().values().map(check_object).sum();
    assert_eq!(lines, counts.archived);
    let mut counted = BTreeMap::<Span, u64>::new();
    for (key, item) in world.items() {
        if let Some(Named::Counter(subject)) = Named::read(&key) {
            let events = item["event_count"].number().expect("a number");
            *counted.entry(subject.window.span()).or_default() += events;
        }
    }
    for events in counted.values() {
        let archived = counts.archived as u64;
        assert_eq!(*events, archived - counts.uncounted as u64);
    }
    assert_eq!(counted.values().sum::<u64>(), counts.counted);
}

/// How many lines it has, each an event with what was added.
fn check_object(object: &Object) -> usize {
    let mut text = String::new();
    let mut decoder = GzDecoder::new(object.gzip.as_slice());
    decoder.read_to_string(&mut text).expect("gzip of text");
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("a line is JSON");
        let id = event["record_id"].as_str().expect("a record id");
        assert!(id.starts_with("shardId-000000000003:"), "{id}");
        assert_eq!(event["event_datetime"].as_str().map(str::len), Some(27));
    }
    assert_eq!(text.lines().count(), object.events);
    object.events
}

fn is_set(choice: u8, bit: u8) -> bool {
    choice & (1 << bit) != 0
}

fn world(choice: u8) -> World {
    World::new(0).claiming(is_set(choice, 0))
}

fn settings(choice: u8) -> Settings {
    let lookup = |name: &str| match name {
        "WINDOWS" if is_set(choice, 1) => Some("day"),
        "UNIQUE_USERS" if is_set(choice, 2) => Some("exact"),
        "UNIQUE_USERS" if is_set(choice, 3) => Some("off"),
        "ARCHIVE_FILE_EVENTS" if is_set(choice, 4) => Some("1"),
        "COUNTER_SLOTS" if is_set(choice, 5) => Some("3"),
        "COUNTER_TTL_DAYS" if is_set(choice, 6) => Some("1"),
        _ => None,
    };
    let settings = Settings::read(|name| lookup(name).map(ToOwned::to_owned));
    settings.expect("the settings are allowed")
}

/// By a function that is new.
fn answer(choice: u8, world: &World, body: &[u8]) -> Result<Response<Counts>, Unavailable> {
    let function = EventProcessor::new(settings(choice), world);
    answered(&function, body)
}

type Kept = (
    BTreeMap<Key, Item>,
    BTreeMap<String, Object>,
    BTreeMap<String, Vec<u8>>,
);

fn snapshot(world: &World) -> Kept {
    (world.items(), world.objects(), world.letters())
}
