//! A function's answer, checked as Firehose checks it: what is wrong with all of it is an error,
//! what is wrong with one record becomes that record's fate.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use base64_simd::STANDARD;

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
    /// Why it says nothing of any record: Firehose misses them all, and does not try again.
    pub unreadable: Option<Unreadable>,
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
    /// It is Ok, but there is nothing to deliver.
    DataMissing,
    /// Its partition keys are not the prefix's.
    Partitioning,
}

/// Why nothing can be read of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("it is not JSON")]
    NotJson,
    #[error("it has no array `records`")]
    NoRecords,
}

/// Why Firehose takes an answer for a failure of the function, and tries the whole batch again.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("the answer has {0} bytes, but Lambda takes at most {RESPONSE_BYTES_MAX}")]
    TooLarge(usize),
    #[error(
        "record `{record_id}` has no text `result`; there are Ok, Dropped and ProcessingFailed"
    )]
    ResultMissing { record_id: String },
    #[error("`{0}` is not a result; there are Ok, Dropped and ProcessingFailed")]
    ResultUnknown(String),
    #[error("the `{name}` of record `{record_id}` is not base64")]
    NotBase64 {
        record_id: String,
        name: &'static str,
    },
}

impl Answer {
    /// Reads an answer to what was `asked`.
    pub fn check(
        answer: &[u8],
        asked: &impl Asked,
        partitioning: Partitioning<'_>,
    ) -> Result<Self, AnswerError> {
        if answer.len() > RESPONSE_BYTES_MAX {
            return Err(AnswerError::TooLarge(answer.len()));
        }
        let mut checked = Self {
            fates: vec![Fate::Failed(Failure::RecordIdMissing); asked.count()],
            ..Self::default()
        };
        match read(answer, asked.data_name()) {
            Ok(entries) => checked.take(entries, asked, partitioning)?,
            Err(unreadable) => checked.unreadable = Some(unreadable),
        }
        Ok(checked)
    }

    fn take(
        &mut self,
        entries: Vec<Entry<'_>>,
        asked: &impl Asked,
        partitioning: Partitioning<'_>,
    ) -> Result<(), AnswerError> {
        let data_bytes = entries.iter().filter_map(|entry| entry.data);
        let data_bytes: usize = data_bytes.map(|data| data.text.len()).sum();
        self.data.reserve(data_bytes / 4 * 3);
        let mut groups = Groups {
            partitioning,
            known: HashMap::new(),
        };
        for entry in entries {
            let position = asked.position_of(&entry.record_id);
            let Some(known) = position.filter(|position| *position < self.fates.len()) else {
                self.unknown_ids.push(entry.record_id.into_owned());
                continue;
            };
            let fate = self.fate(&entry, &mut groups, asked.data_name())?;
            match self.fates.get_mut(known) {
                Some(known @ Fate::Failed(Failure::RecordIdMissing)) => *known = fate,
                Some(known) => *known = Fate::Failed(Failure::RecordIdDoubled),
                None => {}
            }
        }
        Ok(())
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
    ) -> Result<Fate, AnswerError> {
        let record_id = || entry.record_id.clone().into_owned();
        match entry.result.as_deref() {
            Some("Ok") => {}
            Some("Dropped") => return Ok(Fate::Dropped),
            Some("ProcessingFailed") => return Ok(Fate::Failed(Failure::ProcessingFailed)),
            Some(other) => return Err(AnswerError::ResultUnknown(other.to_owned())),
            None => {
                return Err(AnswerError::ResultMissing {
                    record_id: record_id(),
                });
            }
        }
        let Some(data) = entry.data else {
            return Ok(Fate::Failed(Failure::DataMissing));
        };
        let start = self.data.len();
        data.decode()
            .and_then(|data| STANDARD.decode_append(data.as_bytes(), &mut self.data).ok())
            .ok_or_else(|| AnswerError::NotBase64 {
                record_id: record_id(),
                name: data_name,
            })?;
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
    known: HashMap<&'a str, Option<Range<usize>>>,
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
    /// None where it is no text.
    result: Option<Cow<'a, str>>,
    data: Option<Spelled<'a>>,
    /// As it is spelled.
    metadata: &'a str,
}

type PartitionKeys<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

impl From<Problem> for Unreadable {
    fn from(_: Problem) -> Self {
        Self::NotJson
    }
}

fn read<'a>(answer: &'a [u8], data_name: &str) -> Result<Vec<Entry<'a>>, Unreadable> {
    let text = simdutf8::basic::from_utf8(answer).map_err(|_| Unreadable::NotUtf8)?;
    let mut cursor = Cursor::new(text);
    let mut entries = None;
    if cursor.peek() == Some(b'{') {
        cursor.enter_object()?;
        while let Some(key) = cursor.next_key()? {
            if key.decode().as_deref() == Some("records") && cursor.peek() == Some(b'[') {
                entries = Some(read_entries(&mut cursor, text, data_name)?);
            } else {
                cursor.value()?;
            }
        }
    } else {
        cursor.value()?;
    }
    if cursor.is_at_end() {
        entries.ok_or(Unreadable::NoRecords)
    } else {
        Err(Unreadable::NotJson)
    }
}

/// What has no id answers nobody.
fn read_entries<'a>(
    cursor: &mut Cursor<'a>,
    text: &'a str,
    data_name: &str,
) -> Result<Vec<Entry<'a>>, Problem> {
    let mut entries = Vec::new();
    cursor.enter_array()?;
    while cursor.next_element()? {
        if cursor.peek() == Some(b'{') {
            entries.extend(Entry::read(cursor, text, data_name)?);
        } else {
            cursor.value()?;
        }
    }
    Ok(entries)
}

impl<'a> Entry<'a> {
    /// None where it has no text `recordId`.
    fn read(
        cursor: &mut Cursor<'a>,
        text: &'a str,
        data_name: &str,
    ) -> Result<Option<Self>, Problem> {
        let (mut record_id, mut result, mut data, mut metadata) = (None, None, None, "");
        cursor.enter_object()?;
        while let Some(key) = cursor.next_key()? {
            // White space before a value does not belong to it.
            cursor.peek();
            let start = cursor.position();
            let value = cursor.value()?;
            match (key.decode().as_deref().unwrap_or_default(), value) {
                ("recordId", Value::String(spelled)) => record_id = spelled.decode(),
                ("result", Value::String(spelled)) => result = spelled.decode(),
                (name, Value::String(spelled)) if name == data_name => data = Some(spelled),
                ("metadata", _) => {
                    metadata = text.get(start..cursor.position()).unwrap_or_default();
                }
                _ => {}
            }
        }
        Ok(record_id.map(|record_id| Self {
            record_id,
            result,
            data,
            metadata,
        }))
    }
}

/// None where they are not all text.
fn read_partition_keys(metadata: &str) -> Option<PartitionKeys<'_>> {
    let mut cursor = Cursor::new(metadata);
    let mut keys = PartitionKeys::new();
    enter_object(&mut cursor)?;
    while let Some(key) = cursor.next_key().ok()? {
        if key.decode()? != "partitionKeys" {
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

    const KEYS: &str = r#""metadata":{"partitionKeys":{"a":"1","b":"2"}}"#;

    struct Ids(&'static [&'static str], &'static str);

    impl Asked for Ids {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn position_of(&self, record_id: &str) -> Option<usize> {
            self.0.iter().position(|id| *id == record_id)
        }

        fn data_name(&self) -> &'static str {
            self.1
        }
    }

    const TWO: Ids = Ids(&["ID0", "ID1"], "data");
    /// From a source in MSK.
    const MESSAGE: Ids = Ids(&["ID0"], "kafkaRecordValue");

    fn fates(entries: &[&str]) -> Result<Vec<String>, AnswerError> {
        let answer = format!("{{\"records\":[{}]}}", entries.join(",")).replace("KEYS", KEYS);
        let keys = ["a".to_owned(), "b".to_owned()];
        let answer = Answer::check(answer.as_bytes(), &TWO, Partitioning::By(&keys))?;
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
        for unknown in [
            r#"{"recordId":"else","result":"Ok","data":"YQ==",KEYS}"#,
            r#"{"recordId":"else","result":"OK"}"#,
            r#"{"recordId":"else","result":"Ok","data":"?"}"#,
            r#"{"result":"Dropped"}"#,
            r#"{"recordId":1,"result":"Dropped"}"#,
            "1",
        ] {
            check(&[OK0, unknown, OK1], ["a in 1/2", "b in 1/2"]);
        }
    }

    #[test]
    fn what_is_ok_but_has_no_data_fails_alone() {
        for data in ["", r#","data":null"#, r#","data":1"#] {
            let entry = r#"{"recordId":"ID1","result":"Ok"DATA}"#.replace("DATA", data);
            check(&[OK0, &entry], ["a in 1/2", "Failed(DataMissing)"]);
        }
    }

    #[test]
    fn names_are_compared_by_what_they_say() {
        let entry = r#"{"record\u0049d":"ID1","r\u0065sult":"Ok","d\u0061ta":"Yg==","m\u0065tadata":{"partition\u004beys":{"\u0061":"1","b":"2"}}}"#;
        check(&[OK0, entry], ["a in 1/2", "b in 1/2"]);
    }

    #[track_caller]
    fn check_unreadable(answer: &[u8], expected: Unreadable) {
        let answer = Answer::check(answer, &TWO, Partitioning::Off).expect("an answer");
        assert_eq!(answer.unreadable, Some(expected));
        let missing = Fate::Failed(Failure::RecordIdMissing);
        assert_eq!(answer.fates, [missing.clone(), missing]);
    }

    #[test]
    fn an_answer_that_cannot_be_read_misses_every_record() {
        let whole = format!(r#"{{"records":[{OK0},{OK1}]}}"#).replace("KEYS", KEYS);
        for (answer, expected) in [
            (&b"\xff"[..], Unreadable::NotUtf8),
            (b"", Unreadable::NotJson),
            (b"{]}", Unreadable::NotJson),
            (b"{} {}", Unreadable::NotJson),
            (&whole.as_bytes()[..whole.len() - 1], Unreadable::NotJson),
            (b"null", Unreadable::NoRecords),
            (br#""Dropped""#, Unreadable::NoRecords),
            (br#"{"errorMessage":"it failed"}"#, Unreadable::NoRecords),
            (br#"{"records":{}}"#, Unreadable::NoRecords),
        ] {
            check_unreadable(answer, expected);
        }
    }

    #[test]
    fn what_came_under_another_name_goes_back_under_it() {
        let read = |name: &str| {
            let answer =
                format!(r#"{{"records":[{{"recordId":"ID0","result":"Ok","{name}":"YQ=="}}]}}"#);
            Answer::check(answer.as_bytes(), &MESSAGE, Partitioning::Off).expect("an answer")
        };
        let answer = read("kafkaRecordValue");
        let [Fate::Delivered(delivered)] = answer.fates.as_slice() else {
            panic!("{answer:?}")
        };
        assert_eq!(answer.data(delivered), b"a");
        assert_eq!(read("data").fates, [Fate::Failed(Failure::DataMissing)]);
    }

    #[test]
    fn a_prefix_without_names_lets_any_metadata_be() {
        for metadata in [
            "",
            r#","metadata":{"partitionKeys":{"a":1}}"#,
            r#","metadata":0"#,
        ] {
            let record = format!(r#"{{"recordId":"ID0","result":"Ok","data":"YQ=="{metadata}}}"#);
            let answer = format!(r#"{{"records":[{record}]}}"#);
            let answer = Answer::check(answer.as_bytes(), &TWO, Partitioning::Off);
            let fates = answer.expect("an answer").fates;
            assert!(matches!(fates[0], Fate::Delivered(_)), "{fates:?}");
        }
    }

    #[test]
    fn ids_that_nobody_asked_for_are_told() {
        let answer = br#"{"records":[{"recordId":"2","result":"Dropped"}]}"#;
        let answer = Answer::check(answer, &MESSAGE, Partitioning::Off).expect("an answer");
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
            r#"{"recordId":"ID1","result":"Ok","data":"YQ"}"#,
            "not base64",
        );
        check_error(
            r#"{"recordId":"ID1","result":"Ok","data":"Y Q="}"#,
            "not base64",
        );
        check_error(r#"{"recordId":"ID1"}"#, "no text `result`");
        check_error(r#"{"recordId":"ID1","result":1}"#, "no text `result`");
        // It does not matter that another entry has the same id.
        check_error(r#"{"recordId":"ID0","result":"OK"}"#, "not a result");
        let large = r#"{"recordId":"else","result":"Dropped","data":"DATA"}"#;
        check_error(
            &large.replace("DATA", &"x".repeat(RESPONSE_BYTES_MAX)),
            "but Lambda takes",
        );
    }
}
