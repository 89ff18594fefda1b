//! What a process writes to its standard output, seen from outside.

use std::{env, process::Command, time::UNIX_EPOCH};

use nozzle::{
    config::read_log_settings,
    telemetry::{Metric, MetricsLog, Quantity, init},
};
use serde_json::Value;

const ASKED: &str = "NOZZLE_TEST_SPEAKS";

/// Runs the other test as a process of its own, because a process has one log.
#[test]
fn lines_counts_and_the_place_of_a_panic_are_written_as_json() {
    let output = Command::new(env::current_exe().expect("a test is a program"))
        .args(["--exact", "speaks_where_it_is_asked_to", "--nocapture"])
        .env(ASKED, "")
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stdout).expect("it writes text");
    let lines = said.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str()).collect();
    let expected = ["started", "ready", "batch", "a fault in the function"];
    assert_eq!(messages, expected.map(Some), "{said}");
    let requests: Vec<_> = lines
        .iter()
        .map(|line| line["requestId"].as_str())
        .collect();
    let of_one = Some("8476a536");
    assert_eq!(requests, [None, of_one, of_one, of_one], "{said}");
    assert_eq!(lines[1]["level"], "INFO");
    assert_eq!(lines[1]["records"], 2);
    assert_eq!(lines[1]["error"], "away");
    assert_eq!(lines[2]["records"], 3);
    let place = lines[3]["place"].as_str().expect("a fault has its place");
    assert!(place.contains("tests/telemetry.rs"), "{place}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test above asks by it")]
fn speaks_where_it_is_asked_to() {
    if env::var_os(ASKED).is_none() {
        return;
    }
    // On one core the harness leaves the test's name on the line.
    println!();
    let settings = read_log_settings(|_| None);
    init(&settings, "event-log");
    tracing::info!(target: "event_log", "started");
    let _invocation =
        tracing::info_span!(target: "nozzle", "invocation", requestId = "8476a536").entered();
    tracing::info!(target: "nozzle", records = 2_u64, error = %"away", "ready");
    tracing::debug!(target: "nozzle", "below the level");
    tracing::info!(target: "aws_config", "below the level of others");
    let records = Metric::new("records", Quantity::Count(3));
    MetricsLog::new("dev-events".to_owned(), &settings).write(&[records], UNIX_EPOCH, "8476a536");
    let panicked = std::panic::catch_unwind(|| panic!("what it saw"));
    assert!(panicked.is_err());
}
