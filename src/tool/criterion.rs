//! What an event is looked for by: a field of it, and what that says.

use std::str::FromStr;

use memchr::memmem::Finder;

use crate::{
    functions::{event_log::number::Decimal, firehose_transform::event::EventFields},
    json::{Cursor, Value, pointer::Pointer},
};

#[derive(Debug, Clone)]
pub(super) struct Criterion {
    field: Pointer,
    value: String,
    /// What it is as a number, however that is spelled.
    number: Option<Decimal>,
    /// The same of a field that lies deeper, where the name looks like one.
    deeper: Option<String>,
    finder: Finder<'static>,
}

/// What the event processor knows an event by.
pub(super) const LETTER_ID: &str = "event_id";

impl Criterion {
    fn new(field: Pointer, value: &str) -> Self {
        Self {
            field,
            value: value.to_owned(),
            number: match Cursor::new(value).value() {
                Ok(Value::Number(whole)) if whole == value => Some(Decimal::of(value)),
                _ => None,
            },
            deeper: None,
            finder: Finder::new(value).into_owned(),
        }
    }

    /// Whose uuid this is.
    pub(super) fn of_uuid(uuid: &str, fields: &EventFields) -> Self {
        Self::of_member(fields.names().next().unwrap_or_default(), uuid)
    }

    pub(super) fn of_member(name: &str, value: &str) -> Self {
        Self::new(Pointer::to_member(name), value)
    }

    /// What may have been meant.
    pub(super) fn deeper(&self) -> Option<&str> {
        self.deeper.as_deref()
    }

    /// Whether a record says so, as far as it can be read: a text by what it says, a number by its
    /// value, all else as it is spelled. Only what may hold the value is read at all.
    pub(super) fn holds(&self, record: &[u8]) -> bool {
        self.may_hold(record)
            && str::from_utf8(record)
                .ok()
                .and_then(|text| self.field.find_spelled(text))
                .is_some_and(|spelled| self.is_said_by(spelled))
    }

    fn is_said_by(&self, spelled: &str) -> bool {
        match Cursor::new(spelled).value() {
            Ok(Value::String(text)) => text.decode().as_deref() == Some(&*self.value),
            Ok(Value::Number(number)) => self.number.as_ref() == Some(&Decimal::of(number)),
            _ => spelled == self.value,
        }
    }

    /// An escape may spell it otherwise, and so may a number.
    fn may_hold(&self, bytes: &[u8]) -> bool {
        self.number.is_some()
            || self.finder.find(bytes).is_some()
            || memchr::memchr(b'\\', bytes).is_some()
    }
}

impl FromStr for Criterion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, value) = text
            .split_once('=')
            .filter(|(field, _)| !field.is_empty())
            .ok_or("it must be FIELD=VALUE, such as user_id=352 or /user/id=352")?;
        if field.starts_with('/') {
            let pointer = field.parse();
            let pointer =
                pointer.map_err(|error| format!("the field must be a name or {error}"))?;
            return Ok(Self::new(pointer, value));
        }
        let deeper = format!("/{}={value}", field.replace('.', "/"));
        Ok(Self {
            deeper: field.contains(['.', '/']).then_some(deeper),
            ..Self::new(Pointer::to_member(field), value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_what_its_field_says() {
        #[track_caller]
        fn check(criterion: &str, record: &str, expected: bool) {
            let criterion: Criterion = criterion.parse().unwrap();
            assert_eq!(criterion.holds(record.as_bytes()), expected, "{record}");
        }
        check("id=5", r#"{"id":"5"}"#, true);
        check("id=5", r#"{"a":[5],"id":5}"#, true);
        check("id=5", r#"{"other":"5"}"#, false);
        check("id=é/", r#"{"id":"\u00e9\/"}"#, true);
        check("/user/id=5", r#"{"user":{"id":5}}"#, true);
        check("a/b=5", r#"{"a/b":5}"#, true);
        check("id=", r#"{"id":""}"#, true);
        check("id=a=b", r#"{"id":"a=b"}"#, true);
        check("id=5", r#"{"id":"5","cut"#, true);
        check("id=5", "5", false);
        check("/tags/0=a", r#"{"tags":["a"]}"#, true);
        let uuid = Criterion::of_uuid("5", &"id,name,ts".parse().unwrap());
        assert!(uuid.holds(br#"{"id":"5"}"#) && !uuid.holds(br#"{"id":"\xff"}"#));
    }

    #[test]
    fn a_value_is_what_it_is_however_it_is_spelled() {
        #[track_caller]
        fn check(value: &str, spelled: &str, expected: bool) {
            let criterion: Criterion = format!("f={value}").parse().unwrap();
            let record = format!(r#"{{"f": {spelled} }}"#);
            assert_eq!(
                criterion.holds(record.as_bytes()),
                expected,
                "{value} {record}"
            );
        }
        for same in ["true", "false", "null", r#"[1,"a"]"#, r#"{"a":1}"#] {
            check(same, same, true);
            check(same, "0", false);
        }
        check("true", "\"true\"", true);
        check("350", "3.5e2", true);
        check("3.5E+2", "350.0", true);
        check("-0.5", "-5e-1", true);
        check("0", "-0.0", true);
        check("1712511721.022075", "1712511721022075e-6", true);
        check("9007199254740993", "9007199254740992", false);
        check("5", "-5", false);
        check("5", "\"5\"", true);
        check("5", "\"5.0\"", false);
        check("05", "5", false);
        check("05", "\"05\"", true);
    }

    #[test]
    fn a_name_that_looks_like_a_path_may_be_one() {
        for (text, expected) in [
            ("user.id=a.b", Some("/user/id=a.b")),
            ("user/id=5", Some("/user/id=5")),
            ("/user/id=5", None),
            ("id=a.b", None),
        ] {
            let criterion: Criterion = text.parse().unwrap();
            assert_eq!(criterion.deeper(), expected, "{text}");
        }
    }

    #[test]
    fn what_names_no_field_is_told_apart() {
        for text in ["", "id", "=5", "/a~2=5"] {
            assert!(text.parse::<Criterion>().is_err(), "{text}");
        }
    }
}
