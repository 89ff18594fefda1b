//! The environment, read once and checked: an error names the variable, its value and what is
//! allowed. Which variables there are is for each function's settings to say.

use std::{collections::BTreeSet, ops::RangeInclusive, str::FromStr};

use tracing::Level;

use crate::telemetry::{LogFormat, LogSettings};

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

/// What is set, sorted. A name that is not Unicode is none of ours.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
#[must_use]
pub fn environment_names() -> BTreeSet<String> {
    let names = std::env::vars_os().map(|(name, _)| name.into_string());
    names.filter_map(Result::ok).collect()
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

/// The function's own name, the one dimension of its metrics; without one, the program's.
pub fn read_function_name(lookup: impl Fn(&str) -> Option<String>, program: &str) -> String {
    lookup("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| program.to_owned())
}

/// Reads a function's variables, wherever they come from.
pub struct Reader<L> {
    lookup: L,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    pub fn new(lookup: L) -> Self {
        Self { lookup }
    }

    /// A value of this type; its own error says what is allowed.
    pub fn parse<T>(&self, name: &'static str) -> Result<Option<T>, SettingsError>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let parse = |value: &str| value.parse().map_err(|error: T::Err| error.to_string());
        self.read(name, parse)
    }

    /// A value that must be there.
    pub fn require<T>(&self, name: &'static str, allowed: &str) -> Result<T, SettingsError>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let missing = || SettingsError::Missing {
            name,
            allowed: allowed.to_owned(),
        };
        self.parse(name)?.ok_or_else(missing)
    }

    /// What one of these words stands for.
    pub fn choose<T: Copy, const N: usize>(
        &self,
        name: &'static str,
        default: T,
        choices: [(&str, T); N],
    ) -> Result<T, SettingsError> {
        let choose = |value: &str| {
            let choice = choices.iter().find(|(word, _)| *word == value);
            choice.map(|(_, choice)| *choice).ok_or_else(|| {
                let words = choices.map(|(word, _)| format!("`{word}`"));
                words.join(" or ")
            })
        };
        Ok(self.read(name, choose)?.unwrap_or(default))
    }

    /// A number in this range.
    pub fn number<T>(
        &self,
        name: &'static str,
        allowed: RangeInclusive<T>,
        default: T,
    ) -> Result<T, SettingsError>
    where
        T: FromStr + PartialOrd + ToString,
    {
        let number = |value: &str| {
            let number = value.parse().ok().filter(|number| allowed.contains(number));
            number.ok_or_else(|| {
                let [min, max] = [allowed.start(), allowed.end()].map(ToString::to_string);
                format!("a whole number from {min} to {max}")
            })
        };
        Ok(self.read(name, number)?.unwrap_or(default))
    }

    /// What `read` makes of the value, if there is one; what it refuses it says what is allowed for.
    fn read<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(value) = (self.lookup)(name) else {
            return Ok(None);
        };
        match read(&value) {
            Ok(read) => Ok(Some(read)),
            Err(allowed) => Err(SettingsError::Wrong {
                name,
                value,
                allowed,
            }),
        }
    }
}

/// What a DynamoDB table may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName(pub String);

impl TableName {
    pub const ALLOWED: &str = "a table's name: 3 to 255 of A-Z a-z 0-9 _ - .";
}

impl FromStr for TableName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if (3..=255).contains(&text.len()) && text.bytes().all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Self::ALLOWED)
        }
    }
}

/// What an S3 bucket may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketName(pub String);

impl BucketName {
    pub const ALLOWED: &str = "a bucket's name: 3 to 63 of a-z 0-9 - .";
}

impl FromStr for BucketName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if (3..=63).contains(&text.len()) && text.bytes().all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Self::ALLOWED)
        }
    }
}

/// What objects' keys may begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(pub String);

impl KeyPrefix {
    pub const ALLOWED: &str =
        "the beginning of keys, such as dead-letters/: at most 512 bytes, no control characters";
}

impl FromStr for KeyPrefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() <= 512 && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Self::ALLOWED)
        }
    }
}

/// Where an SQS queue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl(pub String);

impl FromStr for QueueUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("https://") || text.starts_with("http://") {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "a queue's URL, such as https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters",
            )
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Variables as a table has them.
    pub(crate) fn lookup<'v>(values: &'v [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'v {
        move |name| {
            values
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn the_environment_is_that_of_the_process() {
        let folder = environment("CARGO_MANIFEST_DIR");
        assert_eq!(folder.as_deref(), Some(env!("CARGO_MANIFEST_DIR")));
        assert_eq!(environment("NOBODY_SETS_THIS"), None);
    }

    #[test]
    fn a_word_is_one_of_those_allowed() {
        let choose = |values: &[(&str, &str)]| {
            let choices = [("sketch", 1), ("exact", 2), ("off", 3)];
            Reader::new(lookup(values)).choose("USERS", 1, choices)
        };
        assert_eq!(choose(&[]), Ok(1));
        assert_eq!(choose(&[("USERS", "off")]), Ok(3));
        let error = choose(&[("USERS", "none")]).unwrap_err().to_string();
        let expected = r#"USERS is "none"; it must be `sketch` or `exact` or `off`"#;
        assert_eq!(error, expected);
    }

    #[test]
    fn a_table_has_a_name_that_dynamodb_takes() {
        for name in ["", "ab", "a\"b", "a b c", &"a".repeat(256)] {
            assert_eq!(name.parse::<TableName>(), Err(TableName::ALLOWED), "{name}");
        }
        let name = TableName("event-cache_1.x".to_owned());
        assert_eq!("event-cache_1.x".parse(), Ok(name));
    }

    #[test]
    fn metrics_are_told_apart_by_the_functions_name() {
        let name = read_function_name(
            lookup(&[("AWS_LAMBDA_FUNCTION_NAME", "dev-events")]),
            "event-log",
        );
        assert_eq!(name, "dev-events");
        assert_eq!(read_function_name(|_| None, "event-log"), "event-log");
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
