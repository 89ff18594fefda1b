//! What functions on a Kinesis stream read: requests, aggregates and dead letters.

use md5::{Digest, Md5};
use nozzle::{
    json::DEPTH_MAX,
    kinesis::{
        aggregate::{Content, EVENTS_MAX, MAGIC},
        contents::Contents,
        dead_letter::{Data, DeadLetter, MESSAGE_BYTES_MAX},
        envelope::{Envelope, EnvelopeUnreadable},
    },
    local::kinesis::aggregate::write,
};
use serde_json::Value;

use super::{event::depth, pieces};

/// Any bytes are a request, in order and with every event of it, or are none.
pub fn envelope(bytes: &[u8]) {
    match Contents::read(bytes) {
        Ok(contents) => {
            check_named(bytes, &contents.envelope);
            let records = contents.envelope.records.iter();
            let mut records = records.map(|record| (record.shard, record.sequence));
            let events = contents.events().map(|event| event.id);
            let mut events: Vec<_> = events.map(|id| (id.shard, id.sequence)).collect();
            events.dedup();
            let is_in_order = events.iter().all(|id| records.any(|record| record == *id));
            assert!(is_in_order, "an event is of no record, or out of order");
        }
        Err(error) => check_unreadable(bytes, &error),
    }
}

/// A general reader finds the same records, where no name stands twice.
fn check_named(bytes: &[u8], envelope: &Envelope<'_>) {
    let Ok(request) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let records = request["Records"].as_array().expect("records were read");
    assert_eq!(records.len(), envelope.records.len());
    for (record, read) in records.iter().zip(&envelope.records) {
        if let Some(sequence) = record["kinesis"]["sequenceNumber"].as_str() {
            assert_eq!(sequence, read.sequence.to_string());
        }
        let id = record["eventID"].as_str().expect("an id was read");
        assert!(id.starts_with("shardId-"));
    }
}

/// What is no request has no array `Records` of objects that are named.
fn check_unreadable(bytes: &[u8], error: &EnvelopeUnreadable) {
    assert!(!error.to_string().is_empty());
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(request) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let is_text = |value: &Value| value.as_str().is_some_and(|text| text.contains('0'));
    let is_named = |record: &Value| {
        is_text(&record["eventID"]) && is_text(&record["kinesis"]["sequenceNumber"])
    };
    let records = request["Records"].as_array();
    let could_be_read = records.is_some_and(|records| records.iter().all(is_named));
    // What looks like names need not be some; a name that stands twice is read in another way here.
    let is_in_doubt = matches!(
        error,
        EnvelopeUnreadable::SequenceMissing(_) | EnvelopeUnreadable::ShardMissing(_)
    );
    let is_plain = depth(text) <= DEPTH_MAX && text.matches("Records").count() <= 1;
    assert!(
        is_in_doubt || !could_be_read || !is_plain,
        "a request was not read"
    );
}

/// Any bytes are a record, and any bytes between magic and sum are an aggregate, a broken one at the
/// worst. What is read is written alike.
pub fn aggregate(bytes: &[u8]) {
    let record = [&MAGIC, bytes, &Md5::digest(bytes)].concat();
    assert_ne!(Content::read(&record), Content::Plain);
    for record in [bytes, &record] {
        if let Content::Aggregate(events) = Content::read(record) {
            assert!(events.len() <= EVENTS_MAX);
            assert_eq!(Content::read(&write(&events)), Content::Aggregate(events));
        }
    }
}

/// Any bytes are a dead letter or none, and any bytes can be set aside in one: the first pieces are
/// what is said of them.
pub fn dead_letter(bytes: &[u8]) {
    match DeadLetter::read(bytes) {
        Ok(letter) => check_letter(&letter),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let texts: Vec<_> = pieces(bytes).map(String::from_utf8_lossy).collect();
    let text = |index: usize| texts.get(index).cloned().unwrap_or_default();
    let sample =
        br#"{"version":1,"reason":"","shard":"shardId-000000000001","sequence":"7","data":""}"#;
    check_letter(&DeadLetter {
        reason: text(0),
        stream: text(1),
        function: text(2),
        data: Data::Here(bytes.into()),
        ..DeadLetter::read(sample).expect("a dead letter")
    });
}

/// What is written is read, on one line, and lies below its prefix.
fn check_letter(letter: &DeadLetter<'_>) {
    let json = letter.to_json();
    assert!(!json.contains('\n'));
    let read = DeadLetter::read(json.as_bytes()).expect("what is written is read");
    assert_eq!((read.id, &read.data), (letter.id, &letter.data));
    assert_eq!(read.to_json(), json);
    let message = letter.to_message(Some("s3://bucket/key"));
    assert!(message.expect("a message").len() <= MESSAGE_BYTES_MAX);
    let key = letter.key("dead-letters/");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-./".contains(&byte);
    assert!(key.bytes().all(is_plain) && !key.contains(".."), "{key}");
}
