//! Everything that is wrong with a record, not only what it is refused for. The function's own rules
//! say so: what they refuse is taken for something right, and they are asked again.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    excerpt::Excerpt,
    found::{fields, found},
    members::{SpelledMember, members, object},
};
use crate::{
    functions::firehose_transform::{
        event::{EventFields, Field, Refusal},
        transform::{EventTypes, EventYears, Rules, transform},
    },
    json::{Cursor, Problem, object::Unreadable},
    local::firehose::{batch::RECORD_BYTES_MAX, summary::RECORD_TOO_LARGE},
};

/// One thing that is wrong.
#[derive(Debug, Serialize)]
pub(super) struct RecordFault {
    pub(super) reason: &'static str,
    pub(super) field: Option<String>,
    #[serde(flatten)]
    pub(super) excerpt: Option<Excerpt>,
    /// How what stands there is read.
    pub(super) read_as: Option<String>,
    pub(super) advice: Cow<'static, str>,
}

const TOO_LARGE_ADVICE: &str =
    "Firehose takes no record of more than 1,000 KiB; send less, or what is large by way of S3";

/// What is wrong with a record, what it is refused for first.
pub(super) fn faults(record: &[u8], rules: &Rules) -> Vec<RecordFault> {
    if record.len() > RECORD_BYTES_MAX {
        return vec![RecordFault {
            reason: RECORD_TOO_LARGE,
            field: None,
            excerpt: None,
            read_as: Some(format!("{} bytes", record.len())),
            advice: TOO_LARGE_ADVICE.into(),
        }];
    }
    match transform(record, rules) {
        Ok(_) => Vec::new(),
        Err(Refusal::Unreadable(why)) if why != Unreadable::FieldDoubled => {
            vec![unreadable(record, why, &names(&rules.event_fields))]
        }
        Err(_) => of_fields(record, rules),
    }
}

/// The names of uuid, name and time.
fn names(fields: &EventFields) -> [&str; 3] {
    let mut names = fields.names();
    [(); 3].map(|()| names.next().unwrap_or_default())
}

fn unreadable(record: &[u8], why: Unreadable, names: &[&str; 3]) -> RecordFault {
    let text = str::from_utf8(record);
    let mut cursor = Cursor::new(text.unwrap_or_default());
    let at_byte = match (why, text) {
        (Unreadable::NotUtf8, Err(error)) => Some(error.valid_up_to()),
        (Unreadable::NotUtf8, Ok(_)) => Some(0),
        (Unreadable::NotJson | Unreadable::TooDeep | Unreadable::ManyValues, _) => {
            match cursor.value() {
                // The bracket is passed.
                Err(Problem::TooDeep) => Some(cursor.position().saturating_sub(1)),
                Err(Problem::Syntax) => Some(cursor.position()),
                Ok(_) => {
                    cursor.peek();
                    Some(cursor.position())
                }
            }
        }
        (Unreadable::NotAnObject, _) => {
            cursor.peek();
            Some(cursor.position())
        }
        (Unreadable::DataMissing | Unreadable::NotBase64 | Unreadable::FieldDoubled, _) => None,
    };
    let read_as = match why {
        Unreadable::NotUtf8 if text.is_ok() => Some("a byte order mark"),
        Unreadable::NotUtf8 => Some("bytes that are no UTF-8"),
        Unreadable::ManyValues => Some("a second value"),
        Unreadable::TooDeep => Some("one level too many"),
        _ => None,
    };
    let kind = || {
        text.ok()
            .filter(|_| why == Unreadable::NotAnObject)
            .map(super::found::kind)
    };
    RecordFault {
        reason: why.as_str(),
        field: None,
        excerpt: at_byte.and_then(|at_byte| Excerpt::at(record, at_byte)),
        read_as: read_as.or_else(kind).map(str::to_owned),
        advice: Refusal::Unreadable(why).advice(*names),
    }
}

/// Of an object that can be read.
fn of_fields(record: &[u8], rules: &Rules) -> Vec<RecordFault> {
    let text = str::from_utf8(record).unwrap_or_default();
    let mut mended = Mended {
        record,
        names: names(&rules.event_fields),
        members: members(text).unwrap_or_default(),
        rules: rules.clone(),
    };
    let mut faults = Vec::new();
    // Each turn mends a field, or all that are doubled.
    for _ in 0..=4 {
        let object = object(&mended.members);
        let Err(refusal) = transform(object.as_bytes(), &mended.rules) else {
            break;
        };
        faults.push(mended.fault(refusal));
    }
    faults
}

/// A record as far as it is mended.
struct Mended<'a> {
    record: &'a [u8],
    names: [&'a str; 3],
    members: Vec<SpelledMember<'a>>,
    rules: Rules,
}

impl<'a> Mended<'a> {
    /// What the refusal is about; from then on it is right.
    fn fault(&mut self, refusal: Refusal) -> RecordFault {
        let Some(field) = field(refusal) else {
            return self.doubled(refusal);
        };
        let [uuid, name, time] = self.names;
        let (name, right) = match field {
            Field::EventUuid => (uuid, "\"u\""),
            Field::EventName => (name, "\"a:b\""),
            Field::CreatedAt => (time, "0"),
        };
        let member = self.members.iter().find(|member| member.is(name));
        let fault = RecordFault {
            reason: refusal.as_str(),
            field: Some(name.to_owned()),
            excerpt: member.and_then(|member| Excerpt::at(self.record, member.at_byte)),
            read_as: Some(match member {
                Some(member) => found(refusal, member, &self.members, &self.rules),
                None => format!("{name} is missing; {}", fields(&self.members)),
            }),
            advice: refusal.advice(self.names),
        };
        match field {
            Field::EventUuid => {}
            Field::EventName => self.rules.event_types = EventTypes::Any,
            Field::CreatedAt => self.rules.event_years = EventYears::default(),
        }
        match self.members.iter_mut().find(|member| member.is(name)) {
            Some(member) => member.value = right.into(),
            None => self.members.push(SpelledMember::of(name, right)),
        }
        fault
    }

    /// The first of each is kept.
    fn doubled(&mut self, refusal: Refusal) -> RecordFault {
        let mut doubled: Vec<(Cow<'a, str>, usize)> = Vec::new();
        let mut kept: Vec<SpelledMember<'a>> = Vec::new();
        for member in self.members.drain(..) {
            let key = member.key.clone().unwrap_or_default();
            if self.rules.event_fields.is_known(&key) && kept.iter().any(|kept| kept.is(&key)) {
                doubled.push((key, member.at_byte));
            } else {
                kept.push(member);
            }
        }
        self.members = kept;
        let names: Vec<_> = doubled.iter().map(|(key, _)| format!("`{key}`")).collect();
        let (key, at_byte) = doubled.into_iter().next().unzip();
        RecordFault {
            reason: refusal.as_str(),
            excerpt: at_byte.and_then(|at_byte| Excerpt::at(self.record, at_byte)),
            read_as: (!names.is_empty()).then(|| format!("{} once more", names.join(", "))),
            field: key.map(Cow::into_owned),
            advice: refusal.advice(self.names),
        }
    }
}

/// The field whose value is refused.
fn field(refusal: Refusal) -> Option<Field> {
    match refusal {
        Refusal::Unreadable(_) => None,
        Refusal::Missing(field)
        | Refusal::WrongType(field)
        | Refusal::Empty(field)
        | Refusal::TooLong(field)
        | Refusal::ControlCharacter(field) => Some(field),
        Refusal::CreatedAtUnreadable
        | Refusal::CreatedAtOutOfRange
        | Refusal::EventYearOutOfRange => Some(Field::CreatedAt),
        Refusal::EventTypeEmpty | Refusal::PartitionValueTooLong | Refusal::EventTypeNotListed => {
            Some(Field::EventName)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> Rules {
        Rules {
            event_types: "a".parse().unwrap(),
            event_years: "2020-2030".parse().unwrap(),
            ..Rules::default()
        }
    }

    #[track_caller]
    fn check(record: &[u8], expected: &[(&str, Option<usize>, Option<&str>)]) {
        let faults = faults(record, &rules());
        let found: Vec<_> = faults
            .iter()
            .map(|fault| {
                let excerpt = fault.excerpt.as_ref();
                let at_byte = excerpt.map(|excerpt| serde_json::to_value(excerpt).unwrap());
                let at_byte = at_byte.map(|json| json["at_byte"].as_u64().unwrap());
                let at_byte = at_byte.map(|at_byte| usize::try_from(at_byte).unwrap());
                (fault.reason, at_byte, fault.read_as.as_deref())
            })
            .collect();
        assert_eq!(found, expected, "{}", record.escape_ascii());
        let first = transform(record, &rules()).map(drop).err();
        let first = first.map(Refusal::as_str);
        assert_eq!(found.first().map(|(reason, ..)| *reason), first);
    }

    #[test]
    fn what_cannot_be_read_is_one_fault_with_its_place() {
        check(b"", &[("data_missing", None, None)]);
        check(b"{\"a\":nan}", &[("not_json", Some(5), None)]);
        check(
            b"ok\xff",
            &[("not_utf8", Some(2), Some("bytes that are no UTF-8"))],
        );
        check(
            "\u{feff}{}".as_bytes(),
            &[("not_utf8", Some(0), Some("a byte order mark"))],
        );
        check(
            b"{} {}",
            &[("many_values", Some(3), Some("a second value"))],
        );
        check(b" [1]", &[("not_an_object", Some(1), Some("an array"))]);
        let deep = "[".repeat(200);
        check(
            deep.as_bytes(),
            &[("too_deep", Some(128), Some("one level too many"))],
        );
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        check(
            br#"{"event_uuid":"u","event_name":"a:b","created_at":"2024-01-01"}"#,
            &[(
                "created_at_unreadable",
                Some(50),
                Some("`\"2024-01-01\"`, neither Unix time nor RFC 3339"),
            )],
        );
        check(
            br#"{"event_uuid":null,"event_name":":b","created_at":1e400}"#,
            &[
                ("event_uuid_wrong_type", Some(14), Some("`null`")),
                (
                    "created_at_out_of_range",
                    Some(50),
                    Some("`1e400`, nanoseconds since 1970: beyond the year 9999"),
                ),
                (
                    "event_type_empty",
                    Some(32),
                    Some("`\":b\"`, nothing before the first colon"),
                ),
            ],
        );
        check(
            br#"{"id":"u","event_name":"z:b","created_at":1}"#,
            &[
                (
                    "event_uuid_missing",
                    None,
                    Some("event_uuid is missing; the record has id, event_name, created_at"),
                ),
                (
                    "event_year_out_of_range",
                    Some(42),
                    Some(
                        "`1`, seconds since 1970: 1970-01-01T00:00:01.000000Z, and accepted are the years 2020-2030",
                    ),
                ),
                (
                    "event_type_not_listed",
                    Some(23),
                    Some("`\"z:b\"`, the type `z` with the subtype `b`"),
                ),
            ],
        );
    }

    #[test]
    fn what_is_missing_is_told_beside_what_the_record_has() {
        let missing = ["event_uuid", "event_name", "created_at"];
        let has = missing.map(|name| format!("{name} is missing; the record has id, name"));
        let [uuid, name, time] = has.each_ref().map(|has| Some(has.as_str()));
        check(
            br#"{"id":"u","name":"a:b"}"#,
            &[
                ("event_uuid_missing", None, uuid),
                ("event_name_missing", None, name),
                ("created_at_missing", None, time),
            ],
        );
    }

    #[test]
    fn what_stands_twice_hides_nothing_else() {
        check(
            br#"{"event_uuid":"","event_uuid":"u","event_name":"a","created_at":1700000000,"event_type":1,"event_type":2}"#,
            &[
                (
                    "field_doubled",
                    Some(30),
                    Some("`event_uuid`, `event_type` once more"),
                ),
                ("event_uuid_empty", Some(14), Some("`\"\"`, an empty text")),
            ],
        );
    }

    proptest! {
        #[test]
        fn the_first_fault_is_what_the_function_refuses_for(
            values in prop::collection::vec(
                prop_oneof![
                    Just("null"), Just("\"\""), Just("\" \""), Just("1700000000"), Just("1e400"), Just("-1"),
                    Just("\"a:b\""), Just("\":\""), Just("\"x\\u0001\""), Just("\"\\ud800\""), Just("[1"), Just("{}"),
                ],
                0..6,
            ),
            names in prop::collection::vec(
                prop_oneof![Just("event_uuid"), Just("event_name"), Just("created_at"), Just("event_type"), Just("a")],
                6,
            ),
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let members = names.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{value}"));
            let object = format!("{{{}}}", members.collect::<Vec<_>>().join(" , "));
            for record in [object.as_bytes(), &bytes] {
                let faults = faults(record, &rules());
                let first = transform(record, &rules()).map(drop).err();
                prop_assert_eq!(faults.first().map(|fault| fault.reason), first.map(Refusal::as_str));
                let mut reasons: Vec<_> = faults.iter().map(|fault| fault.reason).collect();
                reasons.sort_unstable();
                reasons.dedup();
                prop_assert_eq!(reasons.len(), faults.len());
            }
        }
    }

    #[test]
    fn what_is_right_has_no_fault() {
        check(
            br#"{"event_uuid":"u","event_name":"a","created_at":1700000000}"#,
            &[],
        );
    }
}
