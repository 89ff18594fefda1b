//! The Firehose for one machine and functions that fail, each in its own way.

#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use nozzle::{
    dedup::embedded::EmbeddedStore,
    functions::firehose_transform::transform::Rules,
    local::{
        firehose::{
            Ending, Firehose, Outcome, Watch,
            batch::Limits,
            function::{Function, FunctionError, Invocation, Told},
            lake::{self, Compression, Lake, Layout},
            prefix::Prefix,
        },
        input::Input,
        journal::Journal,
    },
};
use serde_json::{Value, json};
use support::folder::files;

/// Answers each attempt as its script says, the last line of it for ever.
struct Scripted {
    script: Vec<Reply>,
    attempts: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Reply {
    Fails,
    /// The bytes of an answer that is none.
    Garbage(&'static str),
    /// The entries made of each record.
    Entries(fn(&Value) -> Vec<Value>),
}

impl Function for Scripted {
    async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let reply = self.script.get(attempt).or(self.script.last()).unwrap();
        let answer = match reply {
            Reply::Fails => return Err(FunctionError::Failed("told to".into())),
            Reply::Garbage(bytes) => bytes.as_bytes().to_vec(),
            Reply::Entries(entries) => {
                let request: Value = serde_json::from_slice(request).unwrap();
                let records = request["records"].as_array().unwrap();
                let records: Vec<Value> = records.iter().flat_map(entries).collect();
                json!({ "records": records }).to_string().into_bytes()
            }
        };
        let told = Told::default();
        Ok(Invocation { answer, told })
    }
}

fn ok(record: &Value) -> Value {
    json!({
        "recordId": record["recordId"], "result": "Ok", "data": record["data"],
        "metadata": { "partitionKeys": { "a": "1" } },
    })
}

/// What is delivered, but for one of its fields.
fn with(record: &Value, name: &str, value: Value) -> Vec<Value> {
    let mut entry = ok(record);
    entry[name] = value;
    vec![entry]
}

struct Ran {
    outcome: Outcome,
    attempts: usize,
    folder: tempfile::TempDir,
}

fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_789_014_240_448)
}

/// Runs three records through a function.
fn run(script: &[Reply]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    fs::write(&input, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n").unwrap();
    let lake = lake::prepare(&folder.path().join("lake")).unwrap();
    let claims = lake.join(".nozzle/claims");
    let store = EmbeddedStore::open(&claims).unwrap();
    let prefix = Prefix::parse("events/a=!{partitionKeyFromLambda:a}/").unwrap();
    let layout = Layout {
        error_prefix: Prefix::parse_error("errors/!{firehose:error-output-type}/", &prefix)
            .unwrap(),
        prefix,
        compression: Compression::None,
    };
    let function = Scripted {
        script: script.to_vec(),
        attempts: AtomicUsize::new(0),
    };
    let firehose = Firehose {
        function: &function,
        pauses: [Duration::ZERO; 3],
        rules: &Rules::default(),
        store: &store,
        journal: Journal::new(&store, &claims, &lake),
        lake: Lake::open(&lake, "test", layout).unwrap(),
        limits: Limits::with_batch(1_000_000),
        window_bytes_max: 1_000_000,
        watch: Watch::Nobody,
        task: 1,
        clock,
        stop: Arc::default(),
    };
    let input = Input::find(&[input], &lake).unwrap();
    let left = Journal::recover(&store, &claims).unwrap();
    let outcome = firehose.run(input, left, Arc::default()).unwrap();
    assert!(matches!(outcome.ending, Ending::Complete));
    Ran {
        outcome,
        attempts: function.attempts.into_inner(),
        folder,
    }
}

impl Ran {
    fn text(&self, below: &str) -> String {
        let files = files(&self.folder.path().join("lake").join(below));
        files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect()
    }

    fn error_objects(&self) -> Vec<Value> {
        let text = self.text("errors");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

const OK: Reply = Reply::Entries(|record| vec![ok(record)]);

#[test]
fn what_a_function_delivers_is_in_the_lake_byte_for_byte() {
    let ran = run(&[OK]);
    assert_eq!(ran.text("events/a=1"), "{\"n\":1}{\"n\":2}{\"n\":3}");
    assert_eq!(
        (ran.attempts, ran.outcome.progress.summary.delivered),
        (1, 3)
    );
}

/// A function that fails at first is tried until the fourth attempt.
#[track_caller]
fn check_tried_again(reply: Reply) {
    let ran = run(&[reply, reply, reply, OK]);
    assert_eq!(
        (ran.attempts, ran.outcome.progress.summary.delivered),
        (4, 3)
    );
    assert_eq!(ran.error_objects(), Vec::<Value>::new());

    let ran = run(&[reply]);
    assert_eq!(
        (ran.attempts, ran.outcome.progress.summary.failed_function),
        (4, 3)
    );
    let objects = ran.error_objects();
    assert_eq!(objects.len(), 3);
    for object in objects {
        assert_eq!(object["errorCode"], "Lambda.FunctionError");
        assert_eq!(object["attemptsMade"], 4);
    }
}

#[test]
fn a_batch_that_fails_is_tried_four_times_and_then_kept() {
    check_tried_again(Reply::Fails);
    check_tried_again(Reply::Garbage(""));
    check_tried_again(Reply::Garbage("{\"errorMessage\":\"timed out\"}"));
    check_tried_again(Reply::Entries(|record| with(record, "result", json!("OK"))));
    check_tried_again(Reply::Entries(|record| with(record, "data", json!("?"))));
    check_tried_again(Reply::Entries(|record| with(record, "data", json!(null))));
    check_tried_again(Reply::Entries(|record| {
        with(record, "data", json!("AAAA".repeat(1_000_000)))
    }));
}

/// What is wrong with a record alone is not tried again.
#[track_caller]
fn check_kept(entries: fn(&Value) -> Vec<Value>, code: &str, folder: &str) {
    let ran = run(&[Reply::Entries(entries)]);
    assert_eq!(
        (ran.attempts, ran.outcome.progress.summary.error_objects),
        (1, 3)
    );
    for object in ran.error_objects() {
        assert_eq!(object["errorCode"], code);
        assert_eq!(object["attemptsMade"], 1);
        assert_eq!(object["arrivalTimestamp"], 1_789_014_240_448_u64);
    }
    assert_eq!(ran.text(folder).lines().count(), 3);
}

#[test]
fn a_record_that_fails_is_kept_by_itself() {
    let processing = "errors/processing-failed";
    let partitioning = "errors/partitioning-failed";
    let no_keys = "DynamicPartitioning.MetadataExtractionFailed";
    check_kept(|_| Vec::new(), "Lambda.MissingRecordId", processing);
    check_kept(
        |record| vec![ok(record), ok(record)],
        "Lambda.DuplicatedRecordId",
        processing,
    );
    check_kept(
        |record| with(record, "result", json!("ProcessingFailed")),
        "Lambda.ProcessingFailedStatus",
        processing,
    );
    check_kept(
        |record| with(record, "metadata", json!({})),
        no_keys,
        partitioning,
    );
    for keys in [
        |record: &Value| with(record, "metadata", json!({"partitionKeys": {"a": ""}})),
        |record: &Value| with(record, "metadata", json!({"partitionKeys": {"b": "1"}})),
        |record: &Value| with(record, "metadata", json!({"partitionKeys": {"a": "../.."}})),
        |record: &Value| with(record, "metadata", json!({"partitionKeys": {"a": "x\ny"}})),
    ] {
        check_kept(keys, no_keys, partitioning);
    }
}

#[test]
fn an_id_that_nobody_asked_for_changes_nothing() {
    let ran = run(&[Reply::Entries(|record| {
        let mut other = ok(record);
        other["recordId"] = json!("other");
        vec![other, ok(record)]
    })]);
    assert_eq!(ran.outcome.progress.summary.delivered, 3);
    assert_eq!(ran.text("events/a=1"), "{\"n\":1}{\"n\":2}{\"n\":3}");
}
