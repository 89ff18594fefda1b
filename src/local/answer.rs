//! A function's answer, checked as Firehose checks it: what is wrong with all of it is an error,
//! what is wrong with one record becomes that record's fate.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
    ops::Range,
};

use base64_simd::STANDARD;
use serde::{Deserialize, Deserializer, de::Visitor};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::{batch::Batch, function::FunctionError};
use crate::firehose::budget::RESPONSE_BYTES_MAX;

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
        let response: Response<'_> = serde_json::from_slice(answer)?;
        let mut checked = Self {
            fates: vec![Fate::Failed(Failure::RecordIdMissing); batch.len()],
            data: Vec::with_capacity(answer.len() / 4 * 3),
            groups: String::new(),
        };
        let mut groups = Groups {
            keys,
            known: HashMap::default(),
        };
        for entry in &response.records {
            // Every entry is read, also one whose id nobody asked for.
            let fate = checked.fate(entry, &mut groups)?;
            let position = batch.position_of(&entry.record_id.0);
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
        match &*entry.result.0 {
            "Ok" => {}
            "Dropped" => return Ok(Fate::Dropped),
            "ProcessingFailed" => return Ok(Fate::Failed(Failure::ProcessingFailed)),
            other => return Err(FunctionError::ResultUnknown(other.to_owned())),
        }
        let data = entry.data.as_ref().ok_or(FunctionError::DataMissing)?;
        let start = self.data.len();
        STANDARD
            .decode_append(&data.0, &mut self.data)
            .map_err(|_| FunctionError::DataNotBase64)?;
        let data = start..self.data.len();
        Ok(match groups.find(entry.metadata, &mut self.groups)? {
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
    fn find(
        &mut self,
        metadata: Option<&'a RawValue>,
        groups: &mut String,
    ) -> Result<Option<Range<usize>>, serde_json::Error> {
        let json = metadata.map_or("null", RawValue::get);
        if let Some(known) = self.known.get(json) {
            return Ok(known.clone());
        }
        let metadata: Option<Metadata> = serde_json::from_str(json)?;
        let partition_keys = metadata
            .unwrap_or_default()
            .partition_keys
            .unwrap_or_default();
        let start = groups.len();
        let group = self.push(&partition_keys, groups);
        let group = group.map(|()| start..groups.len());
        self.known.insert(json, group.clone());
        Ok(group)
    }

    /// Every key that the prefix names has a value, and there is no other.
    fn push(&self, given: &BTreeMap<String, String>, groups: &mut String) -> Option<()> {
        if given.len() != self.keys.len() {
            return None;
        }
        for (position, key) in self.keys.iter().enumerate() {
            let value = given.get(key)?;
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

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    records: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    record_id: Text<'a>,
    #[serde(borrow)]
    result: Text<'a>,
    #[serde(borrow)]
    data: Option<Bytes<'a>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    partition_keys: Option<BTreeMap<String, String>>,
}

/// Text that is borrowed unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// Text that need not be checked to be UTF-8, as base64 is more than that.
struct Bytes<'a>(Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Bytes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Owned(bytes.to_owned())))
            }
        }
        deserializer.deserialize_bytes(Borrowing)
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
            r#""metadata":{}"#,
            r#""more":1"#,
        ] {
            check(
                &[&OK0.replace("KEYS", metadata), OK1],
                ["Failed(Partitioning)", "b in 1/2"],
            );
        }
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
        check_error(r#"{"recordId":"ID1"}"#, "cannot be read");
        check_error(r#"{"result":"Dropped"}"#, "cannot be read");
        check_error("[]]", "cannot be read");
        let keys = OK1.replace("KEYS", r#""metadata":{"partitionKeys":{"a":1,"b":"2"}}"#);
        check_error(&keys, "cannot be read");
        let large = r#"{"recordId":"else","result":"Dropped","data":"DATA"}"#;
        check_error(
            &large.replace("DATA", &"x".repeat(RESPONSE_BYTES_MAX)),
            "but Lambda takes",
        );
    }
}
