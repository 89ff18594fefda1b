//! Text in an event's fields that leads partition keys astray, or does not survive.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    basis::DELIVERED,
    odd::{sound_object, to_data, with_fields},
};
use crate::{
    instant::Instant,
    tool::check::{
        finding::Findings,
        judge::{Replied, fields, some},
        probe::Probe,
        prober::Prober,
        request::{ProbeBatch, RecordData, Role},
        sample::Change,
    },
};

const ASTRAY: &str = "delivers events into other partitions' folders, where queries count them, or puts \
                      them under the error prefix as partitioning-failed";
const GARBLED: &str = "delivers it: what is in the lake is wrong for ever";

pub(super) static HOSTILE_TEXT: Probe = Probe {
    name: "hostile-text",
    expects: "paths, controls and very long texts in an event leave no partition key unsafe",
    why: "partition keys become the names of objects: `../`, `/` and controls lead elsewhere",
    firehose: ASTRAY,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(async { with_fields(hostile_text(prober).await) }),
};

pub(super) static UNICODE: Probe = Probe {
    name: "unicode",
    expects: "text in any script is delivered as it came",
    why: "bytes read as Latin-1 and written as UTF-8 come out as other text",
    firehose: GARBLED,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(async { with_fields(unicode(prober).await) }),
};

/// What a part of a prefix may have.
const VALUE_BYTES_MAX: usize = 512;

const UUID_SHAPE: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

const HOSTILE: &[&str] = &[
    "../../up",
    "/root",
    "a/b",
    "a\\b",
    ".",
    "..",
    "./.",
    "%2e%2e%2f",
    "%00",
    "a=b/c=d",
    "null\u{0}byte",
    "line\nend",
    "\u{1b}[31m",
    "!{timestamp:yyyy}",
    "!{partitionKeyFromLambda:year}",
    "\u{202e}drawkcab",
    "' OR 1=1 --",
    "${jndi:ldap://x}",
    " ",
    ":",
    "::",
    "a:../..",
    "a:b/c",
    "a:\u{0}",
    "a: ",
];

const SCRIPTS: &[&str] = &[
    "Grüße",
    "żółć",
    "世界",
    "\u{1f680}\u{1f469}\u{200d}\u{1f680}",
    "שלום",
    "e\u{301}",
    "\u{ffff}\u{10ffff}",
];

async fn hostile_text(prober: &mut Prober) -> Option<Findings> {
    let long = "x".repeat(2_000);
    let texts: Vec<_> = HOSTILE.iter().copied().chain([&*long]).collect();
    let odd = with_texts(prober, &texts)?;
    let (mut findings, answered) = prober.put_odd(odd).await;
    if let Some((request, reply)) = answered {
        let usual = usual_keys(prober);
        check_keys(&request, &reply, &usual, &mut findings);
    }
    Some(findings)
}

/// Each free text of an event in turn with each of these.
fn with_texts(prober: &mut Prober, texts: &[&str]) -> Option<Vec<(String, RecordData)>> {
    let event = sound_object(prober)?;
    let names = text_fields(prober, event);
    let mut odd = Vec::new();
    for name in &names {
        for text in texts {
            let change = Change::With(name, Value::from(*text));
            let fields = prober.sample.changed(event, &change)?;
            let shown: String = text.chars().take(30).collect();
            odd.push((format!("`{name}` {shown:?}"), to_data(fields)));
        }
    }
    (!odd.is_empty()).then_some(odd)
}

/// The fields that may have any text. An id or a time of another form is rightly refused, and is the
/// probe `wrong-fields`'s.
fn text_fields(prober: &Prober, event: usize) -> Vec<String> {
    let event = prober.sample.events.get(event);
    let fields = event.and_then(|event| event.fields.as_ref());
    let texts = fields.into_iter().flatten().filter(|(name, value)| {
        **name != prober.sample.vary && value.as_str().is_some_and(|text| !has_a_form(text))
    });
    texts.map(|(name, _)| name.clone()).collect()
}

/// Whether a text is a number, a time, a date or a UUID.
fn has_a_form(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|sign| if sign.is_ascii_hexdigit() { 'x' } else { sign })
        .collect();
    let is_date = text.get(..10).is_some_and(|day| {
        let day = day.replace(|sign: char| sign.is_ascii_digit(), "0");
        matches!(
            &*day,
            "0000-00-00" | "0000/00/00" | "00/00/0000" | "00.00.0000"
        )
    });
    is_date
        || shape == UUID_SHAPE
        || text.parse::<f64>().is_ok()
        || Instant::from_text(text).is_ok()
}

/// A partition key as the sample's events have it.
#[derive(Default)]
struct Usual {
    /// Some functions want more folders than one.
    slashes: usize,
    /// No text has to be hostile for it.
    is_unsafe: bool,
}

fn usual_keys(prober: &Prober) -> BTreeMap<String, Usual> {
    let mut usual: BTreeMap<String, Usual> = BTreeMap::new();
    let Some((_, reply)) = &prober.shown else {
        return usual;
    };
    for keys in reply.partition_keys().values().filter_map(Value::as_object) {
        for (name, value) in keys {
            let slashes = value.as_str().unwrap_or_default().matches('/').count();
            let known = usual.entry(name.clone()).or_default();
            known.slashes = known.slashes.max(slashes);
            known.is_unsafe |= unsafe_because(value, slashes).is_some();
        }
    }
    usual
}

fn check_keys(
    request: &ProbeBatch,
    reply: &Replied,
    usual: &BTreeMap<String, Usual>,
    findings: &mut Findings,
) {
    let given = reply.partition_keys();
    let mut wrong = Vec::new();
    for (_, record, _) in reply.delivered(request) {
        let Some(Value::Object(keys)) = given.get(&record.id) else {
            continue;
        };
        let unsafe_key = keys.iter().find_map(|(name, value)| {
            let slashes_max = match usual.get(name) {
                Some(usual) if usual.is_unsafe => return None,
                Some(usual) => usual.slashes,
                None => 0,
            };
            let why = unsafe_because(value, slashes_max)?;
            Some(format!("`{name}` {why}"))
        });
        if let (Some(key), Role::Odd(what)) = (unsafe_key, &record.role) {
            wrong.push(format!("{key}, from {what}"));
        }
    }
    if !wrong.is_empty() {
        findings.fail(ASTRAY, format!("partition key {}", some(&wrong)));
    }
}

fn unsafe_because(value: &Value, slashes_max: usize) -> Option<String> {
    let Value::String(text) = value else {
        return Some(format!("is {value}, not a text"));
    };
    let shown: String = text.chars().take(40).collect();
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if text.len() > VALUE_BYTES_MAX {
        Some(format!("has {} bytes", text.len()))
    } else if text.chars().any(char::is_control) {
        Some(format!("has a control character: {shown:?}"))
    } else if text.split('/').any(|part| matches!(part, "." | ".."))
        || text.matches('/').count() > slashes_max
    {
        Some(format!("leads to another folder: {shown:?}"))
    } else {
        None
    }
}

const NONE_KEPT: &str = "cannot be told: no text field of an event is delivered as it came";
const NONE_DELIVERED: &str =
    "cannot be told: no event is delivered with such a text in a field that is kept";

async fn unicode(prober: &mut Prober) -> Option<Findings> {
    let mut odd = with_texts(prober, SCRIPTS)?;
    odd.extend(half_a_pair(prober));
    let passed = passed_through(prober);
    let (mut findings, answered) = prober.put_odd(odd).await;
    if let Some((request, reply)) = answered {
        let wrong = garbled(&request, &reply, &passed);
        if !wrong.is_empty() {
            findings.fail(
                GARBLED,
                format!("other text is delivered: {}", some(&wrong)),
            );
        } else if passed.is_empty() {
            findings.join(Findings::skipped(NONE_KEPT));
        } else if !has_text(&request, &reply, &passed) {
            findings.join(Findings::skipped(NONE_DELIVERED));
        }
    }
    Some(findings)
}

/// Half a surrogate pair, which JSON can spell and UTF-8 cannot.
fn half_a_pair(prober: &mut Prober) -> Option<(String, RecordData)> {
    let event = sound_object(prober)?;
    let name = text_fields(prober, event).into_iter().next()?;
    let change = Change::With(&name, Value::from("HALF"));
    let fields = prober.sample.changed(event, &change)?;
    let spelled = Value::Object(fields)
        .to_string()
        .replacen("HALF", "\\ud800", 1);
    Some((
        format!("`{name}` \"\\ud800\""),
        RecordData::Bytes(spelled.into_bytes()),
    ))
}

/// The text fields that come out as they went in, as far as the sample shows.
fn passed_through(prober: &Prober) -> Vec<String> {
    let Some((request, reply)) = &prober.shown else {
        return Vec::new();
    };
    let Some(event) = sound_object(prober) else {
        return Vec::new();
    };
    let mut names = text_fields(prober, event);
    for (position, record, data) in reply.delivered(request) {
        if let (true, RecordData::Bytes(sent)) = (position == event, &record.data) {
            let (sent, got) = (
                fields(sent).unwrap_or_default(),
                fields(data).unwrap_or_default(),
            );
            names.retain(|name| sent.get(name) == got.get(name));
        }
    }
    names
}

/// Whether there was anything to compare.
fn has_text(request: &ProbeBatch, reply: &Replied, passed: &[String]) -> bool {
    reply.delivered(request).any(|(_, record, _)| {
        let (Role::Odd(_), RecordData::Bytes(sent)) = (&record.role, &record.data) else {
            return false;
        };
        let sent = fields(sent).unwrap_or_default();
        let mut texts = passed.iter().filter_map(|name| sent.get(name)?.as_str());
        texts.any(|text| !text.is_ascii())
    })
}

fn garbled(request: &ProbeBatch, reply: &Replied, passed: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (_, record, data) in reply.delivered(request) {
        let (Role::Odd(what), RecordData::Bytes(sent)) = (&record.role, &record.data) else {
            continue;
        };
        let Some(sent) = fields(sent) else { continue };
        let got = fields(data).unwrap_or_default();
        let same = passed.iter().all(|name| got.get(name) == sent.get(name));
        if !same {
            wrong.push(what.clone());
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_numbers_and_times_have_a_form_and_other_texts_none() {
        for text in [
            "6d2fe6a7-9A04-4c0f-8a6e-0d1a1b5a0f11",
            "2026-11-27T10:00:00.25+01:00",
            "2026-11-27",
            "27/11/2026 10:00",
            "1764200000",
            "-12.5e3",
        ] {
            assert!(has_a_form(text), "{text}");
        }
        for text in [
            "",
            "shop.order.created",
            "DE",
            "2026-11",
            "a-b-c-d-e",
            "Grüße aus",
        ] {
            assert!(!has_a_form(text), "{text}");
        }
    }

    #[test]
    fn a_key_is_unsafe_where_it_leads_out_of_its_folder() {
        let check = |value: Value, slashes| unsafe_because(&value, slashes).is_some();
        for value in ["account", "a%2Fb", "...", "2024", "ü"] {
            assert!(!check(value.into(), 0), "{value}");
        }
        for value in ["", ".", "..", "a/b", "/", "a\nb", "\u{0}"] {
            assert!(check(value.into(), 0), "{value:?}");
        }
        assert!(!check("2024/04/07".into(), 2));
        assert!(check("2024/04/..".into(), 2));
        assert!(check("x".repeat(513).into(), 0));
        assert!(check(2024.into(), 0));
        assert!(check(Value::Null, 0));
    }
}
