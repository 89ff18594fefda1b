//! A batch to its answer, on a store that takes what it is asked for.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use nozzle::{
    dedup::{Answers, Claim, ClaimStore, Claimed, Terms},
    functions::{
        Response,
        firehose_transform::{Counts, FirehoseTransform, Settings, Unavailable},
    },
    json::DEPTH_MAX,
};
use serde_json::{Value, json};

use super::{
    answered,
    event::{depth, is_json},
    pieces,
};

/// Any bytes are answered or are no request.
pub fn request(bytes: &[u8]) {
    let settings = settings(0);
    match answer(bytes, settings.clone()) {
        Ok(answer) => check_answer(bytes, &answer, &settings),
        Err(Unavailable::Envelope(_)) => check_unreadable(bytes),
        Err(other) => panic!("{other}"),
    }
}

/// Any records, under any settings: a byte chooses those, the pieces after it are the records.
pub fn batch(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    let settings = settings(*choice);
    let records: Vec<_> = pieces(rest)
        .zip(0_u64..)
        .map(|(piece, number)| {
            json!({
                "recordId": format!("{number:056}"),
                "approximateArrivalTimestamp": 1_789_014_240_448_u64 + number,
                "data": STANDARD.encode(piece),
            })
        })
        .collect();
    let request = json!({ "records": records }).to_string();
    match answer(request.as_bytes(), settings.clone()) {
        Ok(answer) => check_answer(request.as_bytes(), &answer, &settings),
        Err(Unavailable::Response(_)) => {
            let shortest = shortest_answers(records.len());
            assert!(settings.response_bytes_max < shortest, "the answers fit");
        }
        Err(other) => panic!("{other}"),
    }
}

/// Takes every claim; asked twice for one, that is a fault of whoever asks.
struct TakesAll;

impl ClaimStore for TakesAll {
    async fn claim(&self, claims: &[Claim<'_>], _: Terms) -> Answers {
        let distinct: HashSet<_> = claims.iter().map(|claim| claim.identity).collect();
        assert_eq!(
            distinct.len(),
            claims.len(),
            "an identity is asked for twice"
        );
        Answers {
            claimed: vec![Claimed::Taken; claims.len()],
            ..Answers::default()
        }
    }
}

fn answer(body: &[u8], settings: Settings) -> Result<Response<Counts>, Unavailable> {
    let function = FirehoseTransform::new(settings, TakesAll);
    answered(&function, body)
}

fn settings(choice: u8) -> Settings {
    let bit = |number: u8| choice >> number & 1 == 1;
    Settings::read(|name| {
        let value = match name {
            "EVENT_IDENTITY" if bit(0) => "uuid",
            "ON_DIFFERING_DUPLICATE" if bit(1) => "fail",
            "RESPONSE_BYTES_MAX" if bit(2) => "700",
            "EVENT_YEARS" if bit(3) => "2020-2030",
            "EVENT_TYPES" if bit(4) => "account:created,login",
            "PARTITION_KEYS" if bit(5) => "hour,event_type",
            "BATCH_PARTITIONS_MAX" if bit(6) => "1",
            _ => return None,
        };
        Some(value.to_owned())
    })
    .expect("settings")
}

fn shortest_answers(records: usize) -> usize {
    let answer = r#"{"recordId":"","result":"ProcessingFailed","data":"","metadata":{}},"#;
    r#"{"records":[]}"#.len() + records * (answer.len() + 56)
}

fn check_answer(request: &[u8], answer: &Response<Counts>, settings: &Settings) {
    assert!(answer.body.len() <= settings.response_bytes_max);
    assert!(is_json(str::from_utf8(request).expect("UTF-8")));
    let body = str::from_utf8(&answer.body).expect("an answer is UTF-8");
    assert!(is_json(body), "an answer is JSON");
    let counts = &answer.counts;
    let refused: usize = counts.refused.values().sum();
    let sum = counts.delivered + counts.duplicates + refused + counts.overflow;
    assert_eq!(sum, counts.records, "a record has no verdict, or two");
    assert!(counts.duplicates_differing <= counts.duplicates);
    // It reads neither lone surrogates nor what is deeper than 127 levels.
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let (Some(request), Some(answered)) = (read(request), read(&answer.body)) else {
        return;
    };
    let sent = request["records"].as_array().expect("records were sent");
    let answered = answered["records"].as_array().expect("records came back");
    assert_eq!(answered.len(), counts.records);
    assert_eq!(answered.len(), sent.len());
    for (sent, answered) in sent.iter().zip(answered) {
        assert_eq!(sent["recordId"], answered["recordId"]);
    }
    let delivered = answered.iter().filter(|record| record["result"] == "Ok");
    let partitions: Vec<_> = delivered.map(check_delivered).collect();
    assert_eq!(partitions.len(), counts.delivered);
    let distinct: HashSet<_> = partitions.iter().collect();
    assert!(distinct.len() <= settings.batch_partitions_max);
}

/// Gives its partition back.
fn check_delivered(record: &Value) -> String {
    let data = record["data"]
        .as_str()
        .or(record["kafkaRecordValue"].as_str());
    let line = STANDARD.decode(data.expect("data")).expect("it is base64");
    let line = String::from_utf8(line).expect("it is UTF-8");
    assert!(is_json(&line), "a delivered line is JSON");
    assert!(line.ends_with("\"}\n"), "it ends in what was added");
    let keys = &record["metadata"]["partitionKeys"];
    assert!(!keys.as_object().expect("partition keys").is_empty());
    keys.to_string()
}

/// What is no request has no object with an array `records` of objects with a text `recordId`.
fn check_unreadable(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(request) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let records = request["records"].as_array();
    let can_be_answered =
        records.is_some_and(|records| records.iter().all(|record| record["recordId"].is_string()));
    // A name that is spelled with escapes or stands twice is read in another way here.
    let is_plain = !text.contains('\\') && depth(text) <= DEPTH_MAX;
    assert!(
        !(can_be_answered && is_plain && once(text, "records") && once(text, "recordId")),
        "a request was not read"
    );
}

fn once(text: &str, name: &str) -> bool {
    text.matches(&format!("\"{name}\"")).count() <= 1
}
