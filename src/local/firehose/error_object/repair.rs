//! A record that would be refused again, written so that a person can read and repair it: the event
//! as it is, not in base64. What is repaired is read by [`read`](super::read).

use std::fmt::Write;

use base64_simd::STANDARD;
use serde_json::{Value, value::RawValue};

use super::read::{Failed, Original};

/// Appends a line: why, what Firehose said, when it arrived, where it stands and which it is, then
/// the event.
pub fn write(
    line: &mut String,
    failed: &Failed,
    reason: &str,
    position: &str,
    original: &Original,
) {
    let (code, position) = (Value::from(&*failed.code), Value::from(position));
    let (source, mark) = (Value::from(&*original.source), Value::from(&*original.mark));
    let arrival = Value::from(failed.arrival_milliseconds);
    // Writing to a `String` cannot fail.
    let _ = write!(
        line,
        r#"{{"reason":"{reason}","code":{code},"arrivalTimestamp":{arrival},"position":{position},"source":{source},"mark":{mark},"#
    );
    match Content::of(&failed.bytes) {
        Content::Event(event) => {
            line.push_str(r#""event":"#);
            // Between two values only: within a text JSON has no line breaks.
            line.extend(
                event
                    .chars()
                    .map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }),
            );
        }
        Content::Text(text) => {
            let _ = write!(line, r#""text":{}"#, Value::from(text));
        }
        Content::Bytes => {
            line.push_str(r#""base64":""#);
            STANDARD.encode_append(&failed.bytes, line);
            line.push('"');
        }
    }
    line.push_str("}\n");
}

/// As much as a person can read of it.
enum Content<'a> {
    /// A JSON object.
    Event(&'a str),
    Text(&'a str),
    Bytes,
}

impl<'a> Content<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let Ok(text) = str::from_utf8(bytes) else {
            return Self::Bytes;
        };
        match serde_json::from_str::<&RawValue>(text) {
            Ok(value) if value.get().starts_with('{') => Self::Event(value.get()),
            _ => Self::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::read::{Origin, read},
        *,
    };

    #[track_caller]
    fn check(bytes: &[u8], content: &str, read_back: &[u8]) {
        let failed = Failed {
            bytes: bytes.to_vec(),
            origin: Origin::Arrived,
            code: "Lambda.ProcessingFailedStatus".to_owned(),
            arrival_milliseconds: Some(5),
            original: None,
        };
        let original = Original {
            source: "a".to_owned(),
            mark: "1 2".to_owned(),
        };
        let mut line = String::new();
        write(&mut line, &failed, "not_json", "a:1", &original);
        let expected = format!(
            "{{\"reason\":\"not_json\",\"code\":\"Lambda.ProcessingFailedStatus\",\
             \"arrivalTimestamp\":5,\"position\":\"a:1\",\"source\":\"a\",\"mark\":\"1 2\",{content}}}\n"
        );
        assert_eq!(line, expected);
        let expected = Failed {
            bytes: read_back.to_vec(),
            origin: Origin::Repaired,
            original: Some(original),
            ..failed
        };
        assert_eq!(read(line.as_bytes()), Ok(expected));
    }

    #[test]
    fn an_event_is_written_as_it_is() {
        for event in [
            r#"{"a": 1.0e+05, "b":"é\u00e9\n", "a":[{}]}"#,
            r#"{"a":"\ud800"}"#,
            "{}",
        ] {
            check(
                event.as_bytes(),
                &format!("\"event\":{event}"),
                event.as_bytes(),
            );
        }
    }

    #[test]
    fn an_event_on_several_lines_is_written_on_one() {
        check(
            b" {\r\n\"a\":\n1}\n",
            r#""event":{  "a": 1}"#,
            b"{  \"a\": 1}",
        );
    }

    #[test]
    fn what_is_no_object_is_written_as_text() {
        for (bytes, text) in [
            ("", r#""""#),
            ("[1]", r#""[1]""#),
            ("{\"a\":1", r#""{\"a\":1""#),
            ("{} {}", r#""{} {}""#),
            ("\u{feff}{}\n", "\"\u{feff}{}\\n\""),
        ] {
            check(
                bytes.as_bytes(),
                &format!("\"text\":{text}"),
                bytes.as_bytes(),
            );
        }
    }

    #[test]
    fn what_is_no_text_is_written_in_base64() {
        check(b"{\xff}", r#""base64":"e/99""#, b"{\xff}");
    }
}
