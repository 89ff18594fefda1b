//! What packets are loaded by, and the variables that say so.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::config::{BucketName, Reader, SettingsError};

/// What packets are loaded by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub refused_rows_max: Share,
}

/// Of a packet's rows, the refused ones beyond which it is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl Share {
    /// No packet is refused.
    pub const ALL: Self = Self(1.0);

    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of rows is no exact matter"
    )]
    pub(super) fn is_exceeded(self, refused: u64, rows: u64) -> bool {
        refused as f64 > self.0 * rows as f64
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let share = text.parse().ok();
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or("a share of rows, from 0.0 to 1.0")
    }
}

impl Settings {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let share = Reader::new(lookup).parse("REFUSED_ROWS_MAX")?;
        Ok(Self {
            refused_rows_max: share.unwrap_or(Share::ALL),
        })
    }
}

/// Where packets lie, where the star is kept, and where its description stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    pub ingestion_bucket: String,
    pub processed_bucket: String,
    pub parameter_prefix: String,
    pub description: DescribedIn,
}

/// Where the star is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DescribedIn {
    /// The one that comes with the function.
    Program,
    /// In the zip, or anywhere.
    File(PathBuf),
    Object {
        bucket: String,
        key: String,
    },
}

impl Whereabouts {
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Reader::new(lookup);
        let bucket = |name| {
            let BucketName(bucket) = settings.require(name, BucketName::ALLOWED)?;
            Ok(bucket)
        };
        let prefix = settings.parse("PARAMETER_PREFIX")?;
        Ok(Self {
            ingestion_bucket: bucket("INGESTION_BUCKET")?,
            processed_bucket: bucket("PROCESSED_BUCKET")?,
            parameter_prefix: prefix.map_or_else(
                || "/nozzle/star/".to_owned(),
                |ParameterPrefix(prefix)| prefix,
            ),
            description: settings.parse("STAR")?.unwrap_or(DescribedIn::Program),
        })
    }
}

/// As it is set.
impl fmt::Display for DescribedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => Ok(()),
            Self::File(path) => path.display().fmt(f),
            Self::Object { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

impl FromStr for DescribedIn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ALLOWED: &str = "where the star is described: s3://bucket/key, or a file";
        let Some(address) = text.strip_prefix("s3://") else {
            let path = (!text.is_empty()).then(|| PathBuf::from(text));
            return path.map(Self::File).ok_or(ALLOWED);
        };
        let (bucket, key) = address.split_once('/').ok_or(ALLOWED)?;
        let BucketName(bucket) = bucket.parse().map_err(|_| ALLOWED)?;
        let key = (!key.is_empty()).then(|| key.to_owned()).ok_or(ALLOWED)?;
        Ok(Self::Object { bucket, key })
    }
}

/// What parameters' names begin with.
struct ParameterPrefix(String);

impl FromStr for ParameterPrefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        let is_path = text.starts_with('/') && text.ends_with('/') && !text.contains("//");
        if is_path && text.len() <= 512 && text.bytes().all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "the beginning of parameters' names, such as /nozzle/star/: A-Z a-z 0-9 _ - . between slashes",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup<'v>(values: &'v [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'v {
        let buckets = [
            ("INGESTION_BUCKET", "packets"),
            ("PROCESSED_BUCKET", "the-star"),
        ];
        move |name| {
            let mut values = values.iter().chain(&buckets);
            let value = values.find(|(other, _)| *other == name);
            value.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn what_is_not_set_has_its_default_and_what_is_set_is_read() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!(settings.refused_rows_max, Share::ALL);
        let expected = Whereabouts {
            ingestion_bucket: "packets".to_owned(),
            processed_bucket: "the-star".to_owned(),
            parameter_prefix: "/nozzle/star/".to_owned(),
            description: DescribedIn::Program,
        };
        assert_eq!(Whereabouts::read(lookup(&[])).unwrap(), expected);
        let values = [
            ("REFUSED_ROWS_MAX", "0.05"),
            ("PARAMETER_PREFIX", "/a/"),
            ("STAR", "s3://our-stars/a/b.toml"),
        ];
        let settings = Settings::read(lookup(&values)).unwrap();
        assert_eq!(settings.refused_rows_max, Share(0.05));
        let whereabouts = Whereabouts::read(lookup(&values)).unwrap();
        assert_eq!(whereabouts.parameter_prefix, "/a/");
        let [bucket, key] = ["our-stars", "a/b.toml"].map(str::to_owned);
        assert_eq!(whereabouts.description, DescribedIn::Object { bucket, key });
        let file = Whereabouts::read(lookup(&[("STAR", "star.toml")])).unwrap();
        assert_eq!(file.description, DescribedIn::File("star.toml".into()));
    }

    #[test]
    fn a_share_is_exceeded_by_one_row_more() {
        for (share, refused, rows, expected) in [
            (1.0, 5, 5, false),
            (0.0, 0, 5, false),
            (0.0, 1, 5, true),
            (0.2, 1, 5, false),
            (0.2, 2, 5, true),
            (0.0, 0, 0, false),
        ] {
            assert_eq!(
                Share(share).is_exceeded(refused, rows),
                expected,
                "{share} {refused}"
            );
        }
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        #[track_caller]
        fn check(name: &str, value: &str) {
            let values = [(name, value)];
            let settings = Settings::read(lookup(&values)).map(drop);
            let error = settings.and_then(|()| Whereabouts::read(lookup(&values)).map(drop));
            let error = error.expect_err(value).to_string();
            let beginning = format!("{name} is {value:?}; it must be ");
            assert!(error.starts_with(&beginning), "{error}");
        }
        for value in ["", "-0.1", "1.1", "nan", "five"] {
            check("REFUSED_ROWS_MAX", value);
        }
        for value in ["", "a/", "/a", "/a b/", "//"] {
            check("PARAMETER_PREFIX", value);
        }
        for value in ["", "s3://", "s3://bucket", "s3://bucket/", "s3://B/k"] {
            check("STAR", value);
        }
        check("INGESTION_BUCKET", "Packets");
        check("PROCESSED_BUCKET", "");
    }
}
