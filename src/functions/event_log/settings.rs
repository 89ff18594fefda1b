//! How events are kept, and the variables that say so.

use std::str::FromStr;

use crate::{
    config::{BucketName, KeyPrefix, QueueUrl, Reader, SettingsError, TableName},
    json::pointer::Pointer,
};

const SECONDS_PER_HOUR: u64 = 3600;
/// A hundred years.
const TTL_HOURS_MAX: u64 = 876_000;
/// No more than one key's load can use.
const SEARCH_BUCKETS_MAX: u64 = 1000;

/// How an event becomes an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub event_id: EventId,
    pub on_conflict: OnConflict,
    pub search: Option<Search>,
    pub data: DataAs,
    pub on_unreadable: OnUnreadable,
    /// How long an item is kept; none is for ever.
    pub ttl_seconds: Option<u64>,
    /// Where what is too large for an item goes.
    pub bucket: Option<String>,
    pub dead_letter_prefix: String,
}

/// What is an event's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventId {
    /// The name of its record.
    Record,
    /// What its data has there.
    At(Pointer),
}

impl FromStr for EventId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "record" => Ok(Self::Record),
            pointer => match pointer.parse() {
                Ok(pointer) => Ok(Self::At(pointer)),
                Err(error) => Err(format!("`record` or {error}")),
            },
        }
    }
}

/// What to do with an event whose id has other data already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The first copy stays, the other is a dead letter.
    KeepFirst,
    /// The other is kept under an id of its own.
    KeepBoth,
}

/// The key of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub pointer: Pointer,
    /// Over how many keys one is spread.
    pub buckets: u64,
}

/// What an event's JSON is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataAs {
    Map,
    Text,
}

/// What to do with bytes that are not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnreadable {
    Store,
    DeadLetter,
}

impl Settings {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Reader::new(lookup);
        let buckets = settings.number("SEARCH_BUCKETS", 1..=SEARCH_BUCKETS_MAX, 1)?;
        let pointer = settings.parse("SEARCH_KEY")?;
        let hours = settings.number("LOG_TTL_HOURS", 1..=TTL_HOURS_MAX, 0)?;
        Ok(Self {
            event_id: settings.parse("EVENT_ID")?.unwrap_or(EventId::Record),
            on_conflict: settings.choose(
                "ON_CONFLICT",
                OnConflict::KeepFirst,
                [
                    ("keep-first", OnConflict::KeepFirst),
                    ("keep-both", OnConflict::KeepBoth),
                ],
            )?,
            search: pointer.map(|pointer| Search { pointer, buckets }),
            data: settings.choose(
                "DATA",
                DataAs::Map,
                [("map", DataAs::Map), ("text", DataAs::Text)],
            )?,
            on_unreadable: settings.choose(
                "ON_UNREADABLE",
                OnUnreadable::Store,
                [
                    ("store", OnUnreadable::Store),
                    ("dead-letter", OnUnreadable::DeadLetter),
                ],
            )?,
            ttl_seconds: (hours > 0).then_some(hours * SECONDS_PER_HOUR),
            bucket: settings.parse("S3_BUCKET")?.map(|BucketName(name)| name),
            dead_letter_prefix: settings
                .parse("DEAD_LETTER_PREFIX")?
                .map_or_else(|| "dead-letters/".to_owned(), |KeyPrefix(prefix)| prefix),
        })
    }
}

/// The log's table.
pub fn read_table_name(lookup: impl Fn(&str) -> Option<String>) -> Result<String, SettingsError> {
    let name = Reader::new(lookup).parse("TABLE_NAME")?;
    Ok(name.map_or_else(|| "EventLogs".to_owned(), |TableName(name)| name))
}

/// The queue that is told of dead letters.
pub fn read_queue_url(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, SettingsError> {
    let url = Reader::new(lookup).parse("DLQ_URL")?;
    Ok(url.map(|QueueUrl(url)| url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::lookup;

    fn read(values: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(lookup(values)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let expected = Settings {
            event_id: EventId::Record,
            on_conflict: OnConflict::KeepFirst,
            search: None,
            data: DataAs::Map,
            on_unreadable: OnUnreadable::Store,
            ttl_seconds: None,
            bucket: None,
            dead_letter_prefix: "dead-letters/".to_owned(),
        };
        assert_eq!(read(&[]), Ok(expected));
        assert_eq!(read_table_name(|_| None).unwrap(), "EventLogs");
    }

    #[test]
    fn what_is_set_is_read() {
        let pointer = |text: &str| text.parse::<Pointer>().unwrap();
        let expected = Settings {
            event_id: EventId::At(pointer("/event_uuid")),
            on_conflict: OnConflict::KeepBoth,
            search: Some(Search {
                pointer: pointer("/sensor"),
                buckets: 10,
            }),
            data: DataAs::Text,
            on_unreadable: OnUnreadable::DeadLetter,
            ttl_seconds: Some(7200),
            bucket: Some("my-bucket".to_owned()),
            dead_letter_prefix: String::new(),
        };
        let set = [
            ("EVENT_ID", "/event_uuid"),
            ("ON_CONFLICT", "keep-both"),
            ("SEARCH_KEY", "/sensor"),
            ("SEARCH_BUCKETS", "10"),
            ("DATA", "text"),
            ("ON_UNREADABLE", "dead-letter"),
            ("LOG_TTL_HOURS", "2"),
            ("S3_BUCKET", "my-bucket"),
            ("DEAD_LETTER_PREFIX", ""),
        ];
        assert_eq!(read(&set), Ok(expected));
        let name = read_table_name(|_| Some("event-log".to_owned()));
        assert_eq!(name.unwrap(), "event-log");
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        #[track_caller]
        fn check(name: &str, value: &str, allowed: &str) {
            let expected = format!("{name} is {value:?}; it must be {allowed}");
            assert_eq!(read(&[(name, value)]), Err(expected));
        }
        let pointer = "a JSON pointer, such as /event_uuid or /user/id: each part after a `/`, `~1` for `/` and `~0` for `~` in it";
        check("EVENT_ID", "uuid", &format!("`record` or {pointer}"));
        check("SEARCH_KEY", "sensor", pointer);
        check("SEARCH_BUCKETS", "0", "a whole number from 1 to 1000");
        check("ON_CONFLICT", "keep", "`keep-first` or `keep-both`");
        check("DATA", "json", "`map` or `text`");
        check("ON_UNREADABLE", "", "`store` or `dead-letter`");
        check("LOG_TTL_HOURS", "0", "a whole number from 1 to 876000");
        check("S3_BUCKET", "My", BucketName::ALLOWED);
        check("DEAD_LETTER_PREFIX", "a\u{0}", KeyPrefix::ALLOWED);
        let named = Settings::read(|_| Some("x".to_owned()));
        assert!(named.is_err());
        let name = read_table_name(|_| Some("x".to_owned()));
        assert!(name.is_err());
    }
}
