//! What the function says: log lines as JSON, and one line of counts a batch, which CloudWatch
//! reads as metrics. Neither ever holds what an event says.

use std::{
    fmt,
    io::Write,
    panic::PanicHookInfo,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Modules of other crates are heard from here on: what they say below may hold a request's text.
const OTHERS_LEVEL: LevelFilter = LevelFilter::WARN;

const NAMESPACE: &str = "Nozzle";

/// How the function writes its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    pub format: LogFormat,
    /// None lets no line pass.
    pub level: Option<Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// Sends this program's log lines to standard output, as Lambda's log settings ask.
pub fn init(settings: &LogSettings, program: &str) {
    let level = settings
        .level
        .map_or(LevelFilter::OFF, LevelFilter::from_level);
    let filter = Targets::new()
        .with_default(level.min(OTHERS_LEVEL))
        .with_targets([
            ("nozzle".to_owned(), level),
            (program.replace('-', "_"), level),
        ]);
    let lines = match settings.format {
        LogFormat::Json => JsonLines.boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer().with_ansi(false).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
    std::panic::set_hook(Box::new(log_panic));
}

/// Each event as one flat JSON object, with the fields of the spans it happens in: a line carries
/// its invocation's `requestId` where Lambda's own lines do.
struct JsonLines;

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for JsonLines {
    fn on_new_span(&self, fields: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut members = Members::default();
            fields.record(&mut members);
            span.extensions_mut().insert(members);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a line is written now")]
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Members::default();
        let now = DateTime::<Utc>::from(SystemTime::now());
        let now = now.to_rfc3339_opts(SecondsFormat::Micros, true);
        line.0.insert("timestamp".to_owned(), now.into());
        let metadata = event.metadata();
        let level = level_name(*metadata.level());
        line.0.insert("level".to_owned(), level.into());
        line.0.insert("target".to_owned(), metadata.target().into());
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Members(fields)) = span.extensions().get() {
                line.0.extend(fields.clone());
            }
        }
        event.record(&mut line);
        write_line(&Value::Object(line.0));
    }
}

/// Fields on their way into a line.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }
}

/// Whoever does not listen has nothing to be told.
fn write_line(line: &Value) {
    let _ = std::io::stdout()
        .lock()
        .write_all(format!("{line}\n").as_bytes());
}

/// Says where, not what: a panic's message may quote what was being read.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    tracing::error!(place, "a fault in the function");
}

/// A number with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: String,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    Count(usize),
    Bytes(usize),
    Milliseconds(Duration),
    /// Of DynamoDB's capacity.
    Units(f64),
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
            Quantity::Count(_) | Quantity::Units(_) => "Count",
            Quantity::Bytes(_) => "Bytes",
            Quantity::Milliseconds(_) => "Milliseconds",
        }
    }

    fn value(self) -> Value {
        match self {
            Quantity::Count(number) | Quantity::Bytes(number) => number.into(),
            Quantity::Units(units) => units.into(),
            Quantity::Milliseconds(duration) => {
                ((duration.as_secs_f64() * 1e6).round() / 1e3).into()
            }
        }
    }
}

/// Writes numbers to standard output as CloudWatch's embedded metric format.
#[derive(Debug)]
pub struct MetricsLog {
    function_name: String,
    /// The level that is configured: Lambda's own filter drops lines below it.
    level: &'static str,
}

impl MetricsLog {
    #[must_use]
    pub fn new(function_name: String, settings: &LogSettings) -> Self {
        Self {
            function_name,
            level: settings.level.map_or("FATAL", level_name),
        }
    }

    /// Writes one line for an invocation, whatever the log level.
    pub fn write(&self, metrics: &[Metric], now: SystemTime, request_id: &str) {
        write_line(&self.line(metrics, now, request_id));
    }

    fn line(&self, metrics: &[Metric], now: SystemTime, request_id: &str) -> Value {
        let now = DateTime::<Utc>::from(now);
        let names = metrics
            .iter()
            .map(|metric| json!({ "Name": metric.name, "Unit": metric.quantity.unit() }));
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [["FunctionName"]],
            "Metrics": names.collect::<Vec<_>>(),
        });
        let mut line = Map::from_iter([
            (
                "timestamp".to_owned(),
                now.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
            ),
            ("level".to_owned(), self.level.into()),
            ("message".to_owned(), "batch".into()),
            ("requestId".to_owned(), request_id.into()),
            (
                "FunctionName".to_owned(),
                self.function_name.as_str().into(),
            ),
            (
                "_aws".to_owned(),
                json!({ "Timestamp": now.timestamp_millis(), "CloudWatchMetrics": [directive] }),
            ),
        ]);
        line.extend(
            metrics
                .iter()
                .map(|metric| (metric.name.clone(), metric.quantity.value())),
        );
        Value::Object(line)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: Option<Level>, metrics: &[Metric]) -> Value {
        let settings = LogSettings {
            format: LogFormat::Json,
            level,
        };
        let log = MetricsLog::new("dev-events".to_owned(), &settings);
        log.line(
            metrics,
            SystemTime::UNIX_EPOCH + Duration::from_micros(1_712_511_721_022_075),
            "8476a536",
        )
    }

    #[test]
    fn counts_are_a_log_line_and_metrics_at_once() {
        let metrics = [
            Metric::new("records", Quantity::Count(3)),
            Metric::new("request_bytes", Quantity::Bytes(512)),
            Metric::new(
                "total_milliseconds",
                Quantity::Milliseconds(Duration::from_nanos(1_234_567)),
            ),
        ];
        let expected = json!({
            "timestamp": "2024-04-07T17:42:01.022075Z",
            "level": "INFO",
            "message": "batch",
            "requestId": "8476a536",
            "FunctionName": "dev-events",
            "records": 3,
            "request_bytes": 512,
            "total_milliseconds": 1.235,
            "_aws": {
                "Timestamp": 1_712_511_721_022_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Nozzle",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [
                        { "Name": "records", "Unit": "Count" },
                        { "Name": "request_bytes", "Unit": "Bytes" },
                        { "Name": "total_milliseconds", "Unit": "Milliseconds" },
                    ],
                }],
            },
        });
        assert_eq!(line(Some(Level::INFO), &metrics), expected);
    }

    #[test]
    fn counts_pass_the_log_filter_at_every_level() {
        for (level, expected) in [
            (Some(Level::TRACE), "TRACE"),
            (Some(Level::WARN), "WARN"),
            (None, "FATAL"),
        ] {
            assert_eq!(line(level, &[])["level"], expected);
        }
    }
}
