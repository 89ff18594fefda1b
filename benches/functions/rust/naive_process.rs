//! The event processor as people write it in Rust: AWS's own types, serde, an `ADD` a window and
//! event, many at once, an object an hour.
#![allow(
    clippy::disallowed_methods,
    clippy::struct_field_names,
    reason = "what people write reads the environment where it stands, and names fields as JSON does"
)]

use std::{collections::HashMap, env, io::Write};

use aws_config::BehaviorVersion;
use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const REQUESTS_AT_ONCE: usize = 64;
const TEXT_BYTES_MAX: usize = 256;
const WINDOWS: [&str; 2] = ["hour#%Y-%m-%d-%H", "day#%Y-%m-%d"];
const HOUR: &str = "year=%Y/month=%m/day=%d/hour=%H";

struct Processor {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    table: String,
    bucket: String,
}

#[derive(Serialize, Deserialize)]
struct Event {
    event_id: String,
    event_type: String,
    user_id: String,
    experiment_id: Option<String>,
    timestamp: String,
    metadata: Option<Map<String, Value>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let settings = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let processor = Processor {
        dynamodb: aws_sdk_dynamodb::Client::new(&settings),
        s3: aws_sdk_s3::Client::new(&settings),
        table: env::var("DYNAMODB_TABLE")?,
        bucket: env::var("S3_BUCKET")?,
    };
    run(service_fn(|event| processor.handle(event))).await
}

impl Processor {
    async fn handle(&self, event: LambdaEvent<KinesisEvent>) -> Result<Value, Error> {
        let mut hours = HashMap::<String, (String, Vec<Event>)>::new();
        let mut adds = Vec::new();
        for KinesisEventRecord { kinesis, .. } in event.payload.records {
            let Ok((event, time)) = read(&kinesis.data.0) else {
                let key = format!("dead-letters/{}", kinesis.sequence_number);
                self.put(key, kinesis.data.0).await?;
                continue;
            };
            adds.extend(
                WINDOWS
                    .iter()
                    .filter_map(|window| key(&event, time, window)),
            );
            let hour = hours.entry(time.format(HOUR).to_string());
            let (_, events) = hour.or_insert_with(|| (kinesis.sequence_number, Vec::new()));
            events.push(event);
        }
        stream::iter(adds)
            .map(|key| self.add(key))
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await?;
        for (hour, (first, events)) in hours {
            let packed = pack(&events)?;
            self.put(format!("{hour}/{first}.jsonl.gz"), packed).await?;
        }
        Ok(json!({ "batchItemFailures": [] }))
    }

    async fn add(&self, [partition, sort]: [String; 2]) -> Result<(), Error> {
        let update = self.dynamodb.update_item().table_name(&self.table);
        update
            .key("partition_key", AttributeValue::S(partition))
            .key("sort_key", AttributeValue::S(sort))
            .update_expression("ADD event_count :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await?;
        Ok(())
    }

    async fn put(&self, key: String, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        put.body(bytes.into()).send().await?;
        Ok(())
    }
}

fn read(data: &[u8]) -> Result<(Event, DateTime<Utc>), Error> {
    let event: Event = serde_json::from_slice(data)?;
    let texts = [&event.event_id, &event.event_type, &event.user_id];
    if texts
        .iter()
        .any(|text| text.trim().is_empty() || text.len() > TEXT_BYTES_MAX)
    {
        return Err("not a text of 1 to 256 bytes".into());
    }
    let time = DateTime::parse_from_rfc3339(&event.timestamp)?.to_utc();
    Ok((event, time))
}

fn key(event: &Event, time: DateTime<Utc>, window: &str) -> Option<[String; 2]> {
    let experiment = event.experiment_id.as_ref()?;
    let variant = event.metadata.as_ref()?.get("variant")?.as_str()?;
    let window = time.format(window);
    Some([
        format!("exp_{experiment}#variant#{variant}#{window}"),
        format!("event_type#{}", event.event_type),
    ])
}

fn pack(events: &[Event]) -> Result<Vec<u8>, Error> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    for event in events {
        serde_json::to_writer(&mut gzip, event)?;
        gzip.write_all(b"\n")?;
    }
    Ok(gzip.finish()?)
}
