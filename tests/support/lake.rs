//! What a lake of `nozzle run` holds.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::folder::files;

#[derive(serde::Deserialize)]
struct Event {
    event_uuid: String,
}

/// Every delivered event's `event_uuid` and how often it is in the lake. Fails if a file is not
/// whole.
#[track_caller]
pub(crate) fn delivered(lake: &Path) -> BTreeMap<String, usize> {
    let mut delivered = BTreeMap::new();
    for file in files(&lake.join("events")) {
        let bytes = fs::read(&file).unwrap();
        let mut text = String::new();
        if file.extension().is_some_and(|extension| extension == "gz") {
            let mut reader = MultiGzDecoder::new(bytes.as_slice());
            reader.read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        assert!(text.ends_with('\n'), "{}", file.display());
        for line in text.lines() {
            let event: Event = serde_json::from_str(line).unwrap();
            *delivered.entry(event.event_uuid).or_default() += 1;
        }
    }
    delivered
}

/// The bytes of every record with an error object, sorted.
pub(crate) fn failed(lake: &Path) -> Vec<Vec<u8>> {
    let mut failed = Vec::new();
    for file in files(&lake.join("errors")) {
        for line in fs::read_to_string(file).unwrap().lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            let raw = object["rawData"].as_str().unwrap();
            failed.push(BASE64_STANDARD.decode(raw).unwrap());
        }
    }
    failed.sort();
    failed
}
