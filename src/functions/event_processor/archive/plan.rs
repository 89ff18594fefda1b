//! Which objects a segment's events become: by hour, in parts of bounded size, under names that the
//! segment's first record decides.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    ops::Range,
    str::FromStr,
};

use flate2::{Compression, GzBuilder, write::GzEncoder};

use super::{super::window::Window, Object};
use crate::kinesis::{SEQUENCE_BYTES, Sequence, ShardId, Tag};

/// How hard gzip tries: 0.6 µs an event of 430 bytes, and 6 % of its room. The level below takes 0.4 µs
/// and 9 %, the usual one 4.7 µs and 5 %.
const LEVEL: u32 = 2;

/// The most of one object.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Before compression.
    pub bytes: usize,
    pub events: usize,
}

/// One object of a segment: as it stands in the ledger, `2024-12-19-23#0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartKey {
    pub hour: Window,
    pub part: usize,
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.hour, self.part)
    }
}

/// The text is no key of an object.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no hour and part like 2024-12-19-23#0")]
pub struct NoPartKey;

impl FromStr for PartKey {
    type Err = NoPartKey;

    fn from_str(text: &str) -> Result<Self, NoPartKey> {
        let (hour, part) = text.split_once('#').ok_or(NoPartKey)?;
        Ok(Self {
            hour: hour.parse().map_err(|_| NoPartKey)?,
            part: part.parse().map_err(|_| NoPartKey)?,
        })
    }
}

/// Whose objects they are, and so where they lie.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    pub prefix: &'a str,
    pub tag: Tag,
    pub shard: ShardId,
    pub first: Sequence,
}

impl Address<'_> {
    #[must_use]
    pub fn key(&self, part: PartKey) -> String {
        let Self {
            prefix,
            tag,
            shard,
            first,
        } = self;
        let first = first.to_string();
        let PartKey { hour, part } = part;
        format!(
            "{prefix}{}{tag}-{}-{first:0>56}-{part}.jsonl.gz",
            hour.path(),
            shard.0
        )
    }
}

/// What an object's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub hour: Window,
    pub tag: Tag,
    pub shard: ShardId,
    /// Of the segment.
    pub first: Sequence,
}

impl Named {
    /// Whatever stands before it; none where it is no object of an archive.
    #[must_use]
    pub fn read(key: &str) -> Option<Self> {
        let mut parts = key.rsplit('/');
        let name = parts.next()?.strip_suffix(".jsonl.gz")?;
        let [hour, day, month, year] = ["hour=", "day=", "month=", "year="]
            .map(|field| parts.next().and_then(|part| part.strip_prefix(field)));
        let hour = format!("{}-{}-{}-{}", year?, month?, day?, hour?);
        let [tag, shard, first, _] = *name.split('-').collect::<Vec<_>>() else {
            return None;
        };
        Some(Self {
            hour: hour.parse().ok()?,
            tag: Tag::parse(tag)?,
            shard: ShardId(shard.parse().ok()?),
            first: Sequence::parse(first)?,
        })
    }
}

/// Lines on their way into objects, in order.
#[derive(Debug)]
pub struct Parts {
    limits: Limits,
    /// Each line with its break, one behind the other.
    lines: Vec<u8>,
    by_key: BTreeMap<PartKey, Part>,
    /// The last part of each hour.
    last: BTreeMap<Window, usize>,
}

#[derive(Debug, Default)]
struct Part {
    events: usize,
    /// Lines that follow one another are in one.
    pieces: Vec<Range<usize>>,
    bytes: usize,
}

impl Part {
    fn push(&mut self, line: Range<usize>) {
        self.events += 1;
        self.bytes += line.len();
        match self.pieces.last_mut() {
            Some(piece) if piece.end == line.start => piece.end = line.end,
            _ => self.pieces.push(line),
        }
    }
}

impl Parts {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            lines: Vec::new(),
            by_key: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    /// Adds the line that is written; a part takes one, however long it is.
    pub fn add(&mut self, hour: Window, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.lines.len();
        write(&mut self.lines);
        let line = start..self.lines.len();
        let number = self.last.entry(hour).or_default();
        let key = |part| PartKey { hour, part };
        let is_full = self.by_key.get(&key(*number)).is_some_and(|part| {
            part.events >= self.limits.events || part.bytes + line.len() > self.limits.bytes
        });
        *number += usize::from(is_full);
        self.by_key.entry(key(*number)).or_default().push(line);
    }

    pub fn keys(&self) -> impl Iterator<Item = PartKey> {
        self.by_key.keys().copied()
    }

    /// The object of this key, empty where there is nothing for it.
    pub fn object(
        &self,
        key: PartKey,
        segment: (Sequence, Sequence),
        plan: u64,
    ) -> io::Result<Object> {
        let part = self.by_key.get(&key);
        let (events, pieces) = part.map_or((0, &[][..]), |part| (part.events, &part.pieces));
        // The header has 32 bits for the version.
        let mtime = u32::try_from(plan).unwrap_or(u32::MAX);
        let header = GzBuilder::new().mtime(mtime);
        let mut gzip: GzEncoder<Vec<u8>> = header.write(Vec::new(), Compression::new(LEVEL));
        for piece in pieces {
            gzip.write_all(self.lines.get(piece.clone()).unwrap_or_default())?;
        }
        let (first, last) = segment;
        Ok(Object {
            gzip: gzip.finish()?,
            events,
            first: first.to_string(),
            last: last.to_string(),
            plan,
        })
    }
}

const _: () = assert!(SEQUENCE_BYTES == 24, "56 digits are as many as it can have");

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn hour(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn parts(limits: Limits, lines: &[(&str, &str)]) -> Parts {
        let mut parts = Parts::new(limits);
        for (hour, line) in lines {
            parts.add(self::hour(hour), |out| out.extend(line.as_bytes()));
        }
        parts
    }

    fn sequence(number: u32) -> Sequence {
        Sequence::parse(&number.to_string()).unwrap()
    }

    fn object(parts: &Parts, key: &str) -> (Object, String) {
        let segment = (sequence(1), sequence(9));
        let object = parts.object(key.parse().unwrap(), segment, 7).unwrap();
        let mut lines = String::new();
        let mut decoder = GzDecoder::new(object.gzip.as_slice());
        decoder.read_to_string(&mut lines).unwrap();
        assert_eq!(decoder.header().unwrap().mtime(), 7);
        (object, lines)
    }

    const LARGE: Limits = Limits {
        bytes: 1000,
        events: 1000,
    };
    const NIGHT: &str = "2024-12-19-23";
    const DAY: &str = "2024-12-20-00";

    #[test]
    fn lines_are_parted_by_hour_in_their_order() {
        let parts = parts(LARGE, &[(NIGHT, "a\n"), (DAY, "b\n"), (NIGHT, "c\n")]);
        let keys: Vec<_> = parts.keys().map(|key| key.to_string()).collect();
        assert_eq!(keys, ["2024-12-19-23#0", "2024-12-20-00#0"]);
        assert_eq!(object(&parts, "2024-12-19-23#0").1, "a\nc\n");
        let (object, lines) = object(&parts, "2024-12-20-00#0");
        assert_eq!(lines, "b\n");
        assert_eq!(
            (object.events, &*object.first, &*object.last),
            (1, "1", "9")
        );
    }

    #[test]
    fn what_was_planned_and_is_not_there_is_empty() {
        let (object, lines) = object(&parts(LARGE, &[]), "2024-12-19-23#3");
        assert_eq!((object.events, object.plan, &*lines), (0, 7, ""));
    }

    #[test]
    fn a_part_has_so_many_events_and_bytes_and_one_line_at_least() {
        #[track_caller]
        fn check(bytes: usize, events: usize, expected: &[&str]) {
            let lines = ["aa\n", "b\n", "cccccc\n", "d\n", "e\n"].map(|line| (NIGHT, line));
            let parts = parts(Limits { bytes, events }, &lines);
            let found: Vec<_> = (0..parts.keys().count())
                .map(|part| object(&parts, &format!("{NIGHT}#{part}")).1)
                .collect();
            assert_eq!(found, expected, "{bytes} bytes, {events} events");
        }
        check(1000, 1000, &["aa\nb\ncccccc\nd\ne\n"]);
        check(1000, 2, &["aa\nb\n", "cccccc\nd\n", "e\n"]);
        check(1000, 1, &["aa\n", "b\n", "cccccc\n", "d\n", "e\n"]);
        check(5, 1000, &["aa\nb\n", "cccccc\n", "d\ne\n"]);
        check(4, 1000, &["aa\n", "b\n", "cccccc\n", "d\ne\n"]);
    }

    #[test]
    fn thousands_of_events_become_files_of_a_thousand() {
        let limits = Limits {
            bytes: 5_242_880,
            events: 1000,
        };
        let parts = parts(limits, &vec![(NIGHT, "{}\n"); 2500]);
        let events = parts
            .keys()
            .map(|key| object(&parts, &key.to_string()).0.events);
        assert_eq!(events.collect::<Vec<_>>(), [1000, 1000, 500]);
    }

    #[test]
    fn a_name_says_hour_stream_shard_and_first_record() {
        let address = Address {
            prefix: "archive/",
            tag: Tag::of(""),
            shard: ShardId(6),
            first: sequence(42),
        };
        let key = address.key("2024-02-09-03#12".parse().unwrap());
        let first = format!("{:0>56}", 42);
        let expected =
            format!("archive/year=2024/month=02/day=09/hour=03/2d06-6-{first}-12.jsonl.gz");
        assert_eq!(key, expected);
        let named = Named {
            hour: hour("2024-02-09-03"),
            tag: address.tag,
            shard: address.shard,
            first: address.first,
        };
        assert_eq!(Named::read(&key), Some(named));
        assert_eq!(Named::read(&key.replace("hour", "h")), None);
        assert_eq!(Named::read(&key.replace(".gz", "")), None);
    }

    #[test]
    fn other_text_is_no_key_of_an_object() {
        for text in [
            "",
            "2024-12-19-23",
            "2024-12-19#x",
            "x#0",
            "2024-12-19-23#-1",
        ] {
            assert_eq!(text.parse::<PartKey>(), Err(NoPartKey), "{text}");
        }
    }
}
