//! What a function answers, which may be anybody's.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use nozzle::local::firehose::answer::{Answer, Asked, Failure, Fate, Partitioning, Unreadable};
use serde::Deserialize;
use serde_json::Value;

use super::event::is_json;

const IDS: [&str; 3] = ["1", "2", "3"];
const KEY: &str = "k";

struct Three;

impl Asked for Three {
    fn count(&self) -> usize {
        IDS.len()
    }

    fn position_of(&self, record_id: &str) -> Option<usize> {
        IDS.iter().position(|id| *id == record_id)
    }
}

/// Any bytes are an answer, whose records have the fates that another reader gives them; or all of it
/// fails, for a record that was asked for has a bad result or bad data.
pub fn answer(bytes: &[u8]) {
    let keys = [KEY.to_owned()];
    let answer = Answer::check(bytes, &Three, Partitioning::By(&keys));
    if let Ok(answer) = &answer {
        check_readable(answer, bytes);
    }
    let Some(records) = str::from_utf8(bytes).ok().and_then(Response::read) else {
        return;
    };
    let known = |record: &&Record| IDS.iter().any(|id| record.id == *id);
    let is_good = records.iter().filter(known).all(Record::is_good);
    assert_eq!(answer.is_ok(), is_good, "{:?}", answer.err());
    let Ok(answer) = answer else { return };
    assert_eq!(answer.unreadable, None);
    for (id, fate) in IDS.iter().zip(&answer.fates) {
        let of_id = |record: &&Record| record.id == *id;
        let records: Vec<_> = records.iter().filter(of_id).collect();
        check_fate(&answer, fate, &records);
    }
    let of_nobody = |record: &&Record| record.id.is_string() && !known(record);
    let unknown = records.iter().filter(of_nobody).count();
    assert_eq!(answer.unknown_ids.len(), unknown);
}

fn check_readable(answer: &Answer, bytes: &[u8]) {
    assert_eq!(answer.fates.len(), IDS.len());
    let text = str::from_utf8(bytes);
    match answer.unreadable {
        None | Some(Unreadable::NoRecords) => assert!(text.is_ok_and(is_json)),
        Some(Unreadable::NotUtf8) => assert!(text.is_err()),
        Some(Unreadable::NotJson) => assert!(text.is_ok()),
    }
    if answer.unreadable.is_some() {
        let missing = Fate::Failed(Failure::RecordIdMissing);
        assert!(answer.fates.iter().all(|fate| *fate == missing));
    }
}

fn check_fate(answer: &Answer, fate: &Fate, records: &[&Record]) {
    let record = match records {
        [] => return assert_eq!(*fate, Fate::Failed(Failure::RecordIdMissing)),
        [record] => record,
        _ => return assert_eq!(*fate, Fate::Failed(Failure::RecordIdDoubled)),
    };
    match (record.result.as_str().unwrap_or_default(), fate) {
        ("Dropped", Fate::Dropped)
        | ("ProcessingFailed", Fate::Failed(Failure::ProcessingFailed)) => {}
        ("Ok", Fate::Failed(Failure::DataMissing)) => assert!(!record.data.is_string()),
        ("Ok", Fate::Failed(Failure::Partitioning)) => assert!(record.partition().is_none()),
        ("Ok", Fate::Delivered(delivered)) => {
            assert_eq!(Some(answer.group(delivered)), record.partition());
            assert_eq!(Some(answer.data(delivered).to_vec()), record.data());
        }
        (result, fate) => panic!("{result} became {fate:?}"),
    }
}

#[derive(Deserialize)]
struct Response {
    records: Vec<Record>,
}

impl Response {
    /// None where readers may differ: doubled names, and lists, which serde takes for structs.
    fn read(text: &str) -> Option<Vec<Record>> {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut records = value["records"].as_array()?.iter();
        let is_plain = |record: &Value| record.is_object() && !record["metadata"].is_array();
        let is_comparable = value.is_object() && records.all(is_plain);
        let response: Self = serde_json::from_str(text).ok().filter(|_| is_comparable)?;
        Some(response.records)
    }
}

#[derive(Deserialize)]
struct Record {
    #[serde(default, rename = "recordId")]
    id: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    partition_keys: BTreeMap<String, String>,
}

impl Record {
    fn is_good(&self) -> bool {
        match self.result.as_str() {
            Some("Ok") => !self.data.is_string() || self.data().is_some(),
            other => matches!(other, Some("Dropped" | "ProcessingFailed")),
        }
    }

    fn data(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.data.as_str()?).ok()
    }

    fn partition(&self) -> Option<&str> {
        let keys = &self.metadata.partition_keys;
        let value = keys.get(KEY).filter(|value| !value.is_empty());
        value.filter(|_| keys.len() == 1).map(String::as_str)
    }
}
