//! The real function, as Lambda runs it, on ministack.

use std::fs;

use serde_json::{Value, json};

use super::{
    support::{
        client::settings,
        emulators::{Emulator, ministack},
        runtime_api::Function,
    },
    world::request,
};

/// A word that stands in every row, to be looked for where it must not be.
const SECRET: &str = "s3cret";

async fn start(emulator: &Emulator, star: &str) -> Function {
    let settings = [
        ("AWS_LAMBDA_FUNCTION_NAME", "star-schema"),
        ("AWS_ENDPOINT_URL", &format!("http://{}", emulator.address)),
        ("INGESTION_BUCKET", "packets"),
        ("PROCESSED_BUCKET", "processed"),
        ("STAR", star),
    ];
    Function::of(env!("CARGO_BIN_EXE_star-schema"), &settings).await
}

#[tokio::test]
async fn the_real_function_loads_a_packet_of_the_star_that_is_described_in_a_bucket() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    let client = aws_sdk_s3::Client::new(&settings(emulator.address));
    for bucket in ["packets", "processed"] {
        client.create_bucket().bucket(bucket).send().await.unwrap();
    }
    let folder = env!("CARGO_MANIFEST_DIR");
    let built_in = format!("{folder}/src/functions/star_schema/description/star.toml");
    let row = format!(
        r#"{{"currency_id":1,"currency_code":"{SECRET}","last_updated":"2024-11-15 10:00:00"}}"#
    );
    for (key, text) in [
        ("star.toml", fs::read_to_string(built_in).unwrap()),
        ("a/currency_1_x.jsonl", format!("{row}\n{SECRET}\n")),
    ] {
        let put = client.put_object().bucket("packets").key(key);
        put.body(text.into_bytes().into()).send().await.unwrap();
    }

    let function = start(&emulator, "s3://packets/star.toml").await;
    for status in ["loaded", "done_before"] {
        let answer = function.invoke(request(&[("currency", 1)])).await.answer();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["packets"][0]["status"], status);
        assert_eq!(answer["packets"][0]["refused"], 1);
    }
    let swept = function.invoke(request(&[])).await.answer();
    let swept: Value = serde_json::from_slice(&swept).unwrap();
    assert_eq!(swept, json!({ "packets": [] }));
    check_output(&function.stop().await);

    let listed = client.list_objects_v2().bucket("processed").send().await;
    let listed = listed.unwrap();
    let keys: Vec<_> = listed
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    let expected = [
        "dim_currency/dim_currency_00000001_processed_20241115T100000000000.parquet",
        "packets/currency/00000001.json",
        "refused/currency/currency_00000001_refused_20241115T100000000000.jsonl",
    ];
    assert_eq!(keys, expected);
    let parameters = aws_sdk_ssm::Client::new(&settings(emulator.address));
    let name = "/nozzle/star/currency/latest_packet_id";
    let found = parameters.get_parameter().name(name).send().await.unwrap();
    assert_eq!(found.parameter.unwrap().value.as_deref(), Some("1"));
}

/// A line of counts a call and one a packet, and nothing of any row.
fn check_output(output: &[String]) {
    let text = output.join("\n");
    assert!(!text.contains(SECRET), "{text}");
    let lines: Vec<Value> = output
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let counts = lines.iter().filter(|line| line["_aws"].is_object());
    let loaded: Vec<_> = counts.map(|line| line["loaded"].as_u64()).collect();
    assert_eq!(loaded, [Some(1), Some(0), Some(0)]);
    let packets = lines
        .iter()
        .filter(|line| line["message"] == "a packet is loaded");
    let rows: Vec<_> = packets.map(|line| line["rows"].as_u64()).collect();
    assert_eq!(rows, [Some(1)]);
}

#[tokio::test]
async fn a_description_that_is_wrong_stops_the_start_and_says_where() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    let function = start(&emulator, "/nowhere/star.toml").await;
    let (success, told, _) = function.end().await;
    assert!(!success);
    let told = told.unwrap()["errorMessage"].to_string();
    assert!(told.contains("STAR is"), "{told}");
    assert!(told.contains("/nowhere/star.toml"), "{told}");
}
