//! `nozzle redrive`, `find` and `explain` on AWS: error objects in S3, streams of Firehose and
//! Kinesis, claims in DynamoDB, as far as ministack is all that; and a stream that refuses what it is
//! told to.

#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::SystemTime,
};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_sdk_firehose::types::ExtendedS3DestinationConfiguration;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName;
use base64::{Engine, prelude::BASE64_STANDARD};
use nozzle::dedup::Owner;
use serde_json::{Value, json};
use support::{
    client::{TABLE, settings},
    emulators::{Emulator, free_address, ministack},
    error_objects::{Kind, Night, captured, count_events, event, identity},
    firehose_stub::FirehoseStub,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const DAY_SECONDS: i64 = 86_400;

/// Error objects lie in `lake`, and a stream called `events` writes to `delivered`.
struct Cloud {
    /// None where all is in a folder.
    emulator: Option<Emulator>,
    folder: TempDir,
    stream: SocketAddr,
}

#[expect(clippy::disallowed_methods, reason = "claims expire by the real clock")]
fn now_milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

impl Cloud {
    async fn start() -> Option<Self> {
        let emulator = ministack()?;
        emulator.create_table().await;
        let cloud = Self {
            stream: emulator.address,
            emulator: Some(emulator),
            folder: tempfile::tempdir().unwrap(),
        };
        for bucket in ["lake", "delivered"] {
            cloud
                .s3()
                .create_bucket()
                .bucket(bucket)
                .send()
                .await
                .unwrap();
        }
        Some(cloud)
    }

    /// With a night's error objects, and its claims.
    async fn after(night: &Night) -> Option<Self> {
        let cloud = Self::start().await?;
        for (name, bytes) in night.files() {
            cloud.put(&format!("errors/{name}"), bytes).await;
        }
        cloud
            .claim(&night.claims(), now_milliseconds() / 1_000 + DAY_SECONDS)
            .await;
        Some(cloud)
    }

    fn address(&self) -> SocketAddr {
        let emulator = self.emulator.as_ref();
        emulator.map_or(self.stream, |emulator| emulator.address)
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let settings = settings(self.address());
        let settings = aws_sdk_s3::config::Builder::from(&settings).force_path_style(true);
        aws_sdk_s3::Client::from_conf(settings.build())
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) {
        let put = self.s3().put_object().bucket("lake").key(key);
        put.body(ByteStream::from(bytes)).send().await.unwrap();
    }

    /// What lies under a prefix, by key.
    async fn contents(&self, bucket: &str, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let mut contents = BTreeMap::new();
        let list = self.s3().list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.unwrap().contents() {
                let key = object.key().unwrap().to_owned();
                let answer = self.s3().get_object().bucket(bucket).key(&key).send().await;
                let bytes = answer.unwrap().body.collect().await.unwrap();
                contents.insert(key, bytes.to_vec());
            }
        }
        contents
    }

    async fn claim(&self, claims: &[(usize, Owner)], ttl_seconds: i64) {
        let client = aws_sdk_dynamodb::Client::new(&settings(self.address()));
        for claims in claims.chunks(25) {
            let put = |(number, owner): &(usize, Owner)| {
                let put = PutRequest::builder()
                    .item("id", AttributeValue::S(identity(*number)))
                    .item("owner", AttributeValue::S(owner.to_string()))
                    .item("ttl", AttributeValue::N(ttl_seconds.to_string()));
                let put = put.build().unwrap();
                WriteRequest::builder().put_request(put).build()
            };
            let puts = claims.iter().map(put).collect();
            let write = client.batch_write_item().request_items(TABLE, puts);
            write.send().await.unwrap();
        }
    }

    async fn claims(&self) -> BTreeSet<String> {
        let client = aws_sdk_dynamodb::Client::new(&settings(self.address()));
        let mut claims = BTreeSet::new();
        let mut pages = client.scan().table_name(TABLE).into_paginator().send();
        while let Some(page) = pages.next().await {
            let items = page.unwrap().items.unwrap_or_default();
            claims.extend(items.iter().map(|item| item["id"].as_s().unwrap().clone()));
        }
        claims
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.nozzle("redrive", arguments)
    }

    fn nozzle(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nozzle"));
        command
            .current_dir(self.folder.path())
            .arg(subcommand)
            .args(arguments)
            .stdin(Stdio::null())
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address()))
            .env(
                "AWS_ENDPOINT_URL_FIREHOSE",
                format!("http://{}", self.stream),
            )
            .env(
                "AWS_ENDPOINT_URL_KINESIS",
                format!("http://{}", self.stream),
            )
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("XDG_STATE_HOME", self.path("state"));
        command
    }

    fn redrive(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn summary(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.redrive(&[arguments, &["--summary", "json"]].concat());
        let summary = serde_json::from_slice(&output.stdout);
        let summary = summary.unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (summary, output.status.code().unwrap())
    }
}

const TO_STREAM: [&str; 5] = [
    "s3://lake/errors/",
    "--to",
    "stream:events",
    "--table",
    TABLE,
];

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&TO_STREAM[..], more].concat()
}

#[track_caller]
fn check(summary: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&summary[name], value, "{name} of {summary}");
    }
}

/// An hour ago.
fn last_night(events: usize) -> Night {
    Night {
        events,
        begins: now_milliseconds() - 3_600_000,
    }
}

fn each_once(events: &BTreeSet<String>) -> BTreeMap<String, usize> {
    events.iter().map(|event| (event.clone(), 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_in_s3_goes_to_a_delivery_stream() {
    let night = last_night(300);
    let Some(cloud) = Cloud::after(&night).await else {
        return;
    };
    Box::pin(create_stream(&cloud)).await;
    let claimed = cloud.claims().await;
    let (dry, code) = cloud.summary(&TO_STREAM);
    assert_eq!(code, 0);
    assert_eq!(cloud.claims().await, claimed, "a dry run changes nothing");
    assert!(cloud.contents("lake", "redriven").await.is_empty());

    let (summary, code) = cloud.summary(&with(&["--execute"]));
    assert_eq!(code, 1, "refused records are left");
    let expected = json!({
        "records": 300, "sent": 200, "held_back": 50, "refused": 50, "unknown": 0, "failed": 0,
        "released": 100,
    });
    check(&summary, &expected);
    check(&dry, &expected);
    let delivered = cloud.contents("delivered", "").await;
    let lines = delivered.values().map(Vec::as_slice);
    assert_eq!(count_events(lines), each_once(&night.undelivered()));
    let copies: BTreeSet<_> = (0..300)
        .filter(|number| support::error_objects::kind(*number) == Kind::CopyDelivered)
        .map(identity)
        .collect();
    assert_eq!(cloud.claims().await, copies, "others' claims stay");

    let recorded = cloud.contents("lake", "redriven/").await;
    let run = recorded.iter().find(|(key, _)| key.ends_with("/run.json"));
    let run: Value = serde_json::from_slice(run.unwrap().1).unwrap();
    check(
        &run,
        &json!({"state": "complete", "sent": 200, "held_back": 50}),
    );
    a_colleague_knows(&cloud);
}

/// On another machine, for a part of it only.
fn a_colleague_knows(cloud: &Cloud) {
    let part = "s3://lake/errors/processing-failed/day=00";
    let output = cloud
        .command(&[part, "--to", "stream:events", "--table", TABLE])
        .env("XDG_STATE_HOME", cloud.path("colleague"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("redriven before  200 once"), "{said}");
    assert!(
        said.contains("sent 200 to stream:events (complete)"),
        "{said}"
    );
}

async fn create_stream(cloud: &Cloud) {
    let client = aws_sdk_firehose::Client::new(&settings(cloud.address()));
    let destination = ExtendedS3DestinationConfiguration::builder()
        .role_arn("arn:aws:iam::000000000000:role/firehose")
        .bucket_arn("arn:aws:s3:::delivered")
        .build();
    let create = client
        .create_delivery_stream()
        .delivery_stream_name("events")
        .extended_s3_destination_configuration(destination.unwrap());
    Box::pin(create.send()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_goes_to_a_kinesis_stream() {
    let Some(cloud) = Cloud::start().await else {
        return;
    };
    let kinesis = aws_sdk_kinesis::Client::new(&settings(cloud.address()));
    let create = kinesis.create_stream().stream_name("in").shard_count(2);
    create.send().await.unwrap();
    let arrival = now_milliseconds();
    let object = |number| captured("Lambda.FunctionError", arrival, event(number).as_bytes());
    let objects: String = (0..700).map(object).collect();
    fs::create_dir(cloud.path("errors")).unwrap();
    fs::write(cloud.path("errors/object"), objects).unwrap();
    let arguments = [
        "errors",
        "--to",
        "kinesis:in",
        "--table",
        TABLE,
        "--execute",
    ];
    let (summary, code) = cloud.summary(&arguments);
    check(&summary, &json!({"sent": 700, "left": false}));
    assert_eq!(code, 0);

    let shards = kinesis
        .list_shards()
        .stream_name("in")
        .send()
        .await
        .unwrap();
    let (mut records, mut shards_used) = (Vec::new(), 0);
    for shard in shards.shards() {
        let found = read_shard(&kinesis, shard.shard_id()).await;
        shards_used += usize::from(!found.is_empty());
        records.extend(found);
    }
    let expected = (0..700).map(|number| format!("e{number}")).collect();
    let lines = records.iter().map(Vec::as_slice);
    assert_eq!(count_events(lines), each_once(&expected));
    assert_eq!(shards_used, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_a_stream_goes_there_once_more_only_when_asked() {
    let stub = FirehoseStub::listen(|_| None).await;
    let cloud = Cloud {
        emulator: None,
        folder: tempfile::tempdir().unwrap(),
        stream: stub.address,
    };
    let object = |number| {
        captured(
            "Lambda.FunctionError",
            now_milliseconds(),
            event(number).as_bytes(),
        )
    };
    fs::create_dir(cloud.path("errors")).unwrap();
    fs::write(
        cloud.path("errors/object"),
        (0..30).map(object).collect::<String>(),
    )
    .unwrap();
    for (stream, more, sent, taken) in [
        ("stream:events", &["--execute"][..], 30, 30),
        ("stream:events", &[], 0, 30),
        ("stream:events", &["--execute"], 0, 30),
        ("stream:others", &["--execute"], 30, 60),
        ("stream:events", &["--execute", "--again"], 30, 90),
    ] {
        let arguments = ["errors", "--to", stream, "--assume-undelivered"];
        let (summary, code) = cloud.summary(&[&arguments[..], more].concat());
        let expected = json!({"sent": sent, "sent_earlier": 30 - sent, "open": 0});
        check(&summary, &expected);
        assert_eq!((code, stub.taken_count()), (0, taken), "{stream} {more:?}");
    }
}

async fn read_shard(kinesis: &aws_sdk_kinesis::Client, shard: &str) -> Vec<Vec<u8>> {
    let iterator = kinesis
        .get_shard_iterator()
        .stream_name("in")
        .shard_id(shard);
    let iterator = iterator
        .shard_iterator_type(aws_sdk_kinesis::types::ShardIteratorType::TrimHorizon)
        .send()
        .await
        .unwrap();
    let records = kinesis.get_records();
    let records = records
        .set_shard_iterator(iterator.shard_iterator)
        .send()
        .await
        .unwrap();
    let bytes = records
        .records()
        .iter()
        .map(|record| record.data().as_ref().to_vec());
    bytes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_is_unknown() {
    let Some(mut cloud) = Cloud::start().await else {
        return;
    };
    let stub = FirehoseStub::listen(|_| None).await;
    cloud.stream = stub.address;
    let (now, day) = (now_milliseconds(), DAY_SECONDS * 1_000);
    let old = now - day - 60_000;
    let object =
        |number, arrival| captured("Lambda.FunctionError", arrival, event(number).as_bytes());
    let timeless = object(2, now).replace(&format!("\"arrivalTimestamp\":{now},"), "");
    let objects = object(0, old) + &object(1, old) + &timeless + &object(3, now);
    cloud.put("errors/object", objects.into_bytes()).await;
    let owner = Owner::of("id", Some(old), event(1).as_bytes());
    cloud.claim(&[(1, owner)], old / 1_000 + DAY_SECONDS).await;

    let (summary, code) = cloud.summary(&with(&["--execute"]));
    check(&summary, &json!({"sent": 1, "unknown": 3}));
    assert_eq!(code, 1);
    let longer = with(&["--ttl-hours", "48"]);
    let expected = json!({"sent": 2, "sent_earlier": 1, "unknown": 1});
    check(&cloud.summary(&longer).0, &expected);
    let without_table = ["s3://lake/errors", "--to", "stream:events"];
    check(
        &cloud.summary(&without_table).0,
        &json!({"sent": 0, "sent_earlier": 1, "unknown": 3}),
    );
    let (summary, code) = cloud.summary(&with(&["--execute", "--assume-undelivered"]));
    check(
        &summary,
        &json!({"sent": 3, "sent_earlier": 1, "unknown": 0}),
    );
    assert_eq!(code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_a_stream_refuses_are_put_again_alone() {
    let night = last_night(600);
    let Some(mut cloud) = Cloud::after(&night).await else {
        return;
    };
    let mut random = fastrand::Rng::with_seed(3);
    let stub = FirehoseStub::listen(move |_| {
        (random.u8(..100) < 30).then_some("ServiceUnavailableException")
    })
    .await;
    cloud.stream = stub.address;
    let (summary, code) = cloud.summary(&with(&["--execute"]));
    check(&summary, &json!({"sent": 400, "failed": 0}));
    assert_eq!(code, 1, "refused records are left");
    let taken = stub.taken();
    let lines = taken.iter().map(Vec::as_slice);
    assert_eq!(count_events(lines), each_once(&night.undelivered()));
    assert!(stub.requests().iter().all(|records| *records <= 500));
    assert!(stub.requests().len() > 3, "{:?}", stub.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_never_takes_is_sent_by_the_same_command_later() {
    let night = last_night(60);
    let Some(mut cloud) = Cloud::after(&night).await else {
        return;
    };
    let denied = FirehoseStub::denying().await;
    cloud.stream = denied.address;
    let output = cloud.redrive(&with(&["--execute"]));
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("you need firehose:PutRecordBatch"), "{said}");
    assert_eq!(
        output.stdout, b"",
        "nothing was done, and nothing is summed up"
    );
    let stub = FirehoseStub::listen(|_| None).await;
    cloud.stream = stub.address;
    let (summary, _) = cloud.summary(&with(&["--execute"]));
    check(
        &summary,
        &json!({"sent": 40, "sent_before": 0, "failed": 0}),
    );
    let taken = stub.taken();
    let lines = taken.iter().map(Vec::as_slice);
    assert_eq!(count_events(lines), each_once(&night.undelivered()));
}

/// Redrives until so many bytes more are in the journal and so many records more are taken; then
/// kills. Says whether it was killed before it had ended.
fn redrive_until_killed(
    cloud: &Cloud,
    arguments: &[&str],
    stub: &FirehoseStub,
    (bytes, records): (u64, usize),
) -> bool {
    let mut child = cloud
        .command(&[arguments, &["--execute", "--rate", "100000"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = || -> u64 {
        // Of a folder it lies beside it.
        let folders = ["state", "redriven"].map(|name| cloud.path(name));
        let files = folders
            .iter()
            .flat_map(|folder| support::folder::files(folder));
        let lengths = files.filter_map(|file| fs::metadata(file).ok());
        lengths.map(|metadata| metadata.len()).sum()
    };
    let (start, taken) = (journal(), stub.taken_count());
    let is_enough = || journal() >= start + bytes && stub.taken_count() >= taken + records;
    while !is_enough() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        thread::yield_now();
    }
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// Four times; each time at most the batch under way is sent twice.
#[track_caller]
fn redrive_and_kill(cloud: &Cloud, arguments: &[&str], stub: &FirehoseStub) {
    let mut random = fastrand::Rng::with_seed(5);
    let mut doubled = 0;
    for _ in 0..4 {
        let enough = (random.u64(..20_000), random.usize(..200));
        assert!(redrive_until_killed(cloud, arguments, stub, enough));
        let taken = stub.taken();
        let distinct = taken.iter().collect::<BTreeSet<_>>().len();
        let doubled_now = taken.len() - distinct;
        assert!(
            doubled_now <= doubled + 500,
            "more than a batch was doubled"
        );
        doubled = doubled_now;
    }
}

/// What the event processor could not handle, though nothing is wrong with it.
fn letter(number: usize) -> String {
    let event = counted_event(number);
    json!({
        "version": 1, "reason": "panicked", "function": "event-processor",
        "record_id": format!("shardId-000000000006:{number}"),
        "stream": "arn:aws:kinesis:us-east-1:000000000000:stream/in",
        "shard": "shardId-000000000006", "sequence": number.to_string(), "sub": null,
        "arrival": "2024-12-19T22:59:59.500Z", "data": BASE64_STANDARD.encode(event),
    })
    .to_string()
}

fn counted_event(number: usize) -> String {
    format!(r#"{{"event_id":"e{number}","event_type":"view","user_id":"u"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_redrives_dead_letters_it_loses_none_and_doubles_at_most_its_batch() {
    const LETTERS: usize = 6_000;
    let stub = FirehoseStub::listen(|_| None).await;
    let cloud = Cloud {
        emulator: None,
        folder: tempfile::tempdir().unwrap(),
        stream: stub.address,
    };
    fs::create_dir(cloud.path("letters")).unwrap();
    for number in 0..LETTERS {
        let name = format!("letters/{number:04}.json");
        fs::write(cloud.path(&name), letter(number)).unwrap();
    }
    let arguments = ["letters", "--to", "kinesis:in"];
    fs::create_dir(cloud.path("refused")).unwrap();
    let refused = letter(7).replace("panicked", "conflict");
    fs::write(cloud.path("refused/one.json"), refused).unwrap();
    let export = ["refused", "--to", "kinesis:in", "--export", "repair"];
    let said = String::from_utf8(cloud.redrive(&export).stdout).unwrap();
    assert!(
        said.contains("dead letters are not exported: 1; "),
        "{said}"
    );
    redrive_and_kill(&cloud, &arguments, &stub);
    let (summary, code) = cloud.summary(&[&arguments[..], &["--execute"]].concat());
    assert_eq!(code, 0, "{summary}");
    check(&summary, &json!({"failed": 0, "left": false}));
    let taken: BTreeSet<_> = stub.taken().into_iter().collect();
    let sent = (0..LETTERS).map(|number| counted_event(number).into_bytes());
    assert_eq!(taken, sent.collect());

    let before = stub.taken().len();
    let (summary, code) = cloud.summary(&[&arguments[..], &["--execute"]].concat());
    check(&summary, &json!({"sent": 0, "sent_earlier": LETTERS}));
    assert_eq!((code, stub.taken().len()), (0, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queues_dead_letters_go_to_a_stream_and_what_would_be_refused_again_stays() {
    let Some(cloud) = Cloud::start().await else {
        return;
    };
    let kinesis = aws_sdk_kinesis::Client::new(&settings(cloud.address()));
    let create = kinesis.create_stream().stream_name("in").shard_count(1);
    create.send().await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&settings(cloud.address()));
    let queue = queues.create_queue().queue_name("dead").send().await;
    let queue = queue.unwrap().queue_url.unwrap();
    let refused = letter(7).replace("panicked", "event_id_missing");
    let refused = refused.replace(
        &BASE64_STANDARD.encode(counted_event(7)),
        &BASE64_STANDARD.encode("{}"),
    );
    for body in (0..25).map(letter).chain([refused]) {
        let send = queues.send_message().queue_url(&queue).message_body(body);
        send.send().await.unwrap();
    }
    let source = format!("sqs:{queue}");
    let arguments = [source.as_str(), "--to", "kinesis:in", "--execute"];
    let (summary, code) = cloud.summary(&arguments);
    check(&summary, &json!({"sent": 25, "refused": 1}));
    assert_eq!(code, 1, "a refused one is left");
    let shards = kinesis.list_shards().stream_name("in").send().await;
    let shards = shards.unwrap();
    let taken = read_shard(&kinesis, shards.shards()[0].shard_id()).await;
    let taken: BTreeSet<_> = taken.into_iter().collect();
    let sent = (0..25).map(|number| counted_event(number).into_bytes());
    assert_eq!(taken, sent.collect());
    let count = queues.get_queue_attributes().queue_url(&queue);
    let count = count
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let left = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
    ];
    let left = left.map(|name| {
        let count = count.attributes().unwrap().get(&name.into());
        count.map_or(0, |count| count.parse::<usize>().unwrap())
    });
    assert_eq!(left.iter().sum::<usize>(), 1, "what was sent is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redrive_loses_nothing_and_doubles_at_most_its_batch() {
    let night = last_night(3_000);
    let Some(mut cloud) = Cloud::after(&night).await else {
        return;
    };
    let stub = FirehoseStub::listen(|_| None).await;
    cloud.stream = stub.address;
    redrive_and_kill(&cloud, &TO_STREAM, &stub);
    let (summary, code) = cloud.summary(&with(&["--execute"]));
    assert_eq!(code, 1, "refused records are left");
    check(
        &summary,
        &json!({"records": 3_000, "failed": 0, "unknown": 0, "complete": true}),
    );
    let sent = summary["sent"].as_u64().unwrap() + summary["sent_before"].as_u64().unwrap();
    assert_eq!(sent, night.undelivered().len() as u64);
    let taken = stub.taken();
    let lines = taken.iter().map(Vec::as_slice);
    let events: BTreeSet<_> = count_events(lines).into_keys().collect();
    assert_eq!(events, night.undelivered());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_found_and_explained_in_s3_and_its_claim_in_the_table() {
    let night = last_night(60);
    let Some(cloud) = Cloud::after(&night).await else {
        return;
    };
    let delivered = support::error_objects::delivered(6).into_bytes();
    for day in ["02", "03"] {
        let key = format!("events/year=2026/month=02/day={day}/object");
        cloud.put(&key, delivered.clone()).await;
    }
    let found = |arguments: &[&str]| {
        let output = cloud.nozzle("find", arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let found: Vec<Value> = lines.collect();
        (found, output.status.code())
    };
    let wanted = ["e6", "--lake", "s3://lake/", "--table", TABLE, "--json"];
    let (all, code) = found(&wanted);
    let places: Vec<_> = all
        .iter()
        .map(|found| found["at"].as_str().unwrap())
        .collect();
    let expected = [
        "s3://lake/errors/processing-failed/day=00/stream-1-000:7",
        "s3://lake/events/year=2026/month=02/day=02/object:1",
        "s3://lake/events/year=2026/month=02/day=03/object:1",
        "table claims",
    ];
    assert_eq!((places, code), (expected.to_vec(), Some(0)));
    let (of_day, _) = found(&[&wanted[..], &["--day", "2026-02-02"]].concat());
    assert_eq!((of_day.len(), &of_day[0]["at"]), (2, &json!(expected[1])));
    assert_eq!(
        found(&["e60", "--lake", "s3://lake/"]),
        (Vec::new(), Some(1))
    );

    for (option, uuid, there, code) in [
        ("--table", "e6", 3, Some(0)),
        ("--log-table", "e6", 3, Some(0)),
        ("--log-table", "e60", 0, Some(2)),
    ] {
        let arguments = [uuid, "--lake", "s3://lake/", option, "nope", "--json"];
        let (events, ended) = found(&arguments);
        assert_eq!((events.len(), ended), (there, code), "{option} {uuid}");
        let said = stderr(&cloud.nozzle("find", &arguments).output().unwrap());
        assert!(said.contains("nope"), "{option} {uuid}: {said}");
    }

    let explain = cloud
        .nozzle("explain", &[expected[0], "--json"])
        .output()
        .unwrap();
    let explained: Value = serde_json::from_slice(&explain.stdout).unwrap();
    let (verdict, kind) = (&explained["verdict"], &explained["wrapper"]["kind"]);
    assert_eq!(
        (verdict, kind),
        (&json!("delivered"), &json!("error_object"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_mended_is_not_open_in_its_bucket() {
    let Some(mut cloud) = Cloud::start().await else {
        return;
    };
    let stub = FirehoseStub::listen(|_| None).await;
    cloud.stream = stub.address;
    let object = captured("Lambda.X", now_milliseconds(), b"broken");
    cloud.put("errors/object", object.into_bytes()).await;
    let (summary, _) = cloud.summary(&with(&["--export", "repair"]));
    check(&summary, &json!({"refused": 1, "open": 1}));
    let file = cloud.path("repair/to-repair.jsonl");
    let line = fs::read_to_string(&file).unwrap();
    let event = format!(r#""event":{}"#, event(0));
    fs::write(&file, line.replace(r#""text":"broken""#, &event)).unwrap();
    let to_stream = [
        "repair",
        "--to",
        "stream:events",
        "--table",
        TABLE,
        "--execute",
    ];
    let (summary, code) = cloud.summary(&to_stream);
    check(&summary, &json!({"sent": 1, "open": 0}));
    assert_eq!(code, 0);
    let (summary, _) = cloud.summary(&TO_STREAM);
    check(&summary, &json!({"mended": 1, "refused": 0, "open": 0}));
}

/// Answers whatever is asked with 403 and this body.
async fn forbid(body: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            let _ = stream.read(&mut [0; 8_192]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sdk_says_is_a_sentence() {
    const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Not for you</Message></Error>";
    const QUEUE: &str = "sqs:http://127.0.0.1:1/000000000000/dead";
    let (closed, silent, telling) = (free_address(), forbid("").await, forbid(DENIED).await);
    for (stream, said) in [
        (closed, "no connection: Connection refused (os error 111)"),
        (silent, "HTTP 403 without a code; do you have s3:"),
        (telling, "AccessDenied: Not for you; you need s3:"),
    ] {
        let cloud = Cloud {
            emulator: None,
            folder: tempfile::tempdir().unwrap(),
            stream,
        };
        for (subcommand, arguments) in [
            (
                "redrive",
                &["s3://lake/errors", "--to", "stream:events"][..],
            ),
            ("redrive", &[QUEUE, "--to", "kinesis:events"]),
            ("find", &["e1", "--lake", "s3://lake/"]),
            ("find", &["e1", "--log-table", "log"]),
            ("explain", &["s3://lake/errors/object:1"]),
            ("log", &["get", "e1", "--table", "log"]),
        ] {
            let output = cloud.nozzle(subcommand, arguments).output().unwrap();
            // What cannot be read to its end stands in a redrive's summary.
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
            let is_of_s3 = arguments.iter().any(|argument| argument.starts_with("s3:"));
            if said.starts_with("no connection") {
                assert!(
                    text.contains("_URL") && text.contains(&format!("http://{closed}")),
                    "{text}"
                );
            }
            assert!(
                text.contains(said) || !is_of_s3,
                "{subcommand} {arguments:?}: {text}"
            );
            check_sentence(&text);
            assert!(matches!(output.status.code(), Some(1 | 2)), "{text}");
        }
    }
}

/// No dump of a value, and no word of the SDK's own.
#[track_caller]
fn check_sentence(text: &str) {
    assert!(text.contains("cannot be "), "{text}");
    for dump in [
        "{",
        "Some(",
        "dispatch failure",
        "service error",
        "unhandled",
    ] {
        assert!(!text.contains(dump), "{dump}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_credentials_are_named_in_one_line() {
    let cloud = Cloud {
        emulator: None,
        folder: tempfile::tempdir().unwrap(),
        stream: free_address(),
    };
    for (subcommand, arguments) in [
        ("find", &["e1", "--lake", "s3://lake/"][..]),
        ("log", &["get", "e1", "--table", "log"]),
        (
            "redrive",
            &["letters", "--to", "stream:in", "--table", "claims"],
        ),
    ] {
        fs::create_dir_all(cloud.path("letters")).unwrap();
        let object = captured("Lambda.X", now_milliseconds(), event(0).as_bytes());
        fs::write(cloud.path("letters/object"), object).unwrap();
        let mut command = cloud.nozzle(subcommand, arguments);
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env("HOME", cloud.folder.path());
        let output = command.output().unwrap();
        let said = stderr(&output);
        let expected = "log in, name a profile in AWS_PROFILE, or set AWS_ACCESS_KEY_ID";
        let line = said.lines().find(|line| line.contains(expected));
        assert!(line.is_some_and(|line| !line.contains('{')), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_wrong_is_named() {
    let Some(cloud) = Cloud::start().await else {
        return;
    };
    cloud
        .put("errors/object", captured("Lambda.X", 0, b"x").into_bytes())
        .await;
    for (source, table, expected) in [
        (
            "s3://nowhere/errors",
            TABLE,
            "s3://nowhere/errors cannot be listed: NoSuchBucket",
        ),
        (
            "s3://lake/elsewhere",
            TABLE,
            "there is no object under s3://lake/elsewhere",
        ),
        ("s3://lake/redriven/", TABLE, "holds records of redrives"),
    ] {
        let output = cloud.redrive(&[source, "--to", "stream:events", "--table", table]);
        let said = stderr(&output);
        assert!(said.contains(expected), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
    cloud
        .put(
            "errors/object",
            captured("Lambda.X", now_milliseconds(), event(0).as_bytes()).into_bytes(),
        )
        .await;
    let output = cloud.redrive(&[
        "s3://lake/errors",
        "--to",
        "stream:events",
        "--table",
        "gone",
    ]);
    let said = stderr(&output);
    assert!(
        said.contains("no table \"gone\"") && said.contains("--table"),
        "{said}"
    );
    let output = cloud.redrive(&with(&["--execute"]));
    let said = stderr(&output);
    assert!(said.contains("stream:events takes nothing"), "{said}");
}
