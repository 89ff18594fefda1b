//! Many records, a large one, and a batch whose answer may not fit.

use futures_util::FutureExt;

use super::{basis::DELIVERED, odd::ONE_BAD};
use crate::{
    functions::firehose_transform::budget::RESPONSE_BYTES_MAX,
    local::firehose::{answer::Fate, batch::Limits},
    tool::check::{
        finding::{BATCH_RETRIED, DROPPED, FAILED, Findings},
        judge::{is_delivered, judge_answered},
        probe::Probe,
        prober::{NoReply, Prober},
        request::{ProbeBatch, ProbeRecord, RecordData, Role},
    },
};

const RECORDS: usize = 5_000;
const MEBIBYTE: usize = 1024 * 1024;
/// Firehose's buffer: usual, and at most.
const USUAL: Limits = Limits::with_batch(MEBIBYTE);
const LARGEST: Limits = Limits::with_batch(3 * MEBIBYTE);

pub(super) static THOUSANDS: Probe = Probe {
    name: "thousands",
    expects: "a batch of thousands of records is answered in time",
    why: "Firehose's buffer holds 0.2 to 3 MB, which is thousands of small events",
    firehose: BATCH_RETRIED,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(thousands(prober)),
};

pub(super) static LARGE_RECORD: Probe = Probe {
    name: "large-record",
    expects: "a record of 1,000 KiB, the largest there is, is answered",
    why: "Firehose takes records of this size",
    firehose: ONE_BAD,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(large_record(prober)),
};

pub(super) static TOO_LARGE: Probe = Probe {
    name: "too-large",
    expects: "the largest batch Firehose sends has an answer of at most 6,291,556 bytes; what \
              does not fit is ProcessingFailed",
    why: "an answer is larger than its request where metadata and fields are added, and Lambda \
          takes not a byte more",
    firehose: "takes it for a function error: after 4 attempts the whole batch goes to the error \
               prefix, and so does every batch like it",
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(too_large(prober).map(Findings::from)),
};

async fn thousands(prober: &mut Prober) -> Findings {
    let records = fill(prober, USUAL, RECORDS);
    let count = records.len();
    let request = prober.request(records);
    let mut findings = prober.put(&request).await;
    findings.note(format!("{count} records"));
    findings
}

/// Sound records, as many as a batch holds.
fn fill(prober: &mut Prober, limits: Limits, records_max: usize) -> Vec<ProbeRecord> {
    let mut records = Vec::new();
    let entry_bytes = bytes_beside_data(prober);
    let (mut record_bytes, mut request_bytes) = (0, 0);
    while records.len() < records_max {
        let record = prober.sound();
        let RecordData::Bytes(bytes) = &record.data else {
            break;
        };
        record_bytes += bytes.len();
        request_bytes += bytes.len().div_ceil(3) * 4 + entry_bytes;
        let is_full =
            record_bytes > limits.batch_bytes_max || request_bytes > limits.request_bytes_max;
        if is_full && !records.is_empty() {
            break;
        }
        records.push(record);
    }
    records
}

/// Of a request, for each record: names, an id, times.
fn bytes_beside_data(prober: &mut Prober) -> usize {
    let record = prober.record(RecordData::Bytes(Vec::new()), Role::Sound(None));
    let length = |records| prober.request(records).body("").len();
    let comma = 1;
    length(vec![record]) - length(Vec::new()) + comma
}

/// Whether it is accepted is the function's affair.
async fn large_record(prober: &mut Prober) -> Findings {
    let bytes = padded(prober, LARGEST.record_bytes_max).unwrap_or_default();
    let odd = vec![("a record of 1,000 KiB".to_owned(), RecordData::Bytes(bytes))];
    prober.put_odd(odd).await.0
}

/// An event with a field that makes it so long; where it is no JSON object, with blanks.
fn padded(prober: &mut Prober, length: usize) -> Option<Vec<u8>> {
    let record = prober.sound();
    let RecordData::Bytes(mut bytes) = record.data else {
        return None;
    };
    let missing = length.checked_sub(bytes.len())?;
    match bytes.strip_suffix(b"}").map(<[u8]>::len) {
        Some(end) => {
            bytes.truncate(end);
            bytes.extend_from_slice(PADDING.as_bytes());
            bytes.resize(length - 2, b'x');
            bytes.extend_from_slice(b"\"}");
        }
        None => bytes.extend(std::iter::repeat_n(b' ', missing)),
    }
    Some(bytes)
}

const PADDING: &str = r#","padding":""#;

async fn too_large(prober: &mut Prober) -> Result<Findings, NoReply> {
    // The smaller the events, the more an answer has beside them.
    let sound = prober.sound.iter().copied();
    let smallest = sound.min_by_key(|event| prober.sample.length(*event));
    let others = std::mem::replace(&mut prober.sound, Vec::from_iter(smallest));
    let records = fill(prober, LARGEST, usize::MAX);
    prober.sound = others;
    let request = prober.request(records);
    let reply = prober.ask(&request).await?;
    let count = request.records.len();
    let dropped = reply.count(|fate| *fate == Fate::Dropped);
    let delivered = reply.count(is_delivered);
    let mut findings = judge_answered(&request, &reply);
    if dropped > 0 {
        findings.fail(
            DROPPED,
            format!("{dropped} of {count} sound records are Dropped"),
        );
    }
    if delivered == 0 {
        findings.fail(
            FAILED,
            format!("none of {count} sound records is delivered"),
        );
    }
    findings.note(room(&request, reply.bytes.len(), count - delivered));
    Ok(findings)
}

fn room(request: &ProbeBatch, bytes: usize, overflow: usize) -> String {
    let percent = bytes * 100 / RESPONSE_BYTES_MAX;
    let count = request.records.len();
    format!("{count} records, {overflow} of them overflow; the answer has {percent} % of the limit")
}
