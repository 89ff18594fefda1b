//! Golden pairs: `fixtures/event-log/<situation>.in.json`, a request with the settings beside it, and
//! what is made of it. Rewritten by `UPDATE=1 cargo test --test event_log fixtures`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::{support::golden, world::World};

/// The answer, the table and the bucket, as people read them.
async fn outcome(input: &Path) -> String {
    let body = fs::read(input).unwrap();
    let read: Value = serde_json::from_slice(&body).unwrap();
    let settings = read["settings"].as_object().unwrap().iter();
    let settings: Vec<_> = settings
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let world = World::new(&settings);
    let answer = world.answer(&body).await.unwrap().body;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let kept = world.kept();
    let objects = kept.objects.iter();
    let objects: BTreeMap<_, Value> = objects
        .map(|(key, bytes)| (key, serde_json::from_slice(bytes).unwrap()))
        .collect();
    let outcome = json!({ "answer": answer, "table": kept.items, "objects": objects });
    format!("{outcome:#}\n")
}

#[tokio::test(start_paused = true)]
async fn each_situation_has_its_outcome() {
    golden::check("event-log", 20, outcome).await;
}
