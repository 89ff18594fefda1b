//! What a function answers, which may be anybody's.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use nozzle::local::firehose::answer::{Answer, Asked, Failure, Fate, Partitioning};
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

/// Any bytes are refused as an answer, or say what becomes of each record, as another reader has it.
pub fn answer(bytes: &[u8]) {
    let keys = [KEY.to_owned()];
    let answer = Answer::check(bytes, &Three, Partitioning::By(&keys));
    let Ok(text) = str::from_utf8(bytes) else {
        return assert!(answer.is_err());
    };
    if let Ok(answer) = &answer {
        assert_eq!(answer.fates.len(), IDS.len());
        assert!(is_json(text));
    }
    let Some(response) = Response::read(text) else {
        return;
    };
    let is_good = response.records.iter().all(Record::is_good);
    assert_eq!(answer.is_ok(), is_good, "{:?}", answer.err());
    let Ok(answer) = answer else { return };
    for (id, fate) in IDS.iter().zip(&answer.fates) {
        let of_id = |record: &&Record| record.id == *id;
        let records: Vec<_> = response.records.iter().filter(of_id).collect();
        check_fate(&answer, fate, &records);
    }
    let of_nobody = |record: &&Record| !IDS.contains(&record.id.as_str());
    let unknown = response.records.iter().filter(of_nobody).count();
    assert_eq!(answer.unknown_ids.len(), unknown);
}

fn check_fate(answer: &Answer, fate: &Fate, records: &[&Record]) {
    let record = match records {
        [] => return assert_eq!(*fate, Fate::Failed(Failure::RecordIdMissing)),
        [record] => record,
        _ => return assert_eq!(*fate, Fate::Failed(Failure::RecordIdDoubled)),
    };
    match (record.result.as_str(), fate) {
        ("Dropped", Fate::Dropped)
        | ("ProcessingFailed", Fate::Failed(Failure::ProcessingFailed)) => {}
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
    /// None where readers may differ: keys with escapes, and lists, which serde takes for structs.
    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut records = value["records"].as_array()?.iter();
        let is_plain = |record: &Value| record.is_object() && !record["metadata"].is_array();
        let is_comparable = value.is_object() && records.all(is_plain) && !text.contains('\\');
        serde_json::from_str(text).ok().filter(|_| is_comparable)
    }
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "recordId")]
    id: String,
    result: String,
    data: Option<String>,
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
            "Ok" => self.data().is_some(),
            other => matches!(other, "Dropped" | "ProcessingFailed"),
        }
    }

    fn data(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.data.as_ref()?).ok()
    }

    fn partition(&self) -> Option<&str> {
        let keys = &self.metadata.partition_keys;
        let value = keys.get(KEY).filter(|value| !value.is_empty());
        value.filter(|_| keys.len() == 1).map(String::as_str)
    }
}
