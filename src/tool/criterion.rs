//! What an event is looked for by: a field of it, and what that says.

use std::str::FromStr;

use memchr::memmem::Finder;

use crate::{functions::firehose_transform::event::EventFields, json::pointer::Pointer};

#[derive(Debug, Clone)]
pub(super) struct Criterion {
    field: Pointer,
    value: String,
    /// The same of a field that lies deeper, where the name looks like one.
    deeper: Option<String>,
    finder: Finder<'static>,
}

impl Criterion {
    fn new(field: Pointer, value: &str) -> Self {
        Self {
            field,
            value: value.to_owned(),
            deeper: None,
            finder: Finder::new(value).into_owned(),
        }
    }

    /// Whose uuid this is.
    pub(super) fn of_uuid(uuid: &str, fields: &EventFields) -> Self {
        let name = fields.names().next().unwrap_or_default();
        Self::new(Pointer::to_member(name), uuid)
    }

    /// What may have been meant.
    pub(super) fn deeper(&self) -> Option<&str> {
        self.deeper.as_deref()
    }

    /// Whether a record says so, as far as it can be read: text, or a number as it is spelled. Only
    /// what may hold the value is read at all.
    pub(super) fn holds(&self, record: &[u8]) -> bool {
        self.may_hold(record)
            && str::from_utf8(record)
                .is_ok_and(|text| self.field.find_text(text).as_deref() == Some(&*self.value))
    }

    /// An escape may spell it otherwise.
    pub(super) fn may_hold(&self, bytes: &[u8]) -> bool {
        self.finder.find(bytes).is_some() || memchr::memchr(b'\\', bytes).is_some()
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
        check("id=5", r#"{"id":5.0}"#, false);
        check("id=5", r#"{"other":"5"}"#, false);
        check("id=é/", r#"{"id":"\u00e9\/"}"#, true);
        check("/user/id=5", r#"{"user":{"id":5}}"#, true);
        check("a/b=5", r#"{"a/b":5}"#, true);
        check("id=", r#"{"id":""}"#, true);
        check("id=a=b", r#"{"id":"a=b"}"#, true);
        check("id=5", r#"{"id":"5","cut"#, true);
        check("id=5", "5", false);
        let uuid = Criterion::of_uuid("5", &"id,name,ts".parse().unwrap());
        assert!(uuid.holds(br#"{"id":"5"}"#) && !uuid.holds(br#"{"id":"\xff"}"#));
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
