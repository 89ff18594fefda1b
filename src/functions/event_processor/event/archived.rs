//! An archived line read back: as what its event is counted.

use super::added::Added;
use crate::json::{
    Value,
    object::{Member, Members, Unreadable, read_text},
};

/// By what an event is counted, its window aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountedAs {
    pub experiment: String,
    pub variant: String,
    pub event_type: String,
}

impl CountedAs {
    /// None of an event that is not counted. What was added stands behind the record's id, so that a
    /// producer's own field is not taken for it.
    pub fn read(line: &[u8]) -> Result<Option<Self>, Unreadable> {
        let (mut experiment, mut variant, mut event_type) = (None, None, None);
        let (mut is_added, mut has_failed) = (false, false);
        Members::read(read_text(line)?, |key, value| {
            match key {
                "experiment_id" => experiment = text(value),
                "event_type" => event_type = text(value),
                _ if key == Added::RecordId.name() => is_added = true,
                _ if is_added && key == Added::Variant.name() => variant = text(value),
                _ if is_added && key == Added::EnrichmentError.name() => has_failed = true,
                _ => {}
            }
            Member::Passes
        })?;
        let counted = experiment.zip(variant).zip(event_type);
        let counted = counted.filter(|_| !has_failed);
        Ok(counted.map(|((experiment, variant), event_type)| Self {
            experiment,
            variant,
            event_type,
        }))
    }
}

/// When the event of an archived line was, as that says behind its record's id; none of any other line.
#[must_use]
pub fn archived_datetime(line: &[u8]) -> Option<String> {
    let (mut is_added, mut datetime) = (false, None);
    let members = Members::read(read_text(line).ok()?, |key, value| {
        if key == Added::RecordId.name() {
            is_added = true;
        } else if is_added && key == Added::EventDatetime.name() {
            datetime = text(value);
        }
        Member::Passes
    });
    members.ok().and(datetime)
}

fn text(value: Value<'_>) -> Option<String> {
    match value {
        Value::String(text) => text.decode().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        functions::event_processor::{
            enrichment::Assignment,
            event::{Event, Known},
        },
        kinesis::{RecordId, Sequence, ShardId},
    };

    /// Archives an event, and reads it back.
    #[track_caller]
    fn check(more: &str, known: &Known, expected: Option<&str>) {
        let text =
            format!(r#"{{"event_id":"e","event_type":"view","user_id":"u","timestamp":0{more}}}"#);
        let event = Event::parse(text.as_bytes(), None).unwrap();
        let id = RecordId {
            shard: ShardId(0),
            sequence: Sequence::parse("1").unwrap(),
            sub: None,
        };
        let mut line = Vec::new();
        event.write_archived(id, known, &mut line);
        let datetime = archived_datetime(&line);
        assert_eq!(datetime.as_deref(), Some("1970-01-01T00:00:00.000000Z"));
        assert_eq!(archived_datetime(text.as_bytes()), None);
        let counted = CountedAs::read(&line).unwrap();
        let variant = counted.as_ref().map(|counted| counted.variant.as_str());
        assert_eq!(variant, expected, "{text}");
        let is_counted = event.experiment_id.is_some() && !known.failed;
        let by_function = event.variant_of(known).filter(|_| is_counted);
        assert_eq!(variant, by_function, "{text}");
    }

    #[test]
    fn an_event_is_read_back_as_what_it_is_counted_as() {
        let nothing = Known::default();
        let assigned = Known {
            assignment: Some(Arc::new(Assignment {
                variant: Some("B".to_owned()),
                ..Assignment::default()
            })),
            ..Known::default()
        };
        let failed = Known {
            failed: true,
            ..Known::default()
        };
        check("", &assigned, None);
        check(r#","experiment_id":"x""#, &nothing, None);
        check(r#","experiment_id":"x""#, &assigned, Some("B"));
        check(r#","experiment_id":null"#, &assigned, None);
        let named = r#","experiment_id":"x","metadata":{"variant":"A\u0042"}"#;
        check(named, &assigned, Some("AB"));
        check(named, &failed, None);
        let own = r#","experiment_id":"x","variant":"own","enrichment_error":true,"record_id":"r""#;
        check(own, &nothing, None);
        check(own, &assigned, Some("B"));
    }

    #[test]
    fn what_is_no_object_is_no_event() {
        assert_eq!(CountedAs::read(b"[]"), Err(Unreadable::NotAnObject));
    }
}
