//! What the real function says of events: nothing. Whatever fails, neither its log nor its metrics
//! nor its errors hold a word of one, and no record writes a line of its own into the log.
#![cfg(feature = "lambda")]

mod support;

use std::{process::Command, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use support::{
    proxy::{Fault, Proxy},
    requests::results,
    runtime_api::{Function, Outcome},
};

use Fault::{Echo, EchoStatements, Garbage, LoseAnswer, Pass, RefuseStatements, Reset};

/// Stands in every part of every record, to be looked for where it must not be.
const SECRET: &str = "s3cret";
/// As it is, in hexadecimal, and as base64 may hold it.
const SPELLINGS: [&str; 5] = [SECRET, "733363726574", "czNjcmV0", "MzY3JldA", "zM2NyZX"];

async fn start(proxy: &Arc<Proxy>, settings: &[(&str, &str)]) -> Function {
    let endpoint = format!("http://{}", proxy.listen().await);
    let endpoint = [
        ("AWS_ENDPOINT_URL_DYNAMODB", &*endpoint),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
    ];
    let function = Function::start(&[settings, &endpoint].concat()).await;
    function.ready().await;
    function
}

/// An event with the secret in all its parts.
fn secret_event(number: usize) -> String {
    format!(
        r#"{{"event_uuid":"{SECRET}{number}","event_name":"{SECRET}:{SECRET}:{SECRET}","created_at":1712511721.022075,"{SECRET}":{{"{SECRET}":["{SECRET}"]}},"event_type":"{SECRET}"}}"#
    )
}

/// Records that are refused, each for another reason, with the secret where the reason is.
fn refused_records() -> Vec<Vec<u8>> {
    let event = secret_event(0);
    let with = |from: &str, to: &str| event.replacen(from, to, 1);
    let long = SECRET.repeat(100);
    let uuid = format!(r#""{SECRET}0""#);
    let name = format!(r#""{SECRET}:{SECRET}:{SECRET}""#);
    let texts = [
        format!("{SECRET} is no JSON"),
        format!("[\"{SECRET}\"]"),
        format!("{event}{event}"),
        format!("{}\"{SECRET}\"", "[".repeat(200)),
        with("{", &format!("{{\"event_uuid\":\"{SECRET}\",")),
        with(&uuid, &format!("[\"{SECRET}\"]")),
        with(&uuid, &format!("\"{long}\"")),
        with(&uuid, &format!("\"{SECRET}\\n\"")),
        with(&name, &format!("{{\"{SECRET}\":1}}")),
        with(&name, &format!("\"{}\"", "é".repeat(100) + SECRET)),
        with(&name, &format!("\" :{SECRET}\"")),
        with("1712511721.022075", &format!("\"{SECRET}\"")),
        with(
            "1712511721.022075",
            &format!("\"0001-01-01T00:00:00Z\",\"{SECRET}\":1"),
        ),
    ];
    let mut records: Vec<_> = texts.map(String::into_bytes).into();
    records.push([b"\xff", SECRET.as_bytes()].concat());
    records
}

fn body(records: impl IntoIterator<Item = Vec<u8>>) -> String {
    let records = records.into_iter().zip(0..).map(|(bytes, number)| {
        json!({
            "recordId": format!("record-{number}"),
            "approximateArrivalTimestamp": number,
            "data": STANDARD.encode(bytes),
            SECRET: SECRET,
            "kinesisRecordMetadata": { "partitionKey": SECRET, "sequenceNumber": SECRET },
        })
    });
    let records: Vec<Value> = records.collect();
    json!({ SECRET: SECRET, "deliveryStreamArn": SECRET, "records": records }).to_string()
}

fn events() -> String {
    body((0..60).map(|number| secret_event(number % 50).into_bytes()))
}

/// Fails if a line or a message holds the secret, whole, in hexadecimal or in base64.
#[track_caller]
fn check_silent(what: &str, said: &[String]) {
    for line in said {
        let word = SPELLINGS.iter().find(|word| line.contains(**word));
        assert_eq!(word, None, "{what}: {line}");
    }
}

fn message(outcome: Outcome) -> Vec<String> {
    match outcome {
        Outcome::Answer(_) => Vec::new(),
        Outcome::Failure(failure) => vec![failure.to_string()],
        Outcome::Died => panic!("the function died"),
    }
}

#[tokio::test]
async fn no_verdict_lets_an_events_content_out() {
    for format in ["JSON", "Text"] {
        for identity in ["event", "uuid"] {
            let settings = [
                ("AWS_LAMBDA_LOG_FORMAT", format),
                ("EVENT_IDENTITY", identity),
                ("ON_DIFFERING_DUPLICATE", "fail"),
            ];
            let function = start(&Proxy::in_memory(), &settings).await;
            let delivered = results(&function.invoke(events()).await.answer());
            assert!(
                delivered.iter().any(|(_, result)| result == "Ok"),
                "{identity}"
            );
            assert!(
                delivered.iter().any(|(_, result)| result == "Dropped"),
                "{identity}"
            );
            for record in refused_records() {
                let results = results(&function.invoke(body([record.clone()])).await.answer());
                let text = String::from_utf8_lossy(&record).into_owned();
                assert_eq!(results[0].1, "ProcessingFailed", "{text}");
            }
            check_silent(format, &function.stop().await);
        }
    }
}

#[tokio::test]
async fn no_broken_request_lets_its_content_out() {
    let function = start(&Proxy::in_memory(), &[]).await;
    let whole = events();
    let mut said = Vec::new();
    for body in [
        SECRET.to_owned(),
        format!("\"{SECRET}\""),
        format!("{{\"{SECRET}\":\"{SECRET}\"}}"),
        format!("{{\"records\":\"{SECRET}\"}}"),
        format!("{{\"records\":[\"{SECRET}\"]}}"),
        format!("{{\"records\":[{{\"data\":\"{SECRET}\"}}]}}"),
        format!("{{\"records\":[{{\"recordId\":[\"{SECRET}\"],\"data\":\"{SECRET}\"}}]}}"),
        whole[..whole.len() / 2].to_owned(),
        whole.replacen("records", SECRET, 1),
        whole.clone() + SECRET,
    ] {
        let failed = message(function.invoke(body).await);
        assert_eq!(failed.len(), 1);
        said.extend(failed);
    }
    for data in [
        format!("!{SECRET}"),
        format!("{SECRET}="),
        format!("\\ud800{SECRET}"),
    ] {
        let body = format!(
            r#"{{"records":[{{"recordId":"1","approximateArrivalTimestamp":"{SECRET}","data":"{data}"}}]}}"#
        );
        function.invoke(body).await.answer();
    }
    said.extend(function.stop().await);
    check_silent("a broken request", &said);
}

#[tokio::test]
async fn no_fault_of_the_store_lets_an_events_content_out() {
    for fault in [
        Reset,
        LoseAnswer,
        RefuseStatements(1.0, "ThrottlingError"),
        RefuseStatements(1.0, "ValidationError"),
        Echo(400, "ValidationException"),
        Echo(400, "ThrottlingException"),
        Echo(400, "SerializationException"),
        Echo(500, "InternalServerError"),
        Echo(413, "RequestTooLarge"),
        EchoStatements("ValidationError"),
        EchoStatements("DuplicateItem"),
        EchoStatements("ConditionalCheckFailed"),
        EchoStatements("InternalServerError"),
        EchoStatements("ItemCollectionSizeLimitExceeded"),
        Garbage("s3cret"),
        Garbage("{\"Responses\":\"s3cret\"}"),
        Garbage("{\"Responses\":[{\"Error\":{\"Code\":{\"s3cret\":1}}}]}"),
        Garbage("<html>s3cret</html>"),
    ] {
        for told in ["retry", "deliver"] {
            let proxy = Proxy::in_memory();
            let function = start(&proxy, &[("ON_CLAIM_FAILURE", told)]).await;
            proxy.play(move |_| fault);
            let time = Duration::from_millis(1_300);
            let mut said = message(function.invoke_within(events(), time).await);
            assert_eq!(said.is_empty(), told == "deliver", "{fault:?}");
            proxy.play(|_| Pass);
            said.extend(message(function.invoke(events()).await));
            said.extend(function.stop().await);
            assert!(
                said.iter().any(|line| line.contains("\"ERROR\"")),
                "{fault:?}"
            );
            check_silent(&format!("{fault:?}"), &said);
        }
    }
}

/// A panic's message may quote what was being read, so the test panics with the secret in a
/// process of its own, as the function would.
#[test]
fn a_panic_says_where_it_was_and_not_what_it_saw() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "panics_where_it_is_asked_to", "--nocapture"])
        .env("PANIC_WITH", SECRET)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    let told = said
        .lines()
        .find(|line| line.contains("a fault in the function"))
        .unwrap();
    let told: Value = serde_json::from_str(told).unwrap();
    assert!(
        told["place"].as_str().unwrap().contains("tests/privacy.rs"),
        "{told}"
    );
    check_silent("a panic", &[said]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test above asks by it")]
fn panics_where_it_is_asked_to() {
    let Ok(word) = std::env::var("PANIC_WITH") else {
        return;
    };
    // On one core the harness leaves the test's name on the line.
    println!();
    nozzle::telemetry::init(&nozzle::config::read_log_settings(|_| None), "privacy");
    let panicked = std::panic::catch_unwind(|| {
        panic!("{word}");
    });
    assert!(panicked.is_err());
}

/// Ids are logged, so that a record can be found. They come from Firehose; were they somebody
/// else's, a line would still be a line.
#[tokio::test]
async fn no_record_id_writes_a_line_or_a_metric_of_its_own() {
    let metric = r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Nozzle","Dimensions":[[]],"Metrics":[{"Name":"records"}]}]},"records":1}"#;
    let line = r#"{"level":"ERROR","message":"told by a record"}"#;
    let ids = [
        format!("1\n{line}"),
        format!("2\r\n{metric}\r\n"),
        format!("3\",\"level\":\"ERROR\",\"more\":\"{line}"),
        "4\u{1b}[31m\u{1b}[2J\u{7}\u{8}".to_owned(),
        "5\u{0}\u{b}\u{c}\u{85}\u{2028}\u{2029}\u{9b}31m\u{7f}".to_owned(),
        "6\u{202e}\u{200f}".to_owned(),
        metric.to_owned(),
    ];
    let records: Vec<_> = ids
        .iter()
        .map(|id| json!({ "recordId": id, "data": "" }))
        .collect();
    let body = json!({ "records": records }).to_string();
    for format in ["JSON", "Text"] {
        let function = start(&Proxy::in_memory(), &[("AWS_LAMBDA_LOG_FORMAT", format)]).await;
        function.invoke(body.clone()).await.answer();
        let output = function.stop().await;
        assert_eq!(output.len(), ids.len() + 1, "{format}: {output:?}");
        assert!(
            output.iter().all(|line| line.is_ascii()),
            "{format}: {output:?}"
        );
        let is_of_function =
            |line: &&String| line.contains("\"batch\"") || line.contains("refused");
        assert_eq!(output.iter().filter(is_of_function).count(), output.len());
        let metrics = output.iter().filter(|line| line.contains("\"_aws\":{"));
        assert_eq!(metrics.count(), 1, "{format}: {output:?}");
    }
}
