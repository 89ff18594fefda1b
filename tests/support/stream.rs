//! A stream to put records in, and what a function on one needs to be there.

use std::time::{Duration, SystemTime};

use nozzle::{
    functions::{Counted, Failure},
    kinesis::envelope::Envelope,
    local::kinesis::{
        Clock, Stream,
        mapping::{OnFailure, Settings},
    },
    telemetry::Metric,
};

#[derive(Debug, thiserror::Error)]
#[error("it has failed")]
pub(crate) struct Failed;

pub(crate) struct Nothing;

impl Counted for Nothing {
    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }
}

impl Counted for Failed {
    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }
}

impl Failure for Failed {
    fn kind(&self) -> &'static str {
        "Failed"
    }
}

pub(crate) fn span(numbers: &[u64]) -> String {
    assert!(numbers.is_sorted());
    format!("{}-{}", numbers[0], numbers[numbers.len() - 1])
}

/// The number that a stream's sequence number holds.
pub(crate) fn number(sequence: &str) -> u64 {
    sequence[3..].parse().unwrap()
}

pub(crate) fn sequence(number: u64) -> String {
    format!("496{number:053}")
}

pub(crate) fn stream(shards: u32) -> Stream {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_545_084_650);
    Stream::new(shards, Clock::starting(start))
}

/// So many records with a key each.
pub(crate) async fn put(stream: &Stream, records: u64) {
    for number in 0..records {
        stream.put(&format!("key {number}"), b"{}").await.unwrap();
    }
}

/// One shard, ten records a batch.
pub(crate) fn settings() -> Settings {
    Settings {
        batch_records_max: 10,
        on_failure: OnFailure::RetryWhole,
        ..Settings::default()
    }
}

/// The numbers of an envelope's records.
pub(crate) fn numbers(envelope: &Envelope<'_>) -> Vec<u64> {
    let records = envelope.records.iter();
    records
        .map(|record| number(&record.sequence.to_string()))
        .collect()
}
