//! A night's worth of error objects with known content, as Firehose and its documentation spell
//! them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use nozzle::dedup::Owner;
use serde_json::json;

/// As captured from the real service.
pub(crate) fn captured(code: &str, arrival: i64, record: &[u8]) -> String {
    let raw = BASE64_STANDARD.encode(record);
    format!(
        "{{\"rawData\":\"{raw}\",\"errorCode\":\"{code}\",\"errorMessage\":\"said so\",\"attemptsMade\":4,\
         \"arrivalTimestamp\":{arrival},\"attemptEndingTimestamp\":{},\"lambdaARN\":\"arn:aws:lambda:x\"}}\n",
        arrival + 60_000
    )
}

/// As the documentation spells it: `lambdaArn`, and text for numbers.
pub(crate) fn documented(code: &str, arrival: i64, record: &[u8]) -> String {
    let object = json!({
        "attemptsMade": "4",
        "arrivalTimestamp": arrival.to_string(),
        "errorCode": code,
        "errorMessage": "said so",
        "attemptEndingTimestamp": (arrival + 60_000).to_string(),
        "rawData": BASE64_STANDARD.encode(record),
        "lambdaArn": "arn:aws:lambda:x",
    });
    format!("{object}\n")
}

/// As format conversion writes it.
pub(crate) fn converted(code: &str, arrival: i64, record: &[u8]) -> String {
    let object = json!({
        "attemptsMade": 1,
        "arrivalTimestamp": arrival,
        "lastErrorCode": code,
        "lastErrorMessage": "said so",
        "attemptEndingTimestamp": arrival + 60_000,
        "rawData": BASE64_STANDARD.encode(record),
        "sequenceNumber": "0",
        "subSequenceNumber": null,
        "dataCatalogTable": {"databaseName": "lake", "tableName": "events"},
    });
    format!("{object}\n")
}

pub(crate) fn event(number: usize) -> String {
    let kind = ["account:created", "order:paid", "page:viewed"][number % 3];
    let note = "x".repeat(200);
    format!(
        r#"{{"event_uuid":"e{number}","event_name":"{kind}","created_at":{},"note":"{note}"}}"#,
        1_770_000_000 + number
    )
}

/// What the function delivers for an event.
pub(crate) fn delivered(number: usize) -> String {
    let (event_type, event_subtype) = [
        ("account", "created"),
        ("order", "paid"),
        ("page", "viewed"),
    ][number % 3];
    let event = event(number);
    let event = event.strip_suffix('}').unwrap();
    format!(
        "{event},\"event_type\":\"{event_type}\",\"event_subtype\":\"{event_subtype}\",\
         \"created_datetime\":\"2026-02-02T02:40:00.000000Z\"}}\n"
    )
}

pub(crate) fn identity(number: usize) -> String {
    let kind = ["account:created", "order:paid", "page:viewed"][number % 3];
    format!("[\"e{number}\",\"{kind}\",{}]", nanoseconds(number))
}

pub(crate) fn nanoseconds(number: usize) -> i128 {
    (1_770_000_000 + number as i128) * 1_000_000_000
}

/// What befell an event, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Claimed by an attempt that died.
    Died,
    /// Its batch failed, but a copy was delivered.
    CopyDelivered,
    /// Its batch failed before anything was claimed.
    Unclaimed,
    Refused,
    /// Claimed and answered, but its partition was one too many.
    FailedLater,
    /// Did not fit into the answer.
    Overflow,
}

pub(crate) const KINDS: [Kind; 6] = [
    Kind::Died,
    Kind::CopyDelivered,
    Kind::Unclaimed,
    Kind::Refused,
    Kind::FailedLater,
    Kind::Overflow,
];

pub(crate) fn kind(number: usize) -> Kind {
    KINDS[number % KINDS.len()]
}

/// The record's bytes as its error object keeps them.
fn record(number: usize) -> Vec<u8> {
    match kind(number) {
        Kind::Refused => format!("{{\"event_uuid\":\"e{number}\",\"cut").into_bytes(),
        Kind::FailedLater => delivered(number).into_bytes(),
        _ => event(number).into_bytes(),
    }
}

/// Error objects of the events `0..events`, which arrived in this millisecond and the next ones.
pub(crate) struct Night {
    pub(crate) events: usize,
    pub(crate) begins: i64,
}

impl Night {
    pub(crate) fn arrival(&self, number: usize) -> i64 {
        self.begins + i64::try_from(number / 100).unwrap()
    }

    fn object(&self, number: usize) -> String {
        let (arrival, record) = (self.arrival(number), record(number));
        let failed = "Lambda.FunctionError";
        let refused = "Lambda.ProcessingFailedStatus";
        match kind(number) {
            Kind::Died | Kind::Unclaimed => captured(failed, arrival, &record),
            Kind::CopyDelivered => documented(failed, arrival, &record),
            Kind::Refused | Kind::Overflow => captured(refused, arrival, &record),
            Kind::FailedLater if number.is_multiple_of(4) => {
                converted("DataFormatConversion.MalformedData", arrival, &record)
            }
            Kind::FailedLater => captured("activePartitionExceeded", arrival, &record),
        }
    }

    /// The files of the night: names, and content, gzip or not.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let numbers: Vec<_> = (0..self.events).collect();
        let files = numbers.chunks(1_000).enumerate().map(|(file, numbers)| {
            let text: String = numbers.iter().map(|number| self.object(*number)).collect();
            let name = format!("processing-failed/day={:02}/stream-1-{file:03}", file % 3);
            match file % 2 {
                0 => (name, text.into_bytes()),
                _ => (name, gzip(text.as_bytes())),
            }
        });
        files.collect()
    }

    pub(crate) fn write(&self, folder: &Path) {
        for (name, bytes) in self.files() {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// The claims that lie in the table in the morning: whose identity, and who owns it.
    pub(crate) fn claims(&self) -> Vec<(usize, Owner)> {
        let owner = |number: usize| {
            let (id, arrival) = (format!("record {number}"), self.arrival(number));
            let bytes = event(number);
            match kind(number) {
                Kind::Died | Kind::FailedLater => {
                    Some((number, Owner::of(&id, Some(arrival), bytes.as_bytes())))
                }
                Kind::CopyDelivered => {
                    Some((number, Owner::of(&id, Some(arrival + 1), bytes.as_bytes())))
                }
                _ => None,
            }
        };
        (0..self.events).filter_map(owner).collect()
    }

    /// The events that nobody has delivered, and that would be accepted.
    pub(crate) fn undelivered(&self) -> BTreeSet<String> {
        let is_undelivered =
            |number: &usize| !matches!(kind(*number), Kind::CopyDelivered | Kind::Refused);
        let numbers = (0..self.events).filter(is_undelivered);
        numbers.map(|number| format!("e{number}")).collect()
    }

    pub(crate) fn of_kind(&self, wanted: Kind) -> u64 {
        (0..self.events)
            .filter(|number| kind(*number) == wanted)
            .count() as u64
    }
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// How often each `event_uuid` is in these lines.
pub(crate) fn count_events<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        let event: serde_json::Value = serde_json::from_slice(line).unwrap();
        let uuid = event["event_uuid"].as_str().unwrap().to_owned();
        *counts.entry(uuid).or_default() += 1;
    }
    counts
}
