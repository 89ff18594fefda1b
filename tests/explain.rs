//! `nozzle explain`, as a person runs it.
#![cfg(feature = "tool")]
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

fn explain(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nozzle"))
        .arg("explain")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    // It may end without reading.
    let _ = child
        .stdin
        .take()
        .expect("its input is piped")
        .write_all(input);
    child.wait_with_output().expect("the tool ends")
}

#[track_caller]
fn explained(arguments: &[&str], input: &str) -> Value {
    let output = explain(&[arguments, &["--json"]].concat(), input.as_bytes());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[track_caller]
fn check_error(arguments: &[&str], expected: &str) {
    let output = explain(arguments, b"{}");
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("nozzle: {expected}\n")
    );
    assert_eq!(output.stdout, b"");
}

const EVENT: &str =
    r#"{"event_uuid":"9f","event_name":"a/b:created:x","created_at":1712511721.022075}"#;

#[test]
fn an_accepted_event_is_explained_from_verdict_to_owner() {
    let expected = json!({
        "verdict": "delivered",
        "reason": null,
        "advice": null,
        "added": { "event_type": "a/b", "event_subtype": "created", "created_datetime": "2024-04-07T17:42:01.022075Z" },
        "partition_keys": { "event_type": "a%2Fb", "event_subtype": "created", "year": "2024", "month": "04", "day": "07" },
        "path": "events/event_type=a%2Fb/event_subtype=created/year=2024/month=04/day=07/",
        "identity": r#"["9f","a/b:created:x",1712511721022075000]"#,
        "bytes": EVENT.len(),
        "bytes_hash": format!("{:032x}", xxhash_rust::xxh3::xxh3_128(EVENT.as_bytes())),
        "owner": format!("77:{:016x}:{:032x}", xxhash_rust::xxh3::xxh3_64(b"id"), xxhash_rust::xxh3::xxh3_128(EVENT.as_bytes())),
    });
    let arguments = ["--record-id", "id", "--arrival", "77"];
    assert_eq!(explained(&arguments, EVENT), expected);
    assert_eq!(explained(&arguments, &format!("{EVENT}\r\n")), expected);
}

#[test]
fn a_refused_event_is_explained_with_what_to_do() {
    let refused = explained(&[], r#"{"event_uuid":"9f"}"#);
    assert_eq!(
        (&refused["verdict"], &refused["reason"]),
        (&json!("refused"), &json!("event_name_missing"))
    );
    assert!(
        refused["advice"]
            .as_str()
            .is_some_and(|advice| advice.starts_with("add the field")),
        "{refused}"
    );
    assert_eq!(refused["owner"], Value::Null);
    assert_eq!(explained(&[], "")["reason"], "data_missing");
}

#[test]
fn people_read_a_row_a_thing() {
    let output = explain(
        &[
            "--partition-keys",
            "year,event_type",
            "--event-identity",
            "uuid",
        ],
        EVENT.as_bytes(),
    );
    let text = String::from_utf8(output.stdout).expect("text");
    for row in [
        "verdict           delivered",
        "partition keys    year=2024 event_type=a%2Fb",
        "path              events/year=2024/event_type=a%2Fb/",
        "identity          [\"9f\"]",
    ] {
        assert!(text.lines().any(|line| line == row), "{row} in\n{text}");
    }
}

#[test]
fn one_line_of_a_file_can_be_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, format!("nothing\n{EVENT}\r\n")).expect("a file");
    let path = path.to_str().expect("a path");
    assert_eq!(explained(&[path, "--line", "1"], "")["reason"], "not_json");
    assert_eq!(explained(&[path, "--line", "2"], "")["bytes"], EVENT.len());
    check_error(
        &[path, "--line", "3"],
        &format!("`{path}`: --line is 3; there are 2 lines"),
    );
    check_error(
        &[path, "--line", "0"],
        &format!("`{path}`: --line is 0; lines are counted from 1"),
    );
}

#[test]
fn settings_and_the_prefix_are_the_functions() {
    assert_eq!(
        explained(&["--event-years", "2025-2026"], EVENT)["reason"],
        "event_year_out_of_range"
    );
    assert_eq!(
        explained(&["--event-types", "c"], EVENT)["reason"],
        "event_type_not_listed"
    );
    let prefix = "lake/!{partitionKeyFromLambda:year}/!{timestamp:yyyy-MM-dd}/";
    let path = &explained(&["--prefix", prefix, "--arrival", "1495072949453"], EVENT)["path"];
    assert_eq!(path, "lake/2024/2017-05-18/");
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    check_error(
        &["no-such-file"],
        "`no-such-file` cannot be read: No such file or directory (os error 2)",
    );
    check_error(
        &["--event-years", "5"],
        "--event-years is \"5\"; it must be a first and a last year within 1970-9999, such as 2020-2030",
    );
    let output = explain(
        &["--prefix", "x/!{partitionKeyFromLambda:hour}/"],
        EVENT.as_bytes(),
    );
    let expected = "nozzle: --prefix names `hour`, which --partition-keys does not\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
}
