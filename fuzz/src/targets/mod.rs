//! What holds for any bytes: a function for each way in, which panics where a promise is broken.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a broken promise is to panic"
)]

mod answer;
mod batch;
mod event;
mod event_log;
mod event_processor;
mod kinesis;
mod line;
mod packet;
mod tool;

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use nozzle::functions::{Function, Moment, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

pub use answer::answer;
pub use batch::{batch, request};
pub use event::event;
pub use event_log::event_log;
pub use event_processor::event_processor;
pub use kinesis::{aggregate, dead_letter, envelope};
pub use line::{error_object, prefix};
pub use packet::packet;
pub use tool::{arguments, settings};

/// What a target is called, and what it is given.
pub type Target = (&'static str, fn(&[u8]));

pub const ALL: &[Target] = &[
    ("aggregate", aggregate),
    ("answer", answer),
    ("arguments", arguments),
    ("batch", batch),
    ("dead_letter", dead_letter),
    ("envelope", envelope),
    ("error_object", error_object),
    ("event", event),
    ("event_log", event_log),
    ("event_processor", event_processor),
    ("packet", packet),
    ("prefix", prefix),
    ("request", request),
    ("settings", settings),
];

/// Pieces of an input, separated by a byte that no UTF-8 holds.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0xff)
}

/// What a function says within a minute.
fn answered<F: Function>(function: &F, body: &[u8]) -> Result<Response<F::Counts>, F::Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(async {
        let moment = Moment {
            now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
            deadline: Instant::now() + Duration::from_mins(1),
        };
        function.answer(body, moment).await
    })
}

/// A record of a Kinesis stream, as a mapping sends it.
fn record(number: usize, data: &[u8]) -> Value {
    json!({
        "eventID": format!("shardId-000000000003:{number}"),
        "kinesis": {
            "sequenceNumber": number.to_string(),
            "partitionKey": "key",
            "approximateArrivalTimestamp": 1_545_084_650.987,
            "data": STANDARD.encode(data),
        },
    })
}
