//! What every function is sent: requests as Firehose or a mapping on Kinesis writes them. One record in a hundred is to be
//! refused, five are copies.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::peers::Task;

/// The most that Lambda hands over.
const REQUEST_BYTES_MAX: usize = 6 * 1024 * 1024;
const NAMES: [&str; 4] = [
    "account:created",
    "cart:item_added",
    "payment:order:completed",
    "login",
];

/// What a batch's events are like: how long, about, or over how many counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    B200,
    B420,
    B2000,
    Over30,
    Over300,
    Over3000,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::B200 | Self::B420 | Self::B2000 => write!(f, "of {} bytes", self.bytes()),
            Self::Over30 | Self::Over300 | Self::Over3000 => {
                write!(f, "over {} counters", self.counters())
            }
        }
    }
}

impl Shape {
    pub(crate) fn all(task: Task) -> [Self; 3] {
        match task {
            Task::Process => [Self::Over30, Self::Over300, Self::Over3000],
            _ => [Self::B200, Self::B420, Self::B2000],
        }
    }

    /// The one that stands for the others.
    pub(crate) fn usual(task: Task) -> Self {
        let [_, usual, _] = Self::all(task);
        usual
    }

    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::B200 => 200,
            Self::B420 => 420,
            Self::B2000 => 2_000,
            Self::Over30 | Self::Over300 | Self::Over3000 => 300,
        }
    }

    /// In each window.
    pub(crate) fn counters(self) -> usize {
        match self {
            Self::Over30 => 30,
            Self::Over300 => 300,
            Self::Over3000 => 3_000,
            Self::B200 | Self::B420 | Self::B2000 => 0,
        }
    }

    /// How many records a batch has; the last is 6,000, or what fits into the 6 MB that a request
    /// and a response may have.
    pub(crate) fn records(self, task: Task) -> [usize; 3] {
        let most = match (self, task) {
            (Self::B2000, Task::Log) => 1_900,
            (Self::B2000, _) => 2_000,
            (Self::B420, Task::Log) => 5_600,
            _ => 6_000,
        };
        [100, 1_000, most]
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) shape: Shape,
    pub(crate) records: usize,
    pub(crate) body: Bytes,
}

impl Batch {
    pub(crate) fn of(task: Task, records: usize, shape: Shape) -> Self {
        let data = (0..records).map(|number| STANDARD.encode(sent(number, shape)));
        let request = match task {
            Task::Transform | Task::Claim => of_firehose(data),
            Task::Log | Task::Process => of_kinesis(data),
        };
        Self {
            shape,
            records,
            body: request.to_string().into(),
        }
    }

    /// As many records as one request may have.
    pub(crate) fn full(task: Task, shape: Shape) -> Self {
        let thousand = Self::of(task, 1_000, shape).body.len();
        let mut records = REQUEST_BYTES_MAX * 1_000 / thousand;
        loop {
            let batch = Self::of(task, records, shape);
            if batch.body.len() <= REQUEST_BYTES_MAX {
                return batch;
            }
            records -= 1;
        }
    }
}

fn of_firehose(data: impl Iterator<Item = String>) -> Value {
    let records = data.enumerate().map(|(number, data)| {
        json!({
            "recordId": format!("495469866831355442865074579363216256757001924711567851{number:05}"),
            "approximateArrivalTimestamp": 1_800_000_000_000_i64,
            "data": data,
        })
    });
    json!({
        "invocationId": "1c1bcd5e-63d1-4ab3-9a8a-3a1b8a5a0c11",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/events",
        "region": "us-east-1",
        "records": records.collect::<Vec<_>>(),
    })
}

fn of_kinesis(data: impl Iterator<Item = String>) -> Value {
    let records = data.enumerate().map(|(number, data)| {
        let sequence = format!("496469866831355442865074579363216256757001924711567{number:05}");
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": format!("user-{number}"),
                "sequenceNumber": sequence,
                "data": data,
                "approximateArrivalTimestamp": 1_800_000_000.987,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000006:{sequence}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/dev-event-log",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/events",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// A record's bytes.
fn sent(number: usize, shape: Shape) -> String {
    if shape.counters() > 0 {
        return counted(number, shape.counters());
    }
    match number % 100 {
        50 if number % 200 == 50 => "this is no JSON".to_owned(),
        50 => event(number, shape).replace("event_name", "name"),
        // Not where the one before is refused.
        7 | 27 | 47 | 67 | 87 => event(number - 1, shape),
        _ => event(number, shape),
    }
}

/// An event as a shop's clients might send it.
fn event(number: usize, shape: Shape) -> String {
    let required = format!(
        r#""event_uuid":"9f1c2a34-5b6d-4e7f-8a9b-{number:012x}","event_name":"{}","created_at":{}.{:03}"#,
        NAMES[number % NAMES.len()],
        1_799_999_000 + number / 999,
        number % 999 + 1, // never a whole second, which JavaScript writes without a fraction
    );
    let user =
        format!(r#""user":{{"id":{number},"plan":"trial","locale":"de-DE"}},"consent":true"#);
    let visit = format!(
        r#""device":{{"os":"Android 14","model":"Pixel 7a","screen":[1080,2400]}},"session":"5f6b0f0e-8f5e-4c1c-9b4e-{number:012x}","referrer":"https://www.example.com/campaigns/spring?source=newsletter","city":"Zürich","battery":0.85"#
    );
    match shape {
        Shape::B420 => format!("{{{required},{user},{visit}}}\n"),
        Shape::B2000 => {
            let items: Vec<_> = (0..14).map(|item| ordered(number, item)).collect();
            format!(
                "{{{required},{user},{visit},\"items\":[{}]}}\n",
                items.join(",")
            )
        }
        _ => format!("{{{required},{user}}}\n"),
    }
}

/// An event of an experiment. One in a thousand is to be refused.
fn counted(number: usize, counters: usize) -> String {
    let counter = number * 7_919 % counters;
    let (experiment, variant) = (counter / 6, ["A", "B"][counter / 3 % 2]);
    let event_type = ["view", "add_to_cart", "purchase"][counter % 3];
    let user = if number % 1_000 == 50 {
        "null".to_owned()
    } else {
        format!("\"user-{:06}\"", number * 31 % 4_001)
    };
    format!(
        r#"{{"event_id":"9f1c2a34-5b6d-4e7f-8a9b-{number:012x}","event_type":"{event_type}","user_id":{user},"experiment_id":"checkout-{experiment:03}","timestamp":"2026-11-20T10:{:02}:{:02}.123Z","properties":{{"value":49.90,"currency":"EUR","city":"Zürich"}},"metadata":{{"variant":"{variant}","source":"web"}}}}"#,
        number / 60 % 60,
        number % 60,
    )
}

fn ordered(number: usize, item: usize) -> String {
    format!(
        r#"{{"sku":"SKU-{:05}","title":"Lantern \"Río\", blue","quantity":{},"price":{}.25,"currency":"EUR","tags":["sale","new"]}}"#,
        number * 17 % 50_000 + item,
        item % 3 + 1,
        item * 7 + 10,
    )
}
