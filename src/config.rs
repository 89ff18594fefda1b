//! The environment, read once and checked: an error names the variable, its value and what is
//! allowed.

use std::str::FromStr;

use tracing::Level;

use crate::{
    firehose::{OnClaimFailure, OnDifferingDuplicate, Settings, budget::RESPONSE_BYTES_MAX},
    telemetry::{LogFormat, LogSettings},
    transform::{Identity, Rules},
};

const SECONDS_PER_HOUR: u64 = 3600;
const TTL_HOURS_MAX: u64 = 8760;
/// What a delivery stream may have active at once, unless AWS raised it.
const BATCH_PARTITIONS_DEFAULT: usize = 500;
/// More than a batch has records.
const BATCH_PARTITIONS_LIMIT: usize = 100_000;

/// A setting's value is not allowed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("{name} is not set; it must be {allowed}")]
    Missing { name: &'static str, allowed: String },
    #[error("{name} is {value:?}; it must be {allowed}")]
    Wrong {
        name: &'static str,
        value: String,
        allowed: String,
    },
}

/// The process's environment. A value that is not Unicode is as wrong as any other.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The function's settings.
pub fn read_settings(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
    let settings = Reader { lookup };
    Ok(Settings {
        rules: Rules {
            partition_keys: settings.parse("PARTITION_KEYS")?.unwrap_or_default(),
            event_years: settings.parse("EVENT_YEARS")?.unwrap_or_default(),
            event_types: settings.parse("EVENT_TYPES")?.unwrap_or_default(),
        },
        identity: settings.choose(
            "EVENT_IDENTITY",
            [("event", Identity::Event), ("uuid", Identity::Uuid)],
        )?,
        claim_lifetime_seconds: Some(
            settings.number("EVENT_CACHE_TTL_HOURS", 1, TTL_HOURS_MAX, 24)? * SECONDS_PER_HOUR,
        ),
        on_claim_failure: settings.choose(
            "ON_CLAIM_FAILURE",
            [
                ("retry", OnClaimFailure::Retry),
                ("deliver", OnClaimFailure::Deliver),
            ],
        )?,
        on_differing_duplicate: settings.choose(
            "ON_DIFFERING_DUPLICATE",
            [
                ("drop", OnDifferingDuplicate::Drop),
                ("fail", OnDifferingDuplicate::Fail),
            ],
        )?,
        response_bytes_max: settings.number(
            "RESPONSE_BYTES_MAX",
            1,
            RESPONSE_BYTES_MAX,
            RESPONSE_BYTES_MAX,
        )?,
        batch_partitions_max: settings.number(
            "BATCH_PARTITIONS_MAX",
            1,
            BATCH_PARTITIONS_LIMIT,
            BATCH_PARTITIONS_DEFAULT,
        )?,
    })
}

/// The claim table's name.
pub fn read_table_name(lookup: impl Fn(&str) -> Option<String>) -> Result<String, SettingsError> {
    const NAME: &str = "EVENT_CACHE_TABLE_NAME";
    const ALLOWED: &str = "the claim table's name: 3 to 255 of A-Z a-z 0-9 _ - .";
    let allowed = || ALLOWED.to_owned();
    let value = lookup(NAME).ok_or_else(|| SettingsError::Missing {
        name: NAME,
        allowed: allowed(),
    })?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if (3..=255).contains(&value.len()) && value.bytes().all(is_name) {
        Ok(value)
    } else {
        Err(SettingsError::Wrong {
            name: NAME,
            value,
            allowed: allowed(),
        })
    }
}

/// How to write the log. Lambda sets these itself: what it does not say is JSON from `INFO` on.
pub fn read_log_settings(lookup: impl Fn(&str) -> Option<String>) -> LogSettings {
    let format = match lookup("AWS_LAMBDA_LOG_FORMAT") {
        Some(format) if format.eq_ignore_ascii_case("text") => LogFormat::Text,
        _ => LogFormat::Json,
    };
    let level = match lookup("AWS_LAMBDA_LOG_LEVEL") {
        Some(level) if level.eq_ignore_ascii_case("fatal") => None,
        Some(level) => Some(level.parse().unwrap_or(Level::INFO)),
        None => Some(Level::INFO),
    };
    LogSettings { format, level }
}

/// The function's own name, the one dimension of its metrics.
pub fn read_function_name(lookup: impl Fn(&str) -> Option<String>) -> String {
    lookup("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "firehose-transform".to_owned())
}

struct Reader<L> {
    lookup: L,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    fn parse<T>(&self, name: &'static str) -> Result<Option<T>, SettingsError>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let Some(value) = (self.lookup)(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(error) => Err(SettingsError::Wrong {
                name,
                value,
                allowed: error.to_string(),
            }),
        }
    }

    /// One of these words; without a value, the first.
    fn choose<T: Copy>(
        &self,
        name: &'static str,
        choices: [(&str, T); 2],
    ) -> Result<T, SettingsError> {
        let [default, other] = choices;
        let Some(value) = (self.lookup)(name) else {
            return Ok(default.1);
        };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(*choice),
            None => Err(SettingsError::Wrong {
                name,
                value,
                allowed: format!("`{}` or `{}`", default.0, other.0),
            }),
        }
    }

    fn number<T>(&self, name: &'static str, min: T, max: T, default: T) -> Result<T, SettingsError>
    where
        T: FromStr + PartialOrd + ToString + Copy,
    {
        let Some(value) = (self.lookup)(name) else {
            return Ok(default);
        };
        match value.parse() {
            Ok(number) if number >= min && number <= max => Ok(number),
            _ => {
                let allowed = format!(
                    "a whole number from {} to {}",
                    min.to_string(),
                    max.to_string()
                );
                Err(SettingsError::Wrong {
                    name,
                    value,
                    allowed,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup<'v>(values: &'v [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'v {
        move |name| {
            values
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[track_caller]
    fn check_wrong(name: &str, value: &str, allowed: &str) {
        let error = read_settings(lookup(&[(name, value)]))
            .expect_err(value)
            .to_string();
        assert_eq!(error, format!("{name} is {value:?}; it must be {allowed}"));
    }

    #[test]
    fn the_environment_is_that_of_the_process() {
        let folder = environment("CARGO_MANIFEST_DIR");
        assert_eq!(folder.as_deref(), Some(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(environment("NOBODY_SETS_THIS"), None);
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = read_settings(|_| None).unwrap();
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
        let settings = read_settings(lookup(&[
            ("EVENT_CACHE_TTL_HOURS", "8760"),
            ("EVENT_IDENTITY", "uuid"),
            ("PARTITION_KEYS", "event_type,hour"),
            ("EVENT_YEARS", "2020-2030"),
            ("EVENT_TYPES", "a:b,c"),
            ("ON_CLAIM_FAILURE", "deliver"),
            ("ON_DIFFERING_DUPLICATE", "fail"),
            ("RESPONSE_BYTES_MAX", "1"),
            ("BATCH_PARTITIONS_MAX", "100000"),
        ]))
        .unwrap();
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
            "EVENT_CACHE_TABLE_NAME is not set; it must be the claim table's name: 3 to 255 of A-Z a-z 0-9 _ - ."
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

    #[test]
    fn metrics_are_told_apart_by_the_functions_name() {
        let name = read_function_name(lookup(&[("AWS_LAMBDA_FUNCTION_NAME", "dev-events")]));
        assert_eq!(name, "dev-events");
        assert_eq!(read_function_name(|_| None), "firehose-transform");
    }

    #[test]
    fn the_log_is_json_from_info_on_unless_lambda_says_otherwise() {
        #[track_caller]
        fn check(format: &str, level: &str, expected: LogSettings) {
            let values = [
                ("AWS_LAMBDA_LOG_FORMAT", format),
                ("AWS_LAMBDA_LOG_LEVEL", level),
            ];
            assert_eq!(read_log_settings(lookup(&values)), expected);
        }
        let info = LogSettings {
            format: LogFormat::Json,
            level: Some(Level::INFO),
        };
        assert_eq!(read_log_settings(|_| None), info);
        check("JSON", "info", info);
        check(
            "Text",
            "DEBUG",
            LogSettings {
                format: LogFormat::Text,
                level: Some(Level::DEBUG),
            },
        );
        check(
            "JSON",
            "FATAL",
            LogSettings {
                format: LogFormat::Json,
                level: None,
            },
        );
    }
}
