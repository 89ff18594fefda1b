//! The request of an invocation: lenient where senders differ, borrowed, in the order it came; only
//! what is read.

use std::borrow::Cow;

use base64_simd::STANDARD;

use super::{Arrival, RecordId, Sequence, ShardId};
use crate::{
    instant::Instant,
    json::{Cursor, Problem, Spelled, Value},
};

/// What a record of a usual size takes in a request.
const RECORD_BYTES: usize = 900;

/// Records of one shard.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The stream's ARN; empty where no record names it.
    pub stream: Cow<'a, str>,
    pub records: Vec<Record<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub shard: ShardId,
    pub sequence: Sequence,
    pub partition_key: Option<Spelled<'a>>,
    pub arrival: Option<Arrival>,
    /// Base64.
    pub data: Option<Spelled<'a>>,
}

/// Why a record has no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoData {
    #[error("the record has no text `data`")]
    Missing,
    #[error("the record's data is not padded standard base64")]
    NotBase64,
}

/// The envelope cannot be read at all, or a record of it could not be named in an answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeUnreadable {
    #[error("the request is not UTF-8")]
    NotUtf8,
    #[error("the request is no JSON that can be read: byte {0} is not what has to come there")]
    NotJson(usize),
    #[error("the request has no array `Records`: a mapping on a Kinesis stream sends one")]
    RecordsMissing,
    #[error("record {0} of the request has no `kinesis.sequenceNumber` of up to 56 digits")]
    SequenceMissing(usize),
    #[error("record {0} of the request has no `eventID` like shardId-000000000000:…")]
    ShardMissing(usize),
}

impl<'a> Envelope<'a> {
    pub fn read(body: &'a [u8]) -> Result<Self, EnvelopeUnreadable> {
        let text = simdutf8::basic::from_utf8(body).map_err(|_| EnvelopeUnreadable::NotUtf8)?;
        let mut cursor = Cursor::new(text);
        let drafts = read_drafts(&mut cursor)
            .map_err(|_| EnvelopeUnreadable::NotJson(cursor.position()))?
            .ok_or(EnvelopeUnreadable::RecordsMissing)?;
        let stream = drafts.iter().find_map(|draft| draft.stream);
        let records = (1..)
            .zip(drafts)
            .map(|(number, draft)| draft.finish(number));
        Ok(Self {
            stream: stream.and_then(Spelled::decode).unwrap_or_default(),
            records: records.collect::<Result<_, _>>()?,
        })
    }
}

impl Record<'_> {
    /// Of the record itself, or of an event in it.
    #[must_use]
    pub fn id(&self, sub: Option<usize>) -> RecordId {
        RecordId {
            shard: self.shard,
            sequence: self.sequence,
            sub,
        }
    }

    /// Puts its bytes behind what is in `bytes`: of what is not base64 its text.
    pub fn decode_append(&self, bytes: &mut Vec<u8>) -> Result<(), NoData> {
        let start = bytes.len();
        let spelled = self.data.ok_or(NoData::Missing)?;
        let data = spelled.decode().unwrap_or(Cow::Borrowed(spelled.text));
        STANDARD.decode_append(data.as_bytes(), bytes).map_err(|_| {
            bytes.truncate(start);
            bytes.extend_from_slice(data.as_bytes());
            NoData::NotBase64
        })
    }
}

/// A record's members, before it is known whether they suffice.
#[derive(Default)]
struct Draft<'a> {
    stream: Option<Spelled<'a>>,
    shard: Option<ShardId>,
    sequence: Option<Sequence>,
    partition_key: Option<Spelled<'a>>,
    arrival: Option<Arrival>,
    data: Option<Spelled<'a>>,
}

fn read_drafts<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Vec<Draft<'a>>>, Problem> {
    let mut drafts = None;
    each_member(cursor, |key, cursor| {
        if key != "Records" || cursor.peek() != Some(b'[') {
            return cursor.value().map(drop);
        }
        let mut records = Vec::with_capacity(cursor.rest_length() / RECORD_BYTES + 1);
        cursor.enter_array()?;
        while cursor.next_element()? {
            let mut draft = Draft::default();
            draft.read(cursor)?;
            records.push(draft);
        }
        drafts = Some(records);
        Ok(())
    })?;
    if cursor.is_at_end() {
        Ok(drafts)
    } else {
        Err(Problem::Syntax)
    }
}

impl<'a> Draft<'a> {
    fn read(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Problem> {
        each_member(cursor, |key, cursor| {
            if key == "kinesis" {
                return self.read_kinesis(cursor);
            }
            let value = cursor.value()?;
            match key {
                "eventID" => self.shard = shard(value),
                "eventSourceARN" => self.stream = text(value),
                _ => {}
            }
            Ok(())
        })
    }

    fn read_kinesis(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Problem> {
        each_member(cursor, |key, cursor| {
            let value = cursor.value()?;
            match key {
                "sequenceNumber" => self.sequence = sequence(value),
                "partitionKey" => self.partition_key = text(value),
                "approximateArrivalTimestamp" => self.arrival = arrival(value),
                "data" => self.data = text(value),
                _ => {}
            }
            Ok(())
        })
    }

    fn finish(self, number: usize) -> Result<Record<'a>, EnvelopeUnreadable> {
        let sequence = self.sequence;
        Ok(Record {
            shard: self.shard.ok_or(EnvelopeUnreadable::ShardMissing(number))?,
            sequence: sequence.ok_or(EnvelopeUnreadable::SequenceMissing(number))?,
            partition_key: self.partition_key,
            arrival: self.arrival,
            data: self.data,
        })
    }
}

/// Hands over each member of an object, by what its key says, before its value. Passes any other
/// value.
fn each_member<'a>(
    cursor: &mut Cursor<'a>,
    mut take: impl FnMut(&str, &mut Cursor<'a>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    if cursor.peek() != Some(b'{') {
        return cursor.value().map(drop);
    }
    cursor.enter_object()?;
    while let Some(key) = cursor.next_key()? {
        take(&key.decode().unwrap_or_default(), cursor)?;
    }
    Ok(())
}

fn text(value: Value<'_>) -> Option<Spelled<'_>> {
    match value {
        Value::String(spelled) => Some(spelled),
        _ => None,
    }
}

/// `shardId-…:sequence`, of which the sequence number stands elsewhere too.
fn shard(value: Value<'_>) -> Option<ShardId> {
    let id = text(value)?.decode()?;
    ShardId::parse(id.rsplit_once(':')?.0)
}

fn sequence(value: Value<'_>) -> Option<Sequence> {
    match value {
        Value::Number(number) => Sequence::parse(number),
        _ => Sequence::parse(&text(value)?.decode()?),
    }
}

/// Seconds, as a number or as the text that some libraries write.
fn arrival(value: Value<'_>) -> Option<Arrival> {
    let instant = match value {
        Value::Number(number) => Instant::from_number(number),
        _ => Instant::from_text(&text(value)?.decode()?),
    };
    instant.ok().map(Arrival)
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::kinesis::KinesisEvent;

    use super::*;

    /// As AWS documents it, from a stream that is encrypted.
    const SAMPLE: &str = r#"{"Records": [
        {"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "s1",
                     "sequenceNumber": "49568167373333333333333333333333333333333333333333333333",
                     "data": "SGVsbG8gV29ybGQ=", "approximateArrivalTimestamp": 1480641523.477, "encryptionType": "KMS"},
         "eventSource": "aws:kinesis", "eventVersion": "1.0",
         "eventID": "shardId-000000000000:49568167373333333333333333333333333333333333333333333333",
         "eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:aws:iam::123456789012:role/LambdaRole",
         "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/simple-stream"},
        {"eventID": "shardId-000000000000:49568167373333333334444444444444444444444444444444444444",
         "kinesis": {"partitionKey": "s2", "data": "", "approximateArrivalTimestamp": 1480641523.5,
                     "sequenceNumber": "49568167373333333334444444444444444444444444444444444444"}}]}"#;

    #[track_caller]
    fn read(body: &str) -> Envelope<'_> {
        Envelope::read(body.as_bytes()).expect("an envelope")
    }

    /// Key, arrival and bytes.
    type Shown = (Option<String>, Option<String>, Result<String, NoData>);

    fn shown(record: &Record<'_>) -> Shown {
        let mut bytes = b"before".to_vec();
        let decoded = record.decode_append(&mut bytes);
        let bytes = bytes.strip_prefix(b"before").expect("what was there stays");
        let bytes = String::from_utf8_lossy(bytes).into_owned();
        (
            record
                .partition_key
                .and_then(Spelled::decode)
                .map(Cow::into_owned),
            record.arrival.map(|arrival| arrival.to_string()),
            decoded.map(|()| bytes),
        )
    }

    #[test]
    fn the_documented_request_is_read_in_order() {
        let envelope = read(SAMPLE);
        assert_eq!(
            envelope.stream,
            "arn:aws:kinesis:us-east-1:123456789012:stream/simple-stream"
        );
        let ids: Vec<_> = envelope
            .records
            .iter()
            .map(|record| record.id(None).to_string())
            .collect();
        assert_eq!(
            ids,
            [
                "shardId-000000000000:49568167373333333333333333333333333333333333333333333333",
                "shardId-000000000000:49568167373333333334444444444444444444444444444444444444"
            ]
        );
        let text = |text: &str| Some(text.to_owned());
        let expected: [Shown; 2] = [
            (
                text("s1"),
                text("2016-12-02T01:18:43.477Z"),
                Ok("Hello World".into()),
            ),
            (
                text("s2"),
                text("2016-12-02T01:18:43.500Z"),
                Ok(String::new()),
            ),
        ];
        assert_eq!(
            envelope.records.iter().map(shown).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn what_the_official_type_writes_is_read_alike() {
        // Of half a second it makes five milliseconds: its reading, not its writing, is at fault.
        let sample = SAMPLE.replace("1480641523.5,", "1480641523.567,");
        let event: KinesisEvent = serde_json::from_str(&sample).expect("an event");
        let written = serde_json::to_string(&event).expect("JSON");
        assert_eq!(read(&written), read(&sample));
    }

    #[track_caller]
    fn check_unreadable(body: &[u8], expected: EnvelopeUnreadable) {
        let read = Envelope::read(body);
        assert_eq!(read, Err(expected), "{}", body.escape_ascii());
    }

    #[test]
    fn an_envelope_is_unreadable_where_a_record_could_not_be_reported() {
        use EnvelopeUnreadable::{NotJson, NotUtf8, RecordsMissing, SequenceMissing, ShardMissing};
        check_unreadable(b"\xff", NotUtf8);
        check_unreadable(b"", NotJson(0));
        check_unreadable(br#"{"Records":[}"#, NotJson(12));
        check_unreadable(br#"{"Records":[]} x"#, NotJson(15));
        check_unreadable(b"[]", RecordsMissing);
        check_unreadable(b"{}", RecordsMissing);
        check_unreadable(br#"{"Records":{}}"#, RecordsMissing);
        check_unreadable(br#"{"records":[]}"#, RecordsMissing);
        let sound = r#"{"eventID":"shardId-000000000000:1","kinesis":{"sequenceNumber":"1"}}"#;
        let check = |record: &str, expected| {
            let body = format!(r#"{{"Records":[{sound},{record}]}}"#);
            check_unreadable(body.as_bytes(), expected);
        };
        check("1", ShardMissing(2));
        check(r#"{"kinesis":{"sequenceNumber":"1"}}"#, ShardMissing(2));
        check(&sound.replace(":1", ""), ShardMissing(2));
        check(&sound.replace("shardId", "shard"), ShardMissing(2));
        check(&sound.replace("\"1\"", "\"\""), SequenceMissing(2));
        check(&sound.replace("\"1\"", "\"1.5\""), SequenceMissing(2));
        check(&sound.replace("\"1\"", "null"), SequenceMissing(2));
        check(
            &sound.replace(r#"{"sequenceNumber":"1"}"#, "[]"),
            SequenceMissing(2),
        );
    }

    #[track_caller]
    fn check(members: &str, expected: (Option<&str>, Option<&str>, Result<&str, NoData>)) {
        let body = format!(
            r#"{{"more":[{{}}],"Records":[{{"x":{{"kinesis":1}},"kinesis":{{"sequenceNumber":"7",{members}}},"eventID":"shardId-000000000001:7"}}]}}"#
        );
        let envelope = read(&body);
        let (key, arrival, bytes) = expected;
        let expected = (
            key.map(str::to_owned),
            arrival.map(str::to_owned),
            bytes.map(str::to_owned),
        );
        assert_eq!(shown(&envelope.records[0]), expected, "{members}");
        assert_eq!(
            envelope.records[0].id(Some(2)).to_string(),
            "shardId-000000000001:7.2"
        );
    }

    #[test]
    fn a_record_is_read_leniently() {
        let at = Some("2018-12-17T22:10:50.987Z");
        let missing = Err(NoData::Missing);
        check(r#""a":0"#, (None, None, missing));
        check(r#""data":null,"partitionKey":5"#, (None, None, missing));
        check(r#""data":7"#, (None, None, missing));
        check(r#""data":"eA==""#, (None, None, Ok("x")));
        check(r#""data":"eA=\u003d""#, (None, None, Ok("x")));
        check(r#""d\u0061ta":"eA==""#, (None, None, Ok("x")));
        check(r#""data":"eA""#, (None, None, Err(NoData::NotBase64)));
        check(r#""data":"a b=""#, (None, None, Err(NoData::NotBase64)));
        check(r#""partitionKey":"\u00e9""#, (Some("é"), None, missing));
        for arrival in [
            "1545084650.987",
            "1.545084650987E9",
            "1545084650987",
            r#""1545084650.987""#,
            r#""2018-12-17T22:10:50.987Z""#,
        ] {
            check(
                &format!(r#""approximateArrivalTimestamp":{arrival}"#),
                (None, at, missing),
            );
        }
        for arrival in ["null", "-1", r#""soon""#, "[]", "1e99"] {
            check(
                &format!(r#""approximateArrivalTimestamp":{arrival}"#),
                (None, None, missing),
            );
        }
    }

    #[test]
    fn of_data_that_is_not_base64_its_text_is_left() {
        #[track_caller]
        fn check(data: &str, expected: &str) {
            let body = SAMPLE.replace("SGVsbG8gV29ybGQ=", data);
            let mut bytes = Vec::new();
            let decoded = read(&body).records[0].decode_append(&mut bytes);
            assert_eq!(decoded, Err(NoData::NotBase64));
            assert_eq!(String::from_utf8_lossy(&bytes), expected);
        }
        check("plain", "plain");
        check(r"\u007b\u007d", "{}");
        check(r"\ud800", r"\ud800");
    }

    #[test]
    fn a_sequence_number_may_be_a_number_and_names_come_as_they_are_spelled() {
        let body = r#"{"Rec\u006frds":[{"event\u0049D":"shardId\u002d000000000003:9","kinesis":{"sequenceNumber":9},"eventSourceARN":"arn:stream\/a"}]}"#;
        let envelope = read(body);
        assert_eq!(envelope.stream, "arn:stream/a");
        assert_eq!(envelope.records.len(), 1);
    }

    #[test]
    fn no_records_are_none() {
        let envelope = read(r#"{"Records":[]}"#);
        assert_eq!((envelope.stream.as_ref(), envelope.records), ("", vec![]));
    }
}
