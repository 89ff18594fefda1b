//! The real function, as Lambda runs it, on ministack; what it leaves is read by others.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    request::{event, request_from, sequence},
    stores::create_table,
    support::{
        client::settings,
        emulators::{Emulator, ministack},
        runtime_api::Function,
    },
};

/// A word that stands in every part of an event, to be looked for where it must not be.
const SECRET: &str = "s3cret";

/// Of whom a sketch is no list any more.
const USERS: usize = 300;

async fn start(emulator: &Emulator, queue: &str) -> Function {
    let endpoint = format!("http://{}", emulator.address);
    let mut command = Command::new(env!("CARGO_BIN_EXE_event-processor"));
    command
        .env_clear()
        .envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "event-processor"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("DYNAMODB_TABLE", "counters"),
            ("EVENT_CACHE_TABLE_NAME", "claims"),
            ("DLQ_URL", queue),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Function::run(command).await
}

/// Three hundred users, one event twice, and one that is refused.
fn batch() -> Vec<Vec<u8>> {
    let event = |number: usize| {
        let mut event = event(&format!("{SECRET}-{number}"));
        event["user_id"] = format!("{SECRET}-user-{number}").into();
        event["metadata"] = json!({"variant": if number < 5 { "A" } else { "B" }});
        event["properties"] = json!({SECRET: SECRET});
        event.to_string().into_bytes()
    };
    let refused = json!({"event_id": SECRET, "event_type": SECRET, "user_id": {"a": SECRET}});
    let events = (0..USERS).chain([0]).map(event);
    events.chain([refused.to_string().into_bytes()]).collect()
}

#[tokio::test]
async fn what_the_real_function_leaves_is_read_by_others() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    create_table(&emulator, "counters", ["partition_key", "sort_key"], None).await;
    let shared = settings(emulator.address);
    let buckets = aws_sdk_s3::Client::new(&shared);
    let bucket = buckets.create_bucket().bucket("event-archive").send();
    bucket.await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&shared);
    let queue = queues.create_queue().queue_name("dead").send().await;
    let queue = queue.unwrap().queue_url.unwrap();

    let function = start(&emulator, &queue).await;
    let body = request_from(0, &batch());
    let done = br#"{"batchItemFailures":[]}"#;
    for _ in 0..2 {
        let answer = function.invoke(body.clone()).await.answer();
        assert_eq!(&answer[..], done, "{answer:?}");
    }
    let late = function.invoke_within(request_from(400, &batch()), Duration::ZERO);
    let late: Value = serde_json::from_slice(&late.await.answer()).unwrap();
    assert_eq!(
        late["batchItemFailures"][0]["itemIdentifier"],
        sequence(400)
    );
    check_output(&function.stop().await);

    counters_and_users_are_read_in_python(&emulator).await;
    the_archive_is_there_once(&buckets).await;
    let messages = queues.receive_message().queue_url(queue).send().await;
    let messages = messages.unwrap().messages.unwrap_or_default();
    let letter = messages.first().and_then(|message| message.body()).unwrap();
    let letter: Value = serde_json::from_str(letter).unwrap();
    assert_eq!(letter["reason"], "user_id_wrong_type");
}

/// One line of counts an invocation, and nothing of any event.
fn check_output(output: &[String]) {
    assert!(
        output.iter().all(|line| !line.contains(SECRET)),
        "{output:#?}"
    );
    let lines = output
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let counts: Vec<_> = lines.filter(|line| line["_aws"].is_object()).collect();
    let numbers = |name: &str| {
        let numbers = counts.iter().map(|line| line[name].as_u64());
        numbers.collect::<Vec<_>>()
    };
    let users = Some(USERS as u64);
    assert_eq!(numbers("records"), [users.map(|users| users + 2); 3]);
    assert_eq!(numbers("archived"), [users, Some(0), Some(0)]);
    assert_eq!(
        numbers("counted"),
        [users.map(|users| 2 * users), Some(0), Some(0)]
    );
    assert_eq!(numbers("duplicates"), [Some(1), Some(0), Some(0)]);
    assert_eq!(numbers("refused_user_id_wrong_type"), [Some(1), None, None]);
    assert_eq!(
        numbers("done_before"),
        [Some(0), users.map(|users| users + 2), Some(0)]
    );
    assert_eq!(numbers("ledger_failures"), [None, None, Some(1)]);
    let warned = output
        .iter()
        .find(|line| line.contains("\"refused\""))
        .unwrap();
    assert!(warned.contains("\"requestId\":\"invocation-"), "{warned}");
}

async fn counters_and_users_are_read_in_python(emulator: &Emulator) {
    let folder = env!("CARGO_MANIFEST_DIR");
    let read = Command::new(format!("{folder}/.cache/venv/bin/python"))
        .arg(format!("{folder}/tests/event_processor/read.py"))
        .args([
            format!("http://{}", emulator.address),
            "counters".to_owned(),
        ])
        .envs([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    let read: Value = serde_json::from_slice(&read.stdout).unwrap_or_else(|_| panic!("{said}"));
    for (variant, count) in [("A", 5), ("B", USERS - 5)] {
        for window in ["hour#2024-12-19-23", "day#2024-12-19"] {
            let partition = format!("exp_checkout#variant#{variant}#{window}");
            let counted = &read["counters"][format!("{partition} event_type#view")];
            assert_eq!(counted, count, "{partition}");
            let sketch = &read["sketches"][format!("{partition} users#view")];
            let [users, estimate] =
                ["users", "estimate"].map(|name| sketch[name].as_f64().unwrap());
            #[expect(clippy::cast_precision_loss, reason = "few users")]
            let off = (users - count as f64).abs();
            assert!(off <= 0.06 * users, "{partition}: {users}");
            assert!(
                (estimate - users).abs() <= 0.51,
                "{partition}: {users}, {estimate}"
            );
        }
    }
    let union = read["union"].as_f64().unwrap();
    assert!((280.0..=320.0).contains(&union), "{union}");
}

async fn the_archive_is_there_once(buckets: &aws_sdk_s3::Client) {
    let listed = buckets.list_objects_v2().bucket("event-archive").send();
    let listed = listed.await.unwrap();
    let keys: Vec<_> = listed
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    let [letter, object] = *keys else {
        panic!("{keys:?}")
    };
    assert!(letter.starts_with("dead-letters/"), "{letter}");
    assert!(
        object.starts_with("year=2024/month=12/day=19/hour=23/"),
        "{object}"
    );
    let got = buckets
        .get_object()
        .bucket("event-archive")
        .key(object)
        .send();
    let got = got.await.unwrap();
    assert_eq!(got.content_type(), Some("application/x-ndjson"));
    let metadata = got.metadata().unwrap();
    for (name, value) in [
        ("event_count", USERS.to_string()),
        ("compression", "gzip".to_owned()),
        ("first", sequence(0)),
        ("last", sequence(USERS + 1)),
        ("plan", "1".to_owned()),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
}
