//! Under which names an event has its uuid, its name and its time, and which fields are added.

use std::{fmt, str::FromStr};

use super::refusal::Field;

/// The name that is the name's, unless it is told otherwise.
const EVENT_NAME: &str = "event_name";

/// The fields that are added, and replaced where they came in.
const ADDED: [&str; 3] = ["event_type", "event_subtype", "created_datetime"];

/// The top-level fields of an event that are not only passed through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFields {
    /// The uuid's, the name's and the time's, then the others that are added.
    known: Vec<Known>,
    /// A bit for each length that one of their names has: most fields are told by it.
    lengths: u64,
    /// The name's own field is replaced, so the whole of it is added under another.
    pub(super) name_is_replaced: bool,
}

/// A field that is read, added or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    name: String,
    pub(super) read: Option<Field>,
    pub(super) is_added: bool,
}

impl EventFields {
    const DEFAULT: [&str; 3] = ["event_uuid", EVENT_NAME, "created_at"];

    fn of(names: [&str; 3]) -> Self {
        let [_, name, _] = names;
        let name_is_replaced = ADDED.contains(&name);
        let added: Vec<_> = ADDED
            .into_iter()
            .chain(name_is_replaced.then_some(EVENT_NAME))
            .collect();
        let read = names
            .into_iter()
            .zip([Field::EventUuid, Field::EventName, Field::CreatedAt])
            .map(|(name, field)| Known {
                name: name.to_owned(),
                read: Some(field),
                is_added: added.contains(&name),
            });
        let only_added = added.iter().filter(|name| !names.contains(name));
        let only_added = only_added.map(|name| Known {
            name: (*name).to_owned(),
            read: None,
            is_added: true,
        });
        let known: Vec<_> = read.chain(only_added).collect();
        let lengths = known.iter().map(|known| length_bit(&known.name));
        Self {
            lengths: lengths.fold(0, |all, bit| all | bit),
            known,
            name_is_replaced,
        }
    }

    /// The names of uuid, name and time.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let read = self.known.iter().filter(|known| known.read.is_some());
        read.map(|known| known.name.as_str())
    }

    /// Whether a field of this name is read or added, and so may stand once.
    #[must_use]
    pub fn is_known(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Which it is, and what is known of it.
    #[inline]
    pub(super) fn find(&self, key: &str) -> Option<(usize, &Known)> {
        if self.lengths & length_bit(key) == 0 {
            return None;
        }
        let mut known = self.known.iter().enumerate();
        known.find(|(_, known)| known.name == key)
    }
}

#[inline]
fn length_bit(name: &str) -> u64 {
    1 << name.len().min(63)
}

impl Default for EventFields {
    fn default() -> Self {
        Self::of(Self::DEFAULT)
    }
}

impl fmt::Display for EventFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "three field names, all different: of an event's uuid, name and time, in this order, such as id,name,ts. Fields that are added to each event are written over, so the uuid cannot be in event_type, event_subtype or created_datetime, nor the time in the first two, nor either in event_name where the name is in one of the three"
)]
pub struct FieldsUnreadable;

impl FromStr for EventFields {
    type Err = FieldsUnreadable;

    fn from_str(text: &str) -> Result<Self, FieldsUnreadable> {
        let names: Vec<_> = text.split(',').map(str::trim).collect();
        let names: [&str; 3] = names.try_into().map_err(|_| FieldsUnreadable)?;
        let [uuid, name, time] = names;
        let fields = Self::of(names);
        let are_different = uuid != name && name != time && uuid != time;
        let keeps = |lost: &str| fields.find(lost).is_some_and(|(_, known)| !known.is_added);
        let keeps_time = keeps(time) || time == "created_datetime";
        if are_different && !names.contains(&"") && keeps(uuid) && keeps_time {
            Ok(fields)
        } else {
            Err(FieldsUnreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_fields_are_named_in_order() {
        for text in [
            "event_uuid,event_name,created_at",
            "id,name,ts",
            "id,event_type,ts",
            "id,name,created_datetime",
            "event_name,kind,event_uuid",
        ] {
            let fields: EventFields = text.parse().expect(text);
            assert_eq!(fields.to_string(), text);
        }
        assert_eq!(
            " id , name,ts ".parse(),
            "id,name,ts".parse::<EventFields>()
        );
        assert_eq!(
            EventFields::default(),
            "event_uuid,event_name,created_at".parse().unwrap()
        );
    }

    #[test]
    fn what_would_be_lost_or_is_not_three_is_refused() {
        for text in [
            "",
            "id",
            "id,name",
            "id,name,ts,more",
            "id,,ts",
            "id,id,ts",
            "id,name,id",
            "event_type,name,ts",
            "id,name,event_subtype",
            "event_name,event_type,ts",
            "id,event_type,event_name",
        ] {
            assert_eq!(text.parse::<EventFields>(), Err(FieldsUnreadable), "{text}");
        }
    }
}
