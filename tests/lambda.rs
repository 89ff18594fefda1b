//! The real function, as Lambda runs it.
#![cfg(feature = "lambda")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod support;

use std::{fs, sync::Arc};

use serde_json::{Value, json};
use support::{
    proxy::Proxy,
    requests::{Sent, event, request, results},
    runtime_api::Function,
};

/// A word that stands in every part of an event, to be looked for where it must not be.
const SECRET: &str = "s3cret";

async fn start(settings: &[(&str, &str)]) -> (Function, Arc<Proxy>) {
    let table = Proxy::in_memory();
    let endpoint = format!("http://{}", table.listen().await);
    let settings = [settings, &[("AWS_ENDPOINT_URL_DYNAMODB", &*endpoint)]].concat();
    (Function::start(&settings).await, table)
}

fn letters(response: &[u8]) -> String {
    results(response)
        .iter()
        .map(|(_, result)| &result[..1])
        .collect()
}

/// The lines of a function's output, each of which must be a JSON object with a time and a level.
fn lines(output: &[String]) -> Vec<Value> {
    let lines = output.iter().map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    });
    lines
        .inspect(|line| {
            let time = line["timestamp"].as_str().expect("a line has a time");
            assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
            assert!(
                ["ERROR", "WARN", "INFO", "DEBUG", "TRACE", "FATAL"]
                    .contains(&line["level"].as_str().expect("a line has a level"))
            );
        })
        .collect()
}

fn counts(lines: &[Value]) -> Vec<&Value> {
    lines
        .iter()
        .filter(|line| line["_aws"].is_object())
        .collect()
}

#[tokio::test]
async fn batches_are_answered_and_counted_one_after_the_other() {
    let (function, table) = start(&[]).await;
    let first = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 2, "no json"),
        Sent::new("3", 3, &event("a")),
    ];
    assert_eq!(
        letters(&function.invoke(request(&first)).await.answer()),
        "OPD"
    );
    assert_eq!(
        letters(&function.invoke(request(&first)).await.answer()),
        "OPD"
    );
    let other = [
        Sent::new("4", 4, &event("a")),
        Sent::new("5", 5, &event("b")),
    ];
    assert_eq!(
        letters(&function.invoke(request(&other)).await.answer()),
        "DO"
    );
    assert_eq!(table.table().len(), 2);
    let lines = lines(&function.stop().await);
    let counts = counts(&lines);
    let numbers = |name: &str| {
        counts
            .iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("records"), [3, 3, 2]);
    assert_eq!(numbers("delivered"), [1, 1, 1]);
    assert_eq!(numbers("duplicates"), [1, 1, 1]);
    assert_eq!(numbers("reclaimed"), [0, 1, 0]);
    assert_eq!(numbers("refused"), [1, 1, 0]);
    assert_eq!(
        numbers("refused_not_json"),
        [json!(1), json!(1), Value::Null]
    );
    assert_eq!(numbers("FunctionName")[0], "firehose-transform");
    for name in [
        "duplicates_differing",
        "reclaimed_changed_id",
        "overflow",
        "unclaimed",
    ] {
        assert_eq!(numbers(name), [0, 0, 0], "{name}");
    }
    for name in [
        "claim_milliseconds",
        "total_milliseconds",
        "request_bytes",
        "response_bytes",
    ] {
        assert!(
            numbers(name)
                .iter()
                .all(|number| number.as_f64() > Some(0.0)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn every_number_of_a_batch_is_a_metric_of_its_line() {
    let (function, _table) = start(&[]).await;
    function
        .invoke(request(&[Sent::new("1", 1, "no json")]))
        .await
        .answer();
    let lines = lines(&function.stop().await);
    let line = counts(&lines)[0];
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        (&directive["Namespace"], &directive["Dimensions"]),
        (&json!("Nozzle"), &json!([["FunctionName"]]))
    );
    let metrics = directive["Metrics"].as_array().expect("metrics");
    for metric in metrics {
        assert!(
            line[metric["Name"].as_str().expect("a name")].is_number(),
            "{metric}"
        );
    }
    let numbers = line
        .as_object()
        .expect("an object")
        .values()
        .filter(|value| value.is_number())
        .count();
    assert_eq!(numbers, metrics.len());
}

#[tokio::test]
async fn refusals_are_logged_by_record_and_reason_as_far_as_they_are_few() {
    let (function, _table) = start(&[]).await;
    let records: Vec<_> = (0..25)
        .map(|n| Sent::new(&format!("id-{n}"), n, &format!("[{n}")))
        .collect();
    function.invoke(request(&records)).await.answer();
    let lines = lines(&function.stop().await);
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "refused")
        .collect();
    assert_eq!(refused.len(), 10);
    assert_eq!(
        (
            &refused[3]["record_id"],
            &refused[3]["arrival_milliseconds"]
        ),
        (&json!("id-3"), &json!(3))
    );
    assert_eq!(
        (&refused[3]["reason"], &refused[3]["level"]),
        (&json!("not_json"), &json!("WARN"))
    );
    assert_eq!(
        refused[3]["bytes_hash"],
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(b"[3"))
    );
    assert_eq!(lines.iter().filter(|line| line["more"] == 15).count(), 1);
}

#[tokio::test]
async fn duplicates_are_logged_from_debug_on() {
    let records = [
        Sent::new("1", 1, &event("a")),
        Sent::new("2", 2, &event("a")),
    ];
    for (level, expected) in [("INFO", 0), ("DEBUG", 1)] {
        let (function, _table) = start(&[("AWS_LAMBDA_LOG_LEVEL", level)]).await;
        function.invoke(request(&records)).await.answer();
        let lines = lines(&function.stop().await);
        let duplicates: Vec<_> = lines
            .iter()
            .filter(|line| line["message"] == "duplicate")
            .collect();
        assert_eq!(duplicates.len(), expected, "{level}");
        assert!(duplicates.iter().all(|line| line["record_id"] == "2"));
    }
}

#[tokio::test]
async fn counts_are_written_at_every_level_and_no_level_lets_an_events_content_out() {
    let text = event(SECRET)
        .replace("account:created", &format!("{SECRET}:{SECRET}"))
        .replace('{', &format!("{{\"{SECRET}\":\"{SECRET}\","));
    let records = [
        Sent::new("1", 1, &text),
        Sent::new("2", 2, &text),
        Sent::new("3", 3, &format!("{SECRET} {text}")),
        Sent::new(
            "4",
            4,
            &text.replace("1712511721", &format!("\"{SECRET}\",\"x\":1")),
        ),
    ];
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
        let (function, _table) = start(&[("AWS_LAMBDA_LOG_LEVEL", level)]).await;
        assert_eq!(
            letters(&function.invoke(request(&records)).await.answer()),
            "ODPP"
        );
        let (_, message) = function
            .invoke(format!("{{\"records\":[{{\"{SECRET}\":\"{SECRET}\"}}]}}"))
            .await
            .failure();
        let output = function.stop().await;
        assert!(!message.contains(SECRET), "{message}");
        assert_eq!(
            output.iter().find(|line| line.contains(SECRET)),
            None,
            "{level}"
        );
        let lines = lines(&output);
        let counts = counts(&lines);
        assert_eq!((counts.len(), &counts[0]["level"]), (2, &json!(level)));
    }
}

#[tokio::test]
async fn an_envelope_that_cannot_be_read_fails_alone() {
    let (function, _table) = start(&[]).await;
    for body in [
        "",
        "[]",
        "{\"records\":7}",
        "{\"records\":[{\"data\":\"\"}]}",
        "\u{0}",
    ] {
        let (error_type, message) = function.invoke(body.to_owned()).await.failure();
        assert_eq!(error_type, "EnvelopeUnreadable", "{body}: {message}");
        assert!(
            message.starts_with("the request") || message.starts_with("record 1 of the request"),
            "{message}"
        );
    }
    let answer = function
        .invoke(request(&[Sent::new("1", 1, &event("a"))]))
        .await
        .answer();
    assert_eq!(letters(&answer), "O");
}

#[tokio::test]
async fn a_wrong_setting_stops_the_function_at_its_start_with_a_sentence() {
    let (function, _table) = start(&[("EVENT_IDENTITY", "name")]).await;
    let (success, told, output) = function.end().await;
    assert!(!success);
    let sentence = "EVENT_IDENTITY is \"name\"; it must be `event` or `uuid`";
    assert_eq!(told.expect("Lambda is told")["errorMessage"], sentence);
    let lines = lines(&output);
    assert!(
        lines
            .iter()
            .any(|line| line["error"] == sentence && line["level"] == "ERROR"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn the_log_may_be_text_and_the_counts_stay_json() {
    let (function, _table) = start(&[("AWS_LAMBDA_LOG_FORMAT", "Text")]).await;
    function
        .invoke(request(&[Sent::new("1", 1, "no json")]))
        .await
        .answer();
    let output = function.stop().await;
    assert!(
        output
            .iter()
            .any(|line| line.contains("WARN") && line.contains("reason=not_json")),
        "{output:?}"
    );
    assert!(
        output
            .iter()
            .any(|line| line.starts_with('{') && line.contains("\"_aws\"")),
        "{output:?}"
    );
}

/// A record of an event that has so many bytes more than it needs.
#[cfg(target_os = "linux")]
fn padded(number: usize, padding: usize) -> Sent {
    let event = event(&format!("{number:036}"));
    let page = format!(r#","page":"{}"}}"#, "x".repeat(padding));
    Sent::new(&format!("{number:06}"), 1, &event.replace('}', &page))
}

/// The most memory that the process has had.
#[cfg(target_os = "linux")]
fn peak_bytes(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
    kilobytes.expect("a peak").parse::<u64>().expect("a number") * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_request_of_6_mb_peaks_at_64_mb_of_memory() {
    const MEGABYTE: usize = 1024 * 1024;
    for padding in [320, 1_900, 100_000] {
        let (function, _table) = start(&[]).await;
        let record = |number| padded(number, padding);
        let record_bytes = request(&[record(0)]).len() - request(&[]).len() + 1;
        let records: Vec<_> = (0..(6 * MEGABYTE - 1_000) / record_bytes)
            .map(record)
            .collect();
        let request = request(&records);
        let bytes = request.len();
        assert!(
            (5 * MEGABYTE..=6 * MEGABYTE).contains(&bytes),
            "{bytes} bytes"
        );
        function.invoke(request.clone()).await.answer();
        function.invoke(request).await.answer();
        let peak = peak_bytes(function.process_id);
        assert!(peak <= 64 * MEGABYTE as u64, "{peak} bytes at the peak");
    }
}

/// How often the process has had a page put into its memory.
#[cfg(target_os = "linux")]
fn page_faults(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/stat")).expect("it runs");
    let (_, after_name) = status.rsplit_once(") ").expect("a name in brackets");
    let faults = after_name.split(' ').nth(7);
    faults.expect("a count").parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_batch_uses_the_memory_of_the_one_before() {
    let (function, _table) = start(&[]).await;
    let records: Vec<_> = (0..1_000).map(|number| padded(number, 320)).collect();
    let request = request(&records);
    let mut faults = Vec::new();
    for _ in 0..20 {
        let before = page_faults(function.process_id);
        function.invoke(request.clone()).await.answer();
        faults.push(page_faults(function.process_id) - before);
    }
    let settled: u64 = faults[10..].iter().sum();
    assert!(settled < 10 * 20, "{faults:?}");
}
