//! A record in a stream: encoded once, as it stands in every request that carries it.

use std::{fmt::Write, sync::Arc, time::Duration};

use base64_simd::STANDARD;
use md5::{Digest, Md5};
use serde_json::Value;

use super::names::STREAM_ARN;
use crate::{
    kinesis::{Sequence, ShardId},
    local::names::REGION,
};

/// Where a stream has put a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub shard: ShardId,
    pub sequence: Sequence,
    /// The how manieth of its stream it is.
    pub number: u64,
}

/// What a stream takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'a> {
    partition_key: &'a str,
    data: &'a [u8],
    /// Which shard takes it.
    pub(super) hash_key: u128,
    /// What it takes while it is held, or a little more.
    pub(super) held_bytes: u32,
}

#[derive(Debug)]
pub struct Record {
    pub placed: Placed,
    /// Since 1970.
    pub arrived: Duration,
    /// Which lane it takes, where there are many.
    pub(super) hash_key: u128,
    pub(super) held_bytes: u32,
    entry: String,
}

/// Why a record is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    #[error(
        "the record has {0} bytes with its partition key, but Kinesis takes at most {RECORD_BYTES_MAX}"
    )]
    TooLarge(usize),
    #[error(
        "the partition key has {0} characters, but Kinesis takes 1 to {PARTITION_KEY_CHARACTERS_MAX}"
    )]
    PartitionKey(usize),
    #[error("the stream takes no more records")]
    Ended,
}

/// Of data and partition key together.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;
const PARTITION_KEY_CHARACTERS_MAX: usize = 256;

/// Records on their way to a function, in order.
pub type Batch = Vec<Arc<Record>>;

const ROLE_ARN: &str = "arn:aws:iam::000000000000:role/nozzle";

const REQUEST: [&str; 2] = [r#"{"Records":["#, "]}"];

/// What a request has around its records.
pub const REQUEST_BYTES: usize = REQUEST[0].len() + REQUEST[1].len();

/// The sequence number of the record with this number: it has 56 digits, and grows.
#[must_use]
pub(super) fn sequence(number: u64) -> Sequence {
    let digits = format!("496{number:053}");
    Sequence::parse(&digits).unwrap_or(Sequence::from_bytes([0; 24]))
}

impl<'a> Draft<'a> {
    pub(super) fn new(partition_key: &'a str, data: &'a [u8]) -> Result<Self, PutError> {
        let characters = partition_key.chars().count();
        if !(1..=PARTITION_KEY_CHARACTERS_MAX).contains(&characters) {
            return Err(PutError::PartitionKey(characters));
        }
        let bytes = partition_key.len() + data.len();
        let too_large = PutError::TooLarge(bytes);
        if bytes > RECORD_BYTES_MAX {
            return Err(too_large);
        }
        let held_bytes = HELD_BYTES + bytes.div_ceil(3) * 4;
        Ok(Self {
            partition_key,
            data,
            hash_key: u128::from_be_bytes(Md5::digest(partition_key).into()),
            held_bytes: u32::try_from(held_bytes).map_err(|_| too_large)?,
        })
    }
}

impl Record {
    pub(super) fn new(draft: &Draft<'_>, placed: Placed, arrived: Duration) -> Self {
        Self {
            placed,
            arrived,
            hash_key: draft.hash_key,
            held_bytes: draft.held_bytes,
            entry: entry(draft, placed, arrived),
        }
    }

    /// What it takes in a request, with the comma before it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entry.len() + 1
    }
}

/// What a record of the usual lengths has around key and data, in memory.
const HELD_BYTES: usize = 800;

fn entry(draft: &Draft<'_>, placed: Placed, arrived: Duration) -> String {
    let Placed {
        shard, sequence, ..
    } = placed;
    let mut entry = String::with_capacity(draft.held_bytes as usize);
    // Writing to a `String` cannot fail.
    let _ = write!(
        entry,
        r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":{},"sequenceNumber":"{sequence}","data":""#,
        Value::from(draft.partition_key),
    );
    STANDARD.encode_append(draft.data, &mut entry);
    let _ = write!(
        entry,
        r#"","approximateArrivalTimestamp":{}}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"{shard}:{sequence}","eventName":"aws:kinesis:record","invokeIdentityArn":"{ROLE_ARN}","awsRegion":"{REGION}","eventSourceARN":"{STREAM_ARN}"}}"#,
        seconds(arrived),
    );
    entry.shrink_to_fit();
    entry
}

fn seconds(arrived: Duration) -> String {
    format!("{}.{:03}", arrived.as_secs(), arrived.subsec_millis())
}

/// The request that carries a batch.
#[must_use]
pub fn request(batch: &[Arc<Record>]) -> Vec<u8> {
    let bytes = batch.iter().map(|record| record.bytes()).sum::<usize>();
    let mut request = Vec::with_capacity(REQUEST_BYTES + bytes);
    request.extend_from_slice(REQUEST[0].as_bytes());
    for (index, record) in batch.iter().enumerate() {
        if index > 0 {
            request.push(b',');
        }
        request.extend_from_slice(record.entry.as_bytes());
    }
    request.extend_from_slice(REQUEST[1].as_bytes());
    request
}

#[cfg(test)]
pub(super) mod tests {
    use aws_lambda_events::kinesis::KinesisEvent;

    use super::*;
    use crate::kinesis::envelope::Envelope;

    /// A record of shard 3 that arrived so many milliseconds after 2018-12-17T22:10:50Z.
    pub(in crate::local::kinesis) fn record(number: u64, key: &str, data: &[u8]) -> Arc<Record> {
        let placed = Placed {
            shard: ShardId(3),
            sequence: sequence(number),
            number,
        };
        let arrived = Duration::from_millis(1_545_084_650_000 + number);
        let draft = Draft::new(key, data).expect("a record");
        Arc::new(Record::new(&draft, placed, arrived))
    }

    #[test]
    fn sequence_numbers_have_56_digits_and_grow() {
        let numbers = [0, 1, 9, 10, u64::MAX - 1, u64::MAX];
        let sequences = numbers.map(sequence);
        assert!(sequences.is_sorted_by(|a, b| a < b));
        for sequence in sequences {
            assert_eq!(sequence.to_string().len(), 56);
        }
    }

    #[test]
    fn a_request_is_what_the_official_type_and_the_functions_read() {
        let batch = [record(7, "a \"key\"", b"\xff\x00"), record(987, "é", b"")];
        let body = request(&batch);
        let bytes: usize = batch.iter().map(|record| record.bytes()).sum();
        assert_eq!(body.len() + 1, REQUEST_BYTES + bytes);

        let event: KinesisEvent = serde_json::from_slice(&body).expect("an event");
        let first = &event.records[0];
        assert_eq!(first.kinesis.partition_key, "a \"key\"");
        assert_eq!(first.kinesis.data.0, b"\xff\x00");
        assert_eq!(first.kinesis.sequence_number, sequence(7).to_string());
        assert_eq!(first.event_source.as_deref(), Some("aws:kinesis"));
        assert_eq!(first.event_name.as_deref(), Some("aws:kinesis:record"));

        let envelope = Envelope::read(&body).expect("an envelope");
        assert_eq!(envelope.stream, STREAM_ARN);
        for (read, sent) in envelope.records.iter().zip(&batch) {
            assert_eq!(read.shard, sent.placed.shard);
            assert_eq!(read.sequence, sent.placed.sequence);
        }
        let arrivals = envelope.records.iter().filter_map(|record| record.arrival);
        let arrivals: Vec<_> = arrivals.map(|arrival| arrival.to_string()).collect();
        assert_eq!(
            arrivals,
            ["2018-12-17T22:10:50.007Z", "2018-12-17T22:10:50.987Z"]
        );
    }

    #[test]
    fn a_request_without_records_is_one() {
        assert_eq!(request(&[]), br#"{"Records":[]}"#);
    }
}
