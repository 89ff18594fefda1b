//! What the tool writes from: prefix expressions and error objects.

use std::path::{Component, Path};

use nozzle::local::firehose::{
    error_object::{
        ErrorObject,
        read::{Failed, Origin, Original, read},
        repair,
    },
    prefix::{Prefix, Values},
};
use serde_json::Value;

use super::pieces;

/// The first piece is a prefix, the others are values for its keys.
pub fn prefix(bytes: &[u8]) {
    let texts: Vec<_> = pieces(bytes).map(String::from_utf8_lossy).collect();
    let prefix = Prefix::parse(&texts[0]);
    let plain = Prefix::parse("events/").expect("a prefix");
    let error_prefix = Prefix::parse_error(&texts[0], prefix.as_ref().unwrap_or(&plain));
    for prefix in [prefix, error_prefix] {
        match prefix {
            Ok(prefix) => check_folders(&prefix, &texts[1..]),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn check_folders(prefix: &Prefix, values: &[impl AsRef<str>]) {
    let values = values
        .iter()
        .map(AsRef::as_ref)
        .chain(std::iter::repeat(".."));
    let keys: Vec<_> = values.take(prefix.keys.len()).collect();
    for (arrival_milliseconds, random) in [(0, 0), (i64::MIN, u64::MAX), (i64::MAX, 1)] {
        let values = Values {
            keys: &keys,
            arrival_milliseconds,
            random,
            error_output_type: "processing-failed",
        };
        if let Ok(folder) = prefix.evaluate(values) {
            check_inside(&folder);
        }
    }
}

/// An object of this prefix lies in the lake, and not in what is the lake's own.
fn check_inside(folder: &str) {
    assert!(folder.len() <= 512, "{folder:?} is too long");
    assert!(!folder.contains(char::is_control), "{folder:?}");
    let object = format!("{folder}nozzle-1");
    let parts: Vec<_> = Path::new(&object).components().collect();
    let is_inside = |part: &Component<'_>| matches!(part, Component::Normal(_));
    assert!(parts.iter().all(is_inside), "{folder:?} leaves the lake");
    assert!(parts[0].as_os_str() != ".nozzle", "{folder:?}");
}

/// All bytes are a record, then a line that may be an error object.
pub fn error_object(bytes: &[u8]) {
    check_written(bytes);
    if let Ok(failed) = read(bytes) {
        check_repaired(&failed);
    }
}

/// The first piece is what is said of the record.
fn check_written(bytes: &[u8]) {
    let message = pieces(bytes).next().unwrap_or_default();
    let object = ErrorObject {
        code: "Lambda.FunctionError",
        message: String::from_utf8_lossy(message).into_owned(),
        attempts_made: 4,
        arrival_milliseconds: 1_789_014_240_448,
        attempt_ended_milliseconds: i64::MAX,
    };
    let mut whole = String::new();
    object.write(&mut whole, bytes);
    let mut in_pieces = String::new();
    ErrorObject::begin(&mut in_pieces);
    bytes
        .chunks(3)
        .for_each(|piece| ErrorObject::push(&mut in_pieces, piece));
    object.end(&mut in_pieces);
    assert_eq!(whole, in_pieces);
    check_one_line(&whole);
    let value: Value = serde_json::from_str(&whole).expect("an error object is JSON");
    assert_eq!(value["errorMessage"], object.message);
    let failed = read(whole.as_bytes()).expect("what is written is read");
    assert_eq!(failed.bytes, bytes);
    assert_eq!(failed.code, object.code);
    assert_eq!(failed.origin, Origin::Arrived);
    assert_eq!(
        failed.arrival_milliseconds,
        Some(object.arrival_milliseconds)
    );
}

/// What is written for a person to repair says the same, but for space around an event and its line
/// breaks.
fn check_repaired(failed: &Failed) {
    let mut line = String::new();
    let original = Original {
        source: "errors".to_owned(),
        mark: "1 2".to_owned(),
    };
    repair::write(&mut line, failed, "not_json", "errors/x:1", &original);
    check_one_line(&line);
    let again = read(line.as_bytes()).expect("what is written is read");
    assert_eq!(plain(&again.bytes), plain(&failed.bytes), "{line}");
    assert_eq!(again.code, failed.code);
    assert_eq!(again.origin, Origin::Repaired);
    assert_eq!(again.original, Some(original));
    assert_eq!(again.arrival_milliseconds, failed.arrival_milliseconds);
}

fn check_one_line(line: &str) {
    assert_eq!(line.find('\n'), Some(line.len() - 1), "not one line");
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let plain = bytes.trim_ascii().iter();
    plain
        .map(|byte| if is_break(byte) { b' ' } else { *byte })
        .collect()
}
