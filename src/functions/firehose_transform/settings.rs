//! What a batch is answered by, and the variables that say so.

use super::{
    budget::RESPONSE_BYTES_MAX,
    transform::{Identity, Rules},
};
use crate::config::{Reader, SettingsError, TableName};

const SECONDS_PER_HOUR: u64 = 3600;
const TTL_HOURS_MAX: u64 = 8760;
/// What a delivery stream may have active at once, unless AWS raised it.
const BATCH_PARTITIONS_DEFAULT: usize = 500;
/// More than a batch has records.
const BATCH_PARTITIONS_LIMIT: usize = 100_000;

/// What a batch is answered by.
#[derive(Debug, Clone)]
pub struct Settings {
    pub rules: Rules,
    pub identity: Identity,
    /// How long an event is remembered; none is for ever.
    pub claim_lifetime_seconds: Option<u64>,
    pub on_claim_failure: OnClaimFailure,
    pub on_differing_duplicate: OnDifferingDuplicate,
    pub response_bytes_max: usize,
    /// How many partitions the events of one batch may be of.
    pub batch_partitions_max: usize,
}

/// What to do when the claim store cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClaimFailure {
    /// Fail, so that Firehose sends the batch again and in the end keeps the originals.
    Retry,
    /// Deliver what is not known to be a duplicate.
    Deliver,
}

/// What to do with a record whose event was seen before with other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDifferingDuplicate {
    Drop,
    /// Send it to the error prefix.
    Fail,
}

impl Settings {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Reader::new(lookup);
        Ok(Self {
            rules: Rules {
                event_fields: settings.parse("EVENT_FIELDS")?.unwrap_or_default(),
                partition_keys: settings.parse("PARTITION_KEYS")?.unwrap_or_default(),
                event_years: settings.parse("EVENT_YEARS")?.unwrap_or_default(),
                event_types: settings.parse("EVENT_TYPES")?.unwrap_or_default(),
            },
            identity: settings.choose(
                "EVENT_IDENTITY",
                Identity::Event,
                [("event", Identity::Event), ("uuid", Identity::Uuid)],
            )?,
            claim_lifetime_seconds: Some(
                settings.number("EVENT_CACHE_TTL_HOURS", 1..=TTL_HOURS_MAX, 24)? * SECONDS_PER_HOUR,
            ),
            on_claim_failure: settings.choose(
                "ON_CLAIM_FAILURE",
                OnClaimFailure::Retry,
                [
                    ("retry", OnClaimFailure::Retry),
                    ("deliver", OnClaimFailure::Deliver),
                ],
            )?,
            on_differing_duplicate: settings.choose(
                "ON_DIFFERING_DUPLICATE",
                OnDifferingDuplicate::Drop,
                [
                    ("drop", OnDifferingDuplicate::Drop),
                    ("fail", OnDifferingDuplicate::Fail),
                ],
            )?,
            response_bytes_max: settings.number(
                "RESPONSE_BYTES_MAX",
                1..=RESPONSE_BYTES_MAX,
                RESPONSE_BYTES_MAX,
            )?,
            batch_partitions_max: settings.number(
                "BATCH_PARTITIONS_MAX",
                1..=BATCH_PARTITIONS_LIMIT,
                BATCH_PARTITIONS_DEFAULT,
            )?,
        })
    }
}

/// The claim table's name.
pub fn read_table_name(lookup: impl Fn(&str) -> Option<String>) -> Result<String, SettingsError> {
    let name = Reader::new(lookup).require("EVENT_CACHE_TABLE_NAME", TableName::ALLOWED);
    name.map(|TableName(name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::lookup;

    #[track_caller]
    fn check_wrong(name: &str, value: &str, allowed: &str) {
        let error = Settings::read(lookup(&[(name, value)]))
            .expect_err(value)
            .to_string();
        assert_eq!(error, format!("{name} is {value:?}; it must be {allowed}"));
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!(settings.rules, Rules::default());
        assert_eq!(
            settings.rules.partition_keys.to_string(),
            "event_type,event_subtype,year,month,day"
        );
        assert_eq!(settings.rules.event_years.to_string(), "1970-9999");
        assert_eq!(settings.identity, Identity::Event);
        assert_eq!(settings.claim_lifetime_seconds, Some(86_400));
        assert_eq!(settings.on_claim_failure, OnClaimFailure::Retry);
        assert_eq!(settings.on_differing_duplicate, OnDifferingDuplicate::Drop);
        assert_eq!(settings.response_bytes_max, 6_291_556);
        assert_eq!(settings.batch_partitions_max, 500);
    }

    #[test]
    fn what_is_set_is_read() {
        let settings = Settings::read(lookup(&[
            ("EVENT_CACHE_TTL_HOURS", "8760"),
            ("EVENT_IDENTITY", "uuid"),
            ("EVENT_FIELDS", "id,name,ts"),
            ("PARTITION_KEYS", "event_type,hour"),
            ("EVENT_YEARS", "2020-2030"),
            ("EVENT_TYPES", "a:b,c"),
            ("ON_CLAIM_FAILURE", "deliver"),
            ("ON_DIFFERING_DUPLICATE", "fail"),
            ("RESPONSE_BYTES_MAX", "1"),
            ("BATCH_PARTITIONS_MAX", "100000"),
        ]))
        .unwrap();
        assert_eq!(settings.rules.event_fields.to_string(), "id,name,ts");
        assert_eq!(settings.rules.partition_keys.to_string(), "event_type,hour");
        assert_eq!(settings.rules.event_years.to_string(), "2020-2030");
        assert_eq!(settings.rules.event_types, "a:b,c".parse().unwrap());
        assert_eq!(settings.identity, Identity::Uuid);
        assert_eq!(settings.claim_lifetime_seconds, Some(31_536_000));
        assert_eq!(settings.on_claim_failure, OnClaimFailure::Deliver);
        assert_eq!(settings.on_differing_duplicate, OnDifferingDuplicate::Fail);
        assert_eq!(settings.response_bytes_max, 1);
        assert_eq!(settings.batch_partitions_max, 100_000);
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        for value in ["0", "8761", "-1", "1.5", "", "a day"] {
            check_wrong(
                "EVENT_CACHE_TTL_HOURS",
                value,
                "a whole number from 1 to 8760",
            );
        }
        for value in ["0", "6291557"] {
            check_wrong(
                "RESPONSE_BYTES_MAX",
                value,
                "a whole number from 1 to 6291556",
            );
        }
        for value in ["0", "100001", "many"] {
            check_wrong(
                "BATCH_PARTITIONS_MAX",
                value,
                "a whole number from 1 to 100000",
            );
        }
        check_wrong("EVENT_IDENTITY", "name", "`event` or `uuid`");
        check_wrong("ON_CLAIM_FAILURE", "Retry", "`retry` or `deliver`");
        check_wrong("ON_DIFFERING_DUPLICATE", "", "`drop` or `fail`");
        let keys = "names of event_type, event_subtype, year, month, day, hour, separated by commas, each at most once";
        check_wrong("PARTITION_KEYS", "minute", keys);
        check_wrong(
            "EVENT_YEARS",
            "1969-2000",
            "a first and a last year within 1970-9999, such as 2020-2030",
        );
        let types = "types separated by commas, each alone or with one subtype, such as account:created,account:deleted,login";
        check_wrong("EVENT_TYPES", "a:b:c", types);
    }

    #[test]
    fn the_table_has_to_be_named() {
        let error = read_table_name(|_| None).expect_err("no name").to_string();
        assert_eq!(
            error,
            "EVENT_CACHE_TABLE_NAME is not set; it must be a table's name: 3 to 255 of A-Z a-z 0-9 _ - ."
        );
        for value in ["", "ab", "a\"b", "a b c"] {
            assert!(
                read_table_name(lookup(&[("EVENT_CACHE_TABLE_NAME", value)])).is_err(),
                "{value}"
            );
        }
        assert_eq!(
            read_table_name(lookup(&[("EVENT_CACHE_TABLE_NAME", "event-cache_1.x")])).unwrap(),
            "event-cache_1.x"
        );
    }
}
