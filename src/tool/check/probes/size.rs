//! Many records, a large one, and a batch whose answer may not fit.

use crate::{
    functions::firehose_transform::budget::RESPONSE_BYTES_MAX,
    local::firehose::{
        answer::{Failure, Fate},
        batch::Limits,
        invocation::Invoke,
    },
    tool::check::{
        judge::is_delivered,
        probe::Findings,
        prober::{Prober, failure},
        request::{Data, Record, Request, Role},
    },
};

const RECORDS: usize = 5_000;
const MEBIBYTE: usize = 1024 * 1024;
/// Firehose's buffer: usual, and at most.
const USUAL: Limits = Limits::with_batch(MEBIBYTE);
const LARGEST: Limits = Limits::with_batch(3 * MEBIBYTE);

pub(super) async fn thousands(prober: &mut Prober<impl Invoke>) -> Findings {
    let records = fill(prober, USUAL, RECORDS);
    let count = records.len();
    let request = prober.request(records);
    let mut findings = prober.put(&request).await;
    findings.note(format!("{count} records"));
    findings
}

/// Sound records, as many as a batch holds.
fn fill(prober: &mut Prober<impl Invoke>, limits: Limits, records_max: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let entry_bytes = bytes_beside_data(prober);
    let (mut record_bytes, mut request_bytes) = (0, 0);
    while records.len() < records_max {
        let record = prober.sound();
        let Data::Bytes(bytes) = &record.data else {
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
fn bytes_beside_data(prober: &mut Prober<impl Invoke>) -> usize {
    let record = prober.record(Data::Bytes(Vec::new()), Role::Sound(None));
    let length = |records| prober.request(records).body("").len();
    let comma = 1;
    length(vec![record]) - length(Vec::new()) + comma
}

/// Whether it is accepted is the function's affair.
pub(super) async fn large_record(prober: &mut Prober<impl Invoke>) -> Findings {
    let bytes = padded(prober, LARGEST.record_bytes_max).unwrap_or_default();
    let odd = vec![("a record of 1,000 KiB".to_owned(), Data::Bytes(bytes))];
    prober.put_odd(odd).await.0
}

/// An event with a field that makes it so long; where it is no JSON object, with blanks.
fn padded(prober: &mut Prober<impl Invoke>, length: usize) -> Option<Vec<u8>> {
    let record = prober.sound();
    let Data::Bytes(mut bytes) = record.data else {
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

pub(super) async fn too_large(prober: &mut Prober<impl Invoke>) -> Findings {
    // The smaller the events, the more an answer has beside them.
    let sound = prober.sound.iter().copied();
    let smallest = sound.min_by_key(|event| prober.sample.length(*event));
    prober.sound = Vec::from_iter(smallest);
    let records = fill(prober, LARGEST, usize::MAX);
    let request = prober.request(records);
    let reply = match prober.ask(&request).await {
        Ok(reply) => reply,
        Err(error) => return failure(&error),
    };
    let count = request.records.len();
    let left = reply.count(|fate| {
        matches!(
            fate,
            Fate::Failed(Failure::RecordIdMissing | Failure::RecordIdDoubled)
        )
    });
    let dropped = reply.count(|fate| *fate == Fate::Dropped);
    let delivered = reply.count(is_delivered);
    let mut findings = Findings::default();
    if left > 0 {
        findings.fail(format!(
            "{left} of {count} records are not in the answer exactly once"
        ));
    }
    if dropped > 0 {
        findings.fail(format!("{dropped} of {count} sound records are Dropped"));
    }
    if delivered == 0 {
        findings.fail(format!("none of {count} sound records is delivered"));
    }
    findings.note(room(&request, reply.bytes.len(), count - delivered));
    findings
}

fn room(request: &Request, bytes: usize, overflow: usize) -> String {
    let percent = bytes * 100 / RESPONSE_BYTES_MAX;
    let count = request.records.len();
    format!("{count} records, {overflow} of them overflow; the answer has {percent} % of the limit")
}
