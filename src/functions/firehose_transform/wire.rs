//! What Firehose sends and wants back, as bytes. Lenient where real senders differ; holds only
//! what is read. Many answers are put together in `draft`.

use base64_simd::STANDARD;

use crate::json::{Cursor, Problem, Spelled, Value};

/// What a record of a usual size takes in a request.
pub(super) const RECORD_BYTES: usize = 512;

/// What Firehose hands over: an id, an arrival time and bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub slot: Slot<'a>,
    /// Epoch milliseconds.
    pub arrival_milliseconds: Option<i64>,
    /// Base64; none where the record has no text under either name.
    pub data: Option<Spelled<'a>>,
}

/// Which record an answer is for, and under which name it wants its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'a> {
    pub record_id: Spelled<'a>,
    pub data_name: DataName,
}

impl<'a> Slot<'a> {
    /// Of a record that has its data under the usual name, and an id without escapes.
    #[must_use]
    pub fn plain(record_id: &'a str) -> Self {
        Self {
            record_id: Spelled {
                text: record_id,
                escaped: false,
            },
            data_name: DataName::Data,
        }
    }
}

/// Where a record keeps its data, and wants it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataName {
    #[default]
    Data,
    /// From a source in MSK.
    KafkaRecordValue,
}

/// The envelope cannot be read at all, so that no record of it can be answered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeUnreadable {
    #[error("the request is not UTF-8")]
    NotUtf8,
    #[error(
        "the request is no JSON object that can be read: byte {0} is not what has to come there"
    )]
    NotJson(usize),
    #[error("the request has no array `records`")]
    RecordsMissing,
    #[error("record {0} of the request has no text `recordId`, so it cannot be answered")]
    RecordIdMissing(usize),
}

/// The records of a request.
pub fn read_request(body: &[u8]) -> Result<Vec<Record<'_>>, EnvelopeUnreadable> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| EnvelopeUnreadable::NotUtf8)?;
    let mut cursor = Cursor::new(text);
    let records =
        read_envelope(&mut cursor).map_err(|_| EnvelopeUnreadable::NotJson(cursor.position()))?;
    records.ok_or(EnvelopeUnreadable::RecordsMissing)?
}

/// All records of a request, unless one of them cannot be answered.
type Records<'a> = Result<Vec<Record<'a>>, EnvelopeUnreadable>;

fn read_envelope<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Records<'a>>, Problem> {
    let mut records = None;
    cursor.enter_object()?;
    while let Some(key) = cursor.next_key()? {
        if key.decode().as_deref() == Some("records") && cursor.peek() == Some(b'[') {
            records = Some(read_records(cursor)?);
        } else {
            cursor.value()?;
        }
    }
    if cursor.is_at_end() {
        Ok(records)
    } else {
        Err(Problem::Syntax)
    }
}

fn read_records<'a>(cursor: &mut Cursor<'a>) -> Result<Records<'a>, Problem> {
    let mut records = Vec::with_capacity(cursor.rest_length() / RECORD_BYTES + 1);
    let mut count = 0;
    let mut first_without_id = None;
    cursor.enter_array()?;
    while cursor.next_element()? {
        count += 1;
        match RecordRead::read(cursor)?.finish() {
            Some(record) => records.push(record),
            None => first_without_id = first_without_id.or(Some(count)),
        }
    }
    Ok(match first_without_id {
        Some(number) => Err(EnvelopeUnreadable::RecordIdMissing(number)),
        None => Ok(records),
    })
}

/// A record's members, before it is known whether they suffice.
#[derive(Default)]
struct RecordRead<'a> {
    id: Option<Spelled<'a>>,
    arrival_milliseconds: Option<i64>,
    data: Option<Spelled<'a>>,
    kafka_record_value: Option<Spelled<'a>>,
}

impl<'a> RecordRead<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Problem> {
        let mut record = Self::default();
        if cursor.peek() != Some(b'{') {
            cursor.value()?;
            return Ok(record);
        }
        cursor.enter_object()?;
        while let Some(key) = cursor.next_key()? {
            let value = cursor.value()?;
            match key.decode().as_deref() {
                Some("recordId") => record.id = text(value),
                Some("approximateArrivalTimestamp") => {
                    record.arrival_milliseconds = milliseconds(value);
                }
                Some("data") => record.data = text(value),
                Some("kafkaRecordValue") => record.kafka_record_value = text(value),
                _ => {}
            }
        }
        Ok(record)
    }

    fn finish(self) -> Option<Record<'a>> {
        let (data, data_name) = match (self.data, self.kafka_record_value) {
            (None, Some(value)) => (Some(value), DataName::KafkaRecordValue),
            (data, _) => (data, DataName::Data),
        };
        let arrival_milliseconds = self.arrival_milliseconds;
        Some(Record {
            slot: Slot {
                record_id: self.id?,
                data_name,
            },
            arrival_milliseconds,
            data,
        })
    }
}

fn text(value: Value<'_>) -> Option<Spelled<'_>> {
    match value {
        Value::String(spelled) => Some(spelled),
        _ => None,
    }
}

/// A number, or the same as text, which some libraries write.
fn milliseconds(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Number(number) | Value::String(Spelled { text: number, .. }) => number.parse().ok(),
        _ => None,
    }
}

/// What is said of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    Ok {
        line: &'a [u8],
        partition_keys: &'a [u8],
    },
    Dropped,
    ProcessingFailed,
}

const BEFORE_ID: &str = r#"{"recordId":""#;
const BEFORE_KEYS: &str = r#"","metadata":{"partitionKeys":"#;
const AFTER_KEYS: &str = "}}";
const WITHOUT_KEYS: &str = r#"","metadata":{}}"#;

impl Answer<'_> {
    /// How many bytes it takes, without the comma between two answers.
    #[must_use]
    pub fn length(&self, slot: Slot<'_>) -> usize {
        let before_data =
            BEFORE_ID.len() + slot.record_id.text.len() + self.after_id(slot.data_name).len();
        before_data
            + match self {
                Answer::Ok {
                    line,
                    partition_keys,
                } => {
                    let keys = BEFORE_KEYS.len() + partition_keys.len() + AFTER_KEYS.len();
                    line.len().div_ceil(3) * 4 + keys
                }
                Answer::Dropped | Answer::ProcessingFailed => WITHOUT_KEYS.len(),
            }
    }

    /// Empty data and metadata stand where none are needed: every reader takes them.
    pub fn write(&self, slot: Slot<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(BEFORE_ID.as_bytes());
        out.extend_from_slice(slot.record_id.text.as_bytes());
        out.extend_from_slice(self.after_id(slot.data_name).as_bytes());
        match self {
            Answer::Ok {
                line,
                partition_keys,
            } => {
                STANDARD.encode_append(line, out);
                out.extend_from_slice(BEFORE_KEYS.as_bytes());
                out.extend_from_slice(partition_keys);
                out.extend_from_slice(AFTER_KEYS.as_bytes());
            }
            Answer::Dropped | Answer::ProcessingFailed => {
                out.extend_from_slice(WITHOUT_KEYS.as_bytes());
            }
        }
    }

    fn after_id(&self, data_name: DataName) -> &'static str {
        use DataName::{Data, KafkaRecordValue};
        match (self, data_name) {
            (Answer::Ok { .. }, Data) => r#"","result":"Ok","data":""#,
            (Answer::Ok { .. }, KafkaRecordValue) => r#"","result":"Ok","kafkaRecordValue":""#,
            (Answer::Dropped, Data) => r#"","result":"Dropped","data":""#,
            (Answer::Dropped, KafkaRecordValue) => r#"","result":"Dropped","kafkaRecordValue":""#,
            (Answer::ProcessingFailed, Data) => r#"","result":"ProcessingFailed","data":""#,
            (Answer::ProcessingFailed, KafkaRecordValue) => {
                r#"","result":"ProcessingFailed","kafkaRecordValue":""#
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_unreadable(body: &[u8], expected: EnvelopeUnreadable) {
        assert_eq!(
            read_request(body).map(drop),
            Err(expected),
            "{}",
            body.escape_ascii()
        );
    }

    #[track_caller]
    fn check_record(record: &str, expected: (Option<i64>, Option<&str>, DataName)) {
        let body = format!(r#"{{"invocationId":"i","records":[ {record} ],"region":{{"a":[1]}}}}"#);
        let records = read_request(body.as_bytes()).unwrap();
        let [record] = records.as_slice() else {
            panic!("{records:?}")
        };
        assert_eq!(record.slot.record_id.text, "1");
        assert_eq!(
            (
                record.arrival_milliseconds,
                record.data.map(|data| data.text),
                record.slot.data_name
            ),
            expected
        );
    }

    #[test]
    fn an_envelope_is_unreadable_where_a_record_could_not_be_answered() {
        check_unreadable(b"\xff", EnvelopeUnreadable::NotUtf8);
        check_unreadable(b"", EnvelopeUnreadable::NotJson(0));
        check_unreadable(b"[]", EnvelopeUnreadable::NotJson(0));
        check_unreadable(br#"{"records":[}"#, EnvelopeUnreadable::NotJson(12));
        check_unreadable(br#"{"records":[]} x"#, EnvelopeUnreadable::NotJson(15));
        check_unreadable(b"{}", EnvelopeUnreadable::RecordsMissing);
        check_unreadable(br#"{"records":null}"#, EnvelopeUnreadable::RecordsMissing);
        check_unreadable(
            br#"{"records":[{"recordId":"1"},{"data":""}]}"#,
            EnvelopeUnreadable::RecordIdMissing(2),
        );
        check_unreadable(
            br#"{"records":[{"recordId":1}]}"#,
            EnvelopeUnreadable::RecordIdMissing(1),
        );
        check_unreadable(
            br#"{"records":["1"]}"#,
            EnvelopeUnreadable::RecordIdMissing(1),
        );
    }

    #[test]
    fn a_record_is_read_leniently() {
        let data = DataName::Data;
        check_record(
            r#"{"recordId":"1","approximateArrivalTimestamp":1495072949453,"data":"eA=="}"#,
            (Some(1_495_072_949_453), Some("eA=="), data),
        );
        check_record(
            r#"{"recordId":"1","approximateArrivalTimestamp":"1495072949453","data":""}"#,
            (Some(1_495_072_949_453), Some(""), data),
        );
        check_record(
            r#"{"recordId":"1","approximateArrivalTimestamp":"2017-05-18T02:02:29Z","data":null}"#,
            (None, None, data),
        );
        check_record(r#"{"data":5,"recordId":"1"}"#, (None, None, data));
        check_record(
            r#"{"recordId":"1","kafkaRecordValue":"eA=="}"#,
            (None, Some("eA=="), DataName::KafkaRecordValue),
        );
        check_record(
            r#"{"recordId":"1","kafkaRecordValue":"eA==","data":null}"#,
            (None, Some("eA=="), DataName::KafkaRecordValue),
        );
        check_record(
            r#"{"recordId":"1","data":"eA==","kinesisRecordMetadata":{"approximateArrivalTimestamp":7,"recordId":"2","subsequenceNumber":""}}"#,
            (None, Some("eA=="), data),
        );
    }

    #[test]
    fn names_are_compared_by_what_they_say() {
        let escaped = r#"{"r\u0065cords":[{"record\u0049d":"1","d\u0061ta":"eA==","\ud800":0}]}"#;
        let records = read_request(escaped.as_bytes()).expect("a request");
        let plain = read_request(br#"{"records":[{"recordId":"1","data":"eA=="}]}"#);
        assert_eq!(records, plain.expect("a request"));
    }

    #[test]
    fn an_answer_is_spelled_as_firehose_wants_it_and_counted_to_the_byte() {
        #[track_caller]
        fn check(data_name: DataName, answer: &Answer<'_>, expected: &str) {
            let slot = Slot {
                record_id: Spelled {
                    text: "a\\/b",
                    escaped: true,
                },
                data_name,
            };
            let mut written = Vec::new();
            answer.write(slot, &mut written);
            assert_eq!(String::from_utf8_lossy(&written), expected);
            assert_eq!(answer.length(slot), expected.len());
        }
        for (line, data) in [
            ("{}\n", "e30K"),
            ("{é", "e8Op"),
            ("{}", "e30="),
            ("{", "ew=="),
            ("", ""),
        ] {
            check(
                DataName::Data,
                &Answer::Ok {
                    line: line.as_bytes(),
                    partition_keys: br#"{"year":"2024"}"#,
                },
                &format!(
                    r#"{{"recordId":"a\/b","result":"Ok","data":"{data}","metadata":{{"partitionKeys":{{"year":"2024"}}}}}}"#
                ),
            );
        }
        check(
            DataName::KafkaRecordValue,
            &Answer::Dropped,
            r#"{"recordId":"a\/b","result":"Dropped","kafkaRecordValue":"","metadata":{}}"#,
        );
        check(
            DataName::Data,
            &Answer::ProcessingFailed,
            r#"{"recordId":"a\/b","result":"ProcessingFailed","data":"","metadata":{}}"#,
        );
    }
}
