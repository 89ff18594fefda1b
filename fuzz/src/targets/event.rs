//! One record: what is read of it, and what is written.

use nozzle::{
    functions::firehose_transform::{
        event::Event,
        partition::{PartitionKeys, VALUE_BYTES_MAX},
        transform::{Identity, Rules, transform, write_delivered, write_identity},
    },
    json::DEPTH_MAX,
};
use serde_json::{Map, Value};

/// Any bytes are an event or a refusal, and what is delivered is the event.
pub fn event(bytes: &[u8]) {
    let rules = rules();
    let read = transform(bytes, &rules);
    let again = transform(bytes, &rules);
    assert_eq!(
        read.as_ref().map(written),
        again.as_ref().map(written),
        "the same bytes were read in two ways"
    );
    match read {
        Ok(event) => check_delivered(bytes, &event),
        Err(refusal) => check_refused(bytes, refusal.as_str()),
    }
}

fn rules() -> Rules {
    Rules {
        partition_keys: "event_type,event_subtype,year,month,day,hour"
            .parse::<PartitionKeys>()
            .unwrap(),
        ..Rules::default()
    }
}

/// All that is made of an event.
#[derive(Debug, PartialEq)]
struct Written {
    line: String,
    keys: String,
    identity: String,
    identity_uuid: String,
}

fn written(event: &Event<'_>) -> Written {
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("what is written is UTF-8")
    };
    let identity = |identity| {
        let mut out = String::new();
        write_identity(event, identity, &mut out);
        out
    };
    Written {
        line: text(&|out| write_delivered(event, out)),
        keys: text(&|out| rules().partition_keys.write_json(event, out)),
        identity: identity(Identity::Event),
        identity_uuid: identity(Identity::Uuid),
    }
}

fn check_delivered(bytes: &[u8], event: &Event<'_>) {
    let text = str::from_utf8(bytes).expect("an event is UTF-8");
    assert!(is_json(text), "what is no JSON was accepted");
    assert!(depth(text) <= DEPTH_MAX, "too deep, and accepted");
    let written = written(event);
    check_line(text, &written.line);
    check_keys(&written.keys);
    check_identity(event, &written);
    // What is delivered is an event again, the same one, and nothing is added to it twice.
    let rules = rules();
    let again = transform(written.line.as_bytes(), &rules).expect("a delivered line is an event");
    assert_eq!(self::written(&again), written);
}

fn check_line(text: &str, line: &str) {
    assert!(is_json(line), "what is delivered is no JSON: {line:?}");
    assert_eq!(line.find('\n'), Some(line.len() - 1), "not one line");
    assert!(!line.contains('\r'), "not one line");
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text);
    // It refuses lone surrogates and numbers beyond 64 bits, which pass through here.
    let (Ok(mut came), Ok(mut delivered)) = (read(text), read(line)) else {
        return;
    };
    for added in ["event_type", "event_subtype", "created_datetime"] {
        came.remove(added);
        let value = delivered.remove(added).expect("a field is added");
        assert!(value.is_string(), "{added} is {value}");
    }
    assert_eq!(came, delivered, "something else was changed");
}

fn check_keys(keys: &str) {
    let keys: Map<String, Value> = serde_json::from_str(keys).expect("partition keys are JSON");
    assert_eq!(keys.len(), 6);
    for value in keys.values() {
        let value = value.as_str().expect("a value is a text");
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.~%".contains(&byte);
        assert!(
            value.bytes().all(is_safe),
            "{value:?} is not safe in a path"
        );
        assert!(value.bytes().any(|byte| byte != b'.'), "{value:?} is dots");
        assert_ne!(value, "__HIVE_DEFAULT_PARTITION__", "it is read as none");
        assert!(value.len() <= VALUE_BYTES_MAX, "{value:?} is too long");
    }
}

fn check_identity(event: &Event<'_>, written: &Written) {
    let identity: Vec<Value> = serde_json::from_str(&written.identity).expect("it is JSON");
    assert_eq!(identity.len(), 3);
    assert_eq!(identity[0], *event.uuid);
    assert_eq!(identity[1], *event.name.text);
    let uuid: Vec<Value> = serde_json::from_str(&written.identity_uuid).expect("it is JSON");
    assert_eq!(uuid, identity[..1]);
    let time = format!(",{}]", event.created_at.nanoseconds());
    assert!(written.identity.ends_with(&time), "{}", written.identity);
}

fn check_refused(bytes: &[u8], refusal: &str) {
    let Ok(text) = str::from_utf8(bytes) else {
        assert!(["not_utf8", "data_missing"].contains(&refusal), "{refusal}");
        return;
    };
    let is_object = text.trim_ascii_start().starts_with('{');
    match refusal {
        "not_json" => assert!(!is_json(text), "JSON was taken for none"),
        "too_deep" => assert!(depth(text) > DEPTH_MAX, "not so deep"),
        "many_values" => assert!(!is_json(text), "one value was taken for many"),
        "not_an_object" => assert!(is_json(text) && !is_object, "it is an object"),
        "not_utf8" => assert!(text.starts_with('\u{feff}'), "it is UTF-8"),
        "data_missing" => assert!(text.is_empty(), "there is data"),
        "not_base64" => panic!("nothing was decoded here"),
        _ => assert!(is_json(text) && is_object, "{refusal} of what is no object"),
    }
}

/// By the grammar alone, whatever the values and however deep.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// How many brackets are open at most, those in strings aside.
pub(super) fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest) = (0_u32, 0);
    let (mut in_string, mut after_backslash) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if after_backslash => after_backslash = false,
            b'\\' if in_string => after_backslash = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
