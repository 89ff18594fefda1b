//! The function as people write it in Rust: AWS's own types, `serde_json::Value`, one conditional
//! `PutItem` an event, many at once.
#![allow(
    clippy::disallowed_methods,
    clippy::format_push_string,
    clippy::indexing_slicing,
    reason = "what people write reads the clock where it stands, and a value's members by index"
)]

use std::{collections::HashSet, env, time::SystemTime};

use aws_config::BehaviorVersion;
use aws_lambda_events::event::firehose::{
    KinesisFirehoseEvent, KinesisFirehoseEventRecord, KinesisFirehoseResponse,
    KinesisFirehoseResponseRecord,
};
use aws_sdk_dynamodb::{Client, error::SdkError, types::AttributeValue};
use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

const REQUESTS_AT_ONCE: usize = 64;
const DAY_SECONDS: u64 = 86_400;

type Keys = Vec<(&'static str, String)>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let claims = match env::var("EVENT_CACHE_TABLE_NAME") {
        Ok(table) => Some(Claims::in_table(table).await),
        Err(_) => None,
    };
    let claims = claims.as_ref();
    run(service_fn(|event| handler(event, claims))).await
}

async fn handler(
    event: LambdaEvent<KinesisFirehoseEvent>,
    claims: Option<&Claims>,
) -> Result<KinesisFirehoseResponse, Error> {
    let mut seen = HashSet::new();
    let read: Vec<_> = event
        .payload
        .records
        .into_iter()
        .map(|record| read(record, &mut seen))
        .collect();
    let mut response = KinesisFirehoseResponse::default();
    response.records = stream::iter(read)
        .map(|record| answer(record, claims))
        .buffered(REQUESTS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(response)
}

/// A record by what is known without claims.
enum Read {
    New {
        id: Option<String>,
        identity: String,
        event: Value,
        keys: Keys,
    },
    Duplicate(Option<String>),
    Refused(Option<String>),
}

fn read(record: KinesisFirehoseEventRecord, seen: &mut HashSet<String>) -> Read {
    let id = record.record_id;
    let event = serde_json::from_slice::<Value>(&record.data).ok();
    let Some((event, keys)) = event.and_then(enrich) else {
        return Read::Refused(id);
    };
    let identity = identity(&event);
    if seen.insert(identity.clone()) {
        Read::New {
            id,
            identity,
            event,
            keys,
        }
    } else {
        Read::Duplicate(id)
    }
}

async fn answer(
    record: Read,
    claims: Option<&Claims>,
) -> Result<KinesisFirehoseResponseRecord, Error> {
    let mut answer = KinesisFirehoseResponseRecord::default();
    (answer.record_id, answer.result) = match record {
        Read::Refused(id) => (id, Some("ProcessingFailed".to_owned())),
        Read::Duplicate(id) => (id, Some("Dropped".to_owned())),
        Read::New { id, identity, .. } if !is_new(claims, identity.clone()).await? => {
            (id, Some("Dropped".to_owned()))
        }
        Read::New {
            id, event, keys, ..
        } => {
            answer.data.0 = format!("{event}\n").into_bytes();
            answer.metadata.partition_keys = keys
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            (id, Some("Ok".to_owned()))
        }
    };
    Ok(answer)
}

fn identity(event: &Value) -> String {
    format!(
        "{}#{}#{}",
        event["event_uuid"], event["event_name"], event["created_at"]
    )
}

/// A good event with what is added to it, and its partition keys.
fn enrich(mut event: Value) -> Option<(Value, Keys)> {
    checked_text(&event["event_uuid"])?;
    let name = checked_text(&event["event_name"])?;
    let mut parts = name.split(':').map(str::trim);
    let event_type = parts.next().filter(|part| !part.is_empty())?.to_owned();
    let event_subtype = parts.next().filter(|part| !part.is_empty());
    let event_subtype = event_subtype.unwrap_or("unknown").to_owned();
    let created = instant(&event["created_at"])?;
    let keys = vec![
        ("event_type", safe(&event_type)?),
        ("event_subtype", safe(&event_subtype)?),
        ("year", format!("{:04}", created.year())),
        ("month", format!("{:02}", created.month())),
        ("day", format!("{:02}", created.day())),
    ];
    event["event_type"] = event_type.into();
    event["event_subtype"] = event_subtype.into();
    event["created_datetime"] = created.to_rfc3339_opts(SecondsFormat::Micros, true).into();
    Some((event, keys))
}

fn checked_text(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let is_good = !text.trim().is_empty()
        && text.len() <= 256
        && !text.bytes().any(|byte| byte.is_ascii_control());
    is_good.then_some(text)
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => match text.parse() {
            Ok(number) => number,
            Err(_) => return Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()),
        },
        _ => return None,
    };
    let microseconds = match number {
        number if number < 0.0 => return None,
        number if number < 1e11 => number * 1e6,
        number if number < 1e14 => number * 1e3,
        number if number < 1e17 => number,
        number => number / 1e3,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "too large is no time either"
    )]
    DateTime::from_timestamp_micros(microseconds.round() as i64)
}

/// For a path: what is not plain is percent-encoded, and so is a value of only dots.
fn safe(value: &str) -> Option<String> {
    let only_dots = value.bytes().all(|byte| byte == b'.');
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'.' if only_dots => encoded.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    (encoded.len() <= 192).then_some(encoded)
}

async fn is_new(claims: Option<&Claims>, identity: String) -> Result<bool, Error> {
    match claims {
        Some(claims) => claims.claim(identity).await,
        None => Ok(true),
    }
}

struct Claims {
    client: Client,
    table: String,
}

impl Claims {
    async fn in_table(table: String) -> Self {
        let settings = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self {
            client: Client::new(&settings),
            table,
        }
    }

    async fn claim(&self, identity: String) -> Result<bool, Error> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs();
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("id", AttributeValue::S(identity))
            .item("ttl", AttributeValue::N((now + DAY_SECONDS).to_string()))
            .condition_expression("attribute_not_exists(id) OR #ttl <= :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
            .send()
            .await
            .map_err(SdkError::into_service_error);
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
