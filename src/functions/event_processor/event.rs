//! An event of an experiment: the JSON object in a record, valid once it exists, and the line that
//! is archived of it.

mod added;
mod archived;
mod refusal;

use std::{borrow::Cow, io::Write, sync::Arc};

use added::Added;
pub use archived::{CountedAs, archived_datetime};
pub use refusal::{Field, Refusal};

use super::enrichment::{Assignment, Experiment};
use crate::{
    instant::{Calendar, Instant, InstantError},
    json::{
        Value,
        object::{Blank, Member, Members, TextProblem, read_text, required_text},
    },
    kinesis::{Arrival, RecordId},
};

/// The most bytes of an id, and of a variant.
const TEXT_BYTES_MAX: usize = 256;
const EVENT_TYPE_BYTES_MAX: usize = 100;

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;

/// An event, borrowed from its record.
#[derive(Debug)]
pub struct Event<'a> {
    pub id: Cow<'a, str>,
    pub event_type: Cow<'a, str>,
    pub user_id: Cow<'a, str>,
    pub experiment_id: Option<Cow<'a, str>>,
    pub time: Instant,
    /// The same in UTC.
    pub calendar: Calendar,
    /// That its producer named.
    pub variant: Option<Cow<'a, str>>,
    members: Members<'a>,
    /// Which came in of what may be added, in order.
    came_in: Vec<Added>,
}

/// What is known of an event's experiment beyond what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub assignment: Option<Arc<Assignment>>,
    pub experiment: Option<Arc<Experiment>>,
    /// It could not be looked up.
    pub failed: bool,
}

impl<'a> Event<'a> {
    pub fn parse(bytes: &'a [u8], arrival: Option<Arrival>) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        let members = Members::read(read_text(bytes)?, |key, value| fields.take(key, value))?;
        let text = |field, value, bytes_max| {
            required_text(value, bytes_max, Blank::Empty)
                .map_err(|problem| Refusal::of(field, problem))
        };
        let id = text(Field::EventId, fields.id, TEXT_BYTES_MAX)?;
        let event_type = text(Field::EventType, fields.event_type, EVENT_TYPE_BYTES_MAX)?;
        let user_id = text(Field::UserId, fields.user_id, TEXT_BYTES_MAX)?;
        let experiment_id = match present(fields.experiment_id) {
            None => None,
            given => Some(text(Field::ExperimentId, given, TEXT_BYTES_MAX)?),
        };
        let time = read_time(fields.timestamp, arrival)?;
        read_object(fields.properties, Refusal::PropertiesWrongType)?;
        let metadata = read_object(fields.metadata, Refusal::MetadataWrongType)?;
        Ok(Self {
            id,
            event_type,
            user_id,
            experiment_id,
            time,
            calendar: time.calendar(),
            variant: metadata.and_then(read_variant),
            members,
            came_in: fields.came_in,
        })
    }

    /// Under which variant it is counted.
    #[must_use]
    pub fn variant_of<'k>(&'k self, known: &'k Known) -> Option<&'k str> {
        let assigned = || {
            let variant = known.assignment.as_ref()?.variant.as_deref()?;
            is_variant(variant).then_some(variant)
        };
        self.variant.as_deref().or_else(assigned)
    }

    /// Whole seconds, floored; negative where the event is older.
    fn seconds_since_assignment(&self, known: &Known) -> Option<i128> {
        let assigned = known.assignment.as_ref()?.time?;
        let since = self.time.nanoseconds() - assigned.nanoseconds();
        Some(since.div_euclid(NANOSECONDS_PER_SECOND))
    }

    /// Writes the line that is archived.
    pub fn write_archived(&self, id: RecordId, known: &Known, out: &mut Vec<u8>) {
        let added = Added::ALL.map(|added| (added, self.value(added, id, known)));
        let is_added = |name| {
            added
                .iter()
                .any(|(added, value)| *added == name && value.is_some())
        };
        let is_replaced = |index| self.came_in.get(index).copied().is_some_and(is_added);
        out.push(b'{');
        let ends_in_comma = self.members.write_kept_but(is_replaced, out);
        if !ends_in_comma {
            out.push(b',');
        }
        let added = added
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        for (index, (name, value)) in added.enumerate() {
            // Writing to a `Vec` cannot fail.
            let _ = write!(
                out,
                "{}\"{}\":",
                if index > 0 { "," } else { "" },
                name.name()
            );
            value.write(out);
        }
        out.extend_from_slice(b"}\n");
    }

    /// None where it is not known.
    fn value<'k>(&'k self, added: Added, id: RecordId, known: &'k Known) -> Option<Said<'k>> {
        let assignment = known.assignment.as_ref();
        let experiment = known.experiment.as_ref();
        let text = |text: &'k Option<String>| text.as_deref().map(|text| Said::Text(text.into()));
        match added {
            Added::RecordId => Some(Said::RecordId(id)),
            Added::EventDatetime => Some(Said::Datetime(self.calendar.datetime())),
            Added::AssignmentId => text(&assignment?.id),
            Added::Variant => Some(Said::Text(self.variant_of(known)?.into())),
            Added::TimeSinceAssignment => Some(Said::Number(self.seconds_since_assignment(known)?)),
            Added::ExperimentKey => text(&experiment?.key),
            Added::ExperimentName => text(&experiment?.name),
            Added::ExperimentStatus => text(&experiment?.status),
            Added::EnrichmentError => known.failed.then_some(Said::True),
        }
    }
}

/// What is said in an added field.
enum Said<'k> {
    RecordId(RecordId),
    Text(Cow<'k, str>),
    Datetime([u8; 27]),
    Number(i128),
    True,
}

impl Said<'_> {
    /// Writing to a `Vec` cannot fail.
    fn write(&self, out: &mut Vec<u8>) {
        let _ = match self {
            Self::RecordId(id) => write!(out, "\"{id}\""),
            Self::Text(text) => serde_json::to_writer(out, text).map_err(Into::into),
            Self::Datetime(text) => write!(out, "\"{}\"", str::from_utf8(text).unwrap_or_default()),
            Self::Number(number) => write!(out, "{number}"),
            Self::True => out.write_all(b"true"),
        };
    }
}

/// The members of a record's object that matter, before anything is asked of them.
#[derive(Default)]
struct Fields<'a> {
    id: Option<Value<'a>>,
    event_type: Option<Value<'a>>,
    user_id: Option<Value<'a>>,
    experiment_id: Option<Value<'a>>,
    timestamp: Option<Value<'a>>,
    properties: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    came_in: Vec<Added>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: &str, value: Value<'a>) -> Member {
        let field = match key {
            "event_id" => &mut self.id,
            "event_type" => &mut self.event_type,
            "user_id" => &mut self.user_id,
            "experiment_id" => &mut self.experiment_id,
            "timestamp" => &mut self.timestamp,
            "properties" => &mut self.properties,
            "metadata" => &mut self.metadata,
            other => return self.take_added(other),
        };
        match field.replace(value) {
            None => Member::Passes,
            Some(_) => Member::Doubled,
        }
    }

    fn take_added(&mut self, key: &str) -> Member {
        match Added::ALL.iter().find(|added| added.name() == key) {
            None => Member::Passes,
            Some(added) if self.came_in.contains(added) => Member::Doubled,
            Some(added) => {
                self.came_in.push(*added);
                Member::Replaced
            }
        }
    }
}

/// `null` is as good as nothing.
fn present(value: Option<Value<'_>>) -> Option<Value<'_>> {
    value.filter(|value| *value != Value::Null)
}

fn read_time(value: Option<Value<'_>>, arrival: Option<Arrival>) -> Result<Instant, Refusal> {
    let read = match present(value) {
        None => {
            let arrival = arrival.ok_or(Refusal::TimestampMissing)?;
            return Ok(arrival.0);
        }
        Some(Value::Number(number)) => Instant::from_number(number),
        Some(Value::String(text)) => {
            Instant::from_text(&text.decode().ok_or(Refusal::TimestampWrongType)?)
        }
        Some(_) => return Err(Refusal::TimestampWrongType),
    };
    read.map_err(|error| match error {
        InstantError::Unreadable => Refusal::TimestampUnreadable,
        InstantError::OutOfRange => Refusal::TimestampOutOfRange,
    })
}

fn read_object(value: Option<Value<'_>>, otherwise: Refusal) -> Result<Option<&str>, Refusal> {
    match present(value) {
        None => Ok(None),
        Some(Value::Object(text)) => Ok(Some(text)),
        Some(_) => Err(otherwise),
    }
}

/// The variant that metadata names, if it can be one; of several the last.
fn read_variant(metadata: &str) -> Option<Cow<'_, str>> {
    let mut variant = None;
    let take = |key: &str, value| {
        if key == "variant" {
            variant = Some(value);
        }
        Member::Passes
    };
    Members::read(metadata, take).ok()?;
    match required_text(variant, TEXT_BYTES_MAX, Blank::Empty) {
        Ok(text) => Some(text),
        Err(TextProblem::ControlCharacter) => match variant {
            Some(Value::String(text)) => text.decode(),
            _ => None,
        },
        Err(_) => None,
    }
}

fn is_variant(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::{Sequence, ShardId};

    const VALID: &str = r#""event_id":"e","event_type":"view","user_id":"u""#;

    fn arrival() -> Arrival {
        Arrival(Instant::from_number("1545084650.987").unwrap())
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let refusal = Event::parse(text.as_bytes(), Some(arrival())).map(drop);
        let refusal = refusal.expect_err(text).to_string();
        assert_eq!(refusal, expected, "{text}");
    }

    #[track_caller]
    fn parse(text: &str) -> Event<'_> {
        Event::parse(text.as_bytes(), Some(arrival())).unwrap()
    }

    /// Valid but for this field.
    fn with(field: &str, value: &str) -> String {
        let fields = ["event_id", "event_type", "user_id"].map(|name| {
            let value = if name == field { value } else { r#""x""# };
            format!("\"{name}\":{value}")
        });
        let other = format!("\"{field}\":{value}");
        let all = fields.into_iter().filter(|text| *text != other);
        format!("{{{},{other}}}", all.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn what_is_no_object_is_refused_for_what_is_met_first() {
        check("", "data_missing");
        check("\u{feff}{}", "not_utf8");
        check("{", "not_json");
        check("[", "not_json");
        check(&"[".repeat(200), "too_deep");
        check("{}{}", "many_values");
        check("[]", "not_an_object");
        check("null", "not_an_object");
        check("{}", "event_id_missing");
        assert!(Event::parse(b"{\"a\":\"\xff\"}", None).is_err());
    }

    #[test]
    fn a_field_that_is_read_or_added_stands_once() {
        let read = [
            "event_id",
            "event_type",
            "user_id",
            "experiment_id",
            "timestamp",
            "properties",
            "metadata",
        ];
        let added = Added::ALL.map(Added::name);
        for name in read.into_iter().chain(added) {
            check(&format!("{{\"{name}\":1,\"{name}\":2}}"), "field_doubled");
        }
        check(r#"{"event_id":"a","event\u005fid":"b"}"#, "field_doubled");
        parse(&format!("{{{VALID},\"other\":1,\"other\":2}}"));
    }

    #[test]
    fn a_text_is_there_short_and_plain() {
        for (field, most) in [
            ("event_id", 256),
            ("event_type", 100),
            ("user_id", 256),
            ("experiment_id", 256),
        ] {
            for (value, why) in [
                ("7", "wrong_type"),
                ("{}", "wrong_type"),
                (r#""\ud800""#, "wrong_type"),
                (r#""""#, "empty"),
                ("\" \u{2003}\"", "empty"),
                (&format!("\"{}\"", "x".repeat(most + 1)), "too_long"),
                (r#""a\u0000""#, "control_character"),
            ] {
                check(&with(field, value), &format!("{field}_{why}"));
            }
            parse(&with(field, &format!("\"{}\"", "x".repeat(most))));
        }
        check(&with("event_id", "null"), "event_id_wrong_type");
        check(r#"{"event_id":"e"}"#, "event_type_missing");
        check(r#"{"event_id":"e","event_type":"t"}"#, "user_id_missing");
        assert_eq!(parse(&with("experiment_id", "null")).experiment_id, None);
        assert_eq!(parse(&format!("{{{VALID}}}")).experiment_id, None);
    }

    #[test]
    fn a_time_is_the_events_own_or_its_arrival() {
        #[track_caller]
        fn at(value: &str, expected: &str) {
            let text = with("timestamp", value);
            let datetime = parse(&text).calendar.datetime();
            assert_eq!(str::from_utf8(&datetime).unwrap(), expected, "{value}");
        }
        at("null", "2018-12-17T22:10:50.987000Z");
        at("1712511721.022075", "2024-04-07T17:42:01.022075Z");
        at(
            r#""2024-04-07T19:42:01+02:00""#,
            "2024-04-07T17:42:01.000000Z",
        );
        at(r#""2024-04-07 17:42:01""#, "2024-04-07T17:42:01.000000Z");
        at(r#""1712511721""#, "2024-04-07T17:42:01.000000Z");
        for (value, why) in [
            ("true", "wrong_type"),
            ("[]", "wrong_type"),
            ("{}", "wrong_type"),
            (r#""\ud800""#, "wrong_type"),
            (r#""""#, "unreadable"),
            (r#""2024-02-30T00:00:00Z""#, "unreadable"),
            (r#""2016-12-31T23:59:60Z""#, "unreadable"),
            ("-1", "out_of_range"),
            (r#""1969-12-31T23:59:59Z""#, "out_of_range"),
        ] {
            check(&with("timestamp", value), &format!("timestamp_{why}"));
        }
        let timeless = format!("{{{VALID}}}");
        let missing = Event::parse(timeless.as_bytes(), None);
        assert_eq!(missing.map(drop), Err(Refusal::TimestampMissing));
    }

    #[test]
    fn properties_and_metadata_are_objects_where_they_are_there() {
        for field in ["properties", "metadata"] {
            for value in ["7", "[]", r#""{}""#, "true"] {
                check(&with(field, value), &format!("{field}_wrong_type"));
            }
            for value in ["null", "{}", r#"{"a":{"b":[1]}}"#] {
                parse(&with(field, value));
            }
        }
    }

    #[test]
    fn the_first_reason_wins() {
        check(
            r#"{"event_id":1,"event_type":2,"timestamp":true,"metadata":1}"#,
            "event_id_wrong_type",
        );
        check(
            &format!("{{{VALID},\"timestamp\":true,\"metadata\":1}}"),
            "timestamp_wrong_type",
        );
        check(
            &format!("{{{VALID},\"properties\":1,\"metadata\":1}}"),
            "properties_wrong_type",
        );
    }

    #[test]
    fn the_producer_knows_the_variant_best() {
        #[track_caller]
        fn check(metadata: &str, known: &Known, expected: Option<&str>) {
            let text = with("metadata", metadata);
            assert_eq!(parse(&text).variant_of(known), expected, "{metadata}");
        }
        let known = Known {
            assignment: Some(Arc::new(Assignment {
                variant: Some("assigned".to_owned()),
                ..Assignment::default()
            })),
            ..Known::default()
        };
        check(r#"{"variant":"B"}"#, &known, Some("B"));
        check(r#"{"variant":"\u0042\u0000"}"#, &known, Some("B\0"));
        check(r#"{"a":{"variant":"x"},"variant":"B"}"#, &known, Some("B"));
        let long = format!(r#"{{"variant":"{}"}}"#, "x".repeat(257));
        for none in [
            "null",
            "{}",
            r#"{"variant":7}"#,
            r#"{"variant":""}"#,
            r#"{"variant":" "}"#,
            r#"{"variant":"\ud800"}"#,
            &long,
        ] {
            check(none, &known, Some("assigned"));
            check(none, &Known::default(), None);
        }
        for blank in ["", " ", &"x".repeat(257)] {
            let mut known = known.clone();
            known.assignment = Some(Arc::new(Assignment {
                variant: Some(blank.to_owned()),
                ..Assignment::default()
            }));
            check("null", &known, None);
        }
    }

    #[track_caller]
    fn archived(text: &str, known: &Known) -> String {
        let id = RecordId {
            shard: ShardId(6),
            sequence: Sequence::parse("42").unwrap(),
            sub: Some(1),
        };
        let mut out = Vec::new();
        parse(text).write_archived(id, known, &mut out);
        let line = String::from_utf8(out).unwrap();
        parse(line.trim_end());
        line
    }

    const ALWAYS: &str =
        r#""record_id":"shardId-000000000006:42.1","event_datetime":"2018-12-17T22:10:50.987000Z""#;

    #[test]
    fn the_rest_of_an_event_is_archived_as_it_came() {
        let text = format!(
            "{{ {VALID},\n\"n\": 1.50e2 , \"t\":\"Hello 👋 é ñ 中文 \\u00e9\\ud800\",\"properties\":{{\"a\":[1,\r\n2]}} }}"
        );
        let expected = format!(
            "{{ {VALID},\"n\": 1.50e2 , \"t\":\"Hello 👋 é ñ 中文 \\u00e9\\ud800\",\"properties\":{{\"a\":[1,2]}} ,{ALWAYS}}}\n"
        );
        assert_eq!(archived(&text, &Known::default()), expected);
    }

    #[test]
    fn what_is_added_replaces_what_came_in_where_it_is_known() {
        let text = format!(
            "{{\"record_id\":1,{VALID},\"variant\":\"came\",\"assignment_id\":2,\"event_datetime\":3}}"
        );
        let expected = format!("{{{VALID},\"variant\":\"came\",\"assignment_id\":2,{ALWAYS}}}\n");
        assert_eq!(archived(&text, &Known::default()), expected);
        let known = Known {
            assignment: Some(Arc::new(Assignment {
                id: Some("a\"1".to_owned()),
                variant: Some("B".to_owned()),
                time: Some(Instant::from_number("1545079250.987").unwrap()),
            })),
            experiment: Some(Arc::new(Experiment {
                key: Some("k".to_owned()),
                name: Some("n".to_owned()),
                status: None,
            })),
            failed: false,
        };
        let expected = format!(
            "{{{VALID},{ALWAYS},\"assignment_id\":\"a\\\"1\",\"variant\":\"B\",\"time_since_assignment_seconds\":5400,\"experiment_key\":\"k\",\"experiment_name\":\"n\"}}\n"
        );
        assert_eq!(archived(&text, &known), expected);
        let failed = Known {
            failed: true,
            ..Known::default()
        };
        let line = archived(&format!("{{{VALID},\"enrichment_error\":0}}"), &failed);
        assert_eq!(
            line,
            format!("{{{VALID},{ALWAYS},\"enrichment_error\":true}}\n")
        );
    }

    #[test]
    fn time_since_assignment_is_floored_and_may_be_negative() {
        #[track_caller]
        fn check(event: &str, assigned: &str, expected: i128) {
            let known = Known {
                assignment: Some(Arc::new(Assignment {
                    time: Some(Instant::from_number(assigned).unwrap()),
                    ..Assignment::default()
                })),
                ..Known::default()
            };
            let text = with("timestamp", event);
            assert_eq!(
                parse(&text).seconds_since_assignment(&known),
                Some(expected)
            );
        }
        check("1000", "1000", 0);
        check("1000.999", "1000", 0);
        check("1001", "1000.5", 0);
        check("1000", "1000.001", -1);
        check("1000", "2000", -1000);
        check("6400", "1000", 5400);
    }

    #[test]
    fn reasons_have_names_of_their_own() {
        use crate::{json::object::Unreadable, kinesis::contents::Unread};
        let fields = [
            Field::EventId,
            Field::EventType,
            Field::UserId,
            Field::ExperimentId,
        ];
        let of_fields = fields.into_iter().flat_map(|field| {
            [
                Refusal::Missing(field),
                Refusal::WrongType(field),
                Refusal::Empty(field),
                Refusal::TooLong(field),
                Refusal::ControlCharacter(field),
            ]
        });
        let others = [
            Refusal::TimestampWrongType,
            Refusal::TimestampMissing,
            Refusal::TimestampUnreadable,
            Refusal::TimestampOutOfRange,
            Refusal::PropertiesWrongType,
            Refusal::MetadataWrongType,
            Refusal::Panicked,
            Refusal::Unread(Unread::AggregateBroken),
        ];
        let all = of_fields
            .chain(others)
            .chain(Unreadable::ALL.map(Refusal::from));
        let names: std::collections::BTreeSet<_> = all.map(|refusal| refusal.to_string()).collect();
        assert_eq!(names.len(), 36);
        assert!(names.contains("aggregate_broken") && names.contains("data_missing"));
    }
}
