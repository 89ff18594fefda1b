//! The whole event log, on a table and a bucket in memory.

use std::{collections::BTreeMap, sync::Mutex};

use nozzle::{
    aws::Asked,
    functions::{
        Response,
        event_log::{
            Counts, EventLog, Settings, Unavailable,
            item::{ITEM_BYTES_MAX, Item},
            table::{Fate, LogTable, Placing, Spent, Written},
        },
    },
    kinesis::depot::{Depot, Object},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{answered, pieces, record};

/// Any records, under any settings: a byte chooses those, the pieces after it are the records. And
/// any bytes are a request, or none.
pub fn event_log(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    if let Err(error) = answer(&log(*choice), rest) {
        assert!(matches!(error, Unavailable::Envelope(_)), "{error}");
    }
    let records = (0..)
        .zip(pieces(rest))
        .map(|(number, data)| record(number, data));
    let request = json!({ "Records": records.collect::<Vec<_>>() }).to_string();
    let log = log(*choice);
    let first = answer(&log, request.as_bytes()).expect("it is a request");
    assert_eq!(first.body, br#"{"batchItemFailures":[]}"#);
    check_kept(&log, &first.counts);
    let kept = log.kept.snapshot();
    let again = answer(&log, request.as_bytes()).expect("it is a request");
    assert_eq!(
        kept,
        log.kept.snapshot(),
        "the second pass changes something"
    );
    assert_eq!(again.counts.events, first.counts.events);
}

fn check_kept(log: &Log, counts: &Counts) {
    let (items, objects) = log.kept.snapshot();
    let letters = objects
        .keys()
        .filter(|key| key.starts_with("dead-letters/"));
    assert_eq!(letters.count(), counts.dead_letters);
    let there = counts.stored + counts.duplicates + counts.dead_letters;
    assert_eq!(there, counts.events, "an event is nowhere, or twice");
    assert_eq!(items.len(), counts.stored);
    for (id, item) in &items {
        assert!((1..=2048).contains(&id.len()));
        assert_eq!(item["eventId"]["S"], id.as_str());
        let said = ["data", "raw", "dataRef"].map(|name| item.get(name));
        assert_eq!(said.iter().flatten().count(), 1, "{item}");
        // In an aggregate an event has a key of its own.
        if !id.contains('.') {
            assert_eq!(item["partitionKey"]["S"], "key");
        }
    }
}

struct Log {
    settings: Settings,
    kept: Memory,
}

fn log(choice: u8) -> Log {
    let is_set = |bit: u8| choice & (1 << bit) != 0;
    let lookup = |name: &str| match name {
        "S3_BUCKET" => Some("bucket"),
        "EVENT_ID" if is_set(0) => Some("/id"),
        "ON_CONFLICT" if is_set(1) => Some("keep-both"),
        "SEARCH_KEY" if is_set(2) => Some("/a/0"),
        "SEARCH_BUCKETS" if is_set(3) => Some("7"),
        "DATA" if is_set(4) => Some("text"),
        "ON_UNREADABLE" if is_set(5) => Some("dead-letter"),
        "LOG_TTL_HOURS" if is_set(6) => Some("1"),
        _ => None,
    };
    let settings = Settings::read(|name| lookup(name).map(ToOwned::to_owned));
    Log {
        settings: settings.expect("the settings are allowed"),
        kept: Memory::default(),
    }
}

fn answer(log: &Log, body: &[u8]) -> Result<Response<Counts>, Unavailable> {
    let function = EventLog::new(log.settings.clone(), &log.kept, &log.kept);
    answered(&function, body)
}

type Kept = (BTreeMap<String, Value>, BTreeMap<String, Vec<u8>>);

#[derive(Default)]
struct Memory(Mutex<Kept>);

impl Memory {
    fn snapshot(&self) -> Kept {
        self.0.lock().expect("nobody panicked").clone()
    }

    fn place(&self, item: &Item, placing: Placing) -> Fate {
        assert!(item.bytes <= ITEM_BYTES_MAX);
        let json: Value = serde_json::from_slice(&item.json).expect("an item is JSON");
        let mut kept = self.0.lock().expect("nobody panicked");
        match kept.0.get(&item.id) {
            Some(stored) if placing == Placing::Insert => {
                if item.says_the_same(stored) {
                    Fate::Same
                } else {
                    Fate::Other
                }
            }
            _ => {
                kept.0.insert(item.id.clone(), json);
                Fate::Stored
            }
        }
    }
}

impl LogTable for &Memory {
    async fn write(&self, items: &[Item], placing: Placing, _: Instant) -> Written {
        let fates = items.iter().map(|item| Some(self.place(item, placing)));
        Written {
            asked: Asked {
                answers: fates.collect(),
                failure: None,
            },
            spent: Spent::default(),
        }
    }
}

impl Depot for &Memory {
    fn bucket(&self) -> Option<&str> {
        Some("bucket")
    }

    fn has_queue(&self) -> bool {
        false
    }

    async fn put(&self, objects: &[Object<'_>], _: Instant) -> Asked<()> {
        let mut kept = self.0.lock().expect("nobody panicked");
        for object in objects {
            kept.1.insert(object.key.clone(), object.bytes.to_vec());
        }
        Asked::all(objects.len())
    }

    async fn tell(&self, messages: &[String], _: Instant) -> Asked<()> {
        Asked::all(messages.len())
    }
}
