//! How items are named: what stands in a key from an event never forges another's.

use std::fmt::Write;

use super::{
    table::Key,
    window::{Span, Window},
};
use crate::kinesis::{ShardId, Tag};

const COUNTER: &str = "event_type#";
const SKETCH: &str = "users#";
const MARKER: &str = "user#";
const SLOT: &str = "#slot#";

/// What events are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    pub experiment: String,
    pub variant: String,
    pub event_type: String,
    pub window: Window,
}

impl Subject {
    fn partition(&self) -> String {
        let mut out = String::from("exp_");
        push_encoded(&mut out, &self.experiment);
        out.push_str("#variant#");
        push_encoded(&mut out, &self.variant);
        let span = self.window.span().as_str();
        let _ = write!(out, "#{span}#{}", self.window);
        out
    }

    fn key(&self, kind: &str, slot: u64) -> Key {
        let mut sort = kind.to_owned();
        push_encoded(&mut sort, &self.event_type);
        if slot > 0 {
            let _ = write!(sort, "{SLOT}{slot}");
        }
        Key {
            partition: self.partition(),
            sort,
        }
    }

    #[must_use]
    pub fn counter(&self, slot: u64) -> Key {
        self.key(COUNTER, slot)
    }

    #[must_use]
    pub fn sketch(&self, slot: u64) -> Key {
        self.key(SKETCH, slot)
    }

    /// Of one user.
    #[must_use]
    pub fn marker(&self, user: u64) -> Key {
        let mut key = self.key(MARKER, 0);
        let _ = write!(key.sort, "#{user:016x}");
        key
    }
}

/// What an item among counters is, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Counter(Subject),
    Sketch(Subject),
    /// Of a user with this hash.
    Marker(Subject, u64),
}

impl Named {
    #[must_use]
    pub fn subject(&self) -> &Subject {
        match self {
            Self::Counter(subject) | Self::Sketch(subject) | Self::Marker(subject, _) => subject,
        }
    }

    /// None for any other item, such as a ledger.
    #[must_use]
    pub fn read(key: &Key) -> Option<Self> {
        let [experiment, "variant", variant, span, window] = split(&key.partition)? else {
            return None;
        };
        let window: Window = window.parse().ok()?;
        if window.span().as_str() != span {
            return None;
        }
        let subject = |event_type: &str| {
            Some(Subject {
                experiment: decode(experiment.strip_prefix("exp_")?)?,
                variant: decode(variant)?,
                event_type: decode(event_type)?,
                window,
            })
        };
        let parts: Vec<_> = key.sort.split('#').collect();
        match *parts {
            ["event_type", event_type] | ["event_type", event_type, "slot", _] => {
                subject(event_type).map(Self::Counter)
            }
            ["users", event_type] | ["users", event_type, "slot", _] => {
                subject(event_type).map(Self::Sketch)
            }
            ["user", event_type, hash] => {
                let hash = u64::from_str_radix(hash, 16).ok()?;
                subject(event_type).map(|subject| Self::Marker(subject, hash))
            }
            _ => None,
        }
    }
}

fn split<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('#').collect::<Vec<_>>().try_into().ok()
}

/// `%`, `#` and control characters are percent-encoded: nothing else could be taken for a part of a
/// key, or not be seen.
fn push_encoded(out: &mut String, text: &str) {
    for character in text.chars() {
        if matches!(character, '%' | '#') || character.is_ascii_control() {
            let _ = write!(out, "%{:02X}", u32::from(character));
        } else {
            out.push(character);
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut out = pieces.next()?.to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        out.push(char::from(u8::from_str_radix(digits, 16).ok()?));
        out.push_str(rest);
    }
    Some(out)
}

/// The shard's ledger.
#[must_use]
pub fn ledger(tag: Tag, shard: ShardId) -> Key {
    Key {
        partition: format!("ledger#{tag}#{}", shard.0),
        sort: "ledger".to_owned(),
    }
}

/// The attribute in which a counter has how far it has counted a shard.
#[must_use]
pub fn mark(tag: Tag, shard: ShardId) -> String {
    format!("h{tag}{}", shard.0)
}

/// Which of so many items of one counter is a shard's.
#[must_use]
pub fn slot(shard: ShardId, slots: u64) -> u64 {
    shard.0.checked_rem(slots).unwrap_or_default()
}

/// The windows' names, separated by commas, each at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans(pub Vec<Span>);

impl Default for Spans {
    fn default() -> Self {
        Self(vec![Span::Hour, Span::Day])
    }
}

impl std::str::FromStr for Spans {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hour" => Ok(Self(vec![Span::Hour])),
            "day" => Ok(Self(vec![Span::Day])),
            "hour,day" | "day,hour" => Ok(Self::default()),
            _ => Err("`hour`, `day` or `hour,day`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn subject(experiment: &str, variant: &str, event_type: &str) -> Subject {
        Subject {
            experiment: experiment.to_owned(),
            variant: variant.to_owned(),
            event_type: event_type.to_owned(),
            window: "2024-12-19-23".parse().unwrap(),
        }
    }

    #[test]
    fn items_are_named_as_they_are_read() {
        let subject = subject("checkout", "B", "purchase");
        let key = subject.counter(0);
        assert_eq!(key.partition, "exp_checkout#variant#B#hour#2024-12-19-23");
        assert_eq!(key.sort, "event_type#purchase");
        assert_eq!(subject.counter(3).sort, "event_type#purchase#slot#3");
        assert_eq!(subject.sketch(0).sort, "users#purchase");
        assert_eq!(subject.marker(255).sort, "user#purchase#00000000000000ff");
        let day = Subject {
            window: "2024-12-19".parse().unwrap(),
            ..subject
        };
        assert_eq!(
            day.counter(0).partition,
            "exp_checkout#variant#B#day#2024-12-19"
        );
    }

    #[test]
    fn no_text_forges_anothers_key_and_each_is_read_back() {
        let texts = [
            "a",
            "A",
            "a#",
            "a#variant#b",
            "a%23variant%23b",
            "%",
            "%25",
            "a\0b",
            "\u{7f}",
            "é",
            "slot#1",
            "a#slot#1",
            "#hour#2024-12-19-23",
            "\u{85}",
            "",
            "中文",
        ];
        let mut keys = BTreeSet::new();
        for experiment in texts {
            for variant in texts {
                for event_type in texts {
                    let subject = subject(experiment, variant, event_type);
                    for key in [subject.counter(0), subject.counter(1), subject.sketch(0)] {
                        let named = Named::read(&key).unwrap();
                        let (Named::Counter(read) | Named::Sketch(read)) = named else {
                            panic!("{named:?}");
                        };
                        assert_eq!(read, subject);
                        assert!(keys.insert((key.partition, key.sort)));
                    }
                    let marker = subject.marker(7);
                    assert_eq!(Named::read(&marker), Some(Named::Marker(subject, 7)));
                }
            }
        }
    }

    #[test]
    fn control_characters_are_written_in_upper_case() {
        let mut out = String::new();
        push_encoded(&mut out, "a\u{1f}\u{7f}\0%#é\u{80}");
        assert_eq!(out, "a%1F%7F%00%25%23é\u{80}");
    }

    #[test]
    fn the_longest_texts_fit_into_a_key() {
        let most = "%".repeat(256);
        let key = subject(&most, &most, &"#".repeat(100)).counter(u64::MAX);
        assert!(key.partition.len() <= 2048 && key.sort.len() <= 1024);
    }

    #[test]
    fn a_shard_has_a_mark_a_ledger_and_a_slot() {
        let tag = Tag::of("");
        assert_eq!(mark(tag, ShardId(6)), "h2d066");
        assert_eq!(ledger(tag, ShardId(12)).partition, "ledger#2d06#12");
        assert_eq!(Named::read(&ledger(tag, ShardId(12))), None);
        let slots: Vec<_> = (0..5).map(|shard| slot(ShardId(shard), 3)).collect();
        assert_eq!(slots, [0, 1, 2, 0, 1]);
        assert_eq!(slot(ShardId(9), 1), 0);
    }
}
