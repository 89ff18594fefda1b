//! Records that are not sound, between sound ones.

use serde_json::{Map, Value, json};

use crate::{
    local::firehose::invocation::Invoke,
    tool::check::{probe::Findings, prober::Prober, request::Data, sample::Change},
};

const LEVELS: usize = 20_000;

pub(super) async fn empty_data(prober: &mut Prober<impl Invoke>) -> Findings {
    put_bytes(prober, &[("no bytes", b""), ("a line end", b"\n")]).await
}

pub(super) async fn missing_data(prober: &mut Prober<impl Invoke>) -> Findings {
    let odd = vec![
        ("data that is null".to_owned(), Data::Spelled(Value::Null)),
        ("no data".to_owned(), Data::Absent),
    ];
    prober.put_odd(odd).await.0
}

pub(super) async fn bad_base64(prober: &mut Prober<impl Invoke>) -> Findings {
    let texts = [
        "%%%",
        "YQ",
        "YQ=",
        "YQ==YQ==",
        "a b c d",
        "{\"a\":1}",
        "\u{e9}",
    ];
    let odd = texts.map(|text| (format!("data `{text}`"), Data::Spelled(text.into())));
    prober.put_odd(odd.into()).await.0
}

pub(super) async fn not_json(prober: &mut Prober<impl Invoke>) -> Findings {
    let texts = [
        "not json", "{", "{\"a\":1", "[]", "null", "7", "\"text\"", "true", "{} {}", "{'a':1}",
        "NaN", "<event/>", "a,b,c",
    ];
    let odd = texts.map(|text| (format!("`{text}`"), Data::Bytes(text.into())));
    prober.put_odd(odd.into()).await.0
}

pub(super) async fn not_utf8(prober: &mut Prober<impl Invoke>) -> Findings {
    let odd: [(&str, &[u8]); 5] = [
        ("a byte 255", b"\xff"),
        ("Latin-1", b"{\"a\":\"\xe9\"}"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("bytes 0", b"\0\0\0\0"),
    ];
    put_bytes(prober, &odd).await
}

pub(super) async fn deep_nesting(prober: &mut Prober<impl Invoke>) -> Findings {
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

async fn put_bytes(prober: &mut Prober<impl Invoke>, odd: &[(&str, &[u8])]) -> Findings {
    let odd = odd.iter();
    let odd = odd
        .map(|(what, bytes)| ((*what).to_owned(), Data::Bytes(bytes.to_vec())))
        .collect();
    prober.put_odd(odd).await.0
}

/// Each field of an event in turn left out, and of every other type.
pub(super) async fn wrong_fields(prober: &mut Prober<impl Invoke>) -> Option<Findings> {
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
    let mut odd = vec![("`{}`".to_owned(), Data::Bytes(b"{}".to_vec()))];
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

/// An event that is delivered and has fields.
pub(super) fn sound_object(prober: &Prober<impl Invoke>) -> Option<usize> {
    let mut sound = prober.sound.iter().copied();
    sound.find(|event| {
        let event = prober.sample.events.get(*event);
        event.is_some_and(|event| event.fields.is_some())
    })
}

pub(super) fn to_data(fields: Map<String, Value>) -> Data {
    Data::Bytes(Value::Object(fields).to_string().into_bytes())
}
