//! The real function, as Lambda runs it, on ministack; what it leaves is read by others.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[cfg(feature = "aws")]
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::Command,
};

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

/// As `docs/event-processor.md` names it.
const TABLE: &str = "nozzle-prod-event-processor";
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.cache/venv/bin/python");

/// Of whom a sketch is no list any more.
const USERS: usize = 300;

async fn start(address: SocketAddr, queue: &str) -> Function {
    let settings = [
        ("AWS_LAMBDA_FUNCTION_NAME", "event-processor"),
        ("AWS_ENDPOINT_URL", &format!("http://{address}")),
        ("DYNAMODB_TABLE", TABLE),
        ("EVENT_CACHE_TABLE_NAME", "claims"),
        ("DLQ_URL", queue),
    ];
    Function::of(env!("CARGO_BIN_EXE_event-processor"), &settings).await
}

/// The tables, the bucket and the queue; the queue's address.
async fn prepare(emulator: &Emulator) -> String {
    emulator.create_table().await;
    create_table(emulator, TABLE, ["partition_key", "sort_key"], None).await;
    let shared = settings(emulator.address);
    let buckets = aws_sdk_s3::Client::new(&shared);
    let bucket = buckets.create_bucket().bucket("event-archive").send();
    bucket.await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&shared);
    let queue = queues.create_queue().queue_name("dead").send().await;
    queue.unwrap().queue_url.unwrap()
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
    let queue = prepare(&emulator).await;
    let shared = settings(emulator.address);
    let buckets = aws_sdk_s3::Client::new(&shared);
    let queues = aws_sdk_sqs::Client::new(&shared);

    let function = start(emulator.address, &queue).await;
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
    the_docs_python_works_as_it_stands(&emulator).await;
    the_archive_is_there_once(&buckets).await;
    duckdb_reads_the_archive(&buckets).await;
    #[cfg(feature = "aws")]
    the_tool_reads_counters_and_compares_them(&emulator).await;
    let messages = queues.receive_message().queue_url(queue).send().await;
    let messages = messages.unwrap().messages.unwrap_or_default();
    let letter = messages.first().and_then(|message| message.body()).unwrap();
    let letter: Value = serde_json::from_str(letter).unwrap();
    assert_eq!(letter["reason"], "user_id_wrong_type");
}

/// Passes each connection on, as long as the runtime lives, and counts them.
async fn counted_connections(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut onward = TcpStream::connect(to).await.unwrap();
                copy_bidirectional(&mut from, &mut onward).await
            });
        }
    });
    (address, count)
}

#[tokio::test]
async fn clients_are_made_once() {
    let Some(emulator) = ministack() else { return };
    let queue = prepare(&emulator).await;
    let (address, connections) = counted_connections(emulator.address).await;
    let function = start(address, &queue).await;
    let invoke = async |number: usize| {
        let body = request_from(
            number,
            &[event(&number.to_string()).to_string().into_bytes()],
        );
        function.invoke(body).await.answer();
        connections.load(Ordering::Relaxed)
    };
    let first = invoke(0).await;
    for number in 1..6 {
        assert_eq!(invoke(number).await, first, "invocation {number}");
    }
    function.stop().await;
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
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/event_processor/read.py");
    let endpoint = format!("http://{}", emulator.address);
    let read = said(emulator, PYTHON, &[script, &endpoint, TABLE]).await;
    let read: Value = serde_json::from_str(&read).unwrap();
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

/// What a program says of what the emulator holds.
async fn said(emulator: &Emulator, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .envs([
            ("AWS_ENDPOINT_URL", format!("http://{}", emulator.address)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ])
        .output()
        .await
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The only Python on the page.
fn python_of(page: &str) -> String {
    let indented = page.lines().skip_while(|line| *line != "    import struct");
    let code = indented.take_while(|line| line.is_empty() || line.starts_with("    "));
    let code: Vec<_> = code.map(|line| line.get(4..).unwrap_or_default()).collect();
    code.join("\n")
}

async fn the_docs_python_works_as_it_stands(emulator: &Emulator) {
    let code = python_of(include_str!("../../docs/event-processor.md"));
    let read = said(emulator, PYTHON, &["-c", &code]).await;
    let [events, users] = *read.lines().collect::<Vec<_>>() else {
        panic!("{read}")
    };
    assert_eq!(events, (USERS - 5).to_string());
    let users: f64 = users.parse().unwrap();
    assert!((280.0..=310.0).contains(&users), "{users}");
}

/// As a person would who has copied it.
async fn duckdb_reads_the_archive(buckets: &aws_sdk_s3::Client) {
    const QUERY: &str = "import duckdb, sys; print(duckdb.sql(f\"select year, hour, count(*), \
        count(distinct event_id), min(variant), max(record_id[:20]) from \
        read_json('{sys.argv[1]}/**/*.jsonl.gz', format='newline_delimited', hive_partitioning=true, \
        hive_types_autocast=false) group by all\").fetchall())";
    let folder = tempfile::tempdir().unwrap();
    let listed = buckets
        .list_objects_v2()
        .bucket("event-archive")
        .prefix("year=")
        .send();
    for object in listed.await.unwrap().contents() {
        let key = object.key().unwrap();
        let got = buckets.get_object().bucket("event-archive").key(key).send();
        let bytes = got.await.unwrap().body.collect().await.unwrap().to_vec();
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let read = Command::new(PYTHON)
        .args(["-c", QUERY])
        .arg(folder.path())
        .output();
    let read = read.await.unwrap();
    let error = String::from_utf8_lossy(&read.stderr);
    let expected = format!("[('2024', '23', {USERS}, {USERS}, 'A', 'shardId-000000000006')]\n");
    assert_eq!(String::from_utf8_lossy(&read.stdout), expected, "{error}");
}

#[cfg(feature = "aws")]
async fn the_tool_reads_counters_and_compares_them(emulator: &Emulator) {
    let nozzle = env!("CARGO_BIN_EXE_nozzle");
    let counters = [
        "process", "counters", "--table", TABLE, "--window", "day", "--json",
    ];
    let counters = said(emulator, nozzle, &counters).await;
    let counters: Vec<Value> = counters
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<_> = counters.iter().map(|counter| &counter["events"]).collect();
    assert_eq!(events, [5, USERS - 5], "{counters:?}");
    assert_eq!(counters[0]["variant"], "A");
    let archive = ["--archive", "s3://event-archive/", "--json"];
    let recount = [&["recount", "--table", TABLE][..], &archive].concat();
    let found = said(emulator, nozzle, &recount).await;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!((&found["agree"], &found["differs"]), (&json!(4), &json!(0)));

    set_wrong(emulator).await;
    let found = said(emulator, nozzle, &[&recount[..], &["--execute"]].concat()).await;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["set_right"], 1, "{found}");
    let found = said(emulator, nozzle, &recount).await;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["agree"], 4, "{found}");
}

/// One counter is two too high.
#[cfg(feature = "aws")]
async fn set_wrong(emulator: &Emulator) {
    let client = aws_sdk_dynamodb::Client::new(&settings(emulator.address));
    let text = |text: &str| AttributeValue::S(text.to_owned());
    client
        .update_item()
        .table_name(TABLE)
        .key(
            "partition_key",
            text("exp_checkout#variant#B#day#2024-12-19"),
        )
        .key("sort_key", text("event_type#view"))
        .update_expression("ADD event_count :more")
        .expression_attribute_values(":more", AttributeValue::N("2".to_owned()))
        .send()
        .await
        .unwrap();
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
