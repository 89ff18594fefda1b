//! Golden pairs: `fixtures/event-processor/<situation>.in.json`, and all that comes of it. Rewritten
//! by `UPDATE=1 cargo test --test event_processor fixtures`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use nozzle::functions::event_processor::{EventProcessor, table::Value as Attribute};
use serde_json::{Map, Value, json};

use super::{
    request::{archived, ask, settings},
    world::World,
};

fn situations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/event-processor");
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut inputs: Vec<_> = paths
        .filter(|path| path.to_string_lossy().ends_with(".in.json"))
        .collect();
    inputs.sort();
    inputs
}

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
    #[expect(clippy::disallowed_methods, reason = "a person asks for the rewrite")]
    let update = std::env::var_os("UPDATE").is_some();
    let situations = situations();
    assert!(
        situations.len() >= 18,
        "only {} are found",
        situations.len()
    );
    for input in situations {
        let output = PathBuf::from(input.to_string_lossy().replace(".in.json", ".out.json"));
        let outcome = outcome(&input).await;
        if update {
            fs::write(&output, &outcome).unwrap();
        }
        let expected = fs::read_to_string(&output)
            .unwrap_or_else(|_| panic!("{} is missing", output.display()));
        assert_eq!(outcome, expected, "{}", input.display());
    }
}
