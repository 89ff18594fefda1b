//! Where error objects come from and where their records go, as a person writes it.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where error objects lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tool) enum ErrorSource {
    /// A folder, or one file.
    Folder(PathBuf),
    Bucket {
        bucket: String,
        prefix: String,
    },
    /// In SQS, by its URL.
    Queue(String),
}

/// Where records are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// A delivery stream that takes direct puts.
    Stream(String),
    /// A Kinesis stream that a delivery stream or a function reads from.
    Kinesis(String),
    /// A lake on this machine.
    Lake(PathBuf),
}

impl FromStr for ErrorSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(url) = text.strip_prefix("sqs:") {
            return if url.starts_with("https://") || url.starts_with("http://") {
                Ok(Self::Queue(url.to_owned()))
            } else {
                Err("a queue is named by its URL: sqs:https://…".to_owned())
            };
        }
        let Some(address) = text.strip_prefix("s3://") else {
            return if text.is_empty() {
                Err("it is a folder, a file, s3://BUCKET/PREFIX or sqs:URL".to_owned())
            } else {
                Ok(Self::Folder(text.into()))
            };
        };
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        if bucket.is_empty() {
            return Err("it names no bucket; write s3://BUCKET/PREFIX".to_owned());
        }
        Ok(Self::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl FromStr for Destination {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((_, "")) => Err("it lacks a name behind the colon"),
            Some(("stream", name)) => Ok(Self::Stream(name.to_owned())),
            Some(("kinesis", name)) => Ok(Self::Kinesis(name.to_owned())),
            Some(("lake", folder)) => Ok(Self::Lake(folder.into())),
            _ => Err("it must be stream:NAME, kinesis:NAME or lake:DIR"),
        }
    }
}

impl fmt::Display for ErrorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Queue(url) => write!(f, "sqs:{url}"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name) => write!(f, "stream:{name}"),
            Self::Kinesis(name) => write!(f, "kinesis:{name}"),
            Self::Lake(folder) => write!(f, "lake:{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_folder_or_a_bucket() {
        let bucket = |bucket: &str, prefix: &str| ErrorSource::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, expected) in [
            ("errors", ErrorSource::Folder("errors".into())),
            ("s3:/x", ErrorSource::Folder("s3:/x".into())),
            ("s3://lake", bucket("lake", "")),
            ("s3://lake/", bucket("lake", "")),
            ("s3://lake/errors/a", bucket("lake", "errors/a")),
            ("sqs:https://q", ErrorSource::Queue("https://q".into())),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert!("".parse::<ErrorSource>().is_err());
        assert!("s3:///errors".parse::<ErrorSource>().is_err());
        assert!("sqs:queue".parse::<ErrorSource>().is_err());
    }

    #[test]
    fn a_target_names_its_kind() {
        for (text, expected) in [
            ("stream:events", Destination::Stream("events".into())),
            ("kinesis:in", Destination::Kinesis("in".into())),
            ("lake:/data/lake", Destination::Lake("/data/lake".into())),
        ] {
            let target = text.parse::<Destination>();
            assert_eq!(target.as_ref(), Ok(&expected), "{text}");
            assert_eq!(expected.to_string(), text);
        }
        for text in ["", "events", "lake:", "stream:", "s3://x/y", "Lake:x"] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
