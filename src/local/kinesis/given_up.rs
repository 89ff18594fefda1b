//! Records that a mapping has given up, as its on-failure destination hears of them.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{
    names::STREAM_ARN,
    record::{Batch, Record, request},
};
use crate::{
    kinesis::ShardId,
    local::{names::FUNCTION_ARN, random::Random},
};

/// One record at least, all of one shard.
#[derive(Debug, Clone)]
pub struct GivenUp {
    pub shard: ShardId,
    pub batch: Batch,
    pub condition: Condition,
    /// Of these records together; before, each may have been part of a larger batch.
    pub invocations: u32,
    pub time: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

impl Condition {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

impl GivenUp {
    /// What SQS and SNS get: where the records were, while the stream still has them.
    #[must_use]
    pub fn to_message(&self, random: &mut Random) -> Value {
        json!({
            "version": "1.0",
            "timestamp": milliseconds(self.time),
            "requestContext": {
                "requestId": random.uuid(),
                "functionArn": FUNCTION_ARN,
                "condition": self.condition.as_str(),
                "approximateInvokeCount": self.invocations,
            },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST" },
            "KinesisBatchInfo": self.batch_info(),
        })
    }

    /// What S3 gets: the records too, as the text of their request.
    #[must_use]
    pub fn to_object(&self, random: &mut Random) -> Value {
        let mut object = self.to_message(random);
        let payload = request(&self.batch);
        if let Some(members) = object.as_object_mut() {
            let payload = String::from_utf8_lossy(&payload).into_owned();
            members.insert("payload".to_owned(), payload.into());
        }
        object
    }

    /// Its name in S3, for a mapping of this id.
    #[must_use]
    pub fn key(&self, mapping_id: &str, random: &mut Random) -> String {
        let time = DateTime::<Utc>::from(self.time).format("%Y/%m/%d/%Y-%m-%dT%H.%M.%S");
        let shard = self.shard;
        format!("aws/lambda/{mapping_id}/{shard}/{time}-{}", random.uuid())
    }

    fn batch_info(&self) -> Value {
        let [first, last] = [self.batch.first(), self.batch.last()];
        let sequence = |record: &Record| record.placed.sequence.to_string();
        let arrival = |record: &Record| milliseconds(SystemTime::UNIX_EPOCH + record.arrived);
        json!({
            "shardId": self.shard.to_string(),
            "startSequenceNumber": first.map(|first| sequence(first)),
            "endSequenceNumber": last.map(|last| sequence(last)),
            "approximateArrivalOfFirstRecord": first.map(|first| arrival(first)),
            "approximateArrivalOfLastRecord": last.map(|last| arrival(last)),
            "batchSize": self.batch.len(),
            "streamArn": STREAM_ARN,
        })
    }
}

fn milliseconds(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::{
        kinesis::envelope::Envelope,
        local::kinesis::record::{sequence, tests::record},
    };

    fn given_up() -> GivenUp {
        GivenUp {
            shard: ShardId(3),
            batch: vec![record(7, "k", b"a"), record(987, "k", b"b")],
            condition: Condition::RetryAttemptsExhausted,
            invocations: 3,
            time: UNIX_EPOCH + Duration::from_millis(1_545_084_652_021),
        }
    }

    #[test]
    fn a_queue_hears_where_the_records_were() {
        let message = given_up().to_message(&mut Random::default());
        assert_eq!(message["timestamp"], "2018-12-17T22:10:52.021Z");
        let context = &message["requestContext"];
        assert_eq!(context["condition"], "RetryAttemptsExhausted");
        assert_eq!(context["approximateInvokeCount"], 3);
        let expected = json!({
            "shardId": "shardId-000000000003",
            "startSequenceNumber": sequence(7).to_string(),
            "endSequenceNumber": sequence(987).to_string(),
            "approximateArrivalOfFirstRecord": "2018-12-17T22:10:50.007Z",
            "approximateArrivalOfLastRecord": "2018-12-17T22:10:50.987Z",
            "batchSize": 2,
            "streamArn": STREAM_ARN,
        });
        assert_eq!(message["KinesisBatchInfo"], expected);
        assert_eq!(message["payload"], Value::Null);
    }

    #[test]
    fn s3_gets_the_records_too() {
        let object = given_up().to_object(&mut Random::default());
        let payload = object["payload"].as_str().expect("text");
        let envelope = Envelope::read(payload.as_bytes()).expect("an envelope");
        assert_eq!(envelope.records.len(), 2);
        assert_eq!(object["KinesisBatchInfo"]["batchSize"], 2);
        let key = given_up().key("id", &mut Random::default());
        let folder = "aws/lambda/id/shardId-000000000003/2018/12/17/2018-12-17T22.10.52-";
        assert!(key.starts_with(folder), "{key}");
    }
}
