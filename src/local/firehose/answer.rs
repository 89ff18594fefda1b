//! A function's answer, checked as Firehose checks it: what is wrong with all of it is an error,
//! what is wrong with one record becomes that record's fate.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use base64_simd::STANDARD;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::function::FunctionError;
use crate::{
    functions::firehose_transform::budget::RESPONSE_BYTES_MAX,
    json::{Cursor, Problem, Spelled, Value},
};

/// Between the values of a group; no path holds it.
const SEPARATOR: char = '\0';

/// The records that an answer is to answer.
pub trait Asked {
    fn count(&self) -> usize;

    /// Which of them has this `recordId`.
    fn position_of(&self, record_id: &str) -> Option<usize>;

    /// Under which name what is delivered comes back.
    fn data_name(&self) -> &'static str {
        "data"
    }
}

/// What the prefix makes of partition keys.
#[derive(Debug, Clone, Copy)]
pub enum Partitioning<'a> {
    /// It names none, and nobody looks at them.
    Off,
    /// It names these.
    By(&'a [String]),
}

/// An answer that can be acted on.
#[derive(Debug, Default)]
pub struct Answer {
    /// One for each record of the batch, in order.
    pub fates: Vec<Fate>,
    /// Ids that nobody asked for, which Firehose passes over.
    pub unknown_ids: Vec<String>,
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
    /// Reads an answer to what was `asked`.
    pub fn check(
        answer: &[u8],
        asked: &impl Asked,
        partitioning: Partitioning<'_>,
    ) -> Result<Self, FunctionError> {
        if answer.len() > RESPONSE_BYTES_MAX {
            return Err(FunctionError::AnswerTooLarge(answer.len()));
        }
        let text = simdutf8::basic::from_utf8(answer).map_err(|_| NOT_UTF8)?;
        let mut checked = Self {
            fates: vec![Fate::Failed(Failure::RecordIdMissing); asked.count()],
            unknown_ids: Vec::new(),
            data: Vec::with_capacity(answer.len() / 4 * 3),
            groups: String::new(),
        };
        let mut groups = Groups {
            partitioning,
            known: HashMap::default(),
        };
        for entry in read_entries(text, asked.data_name())? {
            // Every entry is read, also one whose id nobody asked for.
            let fate = checked.fate(&entry, &mut groups, asked.data_name())?;
            let position = asked.position_of(&entry.record_id);
            match position.and_then(|position| checked.fates.get_mut(position)) {
                Some(known @ Fate::Failed(Failure::RecordIdMissing)) => *known = fate,
                Some(known) => *known = Fate::Failed(Failure::RecordIdDoubled),
                None => checked.unknown_ids.push(entry.record_id.into_owned()),
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
        data_name: &'static str,
    ) -> Result<Fate, FunctionError> {
        match &*entry.result {
            "Ok" => {}
            "Dropped" => return Ok(Fate::Dropped),
            "ProcessingFailed" => return Ok(Fate::Failed(Failure::ProcessingFailed)),
            other => return Err(FunctionError::ResultUnknown(other.to_owned())),
        }
        let data = entry.data.and_then(Spelled::decode);
        let record_id = || entry.record_id.clone().into_owned();
        let data = data.ok_or_else(|| FunctionError::DataMissing(record_id(), data_name))?;
        let start = self.data.len();
        STANDARD
            .decode_append(data.as_bytes(), &mut self.data)
            .map_err(|_| FunctionError::DataNotBase64(record_id(), data_name))?;
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
    partitioning: Partitioning<'a>,
    known: HashMap<&'a str, Option<Range<usize>>, Xxh3DefaultBuilder>,
}

impl<'a> Groups<'a> {
    /// Where its group is in `groups`, if it has the prefix's keys.
    fn find(&mut self, metadata: &'a str, groups: &mut String) -> Option<Range<usize>> {
        if let Some(known) = self.known.get(metadata) {
            return known.clone();
        }
        let start = groups.len();
        let pushed = match self.partitioning {
            Partitioning::Off => Some(()),
            Partitioning::By(keys) => {
                read_partition_keys(metadata).and_then(|given| push(&given, keys, groups))
            }
        };
        let group = pushed.map(|()| start..groups.len());
        self.known.insert(metadata, group.clone());
        group
    }
}

/// Every key that the prefix names has a value, and there is no other.
fn push(given: &PartitionKeys<'_>, keys: &[String], groups: &mut String) -> Option<()> {
    if given.len() != keys.len() {
        return None;
    }
    for (position, key) in keys.iter().enumerate() {
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

fn read_entries<'a>(text: &'a str, data_name: &str) -> Result<Vec<Entry<'a>>, FunctionError> {
    let mut cursor = Cursor::new(text);
    let mut entries = None;
    enter_object(&mut cursor).ok_or(NO_RECORDS)?;
    while let Some(key) = cursor.next_key()? {
        if key.text == "records" && cursor.peek() == Some(b'[') {
            let mut records = Vec::new();
            cursor.enter_array()?;
            while cursor.next_element()? {
                records.push(Entry::read(&mut cursor, text, data_name)?);
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
    fn read(
        cursor: &mut Cursor<'a>,
        text: &'a str,
        data_name: &str,
    ) -> Result<Self, FunctionError> {
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
                (name, Value::String(spelled)) if name == data_name => data = Some(spelled),
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
    use crate::local::firehose::batch::tests::batch;

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
        let answer = Answer::check(answer.as_bytes(), &batch, Partitioning::By(&keys))?;
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

    /// A batch of one, from a source in MSK.
    struct Message;

    impl Asked for Message {
        fn count(&self) -> usize {
            1
        }

        fn position_of(&self, record_id: &str) -> Option<usize> {
            (record_id == "1").then_some(0)
        }

        fn data_name(&self) -> &'static str {
            "kafkaRecordValue"
        }
    }

    #[test]
    fn what_came_under_another_name_goes_back_under_it() {
        let read = |name: &str| {
            let answer =
                format!(r#"{{"records":[{{"recordId":"1","result":"Ok","{name}":"YQ=="}}]}}"#);
            Answer::check(answer.as_bytes(), &Message, Partitioning::Off)
        };
        let answer = read("kafkaRecordValue").expect("an answer");
        let [Fate::Delivered(delivered)] = answer.fates.as_slice() else {
            panic!("{answer:?}")
        };
        assert_eq!(answer.data(delivered), b"a");
        let error = read("data").expect_err("no answer").to_string();
        assert_eq!(error, "record `1` is Ok but has no `kafkaRecordValue`");
    }

    #[test]
    fn a_prefix_without_names_lets_any_metadata_be() {
        for metadata in [
            "",
            r#","metadata":{"partitionKeys":{"a":1}}"#,
            r#","metadata":0"#,
        ] {
            let record = format!(r#"{{"recordId":"ID0","result":"Ok","data":"YQ=="{metadata}}}"#);
            let batch = batch(b"first\n");
            let [id] = batch.ids();
            let answer = format!(r#"{{"records":[{record}]}}"#).replace("ID0", &id);
            let answer = Answer::check(answer.as_bytes(), &batch, Partitioning::Off);
            let fates = answer.expect("an answer").fates;
            assert!(matches!(fates[..], [Fate::Delivered(_)]), "{fates:?}");
        }
    }

    #[test]
    fn ids_that_nobody_asked_for_are_told() {
        let answer = br#"{"records":[{"recordId":"2","result":"Dropped"}]}"#;
        let answer = Answer::check(answer, &Message, Partitioning::Off).expect("an answer");
        assert_eq!(answer.unknown_ids, ["2"]);
        assert_eq!(answer.fates, [Fate::Failed(Failure::RecordIdMissing)]);
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
        check_error(
            r#"{"recordId":"ID1","result":"Ok"}"#,
            "is Ok but has no `data`",
        );
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
