//! The end of a delivered line, where the function has added type and time.

use chrono::NaiveDate;
use memchr::memrchr;

/// What a delivered line says of its event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// As it is spelled in JSON.
    pub(super) event_type: &'a str,
    /// Since 1970.
    pub(super) seconds: i64,
}

const DATETIME_BYTES: usize = "YYYY-MM-DDTHH:MM:SS.ffffffZ".len();

impl<'a> Line<'a> {
    /// `None` where another function has added something else.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(b"\"}\n")?;
        let (rest, datetime) = rest.split_at_checked(rest.len().checked_sub(DATETIME_BYTES)?)?;
        let rest = rest.strip_suffix(b",\"created_datetime\":\"")?;
        let (rest, _) = split_string(rest)?;
        let rest = rest.strip_suffix(b",\"event_subtype\":")?;
        let (rest, event_type) = split_string(rest)?;
        rest.strip_suffix(b"\"event_type\":")?;
        Some(Self {
            event_type: str::from_utf8(event_type).ok()?,
            seconds: seconds(datetime)?,
        })
    }
}

/// The text that a type is spelled for.
pub(super) fn decoded(spelled: &str) -> String {
    serde_json::from_str(&format!("\"{spelled}\"")).unwrap_or_else(|_| spelled.to_owned())
}

/// What is before the JSON string at the end, and what is in it.
fn split_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_suffix(b"\"")?;
    let mut end = text.len();
    loop {
        let quote = memrchr(b'"', text.get(..end)?)?;
        let before = text.get(..quote)?;
        let escapes = before.iter().rev().take_while(|byte| **byte == b'\\');
        if escapes.count() % 2 == 0 {
            return Some((before, text.get(quote + 1..)?));
        }
        end = quote;
    }
}

fn seconds(datetime: &[u8]) -> Option<i64> {
    let number = |from: usize, to: usize| {
        let digits = datetime.get(from..to)?.iter();
        let mut digits = digits.map(|byte| char::from(*byte).to_digit(10));
        digits.try_fold(0, |number, digit| Some(number * 10 + digit?))
    };
    let year = i32::try_from(number(0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    let time = date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::firehose_transform::{
        event::{Event, EventFields},
        transform::write_delivered,
    };

    #[track_caller]
    fn check(event: &str, expected_type: &str, expected_seconds: i64) {
        let mut line = Vec::new();
        write_delivered(
            &Event::parse(event, &EventFields::default()).expect("an event"),
            &mut line,
        );
        let read = Line::read(&line).expect("type and time");
        assert_eq!(decoded(read.event_type), expected_type, "{event}");
        assert_eq!(read.seconds, expected_seconds, "{event}");
    }

    #[test]
    fn what_the_function_has_added_is_found() {
        let event = |name: &str| {
            format!(r#"{{"event_uuid":"u","event_name":"{name}","created_at":1712511721.9}}"#)
        };
        check(&event("a:b"), "a", 1_712_511_721);
        check(&event("a"), "a", 1_712_511_721);
        check(
            &event(r#"a\"b:c\",\"event_type\":\"d"#),
            "a\"b",
            1_712_511_721,
        );
        check(&event(r"\\:\\"), "\\", 1_712_511_721);
        check(&event(r#"\\\":\\\""#), "\\\"", 1_712_511_721);
        check(&event("é\u{202e}🦀:x"), "é\u{202e}🦀", 1_712_511_721);
        let only_added = r#"{"event_uuid":"u","event_name":"a:b","created_at":0,"event_type":"z"}"#;
        check(only_added, "a", 0);
        let last = r#"{"event_uuid":"u","event_name":"a:b","created_at":"9999-12-31T23:59:59Z"}"#;
        check(last, "a", 253_402_300_799);
    }

    #[test]
    fn a_line_of_another_function_is_not_misread() {
        let good = r#"{"x":1,"event_type":"a","event_subtype":"b","created_datetime":"2024-04-07T17:42:01.022075Z"}"#;
        assert!(Line::read(format!("{good}\n").as_bytes()).is_some());
        for line in [
            "",
            "\"}\n",
            good,
            &format!("{good}\r\n"),
            &(good.replace("2024", "2O24") + "\n"),
            &(good.replace("-04-", "-13-") + "\n"),
            &(good.replace("event_type", "type") + "\n"),
            &(good.replace("\"event_subtype\":\"b\",", "") + "\n"),
        ] {
            assert_eq!(Line::read(line.as_bytes()), None, "{line}");
        }
    }
}
