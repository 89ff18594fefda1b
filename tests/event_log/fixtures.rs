//! Golden pairs: `fixtures/event-log/<situation>.in.json`, a request with the settings beside it, and
//! what is made of it. Rewritten by `UPDATE=1 cargo test --test event_log fixtures`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::world::World;

fn situations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/event-log");
    let paths = fs::read_dir(folder).unwrap();
    let mut inputs: Vec<_> = paths
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".in.json"))
        .collect();
    inputs.sort();
    inputs
}

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
    #[expect(clippy::disallowed_methods, reason = "a person asks for the rewrite")]
    let update = std::env::var_os("UPDATE").is_some();
    let situations = situations();
    assert!(
        situations.len() >= 20,
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
