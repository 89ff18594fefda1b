//! A log's function on stores in memory: its table behind DynamoDB's own client, its depot a map.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use base64_simd::STANDARD;
use nozzle::{
    aws::{Asked, Failure},
    functions::{
        Function, Moment, Response,
        event_log::{Counts, EventLog, Settings, Unavailable, table::dynamodb::DynamoDbLog},
    },
    kinesis::depot::{Depot, Object},
    local::kinesis::strikes,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::support::{
    client::settings_behind, log_items::LOG_TABLE, proxy::Proxy, variables::lookup,
};

pub(crate) const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/events";
pub(crate) const SHARD: &str = "shardId-000000000006";

pub(crate) type Log = EventLog<DynamoDbLog, MemoryDepot>;

pub(crate) fn settings(values: &[(&str, &str)]) -> Settings {
    Settings::read(lookup(values)).unwrap()
}

pub(crate) struct World {
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) depot: MemoryDepot,
    pub(crate) function: Log,
}

/// What a world has come to.
#[derive(Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) items: BTreeMap<String, Value>,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
}

impl World {
    pub(crate) fn new(values: &[(&str, &str)]) -> Self {
        Self::with(values, None)
    }

    /// The same, with a queue for dead letters.
    pub(crate) fn with_queue(values: &[(&str, &str)]) -> Self {
        Self::with(values, Some(Arc::default()))
    }

    fn with(values: &[(&str, &str)], queue: Option<Arc<Mutex<Vec<String>>>>) -> Self {
        let settings = settings(values);
        let proxy = Proxy::of_log();
        let depot = MemoryDepot {
            bucket: settings.bucket.clone(),
            queue,
            ..MemoryDepot::default()
        };
        let table = DynamoDbLog::new(&settings_behind(&proxy), LOG_TABLE.to_owned());
        Self {
            function: EventLog::new(settings, table, depot.clone()),
            proxy,
            depot,
        }
    }

    pub(crate) async fn answer(&self, body: &[u8]) -> Result<Response<Counts>, Unavailable> {
        let moment = Moment {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_789_014_301),
            deadline: Instant::now() + Duration::from_mins(1),
        };
        self.function.answer(body, moment).await
    }

    /// Of records that are all kept.
    pub(crate) async fn keep(&self, data: &[&str]) -> Counts {
        let response = self.answer(&request(data)).await.unwrap();
        assert_eq!(response.body, br#"{"batchItemFailures":[]}"#);
        response.counts
    }

    pub(crate) fn kept(&self) -> Kept {
        Kept {
            items: self.proxy.log().items.clone(),
            objects: self.depot.objects(),
        }
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.proxy.log().items.keys().cloned().collect()
    }

    /// Dead letters' sequence numbers and reasons.
    pub(crate) fn reasons(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let objects = self.depot.objects();
        let letters = objects
            .iter()
            .filter(|(key, _)| key.starts_with("dead-letters/"));
        let letters = letters.map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).unwrap());
        letters
            .map(|letter| (text(&letter["sequence"]), text(&letter["reason"])))
            .collect()
    }
}

/// Keeps what it is given, unless it is told to fail.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryDepot {
    bucket: Option<String>,
    queue: Option<Arc<Mutex<Vec<String>>>>,
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    away: Arc<Mutex<Option<Away>>>,
}

#[derive(Debug, Clone)]
struct Away {
    /// Objects whose keys hold this are not put.
    keys_with: String,
    failure: Failure,
    until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Recovery,
    FirstPut,
}

impl MemoryDepot {
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.objects.lock().unwrap().clone()
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.queue.as_ref().unwrap().lock().unwrap().clone()
    }

    pub(crate) fn fail(&self, keys_with: &str, failure: Failure) {
        self.be_away(keys_with, failure, Until::Recovery);
    }

    /// Whoever meets nothing else must not meet it for ever.
    pub(crate) fn fail_once(&self, keys_with: &str, failure: Failure) {
        self.be_away(keys_with, failure, Until::FirstPut);
    }

    fn be_away(&self, keys_with: &str, failure: Failure, until: Until) {
        let keys_with = keys_with.to_owned();
        *self.away.lock().unwrap() = Some(Away {
            keys_with,
            failure,
            until,
        });
    }

    pub(crate) fn recover(&self) {
        *self.away.lock().unwrap() = None;
    }
}

impl Depot for MemoryDepot {
    fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    fn has_queue(&self) -> bool {
        self.queue.is_some()
    }

    async fn put(&self, objects: &[Object<'_>], deadline: Instant) -> Asked<()> {
        let away = self.away.lock().unwrap().clone();
        let mut asked = Asked::all(objects.len());
        for (object, answer) in objects.iter().zip(&mut asked.answers) {
            match &away {
                Some(away) if object.key.contains(&away.keys_with) => {
                    *answer = None;
                    asked.failure = Some(away.failure.clone());
                }
                _ => strikes::request(async { self.insert(object) }).await,
            }
        }
        if asked.failure.is_some() && away.is_some_and(|away| away.until == Until::FirstPut) {
            self.recover();
        }
        // What passes is tried until it is too late.
        if asked.failure.as_ref().is_some_and(|why| !why.is_lasting()) {
            sleep_until(deadline).await;
        }
        asked
    }

    async fn tell(&self, messages: &[String], _: Instant) -> Asked<()> {
        let queue = self.queue.as_ref().unwrap();
        queue.lock().unwrap().extend(messages.iter().cloned());
        Asked::all(messages.len())
    }
}

impl MemoryDepot {
    fn insert(&self, object: &Object<'_>) {
        let mut objects = self.objects.lock().unwrap();
        objects.insert(object.key.clone(), object.bytes.to_vec());
    }
}

/// A request of one shard, its records numbered from 1 on.
pub(crate) fn request<T: AsRef<[u8]>>(data: &[T]) -> Vec<u8> {
    let records: Vec<_> = (1..)
        .zip(data)
        .map(|(number, data)| record(number, data.as_ref()))
        .collect();
    json!({ "Records": records }).to_string().into_bytes()
}

pub(crate) fn record(number: usize, data: &[u8]) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": format!("key-{number}"),
            "sequenceNumber": number.to_string(),
            "data": STANDARD.encode_to_string(data),
            "approximateArrivalTimestamp": 1_545_084_650.987,
        },
        "eventSource": "aws:kinesis",
        "eventID": format!("{SHARD}:{number}"),
        "eventSourceARN": STREAM,
    })
}

/// The first record that is not done, if any.
pub(crate) fn first_not_done(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.len() <= 1, "{answer}");
    Some(
        failures.first()?["itemIdentifier"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}
