//! What the function says: log lines as JSON, and one line of counts a batch, which CloudWatch
//! reads as metrics. Neither ever holds what an event says.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, LogSettings};

/// Modules of other crates are heard from here on: what they say below may hold a request's text.
const OTHERS_LEVEL: LevelFilter = LevelFilter::WARN;

const NAMESPACE: &str = "Nozzle";

/// Sends log lines to standard output, as Lambda's log settings ask.
pub fn init(settings: &LogSettings) {
    let level = settings
        .level
        .map_or(LevelFilter::OFF, LevelFilter::from_level);
    let filter = Targets::new()
        .with_default(level.min(OTHERS_LEVEL))
        .with_targets([("nozzle", level), ("firehose_transform", level)]);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false);
    let lines = match settings.format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
}

/// A number with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    pub name: String,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Count(usize),
    Bytes(usize),
    Milliseconds(Duration),
}

impl Metric {
    #[must_use]
    pub fn new(name: &str, quantity: Quantity) -> Self {
        Self {
            name: name.to_owned(),
            quantity,
        }
    }
}

impl Quantity {
    fn unit(self) -> &'static str {
        match self {
            Quantity::Count(_) => "Count",
            Quantity::Bytes(_) => "Bytes",
            Quantity::Milliseconds(_) => "Milliseconds",
        }
    }

    fn value(self) -> Value {
        match self {
            Quantity::Count(number) | Quantity::Bytes(number) => number.into(),
            Quantity::Milliseconds(duration) => {
                ((duration.as_secs_f64() * 1e6).round() / 1e3).into()
            }
        }
    }
}

/// Writes the counts of one invocation to standard output, at every log level.
pub fn write_counts(
    metrics: &[Metric],
    function_name: &str,
    settings: &LogSettings,
    now: SystemTime,
) {
    let line = counts_line(metrics, function_name, settings, now);
    if let Err(error) = std::io::stdout().lock().write_all(line.as_bytes()) {
        tracing::error!(%error, "the counts could not be written");
    }
}

/// One line in CloudWatch's embedded metric format. Its level is the one that is configured:
/// Lambda's own filter drops lines below it.
fn counts_line(
    metrics: &[Metric],
    function_name: &str,
    settings: &LogSettings,
    now: SystemTime,
) -> String {
    let now = DateTime::<Utc>::from(now);
    let names: Vec<_> = metrics
        .iter()
        .map(|metric| json!({ "Name": metric.name, "Unit": metric.quantity.unit() }))
        .collect();
    let mut line = Map::new();
    line.insert(
        "timestamp".into(),
        now.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
    );
    line.insert(
        "level".into(),
        settings.level.map_or("FATAL", level_name).into(),
    );
    line.insert("message".into(), "batch".into());
    line.insert("FunctionName".into(), function_name.into());
    line.extend(
        metrics
            .iter()
            .map(|metric| (metric.name.clone(), metric.quantity.value())),
    );
    let directive =
        json!({ "Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": names });
    line.insert(
        "_aws".into(),
        json!({ "Timestamp": now.timestamp_millis(), "CloudWatchMetrics": [directive] }),
    );
    format!("{}\n", Value::Object(line))
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => "INFO",
        Level::WARN => "WARN",
        Level::ERROR => "ERROR",
    }
}
