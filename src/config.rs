//! The environment, read once and checked: an error names the variable, its value and what is
//! allowed.

use std::str::FromStr;

use tracing::Level;

use crate::{
    firehose::budget::RESPONSE_BYTES_MAX,
    transform::{Identity, Rules},
};

const SECONDS_PER_HOUR: u64 = 3600;
const TTL_HOURS_MAX: u64 = 8760;

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

/// How the function writes its log.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Settings {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Reader { lookup };
        Ok(Self {
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
        })
    }
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

impl LogSettings {
    /// Lambda sets these itself: what it does not say is JSON from `INFO` on.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let format = match lookup("AWS_LAMBDA_LOG_FORMAT") {
            Some(format) if format.eq_ignore_ascii_case("text") => LogFormat::Text,
            _ => LogFormat::Json,
        };
        let level = match lookup("AWS_LAMBDA_LOG_LEVEL") {
            Some(level) if level.eq_ignore_ascii_case("fatal") => None,
            Some(level) => Some(level.parse().unwrap_or(Level::INFO)),
            None => Some(Level::INFO),
        };
        Self { format, level }
    }
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
