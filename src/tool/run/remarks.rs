//! What a run's numbers do not say by themselves, and what to do then.

use std::path::Path;

use crate::{
    functions::firehose_transform::event::{EventFields, Field, Refusal},
    local::firehose::summary::Summary,
    tool::other_names::{self, has_instead},
};

/// What most of the records lack, and what the first of them has.
pub(super) fn lacking(summary: &Summary, fields: &EventFields) -> Option<String> {
    let required = [Field::EventUuid, Field::EventName, Field::CreatedAt];
    let by_field = required.into_iter().zip(fields.names());
    let by_field = by_field.filter_map(|(field, name)| {
        let refused = summary.refused.get(Refusal::Missing(field).as_str())?;
        Some((name, refused.records))
    });
    let lacking = other_names::lacking(summary.records, by_field)?;
    let first = has_instead(summary.lacking.as_ref()?);
    Some(format!("{lacking}; the first {first}"))
}

/// Nothing that is accepted was new.
pub(super) fn all_known(summary: &Summary, claims: &Path) -> Option<String> {
    (summary.delivered == 0 && summary.duplicates > 0).then(|| {
        format!(
            "nothing was delivered: every event that is accepted came before, as the claims \
             `{}` remember; to have them once more, name another --lake, or another --claims, by \
             which this lake has them twice",
            claims.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::field_names::FieldNames;

    fn summary(records: u64, refused: &[(&str, u64)]) -> Summary {
        let mut summary = Summary {
            records,
            lacking: Some(FieldNames::of(br#"{"id":"1","type":"a","ts":1}"#)),
            ..Summary::default()
        };
        for (reason, records) in refused {
            for _ in 0..*records {
                summary.add_refused(reason, String::new);
            }
        }
        summary
    }

    #[test]
    fn what_most_records_lack_is_said_with_what_the_first_has() {
        #[track_caller]
        fn check(records: u64, refused: &[(&str, u64)], fields: &str, expected: Option<&str>) {
            let said = lacking(&summary(records, refused), &fields.parse().unwrap());
            let begins = said
                .as_deref()
                .and_then(|said| said.split("; the first has id, type, ts").next());
            assert_eq!(begins, expected);
        }
        let usual = EventFields::default().to_string();
        check(
            3,
            &[("event_uuid_missing", 3)],
            &usual,
            Some("3 of 3 records lack event_uuid"),
        );
        check(
            9,
            &[
                ("event_name_missing", 3),
                ("created_at_missing", 2),
                ("not_json", 4),
            ],
            "id,what,ts",
            Some("5 of 9 records lack what or ts"),
        );
        check(4, &[("event_uuid_missing", 2)], &usual, None);
        check(4, &[("not_json", 4)], &usual, None);
    }
}
