//! What an input is that is no JSON Lines of events: told by its beginning, so that it is said once
//! and not of each of its lines.

use std::fmt;

use base64_simd::STANDARD;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Map, Value};

use crate::{
    functions::firehose_transform::event::{Event, EventFields},
    local::shell::quoted,
};

/// So many lines at most are looked at for what each of them is.
const LINES_MAX: usize = 10;
/// How Firehose, its documentation and its format conversion name an error's code.
const CODES: [&str; 3] = ["errorCode", "ErrorCode", "lastErrorCode"];
/// What a line that a redrive has written for repair has, its mark taken out or not.
const FOR_REPAIR: [&str; 4] = ["reason", "code", "arrivalTimestamp", "position"];

/// Of a form that is not events, one a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON value on several lines.
    Pretty,
    /// Objects in a JSON array.
    Array,
    Csv,
    /// Events that were delivered already.
    Delivered,
    /// Firehose's, or what a redrive has written for repair.
    ErrorObjects,
    Parquet,
    Program,
    /// What unpacks it, to standard output.
    Packed(&'static str),
    /// As `iconv` calls it.
    Utf16(&'static str),
}

/// That of a file, or of what comes through a pipe.
#[derive(Debug)]
pub struct FormOf<'a> {
    pub form: Form,
    pub file: Option<&'a str>,
}

/// What is no text, by its first bytes, and UTF-16 with a byte order mark or without.
const BINARY: [(&[u8], Form); 10] = [
    (b"PAR1", Form::Parquet),
    (b"\x7fELF", Form::Program),
    (b"PK\x03\x04", Form::Packed("unzip -p")),
    (b"\x28\xb5\x2f\xfd", Form::Packed("zstd -dc")),
    (b"BZh", Form::Packed("bzip2 -dc")),
    (b"\xfd7zXZ\0", Form::Packed("xz -dc")),
    (b"\xff\xfe", Form::Utf16("UTF-16")),
    (b"\xfe\xff", Form::Utf16("UTF-16")),
    (b"{\0", Form::Utf16("UTF-16LE")),
    (b"\0{", Form::Utf16("UTF-16BE")),
];

impl Form {
    /// None where the text that begins so may well be events.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let binary = BINARY.iter().find(|(first, _)| head.starts_with(first));
        if let Some((_, form)) = binary {
            return Some(*form);
        }
        let text = head.trim_ascii_start().utf8_chunks().next()?.valid();
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        match text.as_bytes().first()? {
            b'[' => is_array(text, first, rest).then_some(Self::Array),
            b'{' if serde_json::from_str::<Map<String, Value>>(first).is_err() => {
                is_pretty(text, first, rest).then_some(Self::Pretty)
            }
            b'{' => Self::of_objects(first, rest),
            _ => is_csv(first, rest).then_some(Self::Csv),
        }
    }

    /// Of a text that is to be one record: it may stand on several lines, and come from anywhere.
    #[must_use]
    pub fn of_whole(text: &[u8]) -> Option<Self> {
        match Self::of(text)? {
            form @ (Self::Array
            | Self::Csv
            | Self::Parquet
            | Self::Program
            | Self::Packed(_)
            | Self::Utf16(_)) => Some(form),
            // One that is broken is for whoever asks why.
            form @ Self::Pretty => {
                let values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
                let whole = values.take_while(Result::is_ok).take(2).count();
                (whole > 1).then_some(form)
            }
            Self::Delivered | Self::ErrorObjects => None,
        }
    }

    /// Each line is the same, but for the last, which may be cut off.
    fn of_objects(first: &str, rest: &str) -> Option<Self> {
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let rest = whole.lines().filter(|line| !line.trim().is_empty());
        let form = Self::of_object(first)?;
        rest.take(LINES_MAX - 1)
            .all(|line| Self::of_object(line) == Some(form))
            .then_some(form)
    }

    fn of_object(line: &str) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_str(line).ok()?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let Ok(event) = Event::parse(line.trim(), &EventFields::default()) else {
            let is_record = |data: &str| STANDARD.check(data.as_bytes()).is_ok();
            let is_failed = text("rawData").is_some_and(is_record)
                && CODES.iter().any(|name| text(name).is_some());
            let is_for_repair = FOR_REPAIR.iter().all(|name| members.contains_key(*name));
            return (is_failed || is_for_repair).then_some(Self::ErrorObjects);
        };
        let datetime = event.calendar.datetime();
        let added = [
            ("event_type", event.name.event_type.as_bytes()),
            ("event_subtype", event.name.event_subtype.as_bytes()),
            ("created_datetime", &datetime),
        ];
        let is_added = |(name, value)| text(name).map(str::as_bytes) == Some(value);
        added.into_iter().all(is_added).then_some(Self::Delivered)
    }
}

/// What it is, and what to do.
impl fmt::Display for FormOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Pretty => write!(
                f,
                "is JSON over several lines, but each line must be one event: `{}` makes lines of it",
                self.command("jq -c .")
            ),
            Form::Array => write!(
                f,
                "is a JSON array, but each line must be one event: `{}` makes lines of it",
                self.command("jq -c '.[]'")
            ),
            Form::Csv => write!(
                f,
                "is CSV, but each line must be one event as a JSON object: in DuckDB, `COPY (FROM \
                 read_csv({}, all_varchar = true)) TO '{LINES}' (FORMAT json)` makes lines of it",
                self.in_sql()
            ),
            Form::Delivered => f.write_str(
                "is part of a lake: its events were delivered before; name what they came from",
            ),
            Form::ErrorObjects => f.write_str(
                "holds error objects, not events: `nozzle redrive` sends what is in them",
            ),
            Form::Parquet => write!(
                f,
                "is Parquet, but each line must be one event as a JSON object: in DuckDB, `COPY \
                 (FROM read_parquet({})) TO '{LINES}' (FORMAT json)` makes lines of it",
                self.in_sql()
            ),
            Form::Program => f.write_str("is a program, and holds no events"),
            Form::Packed(unpack) => write!(
                f,
                "is packed, and only gzip is unpacked here: `{}` unpacks it",
                self.command(unpack)
            ),
            Form::Utf16(encoding) => write!(
                f,
                "is UTF-16, but events are UTF-8: `{}` makes it so",
                self.command(&format!("iconv -f {encoding} -t UTF-8"))
            ),
        }
    }
}

/// What a command makes of a file.
const LINES: &str = "out.jsonl";

impl FormOf<'_> {
    fn command(&self, command: &str) -> String {
        let file = self.file.map(|file| format!(" {}", quoted(file)));
        format!("{command}{} > {LINES}", file.unwrap_or_default())
    }

    fn in_sql(&self) -> String {
        let file = self.file.unwrap_or("/dev/stdin");
        format!("'{}'", file.replace('\'', "''"))
    }
}

/// Of objects: an array of anything else is refused line by line, and so is one with lines behind it.
fn is_array(text: &str, first: &str, rest: &str) -> bool {
    let inside = text.strip_prefix('[').unwrap_or(text);
    let is_line = serde_json::from_str::<IgnoredAny>(first).is_ok();
    let ends_here = is_line && !rest.trim_ascii().is_empty();
    inside.trim_ascii_start().starts_with('{') && !ends_here
}

/// A whole value has a line's end within it, or as much of it as there is begins like one.
fn is_pretty(text: &str, first: &str, rest: &str) -> bool {
    let mut values = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => values.byte_offset() > first.len(),
        _ => first.trim_ascii() == "{" && rest.trim_ascii_start().starts_with('"'),
    }
}

/// Several names, and a line below them that has as many values; no line looks like an event.
fn is_csv(first: &str, rest: &str) -> bool {
    let second = rest.split('\n').next().unwrap_or_default();
    let has_object = rest.lines().any(|line| line.trim_start().starts_with('{'));
    !has_object
        && [',', ';', '\t', '|'].into_iter().any(|between| {
            let count = first.split(between).count();
            count > 1 && first.split(between).all(is_name) && second.split(between).count() >= count
        })
}

fn is_name(field: &str) -> bool {
    let name = field.trim_ascii().trim_matches('"');
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || "_-.: ".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"event_uuid":"1","event_name":"a:b","created_at":1712511721}"#;
    const DELIVERED: &str = r#"{"event_uuid":"1","event_name":"a:b","created_at":1712511721,"event_type":"a","event_subtype":"b","created_datetime":"2024-04-07T17:42:01.000000Z"}"#;

    #[track_caller]
    fn check(text: &str, expected: Option<Form>) {
        assert_eq!(Form::of(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn what_is_no_lines_of_events_is_told_by_its_beginning() {
        check("{\n  \"event_uuid\": \"1\"\n}\n", Some(Form::Pretty));
        check("{\"a\": 1,\n \"b\": 2}\n{\"a\": 1}\n", Some(Form::Pretty));
        check("{\r\n\t\"a\": \"cut o", Some(Form::Pretty));
        check("[{\"a\":1},\n{\"a\":2}]", Some(Form::Array));
        check("\n[\n  {\"a\": \"cut o", Some(Form::Array));
        check("[{\"a\":1}]\n", Some(Form::Array));
        check("id,name,ts\n1,a:b,2026-01-01\n", Some(Form::Csv));
        check("\"id\";\"a name\"\r\n1;\"a;b\"\r\n", Some(Form::Csv));
        check("event_uuid\tevent_name\n1\ta:b\n", Some(Form::Csv));
        check(DELIVERED, Some(Form::Delivered));
        let cut_off = format!("{DELIVERED}\n\n{DELIVERED}\n{{\"event");
        check(&cut_off, Some(Form::Delivered));
        for code in CODES {
            let object = format!(r#"{{"rawData":"eA==","{code}":"x"}}"#);
            check(&object, Some(Form::ErrorObjects));
        }
        check(
            r#"{"reason":"r","code":"c","arrivalTimestamp":null,"position":"a:1","event":{"a":1}}"#,
            Some(Form::ErrorObjects),
        );
    }

    #[test]
    fn what_is_no_text_is_told_by_its_first_bytes() {
        for (head, expected) in [
            (&b"PAR1\x15\x04"[..], Form::Parquet),
            (b"\x7fELF\x02", Form::Program),
            (b"PK\x03\x04\x14\0", Form::Packed("unzip -p")),
            (b"\x28\xb5\x2f\xfd\x24", Form::Packed("zstd -dc")),
            (b"BZh91AY&SY", Form::Packed("bzip2 -dc")),
            (b"\xfd7zXZ\0\0", Form::Packed("xz -dc")),
            (b"\xff\xfe{\0\"\0", Form::Utf16("UTF-16")),
            (b"\xfe\xff\0{\0\"", Form::Utf16("UTF-16")),
            (b"{\0\"\0", Form::Utf16("UTF-16LE")),
            (b"\0{\0\"", Form::Utf16("UTF-16BE")),
        ] {
            assert_eq!(Form::of(head), Some(expected), "{}", head.escape_ascii());
            assert_eq!(Form::of_whole(head), Some(expected));
        }
        check("PAR2", None);
        check("BZ,PK\n", None);
    }

    #[test]
    fn what_to_type_names_the_file() {
        #[track_caller]
        fn check(form: Form, file: Option<&str>, expected: &str) {
            let said = FormOf { form, file }.to_string();
            assert!(said.contains(&format!("`{expected}`")), "{said}");
        }
        let file = Some("it's.x");
        check(Form::Array, Some("a b"), "jq -c '.[]' 'a b' > out.jsonl");
        check(Form::Pretty, None, "jq -c . > out.jsonl");
        check(
            Form::Packed("zstd -dc"),
            Some("x"),
            "zstd -dc x > out.jsonl",
        );
        check(
            Form::Utf16("UTF-16"),
            Some("x"),
            "iconv -f UTF-16 -t UTF-8 x > out.jsonl",
        );
        check(
            Form::Csv,
            file,
            "COPY (FROM read_csv('it''s.x', all_varchar = true)) TO 'out.jsonl' (FORMAT json)",
        );
        check(
            Form::Parquet,
            file,
            "COPY (FROM read_parquet('it''s.x')) TO 'out.jsonl' (FORMAT json)",
        );
    }

    #[test]
    fn events_and_what_is_refused_line_by_line_are_nothing_else() {
        for text in [
            "",
            "\n",
            "{\"event_uuid\":\"1\"}\n{\"event_uuid\":\"2\"}\n",
            "{\"event_uuid\":\"1\"}",
            "{\"event_uuid\":\"1\", \"text\":\"a\nb\"}\n",
            "{\n[]\n",
            "{",
            "[]\n[1]\n",
            "bad\n{\"event_uuid\":\"1\"}\n",
            "one, two\n{\"event_uuid\":\"1\"}\n",
            "1,2\n3,4\n",
            "\u{feff}{\"a\":1}\n",
            "{\"event_type\":\"a\",\"event_subtype\":\"b\"}",
            "{\"x\":{\"event_type\":1,\"event_subtype\":1,\"created_datetime\":1}}",
        ] {
            check(text, None);
        }
        assert_eq!(Form::of(b"\xff{\n\""), None);
    }

    #[test]
    fn an_event_may_have_what_other_forms_have() {
        check(
            &DELIVERED.replace("\"event_type\":\"a\"", "\"event_type\":\"x\""),
            None,
        );
        check(&DELIVERED.replace("1712511721", "1712511722"), None);
        check(&format!("{DELIVERED}\n{EVENT}\n"), None);
        let own = EVENT.replace('}', r#","rawData":"eA==","errorCode":"x"}"#);
        check(&own, None);
        check(r#"{"rawData":"?","errorCode":"x"}"#, None);
        check(r#"{"rawData":"eA==","code":"x"}"#, None);
        check(r#"{"reason":"r","code":"c","text":"t"}"#, None);
        check(&format!("started, all well\nhost, port\n{EVENT}\n"), None);
        check(&format!("a,b\n1,2\n{EVENT}\n"), None);
        check(&format!("[{{\"a\":1}}]\n{EVENT}\n{EVENT}\n"), None);
    }

    #[test]
    fn one_record_may_stand_on_several_lines_and_come_from_a_lake() {
        for (text, expected) in [
            ("{\n\"a\": 1\n}\n", None),
            ("{\n\"a\": 1\n}\n{\n\"a\": 1\n}\n", Some(Form::Pretty)),
            ("{\n\"a\": 1,\n}\n", None),
            ("[{\"a\":1}]", Some(Form::Array)),
            (r#"{"rawData":"eA==","errorCode":"x"}"#, None),
        ] {
            assert_eq!(Form::of_whole(text.as_bytes()), expected, "{text}");
        }
    }
}
