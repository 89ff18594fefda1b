//! Nothing of an event stands in a log line, a metric or an error, at any level, whatever fails.

use std::time::Duration;

use nozzle::functions::{Counted, event_processor::EventProcessor};
use serde_json::{Value, json};

use super::{
    request::{Answered, ask_within, event, request_from, settings},
    support::said::Lines,
    world::{Trouble, World},
};

/// Stands in every part of every event, to be looked for where it must not be.
const SECRET: &str = "s3cret";
/// As it is, in hexadecimal, and as base64 may hold it.
const SPELLINGS: [&str; 5] = [SECRET, "733363726574", "czNjcmV0", "MzY3JldA", "zM2NyZX"];

/// Events of every kind.
fn events() -> Vec<Vec<u8>> {
    let mut secret = event(SECRET);
    for field in ["event_type", "user_id", "experiment_id", SECRET] {
        secret[field] = SECRET.into();
    }
    secret["metadata"] = json!({"variant": SECRET, SECRET: [SECRET]});
    let with = |field: &str, value: Value| {
        let mut event = secret.clone();
        event[field] = value;
        event.to_string()
    };
    let events = [
        secret.to_string(),
        with("user_id", "user-1".into()),
        with("event_id", json!({ SECRET: SECRET })),
        with("timestamp", SECRET.into()),
        with("event_type", SECRET.repeat(1_000).into()),
        with("metadata", SECRET.into()),
        format!("{SECRET} is no JSON"),
        format!(r#"["{SECRET}"]"#),
        secret
            .to_string()
            .replacen('{', r#"{"event_id":"s3cret","#, 1),
        secret.to_string() + SECRET,
    ];
    events.map(String::into_bytes).to_vec()
}

/// All that an invocation gives back.
fn told(answered: &Answered) -> String {
    match answered {
        Ok(response) => {
            let body = String::from_utf8_lossy(&response.body);
            let counts = &response.counts;
            format!("{body} {counts:?} {:?}", counts.metrics())
        }
        Err(error) => format!("{error} {error:?} {:?}", error.metrics()),
    }
}

async fn answer(world: &World, body: &[u8]) -> String {
    let keep = settings(&[("ON_ENRICHMENT_FAILURE", "keep")]);
    let mut said = String::new();
    for settings in [settings(&[]), keep] {
        let function = EventProcessor::new(settings, world);
        said += &told(&ask_within(&function, body, Duration::from_secs(5)).await);
    }
    said
}

#[tokio::test(start_paused = true)]
async fn nothing_that_becomes_of_an_event_lets_its_content_out() {
    let lines = Lines::of_this_thread();
    let whole = request_from(0, &events());
    let mut said = answer(&World::new(0).claiming(true), &whole).await;
    for trouble in [
        Trouble::Lookups,
        Trouble::Archive,
        Trouble::Letters,
        Trouble::Ends,
        Trouble::Denied,
    ] {
        said += &answer(&World::new(0).claiming(true).refusing(trouble), &whole).await;
    }
    for seed in 0..20 {
        said += &answer(&World::new(seed).claiming(true).troubled(30), &whole).await;
    }
    let text = String::from_utf8(whole).unwrap();
    for broken in [
        SECRET.to_owned(),
        json!({ "Records": SECRET }).to_string(),
        json!({ "Records": [{ "eventID": SECRET }] }).to_string(),
        text[..text.len() / 2].to_owned(),
        text.replace("sequenceNumber", SECRET),
        text.replace("shardId-", SECRET),
    ] {
        let answer = answer(&World::new(0), broken.as_bytes()).await;
        assert!(answer.contains("envelope_failures"), "{broken}: {answer}");
        said += &answer;
    }
    let log = lines.text();
    for expected in [
        "event_id_wrong_type",
        "timestamp_unreadable",
        "the rest of the batch",
    ] {
        assert!(log.contains(expected), "{expected} is not told: {log}");
    }
    for spelling in SPELLINGS {
        assert!(!log.contains(spelling), "{log}");
        assert!(!said.contains(spelling), "{said}");
    }
}
