//! Dead letters: what a function could not accept, with its reason, as the JSON object that S3 and
//! SQS get, under a name that is the same at every attempt. Read back too.

use std::borrow::Cow;

use base64_simd::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{Arrival, RecordId, Sequence, ShardId, Tag};
use crate::instant::Instant;

/// What SQS takes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    pub reason: Cow<'a, str>,
    pub id: RecordId,
    /// Its ARN.
    pub stream: Cow<'a, str>,
    pub arrival: Option<Arrival>,
    pub function: Cow<'a, str>,
    pub data: Data<'a>,
}

/// The original bytes of what was not accepted: of what was not base64 its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data<'a> {
    Here(Cow<'a, [u8]>),
    /// In the dead letter at this `s3://…`.
    At(Cow<'a, str>),
}

/// Why bytes are no dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDeadLetter {
    #[error("it is no JSON object with the texts `reason`, `shard` and `sequence`")]
    Form,
    #[error("its version is {0}, and only {VERSION} is known: it was written by another nozzle")]
    Version(u32),
    #[error("its `shard` is not like shardId-000000000000")]
    Shard,
    #[error("its `sequence` is no number of up to 56 digits")]
    Sequence,
    #[error("it has neither `data` nor `data_ref`")]
    NoData,
    #[error("its `data` is not base64")]
    NotBase64,
}

impl<'a> DeadLetter<'a> {
    /// Its name in S3.
    #[must_use]
    pub fn key(&self, prefix: &str) -> String {
        let tag = Tag::of(&self.stream);
        format!("{prefix}{tag}/{}/{}.json", self.id.shard, self.id.place())
    }

    /// The JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let RecordId {
            shard,
            sequence,
            sub,
        } = self.id;
        let text = |text: &str| Value::from(text);
        let data = match &self.data {
            Data::Here(bytes) => format!(r#""data":"{}""#, STANDARD.encode_to_string(bytes)),
            Data::At(place) => format!(r#""data_ref":{}"#, text(place)),
        };
        format!(
            r#"{{"version":{VERSION},"reason":{},"record_id":"{}","stream":{},"shard":"{shard}","sequence":"{sequence}","sub":{},"arrival":{},"function":{},{data}}}"#,
            text(&self.reason),
            self.id,
            text(&self.stream),
            Value::from(sub),
            Value::from(self.arrival.map(|arrival| arrival.to_string())),
            text(&self.function),
        )
    }

    /// What SQS gets: where it would be too long, its data is only referred to. None where there is
    /// nothing to refer to.
    #[must_use]
    pub fn to_message(&self, data_ref: Option<&str>) -> Option<String> {
        let whole = self.to_json();
        if whole.len() <= MESSAGE_BYTES_MAX {
            return Some(whole);
        }
        let referring = DeadLetter {
            data: Data::At(data_ref?.into()),
            ..self.clone()
        };
        Some(referring.to_json())
    }

    /// Reads what S3 or SQS got.
    pub fn read(json: &'a [u8]) -> Result<Self, NotDeadLetter> {
        let wire: Wire<'_> = serde_json::from_slice(json).map_err(|_| NotDeadLetter::Form)?;
        if wire.version != VERSION {
            return Err(NotDeadLetter::Version(wire.version));
        }
        let sequence = Sequence::parse(&wire.sequence);
        Ok(Self {
            id: RecordId {
                shard: ShardId::parse(&wire.shard).ok_or(NotDeadLetter::Shard)?,
                sequence: sequence.ok_or(NotDeadLetter::Sequence)?,
                sub: wire.sub,
            },
            arrival: wire.arrival.as_deref().and_then(arrival),
            data: data(wire.data, wire.data_ref)?,
            reason: wire.reason,
            stream: wire.stream,
            function: wire.function,
        })
    }
}

/// Only what is read: `record_id` says nothing more.
#[derive(Deserialize)]
struct Wire<'a> {
    version: u32,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow)]
    shard: Cow<'a, str>,
    #[serde(borrow)]
    sequence: Cow<'a, str>,
    sub: Option<usize>,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    arrival: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    data_ref: Option<Cow<'a, str>>,
}

fn arrival(text: &str) -> Option<Arrival> {
    Instant::from_text(text).ok().map(Arrival)
}

fn data<'a>(
    data: Option<Cow<'a, str>>,
    data_ref: Option<Cow<'a, str>>,
) -> Result<Data<'a>, NotDeadLetter> {
    match data {
        Some(base64) => STANDARD
            .decode_to_vec(base64.as_bytes())
            .map(|bytes| Data::Here(bytes.into()))
            .map_err(|_| NotDeadLetter::NotBase64),
        None => data_ref.map(Data::At).ok_or(NotDeadLetter::NoData),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/events";

    fn letter(data: &[u8]) -> DeadLetter<'_> {
        DeadLetter {
            reason: "not_json".into(),
            id: RecordId {
                shard: ShardId(6),
                sequence: Sequence::parse("4959").expect("a sequence number"),
                sub: None,
            },
            stream: STREAM.into(),
            arrival: arrival("2018-12-17T22:10:50.987Z"),
            function: "event-log".into(),
            data: Data::Here(data.into()),
        }
    }

    #[test]
    fn a_dead_letter_says_what_and_why_and_where_from() {
        assert_eq!(
            letter(b"no").to_json(),
            r#"{"version":1,"reason":"not_json","record_id":"shardId-000000000006:4959","stream":"arn:aws:kinesis:eu-central-1:123456789012:stream/events","shard":"shardId-000000000006","sequence":"4959","sub":null,"arrival":"2018-12-17T22:10:50.987Z","function":"event-log","data":"bm8="}"#
        );
        let mut of_aggregate = letter(b"");
        of_aggregate.id.sub = Some(3);
        of_aggregate.arrival = None;
        of_aggregate.function = "a \"function\"".into();
        assert_eq!(
            of_aggregate.to_json(),
            r#"{"version":1,"reason":"not_json","record_id":"shardId-000000000006:4959.3","stream":"arn:aws:kinesis:eu-central-1:123456789012:stream/events","shard":"shardId-000000000006","sequence":"4959","sub":3,"arrival":null,"function":"a \"function\"","data":""}"#
        );
    }

    #[test]
    fn its_name_is_the_same_at_every_attempt() {
        let mut letter = letter(b"no");
        let tag = Tag::of(STREAM);
        let key = letter.key("dead-letters/");
        assert_eq!(
            key,
            format!("dead-letters/{tag}/shardId-000000000006/4959.json")
        );
        letter.id.sub = Some(0);
        letter.reason = "panicked".into();
        letter.data = Data::Here(b"other".into());
        assert_eq!(
            letter.key(""),
            format!("{tag}/shardId-000000000006/4959.0.json")
        );
    }

    #[test]
    fn a_message_that_is_too_long_refers_to_its_data() {
        let around = letter(b"").to_json().len();
        let room = (MESSAGE_BYTES_MAX - around) / 4 * 3;
        let fitting = vec![b'x'; room];
        let message = letter(&fitting).to_message(None).expect("a message");
        assert_eq!(message, letter(&fitting).to_json());
        assert!(message.len() > MESSAGE_BYTES_MAX - 4);

        let long = vec![b'x'; room + 3];
        assert_eq!(letter(&long).to_message(None), None);
        let message = letter(&long).to_message(Some("s3://bucket/key"));
        let message = message.expect("a message");
        let read = DeadLetter::read(message.as_bytes()).expect("a dead letter");
        let expected = DeadLetter {
            data: Data::At("s3://bucket/key".into()),
            ..letter(&long)
        };
        assert_eq!(read, expected);
        assert!(!message.contains(r#""data":"#), "{message}");
    }

    #[test]
    fn what_is_no_dead_letter_is_told_apart() {
        #[track_caller]
        fn check(from: &str, to: &str, expected: NotDeadLetter) {
            let json = letter(b"no").to_json().replace(from, to);
            let read = DeadLetter::read(json.as_bytes());
            assert_eq!(read, Err(expected), "{json}");
        }
        use NotDeadLetter::{Form, NoData, NotBase64, Sequence, Shard, Version};
        check("{", "[", Form);
        check(r#""reason""#, r#""why""#, Form);
        check(r#""version":1"#, r#""version":2"#, Version(2));
        check(r#""shard":"s"#, r#""shard":"S"#, Shard);
        check(r#""sequence":"4959""#, r#""sequence":"4959.0""#, Sequence);
        check("data", "datum", NoData);
        check("bm8=", "bm8", NotBase64);
        assert_eq!(DeadLetter::read(b"\xff"), Err(Form));
    }

    #[test]
    fn what_another_hand_wrote_is_read() {
        let json = br#" { "sub": 2, "sequence": "1", "shard": "shardId-0", "reason": "x\u002fy",
            "version": 1, "arrival": "soon", "data": "", "more": [null] } "#;
        let read = DeadLetter::read(json).expect("a dead letter");
        assert_eq!(read.id.to_string(), "shardId-000000000000:1.2");
        assert_eq!(read.reason, "x/y");
        assert_eq!(read.arrival, None);
        assert_eq!(read.data, Data::Here(b"".into()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            data in prop::collection::vec(any::<u8>(), 0..64),
            (reason, stream, function) in (any::<String>(), any::<String>(), any::<String>()),
            sub in prop::option::of(any::<usize>()),
            sequence in "[0-9]{1,56}",
            shard in any::<u64>(),
        ) {
            let written = DeadLetter {
                reason: reason.into(),
                stream: stream.into(),
                function: function.into(),
                id: RecordId {
                    shard: ShardId(shard),
                    sequence: Sequence::parse(&sequence).expect("a sequence number"),
                    sub,
                },
                ..letter(&data)
            };
            let json = written.to_json();
            prop_assert_eq!(written.to_message(None), Some(json.clone()));
            prop_assert_eq!(DeadLetter::read(json.as_bytes()), Ok(written));
        }
    }
}
