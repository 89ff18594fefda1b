//! What the program says of events: nothing, whatever fails.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    program::{Running, start},
    support::{
        proxy::Fault::{
            self, Echo, EchoStatements, Garbage, LoseAnswer, Pass, RefuseStatements, Reset,
        },
        runtime_api::Outcome,
    },
    world::{record, request},
};

/// Stands in every part of every record, to be looked for where it must not be.
const SECRET: &str = "s3cret";
/// As it is, in hexadecimal, and as base64 may hold it.
const SPELLINGS: [&str; 5] = [SECRET, "733363726574", "czNjcmV0", "MzY3JldA", "zM2NyZX"];

const EVERYWHERE: [(&str, &str); 5] = [
    ("EVENT_ID", "/s3cret"),
    ("SEARCH_KEY", "/s3cret"),
    ("S3_BUCKET", "bucket"),
    ("DLQ_URL", "the stub's"),
    ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
];

/// Events of every kind, with the secret in all their parts.
fn events() -> String {
    let event =
        |number: usize| format!(r#"{{"{SECRET}":"{SECRET}{number}","n":["{SECRET}",1e999]}}"#);
    let mut data: Vec<_> = (0..30).map(|number| event(number % 25)).collect();
    data.extend([
        format!("{SECRET} is no JSON"),
        format!(r#"{{"{SECRET}":["{SECRET}"],"{SECRET}":1}}"#),
        event(7).replace('[', &format!(r#"["{}","#, SECRET.repeat(80_000))),
        event(8).replace("999", "9"),
    ]);
    let records = (1..).zip(&data).map(|(number, data)| {
        let mut record = record(number, data.as_bytes());
        record[SECRET] = SECRET.into();
        record["kinesis"]["partitionKey"] = SECRET.into();
        record
    });
    json!({ SECRET: SECRET, "Records": records.collect::<Vec<_>>() }).to_string()
}

#[track_caller]
fn check_silent(what: &str, said: &[String]) {
    for line in said {
        let word = SPELLINGS.iter().find(|word| line.contains(**word));
        assert_eq!(word, None, "{what}: {line}");
    }
}

async fn say(running: &Running, body: String) -> Vec<String> {
    say_within(running, body, Duration::from_millis(1_300)).await
}

async fn say_within(running: &Running, body: String, time: Duration) -> Vec<String> {
    match running.function.invoke_within(body, time).await {
        Outcome::Answer(answer) => vec![String::from_utf8(answer.to_vec()).unwrap()],
        Outcome::Failure(failure) => vec![failure.to_string()],
        Outcome::Died => panic!("the function died"),
    }
}

#[tokio::test]
async fn nothing_that_becomes_of_an_event_lets_its_content_out() {
    for format in ["JSON", "Text"] {
        for unreadable in ["store", "dead-letter"] {
            let more = [
                ("AWS_LAMBDA_LOG_FORMAT", format),
                ("ON_UNREADABLE", unreadable),
            ];
            let running = start(&[&EVERYWHERE[..], &more].concat()).await;
            let mut said = say_within(&running, events(), Duration::from_mins(1)).await;
            assert!(!running.depot.objects().is_empty());
            said.extend(running.function.stop().await);
            check_silent(format, &said);
        }
    }
}

#[tokio::test]
async fn no_broken_request_lets_its_content_out() {
    let running = start(&EVERYWHERE).await;
    let whole = events();
    let mut said = Vec::new();
    for body in [
        SECRET.to_owned(),
        format!("{{\"Records\":\"{SECRET}\"}}"),
        format!("{{\"Records\":[\"{SECRET}\"]}}"),
        format!("{{\"Records\":[{{\"eventID\":\"{SECRET}\"}}]}}"),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("sequenceNumber", SECRET),
        whole.replace("shardId-", SECRET),
        whole.clone() + SECRET,
    ] {
        let answer = say(&running, body).await;
        assert!(answer[0].contains("EnvelopeUnreadable"), "{answer:?}");
        said.extend(answer);
    }
    said.extend(running.function.stop().await);
    check_silent("a broken request", &said);
}

#[tokio::test]
async fn no_fault_of_the_table_lets_an_events_content_out() {
    for fault in [
        Reset,
        LoseAnswer,
        RefuseStatements(1.0, "ThrottlingError"),
        RefuseStatements(1.0, "ValidationError"),
        Echo(400, "ValidationException"),
        Echo(400, "ThrottlingException"),
        Echo(400, "SerializationException"),
        Echo(400, "AccessDeniedExceptions"),
        Echo(500, "InternalServerError"),
        Echo(413, "RequestTooLarge"),
        EchoStatements("ValidationError"),
        EchoStatements("DuplicateItem"),
        EchoStatements("InternalServerError"),
        Garbage("s3cret"),
        Garbage("{\"UnprocessedItems\":{\"s3cret\":\"s3cret\"}}"),
        Garbage("{\"Responses\":[{\"Error\":{\"Code\":{\"s3cret\":1}}}]}"),
    ] {
        let by_record = async {
            if !matches!(fault, EchoStatements(_)) {
                check_table(fault, &EVERYWHERE[1..]).await;
            }
        };
        tokio::join!(check_table(fault, &EVERYWHERE), by_record);
    }
}

async fn check_table(fault: Fault, settings: &[(&str, &str)]) {
    let running = start(settings).await;
    running.table.play(move |_| fault);
    let mut said = say(&running, events()).await;
    running.table.play(|_| Pass);
    said.extend(say(&running, events()).await);
    said.extend(running.function.stop().await);
    check_silent(&format!("{fault:?}"), &said);
}

#[tokio::test]
async fn no_fault_of_bucket_or_queue_lets_an_events_content_out() {
    let large = format!(r#"{{"{SECRET}":"{}"}}"#, SECRET.repeat(80_000));
    for (status, code) in [
        (400, "InvalidRequest"),
        (413, "EntityTooLarge"),
        (500, "InternalError"),
        (503, "SlowDown"),
    ] {
        for settings in [&EVERYWHERE[..], &EVERYWHERE[3..]] {
            let running = start(&[settings, &[("ON_UNREADABLE", "dead-letter")]].concat()).await;
            running.depot.refuse(status, code);
            let body = request(&[&large, SECRET]);
            let mut said = say(&running, String::from_utf8(body).unwrap()).await;
            let answer: Value = serde_json::from_str(&said[0]).unwrap();
            assert_ne!(answer, json!({"batchItemFailures": []}), "{code}");
            said.extend(running.function.stop().await);
            check_silent(code, &said);
        }
    }
}
