//! A function's answer, checked as Firehose checks it: what is wrong with all of it is an error,
//! what is wrong with one record becomes that record's fate.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use base64_simd::STANDARD;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::{batch::Batch, function::FunctionError};
use crate::{
    firehose::budget::RESPONSE_BYTES_MAX,
    json::{Cursor, Problem, Spelled, Value},
};

/// Between the values of a group; no path holds it.
const SEPARATOR: char = '\0';

/// An answer that can be acted on.
#[derive(Debug, Default)]
pub struct Answer {
    /// One for each record of the batch, in order.
    pub fates: Vec<Fate>,
    data: Vec<u8>,
    groups: String,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Delivered(Delivered),
    Dropped,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    data: Range<usize>,
    group: Range<usize>,
}

/// Why Firehose puts a record under the error prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    ProcessingFailed,
    RecordIdMissing,
    RecordIdDoubled,
    /// Its partition keys are not the prefix's.
    Partitioning,
}

impl Answer {
    /// Reads an answer to `batch`, whose prefix names `keys`.
    pub fn check(answer: &[u8], batch: &Batch, keys: &[String]) -> Result<Self, FunctionError> {
        if answer.len() > RESPONSE_BYTES_MAX {
            return Err(FunctionError::AnswerTooLarge(answer.len()));
        }
        let text = simdutf8::basic::from_utf8(answer).map_err(|_| NOT_UTF8)?;
        let mut checked = Self {
            fates: vec![Fate::Failed(Failure::RecordIdMissing); batch.len()],
            data: Vec::with_capacity(answer.len() / 4 * 3),
            groups: String::new(),
        };
        let mut groups = Groups {
            keys,
            known: HashMap::default(),
        };
        for entry in read_entries(text)? {
            // Every entry is read, also one whose id nobody asked for.
            let fate = checked.fate(&entry, &mut groups)?;
            let position = batch.position_of(&entry.record_id);
            if let Some(known) = position.and_then(|position| checked.fates.get_mut(position)) {
                *known = match known {
                    Fate::Failed(Failure::RecordIdMissing) => fate,
                    _ => Fate::Failed(Failure::RecordIdDoubled),
                };
            }
        }
        Ok(checked)
    }

    #[must_use]
    pub fn data(&self, delivered: &Delivered) -> &[u8] {
        self.data.get(delivered.data.clone()).unwrap_or_default()
    }

    /// Tells partitions apart; [`values`] takes it to pieces.
    #[must_use]
    pub fn group(&self, delivered: &Delivered) -> &str {
        self.groups.get(delivered.group.clone()).unwrap_or_default()
    }

    fn fate<'a>(
        &mut self,
        entry: &Entry<'a>,
        groups: &mut Groups<'a>,
    ) -> Result<Fate, FunctionError> {
        match &*entry.result {
            "Ok" => {}
            "Dropped" => return Ok(Fate::Dropped),
            "ProcessingFailed" => return Ok(Fate::Failed(Failure::ProcessingFailed)),
            other => return Err(FunctionError::ResultUnknown(other.to_owned())),
        }
        let data = entry.data.and_then(Spelled::decode);
        let data = data.ok_or(FunctionError::DataMissing)?;
        let start = self.data.len();
        STANDARD
            .decode_append(data.as_bytes(), &mut self.data)
            .map_err(|_| FunctionError::DataNotBase64)?;
        let data = start..self.data.len();
        Ok(match groups.find(entry.metadata, &mut self.groups) {
            Some(group) => Fate::Delivered(Delivered { data, group }),
            None => Fate::Failed(Failure::Partitioning),
        })
    }
}

/// Finds out which partition metadata means. Most records of a batch share one of a few, so what
/// was read once is known by its bytes.
struct Groups<'a> {
    /// The names that the prefix has.
    keys: &'a [String],
    known: HashMap<&'a str, Option<Range<usize>>, Xxh3DefaultBuilder>,
}

impl<'a> Groups<'a> {
    /// Where its group is in `groups`, if it has the prefix's keys.
    fn find(&mut self, metadata: &'a str, groups: &mut String) -> Option<Range<usize>> {
        if let Some(known) = self.known.get(metadata) {
            return known.clone();
        }
        let start = groups.len();
        let group = read_partition_keys(metadata)
            .and_then(|given| self.push(&given, groups))
            .map(|()| start..groups.len());
        self.known.insert(metadata, group.clone());
        group
    }

    /// Every key that the prefix names has a value, and there is no other.
    fn push(&self, given: &PartitionKeys<'_>, groups: &mut String) -> Option<()> {
        if given.len() != self.keys.len() {
            return None;
        }
        for (position, key) in self.keys.iter().enumerate() {
            let value = given.get(key.as_str())?;
            if value.is_empty() || value.contains(SEPARATOR) {
                return None;
            }
            if position > 0 {
                groups.push(SEPARATOR);
            }
            groups.push_str(value);
        }
        Some(())
    }
}

/// The values of a group, in the order of the prefix's keys.
#[must_use]
pub fn values(group: &str) -> Vec<&str> {
    group.split(SEPARATOR).collect()
}

/// What an answer says of a record.
struct Entry<'a> {
    record_id: Cow<'a, str>,
    result: Cow<'a, str>,
    data: Option<Spelled<'a>>,
    /// As it is spelled.
    metadata: &'a str,
}

type PartitionKeys<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

const NOT_UTF8: FunctionError = FunctionError::AnswerUnreadable("it is not UTF-8");
const NOT_JSON: FunctionError = FunctionError::AnswerUnreadable("it is not JSON");
const NO_RECORDS: FunctionError = FunctionError::AnswerUnreadable("it has no array `records`");
const NO_RECORD_ID: FunctionError =
    FunctionError::AnswerUnreadable("a record has no text `recordId`");
const NO_RESULT: FunctionError = FunctionError::AnswerUnreadable("a record has no text `result`");

impl From<Problem> for FunctionError {
    fn from(_: Problem) -> Self {
        NOT_JSON
    }
}

fn read_entries(text: &str) -> Result<Vec<Entry<'_>>, FunctionError> {
    let mut cursor = Cursor::new(text);
    let mut entries = None;
    enter_object(&mut cursor).ok_or(NO_RECORDS)?;
    while let Some(key) = cursor.next_key()? {
        if key.text == "records" && cursor.peek() == Some(b'[') {
            let mut records = Vec::new();
            cursor.enter_array()?;
            while cursor.next_element()? {
                records.push(Entry::read(&mut cursor, text)?);
            }
            entries = Some(records);
        } else {
            cursor.value()?;
        }
    }
    if cursor.is_at_end() {
        entries.ok_or(NO_RECORDS)
    } else {
        Err(NOT_JSON)
    }
}

impl<'a> Entry<'a> {
    fn read(cursor: &mut Cursor<'a>, text: &'a str) -> Result<Self, FunctionError> {
        let (mut record_id, mut result, mut data, mut metadata) = (None, None, None, "");
        enter_object(cursor).ok_or(NO_RECORD_ID)?;
        while let Some(key) = cursor.next_key()? {
            // White space before a value does not belong to it.
            cursor.peek();
            let start = cursor.position();
            let value = cursor.value()?;
            match (key.text, value) {
                ("recordId", Value::String(spelled)) => record_id = spelled.decode(),
                ("result", Value::String(spelled)) => result = spelled.decode(),
                ("data", Value::String(spelled)) => data = Some(spelled),
                ("metadata", _) => {
                    metadata = text.get(start..cursor.position()).unwrap_or_default();
                }
                _ => {}
            }
        }
        Ok(Self {
            record_id: record_id.ok_or(NO_RECORD_ID)?,
            result: result.ok_or(NO_RESULT)?,
            data,
            metadata,
        })
    }
}

/// None where they are not all text.
fn read_partition_keys(metadata: &str) -> Option<PartitionKeys<'_>> {
    let mut cursor = Cursor::new(metadata);
    let mut keys = PartitionKeys::new();
    enter_object(&mut cursor)?;
    while let Some(key) = cursor.next_key().ok()? {
        if key.text != "partitionKeys" {
            cursor.value().ok()?;
            continue;
        }
        enter_object(&mut cursor)?;
        while let Some(name) = cursor.next_key().ok()? {
            let Value::String(value) = cursor.value().ok()? else {
                return None;
            };
            keys.insert(name.decode()?, value.decode()?);
        }
    }
    Some(keys)
}

fn enter_object(cursor: &mut Cursor<'_>) -> Option<()> {
    match cursor.peek() {
        Some(b'{') => cursor.enter_object().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::batch::tests::batch;

    const KEYS: &str = r#""metadata":{"partitionKeys":{"a":"1","b":"2"}}"#;

    /// The fates of a batch of two, whose ids stand for `ID0` and `ID1`.
    fn fates(entries: &[&str]) -> Result<Vec<String>, FunctionError> {
        let batch = batch(b"first\nsecond\n");
        let [first, second] = batch.ids();
        let answer = format!("{{\"records\":[{}]}}", entries.join(","))
            .replace("ID0", &first)
            .replace("ID1", &second)
            .replace("KEYS", KEYS);
        let keys = ["a".to_owned(), "b".to_owned()];
        let answer = Answer::check(answer.as_bytes(), &batch, &keys)?;
        let name = |fate: &Fate| match fate {
            Fate::Delivered(delivered) => {
                let data = String::from_utf8_lossy(answer.data(delivered));
                format!("{data} in {}", values(answer.group(delivered)).join("/"))
            }
            other => format!("{other:?}"),
        };
        Ok(answer.fates.iter().map(name).collect())
    }

    const OK0: &str = r#"{"recordId":"ID0","result":"Ok","data":"YQ==",KEYS}"#;
    const OK1: &str = r#"{"recordId":"ID1","result":"Ok","data":"Yg==",KEYS}"#;
    const DROPPED0: &str = r#"{"recordId":"ID0","result":"Dropped"}"#;
    const FAILED1: &str = r#"{"recordId":"ID1","result":"ProcessingFailed","data":""}"#;

    #[track_caller]
    fn check(entries: &[&str], expected: [&str; 2]) {
        assert_eq!(fates(entries).expect("an answer"), expected, "{entries:?}");
    }

    #[test]
    fn each_record_has_its_fate() {
        check(&[OK0, OK1], ["a in 1/2", "b in 1/2"]);
        check(&[OK1, OK0], ["a in 1/2", "b in 1/2"]);
        check(
            &[DROPPED0, FAILED1],
            ["Dropped", "Failed(ProcessingFailed)"],
        );
    }

    #[test]
    fn ids_that_are_missing_or_doubled_fail_their_records() {
        check(&[], ["Failed(RecordIdMissing)"; 2]);
        check(&[OK0], ["a in 1/2", "Failed(RecordIdMissing)"]);
        check(&[OK0, OK1, OK0], ["Failed(RecordIdDoubled)", "b in 1/2"]);
        check(
            &[OK0, OK0, OK0, OK1],
            ["Failed(RecordIdDoubled)", "b in 1/2"],
        );
        let unknown = r#"{"recordId":"else","result":"Ok","data":"YQ==",KEYS}"#;
        check(&[OK0, unknown, OK1], ["a in 1/2", "b in 1/2"]);
    }

    #[test]
    fn partition_keys_are_the_prefixs() {
        for metadata in [
            r#""metadata":{"partitionKeys":{"a":"1"}}"#,
            r#""metadata":{"partitionKeys":{"a":"1","b":""}}"#,
            r#""metadata":{"partitionKeys":{"a":"1","b":"2","c":"3"}}"#,
            r#""metadata":{"partitionKeys":{"a":"1","c":"3"}}"#,
            r#""metadata":{"partitionKeys":{"a":"1","b":"\u0000"}}"#,
            r#""metadata":{"partitionKeys":null}"#,
            r#""metadata":{"partitionKeys":{"a":1,"b":"2"}}"#,
            r#""metadata":{"partitionKeys":["a","b"]}"#,
            r#""metadata":"partitionKeys""#,
            r#""metadata":{}"#,
            r#""more":1"#,
        ] {
            check(
                &[&OK0.replace("KEYS", metadata), OK1],
                ["Failed(Partitioning)", "b in 1/2"],
            );
        }
        let spaced = KEYS.replace(':', " :\n ");
        check(
            &[&OK0.replace("KEYS", &spaced), OK1],
            ["a in 1/2", "b in 1/2"],
        );
        let reversed = r#""metadata":{"partitionKeys":{"b":"2","a":"\u0031"}}"#;
        check(
            &[&OK0.replace("KEYS", reversed), OK1],
            ["a in 1/2", "b in 1/2"],
        );
    }

    #[track_caller]
    fn check_error(entry: &str, expected: &str) {
        let error = fates(&[OK0, entry]).expect_err("no answer").to_string();
        assert!(error.contains(expected), "{entry}: {error}");
    }

    #[test]
    fn what_is_wrong_with_one_may_be_wrong_with_all() {
        check_error(
            r#"{"recordId":"ID1","result":"OK","data":"YQ=="}"#,
            "`OK` is not a result",
        );
        check_error(r#"{"recordId":"ID1","result":"Ok"}"#, "has no data");
        check_error(
            r#"{"recordId":"ID1","result":"Ok","data":"YQ"}"#,
            "not base64",
        );
        check_error(
            r#"{"recordId":"ID1","result":"Ok","data":"Y Q="}"#,
            "not base64",
        );
        check_error(r#"{"recordId":"ID1"}"#, "no text `result`");
        check_error(r#"{"recordId":"ID1","result":1}"#, "no text `result`");
        check_error(r#"{"result":"Dropped"}"#, "no text `recordId`");
        check_error("1", "no text `recordId`");
        check_error("{]}", "not JSON");
        let large = r#"{"recordId":"else","result":"Dropped","data":"DATA"}"#;
        check_error(
            &large.replace("DATA", &"x".repeat(RESPONSE_BYTES_MAX)),
            "but Lambda takes",
        );
    }
}
