//! What a batch is processed by, and the variables that say so.

use std::str::FromStr;

use super::{
    archive::plan::Limits,
    enrichment::{AssignmentFields, AssignmentKeys, is_attribute},
    key::Spans,
};
use crate::config::{BucketName, KeyPrefix, QueueUrl, Reader, SettingsError, TableName};

const SECONDS_PER_HOUR: u64 = 3600;
const SECONDS_PER_DAY: u64 = 86_400;
const TTL_HOURS_MAX: u64 = 8760;
const TTL_DAYS_MAX: u64 = 36_500;
const FILE_BYTES_DEFAULT: usize = 5 * 1024 * 1024;
const FILE_BYTES_MAX: usize = 100 * 1024 * 1024;
const FILE_EVENTS_DEFAULT: usize = 1000;
const FILE_EVENTS_MAX: usize = 1_000_000;
/// As many as a stream has shards.
const SLOTS_MAX: u64 = 10_000;

/// What a batch is processed by.
#[derive(Debug, Clone)]
pub struct Settings {
    pub archive_prefix: String,
    pub dead_letter_prefix: String,
    pub archive_limits: Limits,
    pub windows: Spans,
    pub unique_users: UniqueUsers,
    pub counter_slots: u64,
    /// How long a counter stays once its window has ended; none is for ever.
    pub counter_lifetime_seconds: Option<u64>,
    /// How long an event is remembered; none is for ever.
    pub claim_lifetime_seconds: Option<u64>,
    pub on_enrichment_failure: OnEnrichmentFailure,
}

/// How users are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueUsers {
    Sketch,
    Exact,
    Off,
}

/// What to do when what is known of events cannot be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEnrichmentFailure {
    /// Fail, so that they come again.
    Retry,
    /// Archive them, marked, and do not count them.
    Keep,
}

impl Settings {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Reader::new(lookup);
        let prefix = |name, default: &str| {
            let prefix = settings.parse(name)?;
            Ok(prefix.map_or_else(|| default.to_owned(), |KeyPrefix(prefix)| prefix))
        };
        let days: u64 = settings.number("COUNTER_TTL_DAYS", 1..=TTL_DAYS_MAX, 0)?;
        let hours = settings.number("EVENT_CACHE_TTL_HOURS", 1..=TTL_HOURS_MAX, 24)?;
        Ok(Self {
            archive_prefix: prefix("ARCHIVE_PREFIX", "")?,
            dead_letter_prefix: prefix("DEAD_LETTER_PREFIX", "dead-letters/")?,
            archive_limits: Limits {
                bytes: settings.number(
                    "ARCHIVE_FILE_BYTES",
                    1..=FILE_BYTES_MAX,
                    FILE_BYTES_DEFAULT,
                )?,
                events: settings.number(
                    "ARCHIVE_FILE_EVENTS",
                    1..=FILE_EVENTS_MAX,
                    FILE_EVENTS_DEFAULT,
                )?,
            },
            windows: settings.parse("WINDOWS")?.unwrap_or_default(),
            unique_users: settings.choose(
                "UNIQUE_USERS",
                UniqueUsers::Sketch,
                [
                    ("sketch", UniqueUsers::Sketch),
                    ("exact", UniqueUsers::Exact),
                    ("off", UniqueUsers::Off),
                ],
            )?,
            counter_slots: settings.number("COUNTER_SLOTS", 1..=SLOTS_MAX, 1)?,
            counter_lifetime_seconds: (days > 0).then_some(days * SECONDS_PER_DAY),
            claim_lifetime_seconds: Some(hours * SECONDS_PER_HOUR),
            on_enrichment_failure: settings.choose(
                "ON_ENRICHMENT_FAILURE",
                OnEnrichmentFailure::Retry,
                [
                    ("retry", OnEnrichmentFailure::Retry),
                    ("keep", OnEnrichmentFailure::Keep),
                ],
            )?,
        })
    }
}

/// Where what is kept and what is known lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    pub bucket: String,
    /// For dead letters.
    pub queue_url: Option<String>,
    pub table: String,
    /// None where copies are not looked for.
    pub claims: Option<String>,
    pub assignments: Option<Assignments>,
    pub experiments: Option<Experiments>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignments {
    pub table: String,
    pub keys: AssignmentKeys,
    pub fields: AssignmentFields,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiments {
    pub table: String,
    /// The attribute whose value is an event's experiment.
    pub key: String,
}

impl Resources {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Reader::new(lookup);
        let table = |name| Ok(settings.parse(name)?.map(|TableName(name)| name));
        let keys = settings.parse("ASSIGNMENTS_LOOKUP")?.unwrap_or_default();
        let fields = settings.parse("ASSIGNMENT_FIELDS")?.unwrap_or_default();
        let key = settings.parse("EXPERIMENT_KEY")?;
        let key = key.map_or_else(|| "key".to_owned(), |Attribute(key)| key);
        let bucket = settings.parse("S3_BUCKET")?;
        Ok(Self {
            bucket: bucket.map_or_else(|| "event-archive".to_owned(), |BucketName(name)| name),
            queue_url: settings.parse("DLQ_URL")?.map(|QueueUrl(url)| url),
            table: table("DYNAMODB_TABLE")?.unwrap_or_else(|| "event-aggregations".to_owned()),
            claims: table("EVENT_CACHE_TABLE_NAME")?,
            assignments: table("ASSIGNMENTS_TABLE")?.map(|table| Assignments {
                table,
                keys,
                fields,
            }),
            experiments: table("EXPERIMENTS_TABLE")?.map(|table| Experiments { table, key }),
        })
    }
}

/// An attribute of a table.
struct Attribute(String);

impl FromStr for Attribute {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_attribute(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("an attribute's name: 1 to 255 of A-Z a-z 0-9 _ - .")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::lookup;

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!(settings.archive_prefix, "");
        assert_eq!(settings.dead_letter_prefix, "dead-letters/");
        assert_eq!(settings.archive_limits.bytes, 5_242_880);
        assert_eq!(settings.archive_limits.events, 1000);
        assert_eq!(settings.windows, Spans::default());
        assert_eq!(settings.unique_users, UniqueUsers::Sketch);
        assert_eq!(settings.counter_slots, 1);
        assert_eq!(settings.counter_lifetime_seconds, None);
        assert_eq!(settings.claim_lifetime_seconds, Some(86_400));
        assert_eq!(settings.on_enrichment_failure, OnEnrichmentFailure::Retry);
        let resources = Resources::read(|_| None).unwrap();
        let expected = Resources {
            bucket: "event-archive".to_owned(),
            queue_url: None,
            table: "event-aggregations".to_owned(),
            claims: None,
            assignments: None,
            experiments: None,
        };
        assert_eq!(resources, expected);
    }

    #[test]
    fn what_is_set_is_read() {
        let values = [
            ("ARCHIVE_PREFIX", "archive/"),
            ("ARCHIVE_FILE_BYTES", "1"),
            ("ARCHIVE_FILE_EVENTS", "2"),
            ("WINDOWS", "day"),
            ("UNIQUE_USERS", "exact"),
            ("COUNTER_SLOTS", "3"),
            ("COUNTER_TTL_DAYS", "2"),
            ("EVENT_CACHE_TTL_HOURS", "48"),
            ("ON_ENRICHMENT_FAILURE", "keep"),
        ];
        let settings = Settings::read(lookup(&values)).unwrap();
        assert_eq!(settings.archive_prefix, "archive/");
        let Limits { bytes, events } = settings.archive_limits;
        assert_eq!((bytes, events), (1, 2));
        assert_eq!(settings.windows.0.len(), 1);
        assert_eq!(settings.unique_users, UniqueUsers::Exact);
        assert_eq!(settings.counter_slots, 3);
        assert_eq!(settings.counter_lifetime_seconds, Some(172_800));
        assert_eq!(settings.claim_lifetime_seconds, Some(172_800));
        assert_eq!(settings.on_enrichment_failure, OnEnrichmentFailure::Keep);
        let values = [
            ("S3_BUCKET", "bucket"),
            ("DLQ_URL", "https://queue"),
            ("DYNAMODB_TABLE", "counters"),
            ("EVENT_CACHE_TABLE_NAME", "claims"),
            ("ASSIGNMENTS_TABLE", "assignments"),
            ("ASSIGNMENTS_LOOKUP", "index:by-user"),
            ("ASSIGNMENT_FIELDS", "id,group,assigned_at"),
            ("EXPERIMENTS_TABLE", "experiments"),
            ("EXPERIMENT_KEY", "id"),
        ];
        let resources = Resources::read(lookup(&values)).unwrap();
        let [id, variant, time] = ["id", "group", "assigned_at"].map(str::to_owned);
        let expected = Resources {
            bucket: "bucket".to_owned(),
            queue_url: Some("https://queue".to_owned()),
            table: "counters".to_owned(),
            claims: Some("claims".to_owned()),
            assignments: Some(Assignments {
                table: "assignments".to_owned(),
                keys: AssignmentKeys::Index("by-user".to_owned()),
                fields: AssignmentFields { id, variant, time },
            }),
            experiments: Some(Experiments {
                table: "experiments".to_owned(),
                key: "id".to_owned(),
            }),
        };
        assert_eq!(resources, expected);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        #[track_caller]
        fn check(name: &str, value: &str) {
            let values = [(name, value)];
            let settings = Settings::read(lookup(&values)).map(drop);
            let error = settings.and_then(|()| Resources::read(lookup(&values)).map(drop));
            let error = error.expect_err(value).to_string();
            let beginning = format!("{name} is {value:?}; it must be ");
            assert!(error.starts_with(&beginning), "{error}");
            assert!(error.len() > beginning.len());
        }
        check("ARCHIVE_PREFIX", "a\nb");
        check("ARCHIVE_FILE_BYTES", "0");
        check("ARCHIVE_FILE_EVENTS", "many");
        check("WINDOWS", "minute");
        check("WINDOWS", "hour,hour");
        check("UNIQUE_USERS", "none");
        check("COUNTER_SLOTS", "0");
        check("COUNTER_TTL_DAYS", "0");
        check("EVENT_CACHE_TTL_HOURS", "8761");
        check("ON_ENRICHMENT_FAILURE", "drop");
        check("S3_BUCKET", "Bucket");
        check("DLQ_URL", "queue");
        check("DEAD_LETTER_PREFIX", "\u{7f}");
        check("DYNAMODB_TABLE", "a b");
        check("EVENT_CACHE_TABLE_NAME", "");
        check("ASSIGNMENTS_LOOKUP", "key:user_id");
        check("ASSIGNMENTS_LOOKUP", "index:");
        check("ASSIGNMENT_FIELDS", "id,variant");
        check("ASSIGNMENT_FIELDS", "id,variant,a b");
        check("EXPERIMENT_KEY", "");
    }
}
