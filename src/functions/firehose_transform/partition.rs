//! Partition keys: which folders an event is written to, and values that cannot leave them.

use std::{fmt, str::FromStr};

use super::event::Event;
use crate::instant::push_digits;

/// The most bytes of an encoded value: Firehose's evaluated prefix ends at 512.
pub const VALUE_BYTES_MAX: usize = 192;

/// What the lake can be partitioned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    EventType,
    EventSubtype,
    Year,
    Month,
    Day,
    Hour,
}

impl Key {
    pub const ALL: [Key; 6] = [
        Key::EventType,
        Key::EventSubtype,
        Key::Year,
        Key::Month,
        Key::Day,
        Key::Hour,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Key::EventType => "event_type",
            Key::EventSubtype => "event_subtype",
            Key::Year => "year",
            Key::Month => "month",
            Key::Day => "day",
            Key::Hour => "hour",
        }
    }
}

/// The keys in use, in the prefix's order: at least one, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionKeys {
    keys: Vec<Key>,
}

impl PartitionKeys {
    pub fn iter(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().copied()
    }

    /// Whether every value of this event can stand in a path.
    #[must_use]
    pub fn fit(&self, event: &Event<'_>) -> bool {
        self.keys.iter().all(|key| match key {
            Key::EventType => fits(&event.name.event_type),
            Key::EventSubtype => fits(&event.name.event_subtype),
            Key::Year | Key::Month | Key::Day | Key::Hour => true,
        })
    }

    /// Writes the event's values as a JSON object. They need no escapes: they are safe in a path.
    pub fn write_json(&self, event: &Event<'_>, out: &mut Vec<u8>) {
        let Event { name, calendar, .. } = event;
        let mut before: &[u8] = b"{\"";
        for key in &self.keys {
            out.extend_from_slice(before);
            out.extend_from_slice(key.as_str().as_bytes());
            out.extend_from_slice(b"\":\"");
            match key {
                Key::EventType => push_encoded(out, &name.event_type),
                Key::EventSubtype => push_encoded(out, &name.event_subtype),
                Key::Year => push_digits::<4>(out, calendar.year),
                Key::Month => push_digits::<2>(out, calendar.month),
                Key::Day => push_digits::<2>(out, calendar.day),
                Key::Hour => push_digits::<2>(out, calendar.hour),
            }
            before = b"\",\"";
        }
        out.extend_from_slice(b"\"}");
    }
}

impl Default for PartitionKeys {
    fn default() -> Self {
        let keys = Key::ALL
            .into_iter()
            .filter(|key| *key != Key::Hour)
            .collect();
        Self { keys }
    }
}

/// As in the setting: names separated by commas.
impl fmt::Display for PartitionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Key::as_str).collect();
        f.write_str(&names.join(","))
    }
}

/// The text names no keys, an unknown one, or one twice.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("names of {}, separated by commas, each at most once", Key::ALL.map(Key::as_str).join(", "))]
pub struct KeysUnreadable;

impl FromStr for PartitionKeys {
    type Err = KeysUnreadable;

    fn from_str(text: &str) -> Result<Self, KeysUnreadable> {
        let mut keys = Vec::new();
        for name in text.split(',').map(str::trim) {
            let key = Key::ALL
                .into_iter()
                .find(|key| key.as_str() == name)
                .ok_or(KeysUnreadable)?;
            if keys.contains(&key) {
                return Err(KeysUnreadable);
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }
}

/// Whether a byte may stand in a path as it is, whatever stands beside it.
#[inline]
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'~')
}

/// Whether a byte may stand in most paths as it is.
fn is_safe(byte: u8) -> bool {
    is_plain(byte) || byte == b'.'
}

/// What readers of Hive's folders take for no value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// So many bytes in front are encoded though they are safe: a value of only dots would name a folder
/// above, and one that readers take for none would not be read as itself.
fn unsafe_length(text: &str) -> usize {
    if text == NO_VALUE {
        1
    } else if text.bytes().all(|byte| byte == b'.') {
        text.len()
    } else {
        0
    }
}

/// Each byte, and whether it is to be encoded.
fn encoding(text: &str) -> impl Iterator<Item = (u8, bool)> {
    let unsafe_length = unsafe_length(text);
    let bytes = text.bytes().enumerate();
    bytes.map(move |(index, byte)| (byte, index < unsafe_length || !is_safe(byte)))
}

fn encoded_length(text: &str) -> usize {
    encoding(text)
        .map(|(_, is_encoded)| if is_encoded { 3 } else { 1 })
        .sum()
}

/// Whether a text can stand in a path, however many of its bytes are to be encoded.
fn fits(text: &str) -> bool {
    text.len() * 3 <= VALUE_BYTES_MAX || encoded_length(text) <= VALUE_BYTES_MAX
}

fn push_encoded(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(is_plain) && text != NO_VALUE {
        return out.extend_from_slice(text.as_bytes());
    }
    for (byte, is_encoded) in encoding(text) {
        if is_encoded {
            let [high, low] = [byte >> 4, byte & 15].map(hexadecimal_digit);
            out.extend_from_slice(&[b'%', high, low]);
        } else {
            out.push(byte);
        }
    }
}

fn hexadecimal_digit(number: u8) -> u8 {
    match number {
        0..=9 => b'0' + number,
        _ => b'A' + number - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::firehose_transform::event::EventFields;
    use proptest::prelude::*;

    fn encoded(text: &str) -> String {
        let mut out = Vec::new();
        push_encoded(&mut out, text);
        assert_eq!(out.len(), encoded_length(text), "{text}");
        String::from_utf8(out).unwrap()
    }

    /// What the encoded value said, read by the rules of percent-encoding alone.
    fn decoded(value: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = value;
        while let Some(first) = rest.chars().next() {
            let (byte, length) = match first {
                '%' => (u8::from_str_radix(&rest[1..3], 16).unwrap(), 3),
                _ => (first as u8, 1),
            };
            bytes.push(byte);
            rest = &rest[length..];
        }
        String::from_utf8(bytes).unwrap()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(encoded(text), expected);
    }

    #[test]
    fn safe_text_stays_and_all_else_is_percent_encoded() {
        check("account", "account");
        check("aZ09_-.~", "aZ09_-.~");
        check("a b", "a%20b");
        check("../../x", "..%2F..%2Fx");
        check("100%", "100%25");
        check("%2F", "%252F");
        check("é年🦀", "%C3%A9%E5%B9%B4%F0%9F%A6%80");
        check("a=b&c\\d:e", "a%3Db%26c%5Cd%3Ae");
        check("\u{7f}\u{85}", "%7F%C2%85");
    }

    #[test]
    fn a_value_of_only_dots_names_no_folder_above() {
        check(".", "%2E");
        check("..", "%2E%2E");
        check("...", "%2E%2E%2E");
        check("..a", "..a");
    }

    #[test]
    fn a_value_that_readers_take_for_none_is_read_as_itself() {
        check(NO_VALUE, "%5F_HIVE_DEFAULT_PARTITION__");
        check("__hive_default_partition__", "__hive_default_partition__");
        check("__HIVE_DEFAULT_PARTITION__x", "__HIVE_DEFAULT_PARTITION__x");
        check(
            "%5F_HIVE_DEFAULT_PARTITION__",
            "%255F_HIVE_DEFAULT_PARTITION__",
        );
    }

    #[test]
    fn keys_are_written_in_the_order_of_the_setting() {
        #[track_caller]
        fn check(keys: &str, expected: &str) {
            let text =
                r#"{"event_uuid":"u","event_name":"a/b:c:d","created_at":"1999-04-07T05:06:07Z"}"#;
            let event = Event::parse(text, &EventFields::default()).unwrap();
            let mut out = Vec::new();
            keys.parse::<PartitionKeys>()
                .unwrap()
                .write_json(&event, &mut out);
            assert_eq!(str::from_utf8(&out), Ok(expected));
        }
        check("event_type", r#"{"event_type":"a%2Fb"}"#);
        check(
            " hour,year , event_subtype",
            r#"{"hour":"05","year":"1999","event_subtype":"c"}"#,
        );
        let all =
            r#"{"event_type":"a%2Fb","event_subtype":"c","year":"1999","month":"04","day":"07"}"#;
        check(&PartitionKeys::default().to_string(), all);
    }

    #[test]
    fn settings_that_name_no_key_or_one_twice_are_refused() {
        for text in [
            "",
            ",",
            "event_type,",
            "year,year",
            "minute",
            "Year",
            "event_type;year",
        ] {
            assert_eq!(text.parse::<PartitionKeys>(), Err(KeysUnreadable), "{text}");
        }
    }

    #[test]
    fn only_keys_in_use_have_to_fit() {
        #[track_caller]
        fn check(name: &str, keys: &str, expected: bool) {
            let text = format!(r#"{{"event_uuid":"u","event_name":"{name}","created_at":1}}"#);
            let fits = keys
                .parse::<PartitionKeys>()
                .unwrap()
                .fit(&Event::parse(&text, &EventFields::default()).unwrap());
            assert_eq!(fits, expected, "{name} in {keys}");
        }
        check(&"a".repeat(192), "event_type", true);
        check(&"a".repeat(193), "event_type", false);
        check(&"é".repeat(32), "event_type", true);
        check(
            &format!("a:{}", "é".repeat(33)),
            "event_type,event_subtype",
            false,
        );
        check(&format!("a:{}", "é".repeat(33)), "event_type,year", true);
        check(&".".repeat(64), "event_type", true);
        check(&".".repeat(65), "event_type", false);
    }

    proptest! {
        #[test]
        fn a_value_says_its_text_and_stays_in_its_folder(text in "(__HIVE_DEFAULT_PARTITION__)|(\\PC|[./%\\\\:\u{0}-\u{ff}]){1,80}") {
            let value = encoded(&text);
            prop_assert_eq!(decoded(&value), text);
            prop_assert!(value.bytes().all(|byte| is_safe(byte) || byte == b'%'));
            prop_assert_eq!(unsafe_length(&value), 0);
        }

        #[test]
        fn two_texts_never_share_a_value(one in "[.%/a2EF]{1,6}", other in "[.%/a2EF]{1,6}") {
            prop_assert_eq!(one == other, encoded(&one) == encoded(&other));
        }
    }
}
