//! What Firehose sends and wants back, as bytes. Lenient where real senders differ; holds only
//! what is read.

use base64_simd::STANDARD;

use crate::json::{Cursor, Problem, Spelled, Value};

const RESPONSE_START: &str = r#"{"records":["#;
const RESPONSE_END: &str = "]}";

/// A batch.
#[derive(Debug)]
pub struct Request<'a> {
    pub records: Vec<Record<'a>>,
}

/// What Firehose hands over: an id, an arrival time and bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub id: Spelled<'a>,
    /// Epoch milliseconds.
    pub arrival_milliseconds: Option<i64>,
    /// Base64; none where the record has no text under either name.
    pub data: Option<Spelled<'a>>,
    pub data_name: DataName,
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

impl<'a> Request<'a> {
    pub fn parse(body: &'a [u8]) -> Result<Self, EnvelopeUnreadable> {
        let text = simdutf8::basic::from_utf8(body).map_err(|_| EnvelopeUnreadable::NotUtf8)?;
        let mut cursor = Cursor::new(text);
        let records = read_envelope(&mut cursor)
            .map_err(|_| EnvelopeUnreadable::NotJson(cursor.position()))?;
        let records = records.ok_or(EnvelopeUnreadable::RecordsMissing)??;
        Ok(Self { records })
    }
}

/// All records of a request, unless one of them cannot be answered.
type Records<'a> = Result<Vec<Record<'a>>, EnvelopeUnreadable>;

fn read_envelope<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Records<'a>>, Problem> {
    let mut records = None;
    cursor.enter_object()?;
    while let Some(key) = cursor.next_key()? {
        if key.text == "records" && cursor.peek() == Some(b'[') {
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
    let mut records = Vec::new();
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
            match key.text {
                "recordId" => record.id = text(value),
                "approximateArrivalTimestamp" => record.arrival_milliseconds = milliseconds(value),
                "data" => record.data = text(value),
                "kafkaRecordValue" => record.kafka_record_value = text(value),
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
            id: self.id?,
            arrival_milliseconds,
            data,
            data_name,
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
        line: &'a str,
        partition_keys: &'a str,
    },
    Dropped,
    ProcessingFailed,
}

impl<'a> Answer<'a> {
    /// How many bytes it takes, without the comma between two answers.
    #[must_use]
    pub fn length(&self, record: &Record<'_>) -> usize {
        let [before, after] = [self.before(record).as_slice(), &self.after()]
            .map(|pieces| pieces.iter().map(|piece| piece.len()).sum::<usize>());
        before + self.line().len().div_ceil(3) * 4 + after
    }

    fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        self.before(record)
            .iter()
            .for_each(|piece| out.extend_from_slice(piece.as_bytes()));
        STANDARD.encode_append(self.line(), out);
        self.after()
            .iter()
            .for_each(|piece| out.extend_from_slice(piece.as_bytes()));
    }

    fn before<'r>(&self, record: &Record<'r>) -> [&'r str; 4] {
        let result = match self {
            Answer::Ok { .. } => r#"","result":"Ok","#,
            Answer::Dropped => r#"","result":"Dropped","#,
            Answer::ProcessingFailed => r#"","result":"ProcessingFailed","#,
        };
        let data = match record.data_name {
            DataName::Data => r#""data":""#,
            DataName::KafkaRecordValue => r#""kafkaRecordValue":""#,
        };
        [r#"{"recordId":""#, record.id.text, result, data]
    }

    /// Empty data and metadata stand where none are needed: every reader takes them.
    fn line(&self) -> &'a str {
        match self {
            Answer::Ok { line, .. } => line,
            _ => "",
        }
    }

    fn after(&self) -> [&'a str; 3] {
        match self {
            Answer::Ok { partition_keys, .. } => {
                [r#"","metadata":{"partitionKeys":"#, partition_keys, "}}"]
            }
            _ => [r#"","metadata":{"#, "", "}}"],
        }
    }
}

/// How many bytes a response takes beside its answers.
#[must_use]
pub fn frame_length(answers: usize) -> usize {
    RESPONSE_START.len() + answers.saturating_sub(1) + RESPONSE_END.len()
}

/// A response, an answer at a time, in the order of the records.
pub struct ResponseWriter {
    out: Vec<u8>,
}

impl ResponseWriter {
    #[must_use]
    pub fn new(length: usize) -> Self {
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(RESPONSE_START.as_bytes());
        Self { out }
    }

    pub fn push(&mut self, record: &Record<'_>, answer: &Answer<'_>) {
        if self.out.len() > RESPONSE_START.len() {
            self.out.push(b',');
        }
        answer.write(record, &mut self.out);
    }

    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(RESPONSE_END.as_bytes());
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_unreadable(body: &[u8], expected: EnvelopeUnreadable) {
        assert_eq!(
            Request::parse(body).map(drop),
            Err(expected),
            "{}",
            body.escape_ascii()
        );
    }

    #[track_caller]
    fn check_record(record: &str, expected: (Option<i64>, Option<&str>, DataName)) {
        let body = format!(r#"{{"invocationId":"i","records":[ {record} ],"region":{{"a":[1]}}}}"#);
        let request = Request::parse(body.as_bytes()).unwrap();
        let [record] = request.records.as_slice() else {
            panic!("{request:?}")
        };
        assert_eq!(record.id.text, "1");
        assert_eq!(
            (
                record.arrival_milliseconds,
                record.data.map(|data| data.text),
                record.data_name
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
    fn what_is_written_is_what_was_counted() {
        let ids = [
            Spelled {
                text: "49\\u0041",
                escaped: true,
            },
            Spelled {
                text: "",
                escaped: false,
            },
        ];
        for (id, data_name) in ids
            .into_iter()
            .flat_map(|id| [(id, DataName::Data), (id, DataName::KafkaRecordValue)])
        {
            let record = Record {
                id,
                arrival_milliseconds: None,
                data: None,
                data_name,
            };
            let lines = ["", "{", "{}", "{é", "{\"a\":1}\n"];
            let mut answers = vec![Answer::Dropped, Answer::ProcessingFailed];
            answers.extend(lines.map(|line| Answer::Ok {
                line,
                partition_keys: r#"{"year":"2024"}"#,
            }));
            for count in 0..=answers.len() {
                let answers = &answers[..count];
                let length = frame_length(count)
                    + answers
                        .iter()
                        .map(|answer| answer.length(&record))
                        .sum::<usize>();
                let mut response = ResponseWriter::new(length);
                for answer in answers {
                    response.push(&record, answer);
                }
                assert_eq!(response.finish().len(), length);
            }
        }
    }

    #[test]
    fn an_answer_is_spelled_as_firehose_wants_it() {
        let id = Spelled {
            text: "a\\/b",
            escaped: true,
        };
        let written = |data_name, answer: &Answer<'_>| {
            let mut response = ResponseWriter::new(0);
            response.push(
                &Record {
                    id,
                    arrival_milliseconds: None,
                    data: None,
                    data_name,
                },
                answer,
            );
            String::from_utf8(response.finish()).unwrap()
        };
        let ok = Answer::Ok {
            line: "{}\n",
            partition_keys: r#"{"year":"2024"}"#,
        };
        assert_eq!(
            written(DataName::Data, &ok),
            r#"{"records":[{"recordId":"a\/b","result":"Ok","data":"e30K","metadata":{"partitionKeys":{"year":"2024"}}}]}"#
        );
        assert_eq!(
            written(DataName::KafkaRecordValue, &Answer::Dropped),
            r#"{"records":[{"recordId":"a\/b","result":"Dropped","kafkaRecordValue":"","metadata":{}}]}"#
        );
        assert_eq!(
            written(DataName::Data, &Answer::ProcessingFailed),
            r#"{"records":[{"recordId":"a\/b","result":"ProcessingFailed","data":"","metadata":{}}]}"#
        );
    }
}
