//! Records that are not sound, between sound ones.

use serde_json::{Map, Value, json};

use super::basis::DELIVERED;
use crate::tool::check::{
    finding::Findings, probe::Probe, prober::Prober, request::RecordData, sample::Change,
};

const LEVELS: usize = 20_000;

pub(super) const ONE_BAD: &str = "where the function fails, tries the whole batch 4 times, then puts it under the \
                       error prefix: one record takes thousands with it. Where it says Dropped, the \
                       record is gone and leaves no trace";
const NEVER_SENT: &str = "never sends this: its data is base64, an empty text where there is none";

pub(super) static EMPTY_DATA: Probe = Probe {
    name: "empty-data",
    expects: "a record without bytes is answered, and harms no other",
    why: "an empty payload comes as `\"data\": \"\"`",
    firehose: ONE_BAD,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(empty_data(prober)),
};

pub(super) static MISSING_DATA: Probe = Probe {
    name: "missing-data",
    expects: "a record whose data is null or left out is answered, and harms no other",
    why: "what is wrong with one record is that record's failure, not the batch's; but only \
          tests and emulators send it",
    firehose: NEVER_SENT,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(async { missing_data(prober).await.softened() }),
};

pub(super) static BAD_BASE64: Probe = Probe {
    name: "bad-base64",
    expects: "a record whose data is not base64 is answered, and harms no other",
    why: "what is wrong with one record is that record's failure, not the batch's; but only \
          tests and emulators send it",
    firehose: NEVER_SENT,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(async { bad_base64(prober).await.softened() }),
};

pub(super) static NOT_JSON: Probe = Probe {
    name: "not-json",
    expects: "a record that is not a JSON object is answered, and harms no other",
    why: "any producer can put any bytes into a stream",
    firehose: ONE_BAD,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(not_json(prober)),
};

pub(super) static NOT_UTF8: Probe = Probe {
    name: "not-utf8",
    expects: "a record that is not UTF-8 is answered, and harms no other",
    why: "any producer can put any bytes into a stream",
    firehose: ONE_BAD,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(not_utf8(prober)),
};

pub(super) static DEEP_NESTING: Probe = Probe {
    name: "deep-nesting",
    expects: "a record nested 20,000 levels deep is answered, and harms no other",
    why: "readers that call themselves for each level run out of stack",
    firehose: ONE_BAD,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(deep_nesting(prober)),
};

pub(super) static WRONG_FIELDS: Probe = Probe {
    name: "wrong-fields",
    expects: "an event whose fields are missing or of another type is answered, and harms no other",
    why: "producers change, and one of them is always first",
    firehose: ONE_BAD,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(async { with_fields(wrong_fields(prober).await) }),
};

async fn empty_data(prober: &mut Prober) -> Findings {
    put_bytes(prober, &[("no bytes", b""), ("a line end", b"\n")]).await
}

async fn missing_data(prober: &mut Prober) -> Findings {
    let odd = vec![
        (
            "data that is null".to_owned(),
            RecordData::Spelled(Value::Null),
        ),
        ("no data".to_owned(), RecordData::Absent),
    ];
    prober.put_odd(odd).await.0
}

async fn bad_base64(prober: &mut Prober) -> Findings {
    let texts = [
        "%%%",
        "YQ",
        "YQ=",
        "YQ==YQ==",
        "a b c d",
        "{\"a\":1}",
        "\u{e9}",
    ];
    let odd = texts.map(|text| (format!("data `{text}`"), RecordData::Spelled(text.into())));
    prober.put_odd(odd.into()).await.0
}

async fn not_json(prober: &mut Prober) -> Findings {
    let texts = [
        "not json", "{", "{\"a\":1", "[]", "null", "7", "\"text\"", "true", "{} {}", "{'a':1}",
        "NaN", "<event/>", "a,b,c",
    ];
    let odd = texts.map(|text| (format!("`{text}`"), RecordData::Bytes(text.into())));
    prober.put_odd(odd.into()).await.0
}

async fn not_utf8(prober: &mut Prober) -> Findings {
    let odd: [(&str, &[u8]); 5] = [
        ("a byte 255", b"\xff"),
        ("Latin-1", b"{\"a\":\"\xe9\"}"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("bytes 0", b"\0\0\0\0"),
    ];
    put_bytes(prober, &odd).await
}

async fn deep_nesting(prober: &mut Prober) -> Findings {
    let arrays = [&b"[".repeat(LEVELS)[..], &b"]".repeat(LEVELS)].concat();
    let objects = [&b"{\"a\":".repeat(LEVELS)[..], b"1", &b"}".repeat(LEVELS)].concat();
    let open = b"[".repeat(LEVELS);
    let odd = [
        ("arrays in arrays", &*arrays),
        ("objects in objects", &*objects),
        ("open arrays", &*open),
    ];
    put_bytes(prober, &odd).await
}

async fn put_bytes(prober: &mut Prober, odd: &[(&str, &[u8])]) -> Findings {
    let odd = odd.iter();
    let odd = odd
        .map(|(what, bytes)| ((*what).to_owned(), RecordData::Bytes(bytes.to_vec())))
        .collect();
    prober.put_odd(odd).await.0
}

/// Each field of an event in turn left out, and of every other type.
async fn wrong_fields(prober: &mut Prober) -> Option<Findings> {
    let event = sound_object(prober)?;
    let names: Vec<_> = prober
        .sample
        .events
        .get(event)?
        .fields
        .as_ref()?
        .keys()
        .cloned()
        .collect();
    let mut odd = vec![("`{}`".to_owned(), RecordData::Bytes(b"{}".to_vec()))];
    for name in &names {
        let mut changes = vec![(format!("no `{name}`"), Change::Without(name))];
        for value in [
            Value::Null,
            json!(7),
            json!(-1e300),
            json!(true),
            json!(""),
            json!([1]),
            json!({ "a": 1 }),
        ] {
            changes.push((format!("`{name}` {value}"), Change::With(name, value)));
        }
        for (what, change) in changes {
            let fields = prober.sample.changed(event, &change)?;
            odd.push((what, to_data(fields)));
        }
    }
    Some(prober.put_odd(odd).await.0)
}

/// Some probes change an event's fields.
pub(super) fn with_fields(findings: Option<Findings>) -> Findings {
    let none = "no event of the sample that is delivered is a JSON object with a text in it that is \
                neither id nor time";
    findings.unwrap_or_else(|| Findings::skipped(none))
}

/// An event that is delivered and has fields.
pub(super) fn sound_object(prober: &Prober) -> Option<usize> {
    let mut sound = prober.sound.iter().copied();
    sound.find(|event| {
        let event = prober.sample.events.get(*event);
        event.is_some_and(|event| event.fields.is_some())
    })
}

pub(super) fn to_data(fields: Map<String, Value>) -> RecordData {
    RecordData::Bytes(Value::Object(fields).to_string().into_bytes())
}
