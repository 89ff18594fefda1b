//! Batches as Firehose sends them, from each of its sources.

use std::collections::HashMap;

use base64_simd::STANDARD;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::local::{
    firehose::{answer::Asked, names::STREAM_ARN},
    names::REGION,
};

/// Where a batch comes from, and so its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchForm {
    DirectPut,
    Kinesis,
    Msk,
    /// A sample event of AWS's for Kinesis, which differs from real ones.
    AwsSample,
}

/// What a delivery stream reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StreamSource {
    DirectPut,
    Kinesis,
    Msk,
}

impl StreamSource {
    pub(super) fn form(self) -> BatchForm {
        match self {
            Self::DirectPut => BatchForm::DirectPut,
            Self::Kinesis => BatchForm::Kinesis,
            Self::Msk => BatchForm::Msk,
        }
    }
}

/// A record that is sent.
#[derive(Debug, Clone)]
pub(super) struct ProbeRecord {
    pub(super) id: String,
    pub(super) arrival_milliseconds: i64,
    pub(super) data: RecordData,
    pub(super) role: Role,
}

#[derive(Debug, Clone)]
pub(super) enum RecordData {
    Bytes(Vec<u8>),
    /// A value in place of base64.
    Spelled(Value),
    Absent,
}

/// What is expected of a record.
#[derive(Debug, Clone)]
pub(super) enum Role {
    /// To be delivered, with its marker where markers show.
    Sound(Option<String>),
    /// To be delivered, dropped or failed: its event is in other records too.
    Copy(Option<String>),
    /// To be answered somehow: what is odd about it.
    Odd(String),
}

/// A batch.
#[derive(Debug)]
pub(super) struct ProbeBatch {
    pub(super) records: Vec<ProbeRecord>,
    shape: BatchForm,
    positions: HashMap<String, usize>,
}

impl ProbeBatch {
    pub(super) fn new(shape: BatchForm, records: Vec<ProbeRecord>) -> Self {
        let ids = records.iter().map(|record| record.id.clone());
        Self {
            positions: ids.zip(0..).collect(),
            shape,
            records,
        }
    }

    /// Its bytes as one invocation sends them.
    pub(super) fn body(&self, invocation_id: &str) -> String {
        let mut body = format!(
            r#"{{"invocationId":"{invocation_id}","deliveryStreamArn":"{STREAM_ARN}","region":"{REGION}""#
        );
        match self.shape {
            BatchForm::DirectPut => {}
            BatchForm::Kinesis | BatchForm::AwsSample => body.push_str(
                r#","sourceKinesisStreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/nozzle""#,
            ),
            BatchForm::Msk => body.push_str(
                r#","sourceMSKArn":"arn:aws:kafka:us-east-1:000000000000:cluster/nozzle/1""#,
            ),
        }
        let entries = self.records.iter().map(|record| self.entry(record));
        let entries = entries.collect::<Vec<_>>().join(",");
        body.push_str(r#","records":["#);
        body.push_str(&entries);
        body.push_str("]}");
        body
    }

    fn entry(&self, record: &ProbeRecord) -> String {
        let metadata = self.metadata(record);
        let metadata = metadata.map(|(name, value)| format!(r#","{name}":{value}"#));
        let name = self.data_name();
        let data = match &record.data {
            RecordData::Bytes(bytes) => {
                format!(r#","{name}":"{}""#, STANDARD.encode_to_string(bytes))
            }
            RecordData::Spelled(value) => format!(r#","{name}":{value}"#),
            RecordData::Absent => String::new(),
        };
        format!(
            r#"{{"recordId":"{}","approximateArrivalTimestamp":{}{}{data}}}"#,
            escaped(&record.id),
            record.arrival_milliseconds,
            metadata.unwrap_or_default(),
        )
    }

    fn metadata(&self, record: &ProbeRecord) -> Option<(&'static str, Value)> {
        let arrival = record.arrival_milliseconds;
        let kinesis = |subsequence_number: Value, arrival: Value| {
            let metadata = json!({
                "sequenceNumber": "49546986683135544286507457936321625675700192471156785154",
                "subsequenceNumber": subsequence_number,
                "partitionKey": "4d1ad2b9-24f8-4b9d-a088-76e9947c317a",
                "shardId": "shardId-000000000000",
                "approximateArrivalTimestamp": arrival,
            });
            ("kinesisRecordMetadata", metadata)
        };
        match self.shape {
            BatchForm::DirectPut => None,
            BatchForm::Kinesis => Some(kinesis(0.into(), arrival.into())),
            BatchForm::AwsSample => Some(kinesis("".into(), "2012-04-23T18:25:43.511Z".into())),
            BatchForm::Msk => {
                let metadata = json!({
                    "offset": "0", "partitionId": "0", "approximateArrivalTimestamp": arrival,
                });
                Some(("mskRecordMetadata", metadata))
            }
        }
    }
}

impl Asked for ProbeBatch {
    fn count(&self) -> usize {
        self.records.len()
    }

    fn position_of(&self, record_id: &str) -> Option<usize> {
        self.positions.get(record_id).copied()
    }

    fn data_name(&self) -> &'static str {
        match self.shape {
            BatchForm::Msk => "kafkaRecordValue",
            _ => "data",
        }
    }
}

/// With more escapes than are needed: whoever copies an id without reading it gives another back.
fn escaped(id: &str) -> String {
    let unit = |unit: &u16| format!("\\u{unit:04x}");
    let spelled = id.chars().map(|character| match character {
        '/' | '"' | '\\' => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        _ => character
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(unit)
            .collect(),
    });
    spelled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, data: RecordData) -> ProbeRecord {
        ProbeRecord {
            id: id.to_owned(),
            arrival_milliseconds: 1_495_072_949_453,
            data,
            role: Role::Sound(None),
        }
    }

    #[track_caller]
    fn sent(shape: BatchForm, record: &ProbeRecord) -> Value {
        let request = ProbeBatch::new(shape, vec![record.clone()]);
        let body: Value = serde_json::from_str(&request.body("i")).expect("JSON");
        assert_eq!(body["invocationId"], "i");
        body
    }

    #[test]
    fn each_source_has_its_form() {
        let record = record("1", RecordData::Bytes(b"a".to_vec()));
        let direct = sent(BatchForm::DirectPut, &record);
        assert_eq!(
            direct["records"],
            json!([{ "recordId": "1", "approximateArrivalTimestamp": 1_495_072_949_453_u64, "data": "YQ==" }])
        );
        let kinesis = sent(BatchForm::Kinesis, &record);
        assert!(kinesis["sourceKinesisStreamArn"].is_string());
        assert_eq!(
            kinesis["records"][0]["kinesisRecordMetadata"]["subsequenceNumber"],
            0
        );
        let sample = &sent(BatchForm::AwsSample, &record)["records"][0]["kinesisRecordMetadata"];
        assert_eq!(sample["subsequenceNumber"], "");
        assert!(sample["approximateArrivalTimestamp"].is_string());
        let msk = &sent(BatchForm::Msk, &record)["records"][0];
        assert_eq!(
            (&msk["kafkaRecordValue"], &msk["data"]),
            (&json!("YQ=="), &Value::Null)
        );
    }

    #[test]
    fn an_id_is_the_same_however_it_is_spelled() {
        for id in ["", "a/b\"\\\n", "é\u{1f680}", "__proto__"] {
            let sent = sent(BatchForm::DirectPut, &record(id, RecordData::Absent));
            assert_eq!(sent["records"][0]["recordId"], id);
        }
    }
}
