//! A request's events: each record's bytes decoded once, aggregates taken apart, in order.

use std::{borrow::Cow, fmt, ops::Range};

use super::{
    Arrival, RecordId,
    aggregate::Content,
    envelope::{Envelope, EnvelopeUnreadable, NoData, Record},
};
use crate::json::{Spelled, object::Unreadable};

/// Of base64, what its bytes take.
const BASE64_SHARE: (usize, usize) = (3, 4);

/// The records of a request and their bytes.
#[derive(Debug)]
pub struct Contents<'a> {
    pub envelope: Envelope<'a>,
    bytes: Vec<u8>,
    /// Where in `bytes` each record's lie, and why they are not what was sent.
    decoded: Vec<(Range<usize>, Option<NoData>)>,
}

/// An event as its stream has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived<'a> {
    pub id: RecordId,
    pub arrival: Option<Arrival>,
    pub partition_key: Option<Cow<'a, str>>,
    /// The original: of a broken aggregate the whole, of what is not base64 its text.
    pub bytes: &'a [u8],
    /// Why the bytes are no event.
    pub unread: Option<Unread>,
}

/// Why a record has no event that could be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    Data(Unreadable),
    AggregateBroken,
}

impl Unread {
    /// Its name in metrics, logs and dead letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data(why) => why.as_str(),
            Self::AggregateBroken => "aggregate_broken",
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> Contents<'a> {
    pub fn read(body: &'a [u8]) -> Result<Self, EnvelopeUnreadable> {
        let envelope = Envelope::read(body)?;
        let (bytes_share, of) = BASE64_SHARE;
        let mut bytes = Vec::with_capacity(body.len() / of * bytes_share);
        let decoded = envelope.records.iter().map(|record| {
            let start = bytes.len();
            let missing = record.decode_append(&mut bytes).err();
            (start..bytes.len(), missing)
        });
        Ok(Self {
            decoded: decoded.collect(),
            envelope,
            bytes,
        })
    }

    /// Every event, in the order of the stream. An aggregate without events has none.
    pub fn events(&self) -> impl Iterator<Item = Arrived<'_>> {
        let records = self.envelope.records.iter().zip(&self.decoded);
        records.flat_map(|(record, (range, missing))| {
            let bytes = self.bytes.get(range.clone()).unwrap_or_default();
            take_apart(record, bytes, *missing)
        })
    }
}

fn take_apart<'a>(
    record: &Record<'a>,
    bytes: &'a [u8],
    missing: Option<NoData>,
) -> impl Iterator<Item = Arrived<'a>> {
    let (unread, events) = match (missing, Content::read(bytes)) {
        (Some(NoData::Missing), _) => (Some(Unread::Data(Unreadable::DataMissing)), None),
        (Some(NoData::NotBase64), _) => (Some(Unread::Data(Unreadable::NotBase64)), None),
        (None, Content::Plain) => (None, None),
        (None, Content::Broken) => (Some(Unread::AggregateBroken), None),
        (None, Content::Aggregate(events)) => (None, Some(events)),
    };
    let whole = events.is_none().then(|| Arrived {
        id: record.id(None),
        arrival: record.arrival,
        partition_key: record.partition_key.and_then(Spelled::decode),
        bytes,
        unread,
    });
    let event = |(sub, event): (usize, super::aggregate::Event<'a>)| Arrived {
        id: record.id(Some(sub)),
        arrival: record.arrival,
        partition_key: Some(event.partition_key.into()),
        bytes: event.data,
        unread: None,
    };
    let events = events.into_iter().flatten().enumerate();
    whole.into_iter().chain(events.map(event))
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;

    use super::*;

    /// Two events and an empty one, under the keys `user_1` and `user_2`.
    const AGGREGATE: &str = "84mawgoGdXNlcl8xCgZ1c2VyXzISATcaCwgAGgd7ImEiOjF9GgsIARoHeyJiIjoyfRoGCAAQABoAnlHWGyNkm4QJ0mJOWq7y5g==";
    const NO_EVENTS: &str = "84mawtQdjNmPALIE6YAJmOz4Qn4=";

    fn shown(data: &str) -> Vec<String> {
        let body = format!(
            r#"{{"Records":[{{"eventID":"shardId-000000000003:7","kinesis":{{"sequenceNumber":"7","partitionKey":"key","data":{data}}}}}]}}"#
        );
        let contents = Contents::read(body.as_bytes()).expect("an envelope");
        let shown = contents.events().map(|event| {
            let Arrived {
                id,
                partition_key,
                bytes,
                unread,
                ..
            } = event;
            let bytes = String::from_utf8_lossy(bytes);
            let unread = unread.map_or("", Unread::as_str);
            format!(
                "{} {} {bytes} {unread}",
                id.place(),
                partition_key.unwrap_or_default()
            )
        });
        shown.collect()
    }

    #[test]
    fn a_record_is_an_event_several_or_the_reason_why_none() {
        #[track_caller]
        fn check(data: &str, expected: &[&str]) {
            assert_eq!(shown(data), expected, "{data}");
        }
        check(r#""e30=""#, &["7 key {} "]);
        check(r#""""#, &["7 key  "]);
        check("null", &["7 key  data_missing"]);
        check(r#""{}""#, &["7 key {} not_base64"]);
        check(&format!("\"{NO_EVENTS}\""), &[]);
        let broken = [b"\xf3\x89\x9a\xc2".as_slice(), b"\x0a", &md5(b"\x0a")].concat();
        let broken = STANDARD.encode_to_string(broken);
        let [shown] = shown(&format!("\"{broken}\"")).try_into().expect("one");
        assert!(shown.ends_with("aggregate_broken"), "{shown}");
        let aggregate = format!("\"{AGGREGATE}\"");
        let events = [
            "7.0 user_1 {\"a\":1} ",
            "7.1 user_2 {\"b\":2} ",
            "7.2 user_1  ",
        ];
        check(&aggregate, &events);
    }

    fn md5(message: &[u8]) -> Vec<u8> {
        use md5::{Digest, Md5};
        Md5::digest(message).to_vec()
    }
}
