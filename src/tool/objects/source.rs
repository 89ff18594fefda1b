//! Where objects come from, as a person writes it.

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

impl fmt::Display for ErrorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Queue(url) => write!(f, "sqs:{url}"),
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
}
