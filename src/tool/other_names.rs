//! What is said where records lack the fields that an event must have: it may have them under other
//! names.

use std::fmt::Display;

use indicatif::HumanCount;

use crate::{functions::firehose_transform::event::EventFields, local::field_names::FieldNames};

use super::plain::Plain;

const SHOWN: usize = 8;

/// What producers call uuid, name and time, the likeliest first, however they write it: `event_id`,
/// `eventId` and `EventID` are one.
const USUAL: [&[&str]; 3] = [
    &["eventuuid", "eventid", "uuid", "id", "messageid"],
    &[
        "eventname",
        "event",
        "name",
        "type",
        "eventtype",
        "action",
        "kind",
    ],
    &[
        "createdat",
        "occurredat",
        "timestamp",
        "ts",
        "eventtime",
        "time",
        "sentat",
        "datetime",
        "date",
    ],
];

/// That more than half of the records lack a field, by how many lack each: as a rule they have it under
/// another name.
pub(super) fn lacking<N: Display>(
    records: u64,
    by_field: impl Iterator<Item = (N, u64)>,
) -> Option<String> {
    let (names, lack): (Vec<_>, Vec<_>) = by_field
        .map(|(name, records)| (name.to_string(), records))
        .unzip();
    let lack = lack.iter().sum::<u64>();
    (lack * 2 > records).then(|| {
        format!(
            "{} of {} records lack {}",
            HumanCount(lack),
            HumanCount(records),
            names.join(" or ")
        )
    })
}

/// What such a record has, as a sentence's end.
pub(super) fn has_instead(names: &FieldNames) -> String {
    let suggested = match usual(names) {
        Some(fields) => fields.to_string(),
        None => "UUID,NAME,TIME".to_owned(),
    };
    let listed = in_words(names);
    if names.iter().next().is_none() {
        return format!("has {listed}");
    }
    format!(
        "has {listed}: where its uuid, name and time are called otherwise, say how: \
         --event-fields {suggested}"
    )
}

/// As many of them as are shown.
pub(super) fn in_words(names: &FieldNames) -> String {
    let mut shown: Vec<_> = names.iter().map(|name| Plain(name).to_string()).collect();
    if shown.is_empty() {
        return "no fields".to_owned();
    }
    if shown.len() > SHOWN {
        shown.truncate(SHOWN);
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// Three of them that are likely to be meant.
fn usual(names: &FieldNames) -> Option<EventFields> {
    let find = |usual: &&str| names.iter().find(|name| is_written(name, usual));
    let found = USUAL.map(|usual| usual.iter().find_map(find));
    let found: Option<Vec<_>> = found.into_iter().collect();
    found?.join(",").parse().ok()
}

fn is_written(name: &str, usual: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    letters
        .map(|letter| letter.to_ascii_lowercase())
        .eq(usual.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_may_call_its_fields_is_said() {
        #[track_caller]
        fn check(record: &str, has: &str, suggested: &str) {
            let said = has_instead(&FieldNames::of(record.as_bytes()));
            let expected = format!(
                "has {has}: where its uuid, name and time are called otherwise, say how: \
                 --event-fields {suggested}"
            );
            assert_eq!(said, expected);
        }
        check(
            r#"{"id":"secret","type":"a","ts":1,"user":2}"#,
            "id, type, ts, user",
            "id,type,ts",
        );
        check(
            r#"{"event_uuid":1,"what":2,"ts":3}"#,
            "event_uuid, what, ts",
            "UUID,NAME,TIME",
        );
        check(
            r#"{"uuid":1,"event_type":2,"time":3}"#,
            "uuid, event_type, time",
            "uuid,event_type,time",
        );
        check(
            r#"{"eventId":1,"type":2,"occurredAt":3}"#,
            "eventId, type, occurredAt",
            "eventId,type,occurredAt",
        );
        check("{\"\u{202e}a\":1}", "⟨U+202E⟩a", "UUID,NAME,TIME");
        check(
            r#"{"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0}"#,
            "1, 2, 3, 4, 5, 6, 7, 8, …",
            "UUID,NAME,TIME",
        );
        assert_eq!(has_instead(&FieldNames::of(b"{}")), "has no fields");
    }
}
