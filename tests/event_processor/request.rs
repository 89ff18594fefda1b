//! Requests to an event processor, and what it says and leaves behind.

use std::{
    collections::BTreeMap,
    io::Read,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::read::MultiGzDecoder;
use nozzle::{
    functions::{
        Function, Moment, Response,
        event_processor::{
            Counts, EventProcessor, Settings, Unavailable, key::Named, services::Services,
            window::Span,
        },
    },
    kinesis::Tag,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{support::variables::lookup, world::World};

pub(crate) const ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/events";

/// The name of the record with this number.
pub(crate) fn sequence(number: usize) -> String {
    format!("{:056}", number + 1)
}

/// A request that carries these bytes, a record each, from the record with number `first` on.
pub(crate) fn request_from(first: usize, data: &[Vec<u8>]) -> Vec<u8> {
    let record = |(number, data): (usize, &Vec<u8>)| {
        let sequence = sequence(number);
        json!({
            "kinesis": {
                "partitionKey": "k",
                "sequenceNumber": sequence,
                "data": BASE64_STANDARD.encode(data),
                "approximateArrivalTimestamp": 1_734_649_199.5,
            },
            "eventID": format!("shardId-000000000006:{sequence}"),
            "eventSourceARN": ARN,
        })
    };
    let records: Vec<_> = (first..).zip(data).map(record).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

pub(crate) fn request(events: &[Value]) -> Vec<u8> {
    let data: Vec<_> = events
        .iter()
        .map(|event| event.to_string().into_bytes())
        .collect();
    request_from(0, &data)
}

/// A valid event that is counted.
pub(crate) fn event(id: &str) -> Value {
    json!({
        "event_id": id, "event_type": "view", "user_id": "user-1", "experiment_id": "checkout",
        "timestamp": "2024-12-19T23:30:00Z",
    })
}

pub(crate) fn settings(values: &[(&str, &str)]) -> Settings {
    Settings::read(lookup(values)).unwrap()
}

pub(crate) type Answered = Result<Response<Counts>, Unavailable>;

/// Asks with a minute's time.
pub(crate) async fn ask<S: Services>(function: &EventProcessor<S>, body: &[u8]) -> Answered {
    ask_within(function, body, Duration::from_mins(1)).await
}

pub(crate) async fn ask_within<S: Services>(
    function: &EventProcessor<S>,
    body: &[u8],
    time: Duration,
) -> Answered {
    let moment = Moment {
        now: UNIX_EPOCH + Duration::from_hours(481_847),
        deadline: Instant::now() + time,
    };
    function.answer(body, moment).await
}

/// The first record that is not done.
pub(crate) fn not_done(answered: &Response<Counts>) -> Option<String> {
    let answer: Value = serde_json::from_slice(&answered.body).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.len() <= 1);
    Some(
        failures.first()?["itemIdentifier"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}

/// Counters of hours, as `experiment variant event_type: count`.
pub(crate) fn hours(world: &World) -> Vec<String> {
    counters(world, Span::Hour)
}

pub(crate) fn counters(world: &World, span: Span) -> Vec<String> {
    let counters = world.items().into_iter().filter_map(|(key, item)| {
        let Named::Counter(subject) = Named::read(&key)? else {
            return None;
        };
        let count = item["event_count"].number().unwrap();
        let of = format!(
            "{} {} {}",
            subject.experiment, subject.variant, subject.event_type
        );
        (subject.window.span() == span).then(|| format!("{of}: {count}"))
    });
    counters.collect()
}

/// Sketches of hours, as `experiment variant event_type: users`.
pub(crate) fn users(world: &World) -> Vec<String> {
    let sketches = world.items().into_iter().filter_map(|(key, item)| {
        let Named::Sketch(subject) = Named::read(&key)? else {
            return None;
        };
        let users = item["users"].number().unwrap();
        let of = format!(
            "{} {} {}",
            subject.experiment, subject.variant, subject.event_type
        );
        (subject.window.span() == Span::Hour).then(|| format!("{of}: {users}"))
    });
    sketches.collect()
}

/// Lines of the archive, by their objects' names.
pub(crate) fn archived(world: &World) -> BTreeMap<String, Vec<String>> {
    let objects = world.objects().into_iter().map(|(name, object)| {
        let mut text = String::new();
        let mut decoder = MultiGzDecoder::new(object.gzip.as_slice());
        decoder.read_to_string(&mut text).unwrap();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), object.events);
        (name, lines)
    });
    objects.collect()
}

/// All of its lines.
pub(crate) fn lines(world: &World) -> Vec<Value> {
    let lines = archived(world).into_values().flatten();
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

/// Reasons of dead letters, by their records.
pub(crate) fn refused(world: &World) -> Vec<String> {
    let tag = Tag::of(ARN);
    let letters = world.letters().into_iter().map(|(name, letter)| {
        let letter: Value = serde_json::from_slice(&letter).unwrap();
        let sequence = letter["sequence"].as_str().unwrap();
        assert_eq!(
            name,
            format!("dead-letters/{tag}/shardId-000000000006/{sequence}.json")
        );
        letter["reason"].as_str().unwrap().to_owned()
    });
    letters.collect()
}
