//! Golden pairs: `fixtures/event-processor/<situation>.in.json`, and all that comes of it. Rewritten
//! by `UPDATE=1 cargo test --test event_processor fixtures`.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use nozzle::functions::event_processor::{EventProcessor, table::Value as Attribute};
use serde_json::{Map, Value, json};

use super::{
    request::{archived, ask, settings},
    support::golden,
    world::World,
};

fn shown(attribute: &Attribute) -> Value {
    match attribute {
        Attribute::Number(number) => (*number).into(),
        Attribute::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
        Attribute::Texts(texts) => json!(texts),
    }
}

/// The answer, and what is kept.
async fn outcome(input: &Path) -> String {
    let world = World::new(0).claiming(true);
    let function = EventProcessor::new(settings(&[]), &world);
    let answered = ask(&function, &fs::read(input).unwrap()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answered.body).unwrap();
    let items = world.items().into_iter().map(|(key, item)| {
        let item = item
            .iter()
            .map(|(name, value)| (name.clone(), shown(value)));
        (format!("{} {}", key.partition, key.sort), item.collect())
    });
    let letters = world.letters().into_iter().map(|(name, letter)| {
        let letter: Value = serde_json::from_slice(&letter).unwrap();
        (name, letter)
    });
    let outcome = json!({
        "answer": answer,
        "items": items.collect::<Map<_, _>>(),
        "archive": archived(&world),
        "dead_letters": letters.collect::<Map<_, _>>(),
    });
    format!("{outcome:#}\n")
}

#[tokio::test(start_paused = true)]
async fn each_situation_has_its_outcome() {
    golden::check("event-processor", 18, outcome).await;
}
