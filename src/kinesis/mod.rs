//! What Lambda's mapping sends from a Kinesis stream and wants back, as bytes: for every function
//! that stands on one. What becomes of a record is the functions' to say.

pub mod aggregate;
pub mod answer;
pub mod contents;
pub mod dead_letter;
pub mod depot;
pub mod envelope;
mod sequence;

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

pub use sequence::{SEQUENCE_BYTES, Sequence};

use crate::instant::Instant;

/// A shard, by its number: `shardId-000000000006` is 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u64);

const SHARD_ID: &str = "shardId-";

impl ShardId {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix(SHARD_ID)?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| number.parse().ok()).flatten().map(Self)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SHARD_ID}{:012}", self.0)
    }
}

/// Names one event of a stream for good: its record, and its place in it where that is an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    pub shard: ShardId,
    pub sequence: Sequence,
    pub sub: Option<usize>,
}

impl RecordId {
    /// `sequence[.sub]`, without its shard.
    #[must_use]
    pub fn place(&self) -> Place {
        Place(self.sequence, self.sub)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.shard, self.place())
    }
}

/// Which event of its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(Sequence, Option<usize>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        self.1.map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// When a stream took a record in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival(pub Instant);

impl Arrival {
    /// Since the epoch.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        self.0.milliseconds()
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`; finer digits are cut.
impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.calendar().datetime();
        let (to_milliseconds, _) = text.split_at("YYYY-MM-DDTHH:MM:SS.mmm".len());
        write!(
            f,
            "{}Z",
            str::from_utf8(to_milliseconds).unwrap_or_default()
        )
    }
}

/// Tells streams apart in few letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u16);

impl Tag {
    /// Of the stream's ARN.
    #[must_use]
    pub fn of(stream: &str) -> Self {
        Self((xxh3_64(stream.as_bytes()) >> 48) as u16)
    }
}

impl Tag {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = u16::from_str_radix(text, 16).ok().map(Self);
        number.filter(|tag| tag.to_string() == text)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_its_number() {
        #[track_caller]
        fn check(text: &str, expected: Option<u64>) {
            assert_eq!(ShardId::parse(text), expected.map(ShardId), "{text}");
        }
        check("shardId-000000000006", Some(6));
        check("shardId-0", Some(0));
        check("shardId-18446744073709551615", Some(u64::MAX));
        for none in [
            "",
            "6",
            "shardId-",
            "shardId-+6",
            "shardId--6",
            "shardId-6a",
            "shardid-6",
            "shardId-../6",
            "shardId-18446744073709551616",
        ] {
            check(none, None);
        }
        assert_eq!(ShardId(6).to_string(), "shardId-000000000006");
        assert_eq!(
            ShardId(u64::MAX).to_string(),
            "shardId-18446744073709551615"
        );
    }

    #[test]
    fn an_event_is_named_by_shard_sequence_and_place() {
        let mut id = RecordId {
            shard: ShardId(6),
            sequence: Sequence::parse("4959").expect("a sequence number"),
            sub: None,
        };
        assert_eq!(id.to_string(), "shardId-000000000006:4959");
        id.sub = Some(0);
        assert_eq!(id.to_string(), "shardId-000000000006:4959.0");
    }

    #[test]
    fn an_arrival_is_written_to_the_millisecond_from_its_decimal_text() {
        #[track_caller]
        fn check(number: &str, expected: &str) {
            let arrival = Arrival(Instant::from_number(number).expect("a time"));
            assert_eq!(arrival.to_string(), expected, "{number}");
        }
        check("1545084650.987", "2018-12-17T22:10:50.987Z");
        check("1545084650.9", "2018-12-17T22:10:50.900Z");
        check("1545084650", "2018-12-17T22:10:50.000Z");
        check("1545084650.0", "2018-12-17T22:10:50.000Z");
        check("1.545084650987E9", "2018-12-17T22:10:50.987Z");
        // As floating point it is 0.0009999… above the second.
        check("1545084650.001", "2018-12-17T22:10:50.001Z");
        check("1545084650.9999", "2018-12-17T22:10:50.999Z");
        check("1545084650987", "2018-12-17T22:10:50.987Z");
        check("0", "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_tag_is_the_beginning_of_the_hash() {
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/events";
        let hash = format!("{:016x}", xxh3_64(arn.as_bytes()));
        assert_eq!(Tag::of(arn).to_string(), hash[..4]);
        assert_eq!(Tag::of("").to_string(), "2d06");
        assert_eq!(Tag(7).to_string(), "0007");
        assert_eq!(Tag::parse("0007"), Some(Tag(7)));
        for text in ["7", "+007", "2D06", "12345", ""] {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }
}
