//! Why an event is not accepted.

use std::{borrow::Cow, fmt};

use crate::json::object::Unreadable;

/// A field that an event must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    EventUuid,
    EventName,
    CreatedAt,
}

/// Why an event is not accepted: a pure function of its record's bytes and the settings. In the
/// order in which they are looked for; the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    Unreadable(Unreadable),
    Missing(Field),
    WrongType(Field),
    Empty(Field),
    TooLong(Field),
    ControlCharacter(Field),
    CreatedAtUnreadable,
    CreatedAtOutOfRange,
    EventTypeEmpty,
    PartitionValueTooLong,
    EventYearOutOfRange,
    EventTypeNotListed,
}

impl Refusal {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        let before = Unreadable::ALL.map(Self::Unreadable);
        let of_field = |field| {
            [
                Self::Missing(field),
                Self::WrongType(field),
                Self::Empty(field),
                Self::TooLong(field),
                Self::ControlCharacter(field),
            ]
        };
        let fields = [Field::EventUuid, Field::EventName, Field::CreatedAt];
        let after = [
            Self::CreatedAtUnreadable,
            Self::CreatedAtOutOfRange,
            Self::EventTypeEmpty,
            Self::PartitionValueTooLong,
            Self::EventYearOutOfRange,
            Self::EventTypeNotListed,
        ];
        let fields = fields.into_iter().flat_map(of_field);
        before.into_iter().chain(fields).chain(after)
    }

    /// Its name in metrics, logs and summaries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        use Field::{CreatedAt, EventName, EventUuid};
        match self {
            Self::Unreadable(why) => why.as_str(),
            Self::Missing(EventUuid) => "event_uuid_missing",
            Self::Missing(EventName) => "event_name_missing",
            Self::Missing(CreatedAt) => "created_at_missing",
            Self::WrongType(EventUuid) => "event_uuid_wrong_type",
            Self::WrongType(EventName) => "event_name_wrong_type",
            Self::WrongType(CreatedAt) => "created_at_wrong_type",
            Self::Empty(EventUuid) => "event_uuid_empty",
            Self::Empty(EventName) => "event_name_empty",
            Self::Empty(CreatedAt) => "created_at_empty",
            Self::TooLong(EventUuid) => "event_uuid_too_long",
            Self::TooLong(EventName) => "event_name_too_long",
            Self::TooLong(CreatedAt) => "created_at_too_long",
            Self::ControlCharacter(EventUuid) => "event_uuid_control_character",
            Self::ControlCharacter(EventName) => "event_name_control_character",
            Self::ControlCharacter(CreatedAt) => "created_at_control_character",
            Self::CreatedAtUnreadable => "created_at_unreadable",
            Self::CreatedAtOutOfRange => "created_at_out_of_range",
            Self::EventTypeEmpty => "event_type_empty",
            Self::PartitionValueTooLong => "partition_value_too_long",
            Self::EventYearOutOfRange => "event_year_out_of_range",
            Self::EventTypeNotListed => "event_type_not_listed",
        }
    }

    /// What to do about it, for the person who sent the event; by the names of uuid, name and time.
    #[must_use]
    pub fn advice(self, names: [&str; 3]) -> Cow<'static, str> {
        let [uuid, name, time] = names;
        match self {
            Self::Unreadable(why) => read_advice(why, names),
            Self::Missing(_) => format!(
                "add the field; {uuid}, {name} and {time} are required. Where your events call them otherwise, EVENT_FIELDS (--event-fields) says how"
            ).into(),
            Self::WrongType(Field::CreatedAt) => {
                format!("make {time} a number (Unix time) or text (RFC 3339)").into()
            }
            Self::WrongType(_) => "make the field a text, without lone surrogates".into(),
            Self::Empty(_) => "give the field a value".into(),
            Self::TooLong(_) => "use at most 256 bytes of UTF-8".into(),
            Self::ControlCharacter(_) => {
                "leave out characters below U+0020, such as tabs and line breaks".into()
            }
            Self::CreatedAtUnreadable => {
                "write Unix time (1712511721.022075) or RFC 3339 (2024-04-07T17:42:01.022075Z) with at most 9 fraction digits".into()
            }
            Self::CreatedAtOutOfRange => format!(
                "{time} must lie in the years 1970 to 9999; look at the unit and the sender's clock"
            ).into(),
            Self::EventTypeEmpty => {
                format!("begin {name} with its type, as in account:created").into()
            }
            Self::PartitionValueTooLong => {
                "shorten the type or subtype: encoded for the path it may have 192 bytes, and each byte outside A-Z a-z 0-9 _ - . ~ takes three".into()
            }
            Self::EventYearOutOfRange => format!(
                "{time} lies outside EVENT_YEARS; correct the sender's clock or widen the setting"
            ).into(),
            Self::EventTypeNotListed => format!(
                "the type is not in EVENT_TYPES; correct {name} or add the type to the setting"
            ).into(),
        }
    }
}

/// What to do about bytes that are no object that can be read.
fn read_advice(why: Unreadable, [uuid, name, time]: [&str; 3]) -> Cow<'static, str> {
    match why {
        Unreadable::DataMissing => "the record is empty; send an event in it".into(),
        Unreadable::NotBase64 => {
            "the record's data is not padded standard base64; let an AWS SDK encode it".into()
        }
        Unreadable::NotUtf8 => "encode the event as UTF-8, without a byte order mark".into(),
        Unreadable::NotJson => {
            "the text is no complete JSON; look for a cut-off record, a missing quote or comma, a raw line break or NaN".into()
        }
        Unreadable::TooDeep => {
            "nest arrays and objects less deep (64 levels are always taken, more than 128 never), or send the inner part as text".into()
        }
        Unreadable::ManyValues => "put exactly one event into a record".into(),
        Unreadable::NotAnObject => "send a JSON object, { … }".into(),
        Unreadable::FieldDoubled => format!(
            "write {uuid}, {name}, {time} and what is added (event_type, event_subtype, created_datetime) at most once each"
        ).into(),
    }
}

impl From<Unreadable> for Refusal {
    fn from(why: Unreadable) -> Self {
        Self::Unreadable(why)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_refusal_is_listed_once_and_has_a_name_of_its_own() {
        let all: Vec<_> = Refusal::all().collect();
        assert_eq!(all.len(), 29);
        let names: BTreeSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), all.len());
        for name in names {
            assert!(
                name.bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')),
                "{name}"
            );
        }
    }

    #[test]
    fn advice_names_what_is_allowed() {
        for (refusal, allowed) in [
            (Refusal::Unreadable(Unreadable::NotUtf8), "UTF-8"),
            (Refusal::Unreadable(Unreadable::TooDeep), "64 levels"),
            (Refusal::WrongType(Field::EventUuid), "a text"),
            (Refusal::WrongType(Field::CreatedAt), "a number"),
            (Refusal::TooLong(Field::EventName), "256 bytes"),
            (Refusal::CreatedAtOutOfRange, "1970 to 9999"),
            (Refusal::PartitionValueTooLong, "192 bytes"),
            (Refusal::CreatedAtUnreadable, "Unix time"),
            (
                Refusal::Missing(Field::EventName),
                "id, name and ts are required",
            ),
            (Refusal::EventTypeEmpty, "begin name with"),
            (Refusal::EventYearOutOfRange, "ts lies outside"),
        ] {
            let advice = refusal.advice(["id", "name", "ts"]);
            assert!(advice.contains(allowed), "{refusal}: {advice}");
        }
    }
}
