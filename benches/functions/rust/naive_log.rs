//! The event log as people write it in Rust: AWS's own types, `serde_json::Value`, one `PutItem` an
//! event, many at once.
#![allow(
    clippy::disallowed_methods,
    reason = "what people write reads the environment where it stands"
)]

use std::{collections::HashMap, env};

use aws_config::BehaviorVersion;
use aws_lambda_events::event::kinesis::{KinesisEvent, KinesisEventRecord};
use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use chrono::SecondsFormat;
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

const REQUESTS_AT_ONCE: usize = 64;

type Item = HashMap<String, AttributeValue>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let settings = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = Client::new(&settings);
    let table = env::var("TABLE_NAME")?;
    run(service_fn(|event| handler(event, &client, &table))).await
}

async fn handler(
    event: LambdaEvent<KinesisEvent>,
    client: &Client,
    table: &str,
) -> Result<Value, Error> {
    stream::iter(event.payload.records)
        .map(|record| async {
            let put = client.put_item().table_name(table);
            put.set_item(Some(item(record))).send().await
        })
        .buffer_unordered(REQUESTS_AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(json!({ "batchItemFailures": [] }))
}

fn item(record: KinesisEventRecord) -> Item {
    let arrival = record.kinesis.approximate_arrival_timestamp.0;
    let arrival = arrival.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut item = Item::from([
        (
            "eventId".to_owned(),
            AttributeValue::S(record.event_id.unwrap_or_default()),
        ),
        ("timestamp".to_owned(), AttributeValue::S(arrival)),
        (
            "partitionKey".to_owned(),
            AttributeValue::S(record.kinesis.partition_key),
        ),
    ]);
    let data = record.kinesis.data.0;
    if let Ok(value) = serde_json::from_slice(&data) {
        item.insert("data".to_owned(), attribute(value));
    } else {
        let reason = AttributeValue::S("not_json".to_owned());
        item.insert("refused".to_owned(), reason);
        item.insert("raw".to_owned(), AttributeValue::B(Blob::new(data)));
    }
    item
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(truth) => AttributeValue::Bool(truth),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(elements) => AttributeValue::L(elements.into_iter().map(attribute).collect()),
        Value::Object(members) => AttributeValue::M(
            members
                .into_iter()
                .map(|(name, value)| (name, attribute(value)))
                .collect(),
        ),
    }
}
