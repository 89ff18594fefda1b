//! The rules against an independent implementation of them in Python, on 20,000 mixed records.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use nozzle::functions::firehose_transform::{
    event::Event,
    transform::{Identity, Rules, transform, write_delivered, write_identity},
};
use serde_json::{Value, json};

fn cases(options: &[&str]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/generate.py");
    let output = Command::new("python3")
        .arg(script)
        .args(options)
        .output()
        .expect("python3 runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).expect("the oracle writes UTF-8");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("the oracle writes JSON"))
        .collect()
}

/// What we say of a record, spelled as the oracle spells it.
fn judge(data: &str, rules: &Rules) -> Value {
    let bytes = STANDARD.decode(data).expect("the oracle writes base64");
    match transform(&bytes, rules) {
        Err(refusal) => json!({ "data": data, "refusal": refusal.as_str() }),
        Ok(event) => delivered(data, &event),
    }
}

fn delivered(data: &str, event: &Event<'_>) -> Value {
    let (mut line, mut keys) = (Vec::new(), Vec::new());
    write_delivered(event, &mut line);
    let all_keys = "event_type,event_subtype,year,month,day,hour"
        .parse::<nozzle::functions::firehose_transform::partition::PartitionKeys>();
    all_keys
        .expect("keys are known")
        .write_json(event, &mut keys);
    let identity = |identity| {
        let mut out = String::new();
        write_identity(event, identity, &mut out);
        out
    };
    json!({
        "data": data,
        "delivered": STANDARD.encode(line),
        "keys": serde_json::from_slice::<Value>(&keys).expect("keys are JSON"),
        "identity": identity(Identity::Event),
        "identity_uuid": identity(Identity::Uuid),
    })
}

#[track_caller]
fn check_agreement(options: &[&str], rules: &Rules) {
    let cases = cases(options);
    assert_eq!(cases.len(), 20_000);
    let mut delivered = 0;
    for case in cases {
        let data = case["data"].as_str().expect("a case has its data");
        assert_eq!(
            judge(data, rules),
            case,
            "{}",
            STANDARD.decode(data).unwrap_or_default().escape_ascii()
        );
        delivered += usize::from(case["refusal"].is_null());
    }
    assert!(
        delivered > 2_000,
        "only {delivered} of the cases are delivered"
    );
}

#[test]
fn the_oracle_agrees_under_the_default_settings() {
    check_agreement(&["--seed", "1", "--count", "20000"], &Rules::default());
}

#[test]
fn the_oracle_agrees_where_years_and_types_are_listed() {
    let types = "account:created,account:deleted,login";
    let rules = Rules {
        event_years: "2020-2026".parse().expect("years"),
        event_types: types.parse().expect("types"),
        ..Rules::default()
    };
    check_agreement(
        &[
            "--seed",
            "2",
            "--count",
            "20000",
            "--years",
            "2020-2026",
            "--types",
            types,
        ],
        &rules,
    );
}

#[test]
fn the_oracle_agrees_where_events_have_other_names() {
    for (seed, fields) in [
        ("3", "id,name,ts"),
        ("4", "key,event_type,created_datetime"),
    ] {
        let rules = Rules {
            event_fields: fields.parse().expect("fields"),
            ..Rules::default()
        };
        check_agreement(
            &["--seed", seed, "--count", "20000", "--fields", fields],
            &rules,
        );
    }
}
