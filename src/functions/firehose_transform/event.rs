//! An event: the JSON object in a record, valid once it exists. What is accepted beyond its own
//! fields (types, years, partitions) is left to `transform`.

mod fields;
mod refusal;

use std::borrow::Cow;

pub use fields::EventFields;
pub use refusal::{Field, Refusal};

use crate::{
    instant::{Calendar, Instant, InstantError},
    json::{
        Value,
        object::{Blank, Member, Members, TextProblem, required_text},
    },
};

/// The most bytes of a text field.
const TEXT_BYTES_MAX: usize = 256;

/// The subtype of a name that has none.
const SUBTYPE_UNKNOWN: &str = "unknown";

/// An event, borrowed from its record.
#[derive(Debug)]
pub struct Event<'a> {
    pub uuid: Cow<'a, str>,
    pub name: Name<'a>,
    pub created_at: Instant,
    /// The same in UTC.
    pub calendar: Calendar,
    /// The field that the name was read from is replaced, so the name is added too.
    pub adds_name: bool,
    pub members: Members<'a>,
}

impl<'a> Event<'a> {
    pub fn parse(text: &'a str, names: &EventFields) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        let members = Members::read(text, |key, value| fields.take(names, key, value))?;
        let uuid = field(Field::EventUuid, fields.uuid)?;
        let name = field(Field::EventName, fields.name)?;
        let created_at = required_instant(fields.created_at)?;
        let name = Name::parse(name)?;
        let calendar = created_at.calendar();
        Ok(Self {
            uuid,
            name,
            created_at,
            calendar,
            adds_name: names.name_is_replaced,
            members,
        })
    }
}

/// An event's name, whose first part is its type and whose second is its subtype.
#[derive(Debug)]
pub struct Name<'a> {
    pub text: Cow<'a, str>,
    pub event_type: Cow<'a, str>,
    pub event_subtype: Cow<'a, str>,
}

impl<'a> Name<'a> {
    fn parse(text: Cow<'a, str>) -> Result<Self, Refusal> {
        let (event_type, event_subtype) = match &text {
            Cow::Borrowed(text) => {
                let (event_type, event_subtype) = parts(text);
                (Cow::Borrowed(event_type), Cow::Borrowed(event_subtype))
            }
            Cow::Owned(text) => {
                let (event_type, event_subtype) = parts(text);
                let [event_type, event_subtype] =
                    [event_type, event_subtype].map(|part| Cow::Owned(part.to_owned()));
                (event_type, event_subtype)
            }
        };
        if event_type.is_empty() {
            return Err(Refusal::EventTypeEmpty);
        }
        Ok(Self {
            text,
            event_type,
            event_subtype,
        })
    }
}

/// The first two parts of a name.
fn parts(name: &str) -> (&str, &str) {
    let (event_type, rest) = split_part(name);
    let (event_subtype, _) = split_part(rest);
    match (event_type.trim(), event_subtype.trim()) {
        (event_type, "") => (event_type, SUBTYPE_UNKNOWN),
        parts => parts,
    }
}

/// Names are short: looking at each byte beats a search.
fn split_part(name: &str) -> (&str, &str) {
    let length = name.bytes().take_while(|byte| *byte != b':').count();
    let (part, rest) = name.split_at_checked(length).unwrap_or((name, ""));
    (part, rest.strip_prefix(':').unwrap_or_default())
}

/// The members of a record's object that matter, before anything is asked of them.
#[derive(Default)]
struct Fields<'a> {
    uuid: Option<Value<'a>>,
    name: Option<Value<'a>>,
    created_at: Option<Value<'a>>,
    /// A bit for each that came.
    came: u8,
}

impl<'a> Fields<'a> {
    #[inline]
    fn take(&mut self, names: &EventFields, key: &str, value: Value<'a>) -> Member {
        let Some((place, known)) = names.find(key) else {
            return Member::Passes;
        };
        let came_before = self.came & 1 << place != 0;
        self.came |= 1 << place;
        match known.read {
            Some(Field::EventUuid) => self.uuid = Some(value),
            Some(Field::EventName) => self.name = Some(value),
            Some(Field::CreatedAt) => self.created_at = Some(value),
            None => {}
        }
        if came_before {
            Member::Doubled
        } else if known.is_added {
            Member::Replaced
        } else {
            Member::Passes
        }
    }
}

impl From<InstantError> for Refusal {
    fn from(error: InstantError) -> Self {
        match error {
            InstantError::Unreadable => Refusal::CreatedAtUnreadable,
            InstantError::OutOfRange => Refusal::CreatedAtOutOfRange,
        }
    }
}

fn required_instant(value: Option<Value<'_>>) -> Result<Instant, Refusal> {
    match value {
        Some(Value::Number(number)) => Ok(Instant::from_number(number)?),
        text => Ok(Instant::from_text(&field(Field::CreatedAt, text)?)?),
    }
}

fn field(field: Field, value: Option<Value<'_>>) -> Result<Cow<'_, str>, Refusal> {
    let blank = match field {
        Field::EventUuid => Blank::Empty,
        Field::EventName | Field::CreatedAt => Blank::Text,
    };
    required_text(value, TEXT_BYTES_MAX, blank).map_err(|problem| match problem {
        TextProblem::Missing => Refusal::Missing(field),
        TextProblem::WrongType => Refusal::WrongType(field),
        TextProblem::Empty => Refusal::Empty(field),
        TextProblem::TooLong => Refusal::TooLong(field),
        TextProblem::ControlCharacter => Refusal::ControlCharacter(field),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::object::Unreadable;

    const VALID: &str = r#""event_uuid":"u","event_name":"a:b","created_at":1"#;

    fn parse(text: &str) -> Result<Event<'_>, Refusal> {
        Event::parse(text, &EventFields::default())
    }

    #[track_caller]
    fn check(text: &str, expected: Refusal) {
        assert_eq!(parse(text).map(drop), Err(expected), "{text}");
    }

    #[track_caller]
    fn check_field(field: Field, value: &str, expected: Option<fn(Field) -> Refusal>) {
        let mut values = [r#""u""#, r#""a:b""#, "1"];
        values[field as usize] = value;
        let [uuid, name, time] = values;
        let text = format!(r#"{{"event_uuid":{uuid},"event_name":{name},"created_at":{time}}}"#);
        assert_eq!(
            parse(&text).map(drop).err(),
            expected.map(|refusal| refusal(field)),
            "{text}"
        );
    }

    #[track_caller]
    fn kept(text: &str) -> String {
        let event = parse(text).unwrap();
        let mut out = Vec::new();
        event.members.write_kept(&mut out);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(event.members.end_in_comma(), out.ends_with(','), "{text}");
        out
    }

    #[test]
    fn what_is_no_object_is_refused_for_what_the_parser_meets_first() {
        for text in [
            "",
            " ",
            "{",
            "nul",
            "hello",
            "{\"a\":1,}",
            "[1,",
            "\"",
            "01",
            "{'a':1}",
            "\u{feff}{}",
        ] {
            check(text, Refusal::Unreadable(Unreadable::NotJson));
        }
        for text in [
            "{}{}",
            "{} x",
            "1 2",
            "[] {}",
            "null,",
            &format!("{{}}{}", "[".repeat(200)),
        ] {
            check(text, Refusal::Unreadable(Unreadable::ManyValues));
        }
        for text in ["[]", "1", "null", " \"text\" ", "[{}]"] {
            check(text, Refusal::Unreadable(Unreadable::NotAnObject));
        }
        check(
            &format!("{{{VALID},\"a\":{}", "[".repeat(200)),
            Refusal::Unreadable(Unreadable::TooDeep),
        );
        check(&"[".repeat(200), Refusal::Unreadable(Unreadable::TooDeep));
        check(
            &format!("{{{VALID},\"a\":x,\"b\":{}", "[".repeat(200)),
            Refusal::Unreadable(Unreadable::NotJson),
        );
    }

    #[test]
    fn nesting_is_fine_to_64_levels_and_refused_beyond_128() {
        let nested = |levels: usize| {
            format!(
                "{{{VALID},\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            )
        };
        assert!(parse(&nested(64)).is_ok());
        check(&nested(129), Refusal::Unreadable(Unreadable::TooDeep));
    }

    #[test]
    fn a_field_that_is_read_or_added_may_stand_once() {
        for name in [
            "event_uuid",
            "event_name",
            "created_at",
            "event_type",
            "event_subtype",
            "created_datetime",
        ] {
            let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
            check(
                &format!("{{\"{name}\":1,\"{escaped}\":2}}"),
                Refusal::Unreadable(Unreadable::FieldDoubled),
            );
            check(
                &format!("{{\"{name}\":1,\"{escaped}\":2,\"{name}\":3}}"),
                Refusal::Unreadable(Unreadable::FieldDoubled),
            );
            check(
                &format!("{{\"{name}\":1,\"{name}\":1}}x"),
                Refusal::Unreadable(Unreadable::ManyValues),
            );
        }
        for other in [
            r#""a":1,"a":2"#,
            r#""a":{"event_uuid":1,"event_uuid":2}"#,
            r#""\ud800":1,"\ud800":2"#,
        ] {
            assert!(parse(&format!("{{{VALID},{other}}}")).is_ok(), "{other}");
        }
    }

    #[test]
    fn fields_are_asked_in_turn() {
        check("{}", Refusal::Missing(Field::EventUuid));
        check(r#"{"event_uuid":"u"}"#, Refusal::Missing(Field::EventName));
        check(
            r#"{"event_uuid":"u","event_name":"a"}"#,
            Refusal::Missing(Field::CreatedAt),
        );
        check(
            r#"{"event_uuid":1,"event_name":1}"#,
            Refusal::WrongType(Field::EventUuid),
        );
        check(
            r#"{"event_uuid":"u","event_name":":","created_at":"x"}"#,
            Refusal::CreatedAtUnreadable,
        );
        check(
            r#"{"event_uuid":"u","event_name":":","created_at":1}"#,
            Refusal::EventTypeEmpty,
        );
        check(
            r#"{"event_uuid":"u","event_name":" :b","created_at":1}"#,
            Refusal::EventTypeEmpty,
        );
        check(
            r#"{"event_uuid":"u","event_name":"\u00a0\u3000","created_at":1}"#,
            Refusal::EventTypeEmpty,
        );
    }

    #[test]
    fn each_text_field_has_its_limits() {
        let text = |unit: &str, count: usize| format!("\"{}\"", unit.repeat(count));
        for field in [Field::EventUuid, Field::EventName] {
            for value in [
                "null",
                "1",
                "true",
                "[]",
                "{}",
                r#""\ud800""#,
                r#""\udc00\ud800""#,
            ] {
                check_field(field, value, Some(Refusal::WrongType));
            }
            check_field(field, r#""""#, Some(Refusal::Empty));
            check_field(field, &text("a", 256), None);
            check_field(field, &text("é", 128), None);
            check_field(field, &text("\\u00e9", 128), None);
            check_field(field, &text("a", 257), Some(Refusal::TooLong));
            check_field(field, &text("\\u00e9", 129), Some(Refusal::TooLong));
            check_field(
                field,
                &text("\\n", 257),
                Some(if field == Field::EventUuid {
                    Refusal::Empty
                } else {
                    Refusal::TooLong
                }),
            );
            check_field(field, r#""a\u001f""#, Some(Refusal::ControlCharacter));
            check_field(field, r#""a\u0000b""#, Some(Refusal::ControlCharacter));
            check_field(field, "\"a\u{7f}\u{85}\"", None);
            check_field(field, r#""\u0061 b\u007f""#, None);
        }
        for blank in [
            r#"" ""#,
            r#""\t\r\n""#,
            "\"\u{a0}\u{2028}\u{3000}\u{85}\"",
            &text(" ", 300),
        ] {
            check_field(Field::EventUuid, blank, Some(Refusal::Empty));
        }
        check_field(Field::EventUuid, "\"\u{200b}\"", None);
        for value in ["null", "true", "[]", "{}", r#""\ud800""#] {
            check_field(Field::CreatedAt, value, Some(Refusal::WrongType));
        }
        check_field(Field::CreatedAt, r#""""#, Some(Refusal::Empty));
        check_field(Field::CreatedAt, &text("1", 257), Some(Refusal::TooLong));
        check_field(
            Field::CreatedAt,
            r#""1\n""#,
            Some(Refusal::ControlCharacter),
        );
    }

    #[test]
    fn a_name_has_a_type_and_a_subtype() {
        #[track_caller]
        fn check(name: &str, event_type: &str, event_subtype: &str) {
            for text in [Cow::Borrowed(name), Cow::Owned(name.to_owned())] {
                let name = Name::parse(text).unwrap();
                assert_eq!(name.event_type, event_type);
                assert_eq!(name.event_subtype, event_subtype);
            }
        }
        check("payment:order:completed", "payment", "order");
        check("payment", "payment", "unknown");
        check("payment:", "payment", "unknown");
        check("payment: :x", "payment", "unknown");
        check(" a b :\u{3000}c\u{a0}", "a b", "c");
        check("a::c", "a", "unknown");
    }

    #[test]
    fn all_but_replaced_members_and_line_breaks_passes_through() {
        #[track_caller]
        fn check(members: &str, expected: &str) {
            assert_eq!(
                kept(&format!("{{{VALID}{members}}}")),
                format!("{VALID}{expected}")
            );
        }
        check("", "");
        check(
            r#", "n" : 1.0e+05 ,"s":"\u00e9\ud800\/" "#,
            r#", "n" : 1.0e+05 ,"s":"\u00e9\ud800\/" "#,
        );
        check(",\r\n  \"a\":[1,\n2]\r\n", ",  \"a\":[1,2]");
        check(r#", "event_type" : {"x":[1]} ,"a":1"#, r#","a":1"#);
        check(
            r#","event_type":1,"event_subtype":2,"created_datetime":3"#,
            ",",
        );
        check(
            r#","event\u005ftype":1,"a":1 , "event_subtype":2 "#,
            r#","a":1 ,"#,
        );
        assert_eq!(
            kept(&format!(
                "{{\"event_type\":1 , \"event_subtype\":2,{VALID}}}"
            )),
            VALID
        );
        assert_eq!(kept(&format!(" \n{{ \n{VALID} }} ")), format!(" {VALID} "));
    }
}
