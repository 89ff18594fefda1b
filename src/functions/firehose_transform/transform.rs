//! One record's bytes to what is delivered, or the reason why not. Pure: the same bytes under the
//! same rules have the same answer on every machine.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
    ops::RangeInclusive,
    str::FromStr,
};

use crate::json::object::read_text;

use super::{
    event::{Event, EventFields, Refusal},
    partition::PartitionKeys,
};

/// What is asked of an event beyond its own fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    pub event_fields: EventFields,
    pub partition_keys: PartitionKeys,
    pub event_years: EventYears,
    pub event_types: EventTypes,
}

/// What makes two events the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// `event_uuid`, `event_name` and `created_at` together.
    #[default]
    Event,
    /// `event_uuid` alone.
    Uuid,
}

/// Reads a record's bytes by the rules.
pub fn transform<'a>(bytes: &'a [u8], rules: &Rules) -> Result<Event<'a>, Refusal> {
    let event = Event::parse(read_text(bytes)?, &rules.event_fields)?;
    if !rules.partition_keys.fit(&event) {
        Err(Refusal::PartitionValueTooLong)
    } else if !rules.event_years.contain(event.calendar.year) {
        Err(Refusal::EventYearOutOfRange)
    } else if !rules
        .event_types
        .list(&event.name.event_type, &event.name.event_subtype)
    {
        Err(Refusal::EventTypeNotListed)
    } else {
        Ok(event)
    }
}

/// Writes what is delivered: the event on one line with its added fields.
pub fn write_delivered(event: &Event<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    event.members.write_kept(out);
    if !event.members.end_in_comma() {
        out.push(b',');
    }
    if event.adds_name {
        out.extend_from_slice(b"\"event_name\":\"");
        out.extend_from_slice(escaped(&event.name.text).as_bytes());
        out.extend_from_slice(b"\",");
    }
    out.extend_from_slice(b"\"event_type\":\"");
    out.extend_from_slice(escaped(&event.name.event_type).as_bytes());
    out.extend_from_slice(b"\",\"event_subtype\":\"");
    out.extend_from_slice(escaped(&event.name.event_subtype).as_bytes());
    out.extend_from_slice(b"\",\"created_datetime\":\"");
    out.extend_from_slice(&event.calendar.datetime());
    out.extend_from_slice(b"\"}\n");
}

/// Writes the identity: a JSON array, so that no two identities share a text.
pub fn write_identity(event: &Event<'_>, identity: Identity, out: &mut String) {
    out.push_str("[\"");
    out.push_str(&escaped(&event.uuid));
    out.push('"');
    if identity == Identity::Event {
        out.push_str(",\"");
        out.push_str(&escaped(&event.name.text));
        out.push_str("\",");
        event.created_at.push_nanoseconds(out);
    }
    out.push(']');
}

/// A field's text as the inside of a JSON string, with the fewest escapes. It has no control
/// characters, and what could be borrowed from JSON had no escapes.
#[expect(
    clippy::ptr_arg,
    reason = "being borrowed says that there is nothing to escape"
)]
fn escaped<'t>(text: &'t Cow<'_, str>) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text),
        Cow::Owned(text) => Cow::Owned(with_escapes(text)),
    }
}

#[cold]
fn with_escapes(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The years of `created_at` that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventYears(RangeInclusive<u32>);

impl EventYears {
    fn contain(&self, year: u32) -> bool {
        self.0.contains(&year)
    }
}

impl Default for EventYears {
    fn default() -> Self {
        Self(1970..=9999)
    }
}

impl fmt::Display for EventYears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a first and a last year within 1970-9999, such as 2020-2030")]
pub struct YearsUnreadable;

impl FromStr for EventYears {
    type Err = YearsUnreadable;

    fn from_str(text: &str) -> Result<Self, YearsUnreadable> {
        let (first, last) = text.split_once('-').ok_or(YearsUnreadable)?;
        let year = |text: &str| match text.trim().parse() {
            Ok(year @ 1970..=9999) => Ok(year),
            _ => Err(YearsUnreadable),
        };
        let (first, last) = (year(first)?, year(last)?);
        if first <= last {
            Ok(Self(first..=last))
        } else {
            Err(YearsUnreadable)
        }
    }
}

/// The types that are accepted, each with its subtypes where they are listed too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EventTypes {
    #[default]
    Any,
    Listed(HashMap<String, Subtypes>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subtypes {
    Any,
    Listed(HashSet<String>),
}

impl EventTypes {
    fn list(&self, event_type: &str, event_subtype: &str) -> bool {
        let EventTypes::Listed(types) = self else {
            return true;
        };
        match types.get(event_type) {
            None => false,
            Some(Subtypes::Any) => true,
            Some(Subtypes::Listed(subtypes)) => subtypes.contains(event_subtype),
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "types separated by commas, each alone or with one subtype, such as account:created,account:deleted,login"
)]
pub struct TypesUnreadable;

impl FromStr for EventTypes {
    type Err = TypesUnreadable;

    fn from_str(text: &str) -> Result<Self, TypesUnreadable> {
        let mut types = HashMap::new();
        for entry in text.split(',') {
            let mut parts = entry.split(':').map(str::trim);
            let event_type = parts
                .next()
                .filter(|part| !part.is_empty())
                .ok_or(TypesUnreadable)?;
            let subtypes = match (parts.next(), parts.next()) {
                (None, _) => Subtypes::Any,
                (Some(subtype), None) if !subtype.is_empty() => {
                    Subtypes::Listed(HashSet::from([subtype.to_owned()]))
                }
                _ => return Err(TypesUnreadable),
            };
            let listed = types
                .entry(event_type.to_owned())
                .or_insert(Subtypes::Listed(HashSet::new()));
            match (listed, subtypes) {
                (Subtypes::Listed(all), Subtypes::Listed(more)) => all.extend(more),
                (listed, _) => *listed = Subtypes::Any,
            }
        }
        Ok(Self::Listed(types))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::object::Unreadable;
    use proptest::prelude::*;

    fn rules() -> Rules {
        Rules::default()
    }

    fn delivered(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        write_delivered(&transform(bytes, &rules()).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], rules: &Rules, expected: Refusal) {
        assert_eq!(
            transform(bytes, rules).map(drop),
            Err(expected),
            "{}",
            bytes.escape_ascii()
        );
    }

    fn event(name: &str, created_at: &str) -> String {
        format!(r#"{{"event_uuid":"u","event_name":"{name}","created_at":{created_at}}}"#)
    }

    #[test]
    fn an_event_is_delivered_on_one_line_with_its_added_fields() {
        let text = "{\r\n  \"event_uuid\": \"9f\",\n  \"event_name\": \"payment:order:completed\",\n  \"created_at\": 1712511721.0220759,\n  \"n\": 1.0e+05\n}\n";
        let expected = "{  \"event_uuid\": \"9f\",  \"event_name\": \"payment:order:completed\",  \"created_at\": 1712511721.0220759,  \"n\": 1.0e+05,\"event_type\":\"payment\",\"event_subtype\":\"order\",\"created_datetime\":\"2024-04-07T17:42:01.022075Z\"}\n";
        assert_eq!(delivered(text.as_bytes()), expected);
    }

    #[test]
    fn an_event_of_other_names_is_read_by_them() {
        #[track_caller]
        fn check(fields: &str, text: &str, expected: &str) {
            let rules = Rules {
                event_fields: fields.parse().unwrap(),
                ..rules()
            };
            let mut out = Vec::new();
            let event = transform(text.as_bytes(), &rules);
            match event {
                Ok(event) => write_delivered(&event, &mut out),
                Err(refusal) => out.extend_from_slice(refusal.as_str().as_bytes()),
            }
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text}");
        }
        let time = r#""created_datetime":"1970-01-01T00:00:01.000000Z"}"#;
        check(
            "id,name,ts",
            r#"{"id":"u","name":"a:b","ts":1,"event_uuid":3,"event_name":4,"created_at":5}"#,
            &format!(
                "{}{time}\n",
                r#"{"id":"u","name":"a:b","ts":1,"event_uuid":3,"event_name":4,"created_at":5,"event_type":"a","event_subtype":"b","#
            ),
        );
        check(
            "id,event_type,ts",
            r#"{"id":"u","event_type":" a\"\u0062 : c:d","ts":1,"event_name":4}"#,
            &format!(
                "{}{time}\n",
                r#"{"id":"u","ts":1,"event_name":" a\"b : c:d","event_type":"a\"b","event_subtype":"c","#
            ),
        );
        check(
            "id,name,created_datetime",
            r#"{"id":"u","name":"a","created_datetime":"1970-01-01 00:00:01"}"#,
            &format!(
                "{}{time}\n",
                r#"{"id":"u","name":"a","event_type":"a","event_subtype":"unknown","#
            ),
        );
        let valid = r#""event_uuid":"u","event_name":"a","created_at":1"#;
        check("id,name,ts", &format!("{{{valid}}}"), "event_uuid_missing");
        check(
            "id,name,ts",
            r#"{"id":"u","name":1}"#,
            "event_name_wrong_type",
        );
        check("id,name,ts", r#"{"id":1,"id":1}"#, "field_doubled");
        check(
            "id,event_type,ts",
            r#"{"event_name":1,"event_name":1}"#,
            "field_doubled",
        );
    }

    #[test]
    fn added_text_is_escaped_where_json_asks_for_it() {
        let line = delivered(event(r#"a\"\\\u00e9\u2028\/: b\"b"#, "0").as_bytes());
        assert!(
            line.contains("\"event_type\":\"a\\\"\\\\é\u{2028}/\",\"event_subtype\":\"b\\\"b\""),
            "{line}"
        );
        assert!(
            line.ends_with("\"created_datetime\":\"1970-01-01T00:00:00.000000Z\"}\n"),
            "{line}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_before_they_are_read() {
        check_refused(b"", &rules(), Refusal::Unreadable(Unreadable::DataMissing));
        check_refused(b" ", &rules(), Refusal::Unreadable(Unreadable::NotJson));
        check_refused(
            b"{\xff}",
            &rules(),
            Refusal::Unreadable(Unreadable::NotUtf8),
        );
        check_refused(
            b"\xed\xa0\x80",
            &rules(),
            Refusal::Unreadable(Unreadable::NotUtf8),
        );
        check_refused(
            "\u{feff}{}".as_bytes(),
            &rules(),
            Refusal::Unreadable(Unreadable::NotUtf8),
        );
        check_refused(
            b"{\"a\":\"\xc3\"",
            &rules(),
            Refusal::Unreadable(Unreadable::NotUtf8),
        );
    }

    #[test]
    fn the_settings_are_asked_last_and_in_turn() {
        let rules = Rules {
            event_years: "2020-2024".parse().unwrap(),
            event_types: "a,b:c".parse().unwrap(),
            ..rules()
        };
        let long = "x".repeat(193);
        check_refused(
            event(&long, "1").as_bytes(),
            &rules,
            Refusal::PartitionValueTooLong,
        );
        check_refused(
            event("x", "1").as_bytes(),
            &rules,
            Refusal::EventYearOutOfRange,
        );
        check_refused(
            event("x", "\"2019-12-31T23:59:59.999999999Z\"").as_bytes(),
            &rules,
            Refusal::EventYearOutOfRange,
        );
        check_refused(
            event("x", "\"2025-01-01T00:00:00Z\"").as_bytes(),
            &rules,
            Refusal::EventYearOutOfRange,
        );
        check_refused(
            event("x", "\"2024-12-31T23:59:59Z\"").as_bytes(),
            &rules,
            Refusal::EventTypeNotListed,
        );
        assert!(
            transform(
                event("b: c :d", "\"2020-01-01T00:00:00Z\"").as_bytes(),
                &rules
            )
            .is_ok()
        );
    }

    #[test]
    fn an_identity_is_readable_and_shared_by_no_other() {
        #[track_caller]
        fn check(text: &str, identity: Identity, expected: &str) {
            let event = Event::parse(text, &EventFields::default()).unwrap();
            let mut out = String::new();
            write_identity(&event, identity, &mut out);
            assert_eq!(out, expected);
        }
        let text =
            r#"{"event_uuid":" 9f\"\\","event_name":" account:created","created_at":1644838800}"#;
        check(
            text,
            Identity::Event,
            r#"[" 9f\"\\"," account:created",1644838800000000000]"#,
        );
        check(text, Identity::Uuid, r#"[" 9f\"\\"]"#);
        let late =
            r#"{"event_uuid":"u","event_name":"a","created_at":"9999-12-31T23:59:59.999999999Z"}"#;
        check(late, Identity::Event, r#"["u","a",253402300799999999999]"#);
    }

    #[test]
    fn years_are_a_range_within_1970_to_9999() {
        assert_eq!("2020-2030".parse(), Ok(EventYears(2020..=2030)));
        assert_eq!(" 1970 - 9999 ".parse(), Ok(EventYears::default()));
        assert_eq!(
            EventYears::default().to_string().parse(),
            Ok(EventYears::default())
        );
        for text in [
            "",
            "2020",
            "2030-2020",
            "1969-2000",
            "2000-10000",
            "a-b",
            "2000-2001-2002",
            "2000..2001",
        ] {
            assert_eq!(text.parse::<EventYears>(), Err(YearsUnreadable), "{text}");
        }
    }

    #[test]
    fn types_are_listed_alone_or_with_their_subtypes() {
        #[track_caller]
        fn check(types: &str, event_type: &str, event_subtype: &str, expected: bool) {
            let types: EventTypes = types.parse().unwrap();
            assert_eq!(
                types.list(event_type, event_subtype),
                expected,
                "{event_type}:{event_subtype} in {types:?}"
            );
        }
        let types = "account:created, account : deleted ,login";
        check(types, "account", "created", true);
        check(types, "account", "deleted", true);
        check(types, "account", "unknown", false);
        check(types, "login", "anything", true);
        check(types, "Login", "anything", false);
        check("a:b,a", "a", "c", true);
        check("a,a:b", "a", "c", true);
        assert!(EventTypes::Any.list("x", "y"));
        for text in ["", ",", "a,", ":b", "a:", "a:b:c", " "] {
            assert_eq!(text.parse::<EventTypes>(), Err(TypesUnreadable), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = transform(&bytes, &rules());
        }

        #[test]
        fn what_an_event_holds_passes_through_byte_for_byte(
            before in members(), between in members(), after in members(), name in "[a-z]{1,8}(:[a-z]{1,8})?",
        ) {
            let own = |field: &str| format!(r#""{field}":"#);
            let all = [
                before, vec![own("event_uuid") + "\"u\""], between,
                vec![own("event_name") + &format!("\"{name}\""), own("created_at") + "1.50"], after,
            ].concat().join(",");
            let line = delivered(format!("{{{all}}}").as_bytes());
            prop_assert_eq!(&line[1..=all.len()], &all);
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok());
            prop_assert_eq!(line.matches('\n').count(), 1);
        }
    }

    /// Members as a sender may spell them.
    fn members() -> impl Strategy<Value = Vec<String>> {
        let value = prop_oneof![
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?",
            r#""([^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,12}""#,
            Just(r#"{"event_uuid" : [1, {"event_type":null}]}"#.to_owned()),
            Just("[ true ,false]".to_owned()),
        ];
        let member = (r#"" *x[^"\\\x00-\x1f]{0,5}""#, value)
            .prop_map(|(key, value)| format!(" {key} :{value} "));
        prop::collection::vec(member, 0..4)
    }
}
