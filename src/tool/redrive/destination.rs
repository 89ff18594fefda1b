//! Where records go, as a person writes it.

use std::{fmt, path::PathBuf, str::FromStr};

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
