//! Golden pairs: `fixtures/star-schema/<situation>.in.json`, and all that comes of it. Rewritten by
//! `UPDATE=1 cargo test --test star_schema fixtures`.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};

use super::{
    rows::rows,
    support::golden,
    world::{World, ask},
};

/// The answer to each call, and what is there at the end.
async fn outcome(input: &Path) -> String {
    let input: Value = serde_json::from_slice(&fs::read(input).unwrap()).unwrap();
    let world = World::new(0);
    for (key, text) in input["objects"].as_object().unwrap() {
        world.put_packet(key, text.as_str().unwrap());
    }
    let mut answers = Vec::new();
    for call in input["calls"].as_array().unwrap() {
        let answered = ask(&world.function(), call.to_string().as_bytes()).await;
        answers.push(answered.unwrap_or_else(|error| {
            let error = error.to_string();
            let lines: Vec<_> = error.lines().collect();
            json!({ "error": lines })
        }));
    }
    let objects = world.objects().into_iter().map(|(key, bytes)| {
        let shown = shown(&key, &bytes);
        (key, shown)
    });
    let outcome = json!({
        "answers": answers,
        "objects": objects.collect::<Map<_, _>>(),
        "parameters": world.parameters(),
    });
    format!("{outcome:#}\n")
}

/// As people read it: a Parquet file's rows, a line of JSON as its object; of a year its first day.
fn shown(key: &str, bytes: &[u8]) -> Value {
    if key.ends_with(".parquet") {
        let mut rows = rows(bytes).unwrap();
        if key.starts_with("dim_date/") {
            rows.truncate(1);
        }
        return rows.iter().map(Value::to_string).collect();
    }
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .collect()
}

#[tokio::test]
async fn each_situation_has_its_outcome() {
    golden::check("star-schema", 10, outcome).await;
}
