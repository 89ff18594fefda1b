//! The Firehose for one machine and functions that fail, each in its own way.

#![cfg(feature = "tool")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use nozzle::{
    dedup::embedded::EmbeddedStore,
    functions::firehose_transform::{Settings, transform::Rules},
    local::{
        files::prepare,
        firehose::{
            batch::Limits,
            in_process::{TransformInProcess, transform_in_process},
            invocation::{FunctionError, Invocation, Invoke, Told},
            lake::Layout,
            pipeline::Ending,
            prefix::Prefix,
            run::{Firehose, Outcome, Watch},
            window::Site,
        },
        input::Input,
        open_file::{Compression, FileExtension},
    },
};
use serde_json::{Value, json};
use support::{folder::files, requests::event};

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

impl Invoke for Scripted {
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
        "metadata": { "partitionKeys": { "event_type": "1" } },
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

/// A lake, its claims, and what goes into it.
struct Place {
    input: PathBuf,
    lake: PathBuf,
    claims: PathBuf,
    store: EmbeddedStore,
}

impl Place {
    fn open(lake: &Path, input: &Path) -> Self {
        let lake = prepare(lake).unwrap();
        let claims = lake.join(".nozzle/claims");
        Self {
            input: input.to_owned(),
            store: EmbeddedStore::open(&claims).unwrap(),
            lake,
            claims,
        }
    }

    /// Each window ends after so many record bytes, as each batch does.
    fn run(&self, function: &(impl Invoke + Sync), bytes_max: usize) -> Outcome {
        let prefix =
            Prefix::parse("events/event_type=!{partitionKeyFromLambda:event_type}/").unwrap();
        let layout = Layout {
            error_prefix: Prefix::parse_error("errors/!{firehose:error-output-type}/", &prefix)
                .unwrap(),
            prefix,
            compression: Compression::None,
            file_extension: FileExtension::usual(Compression::None),
        };
        let firehose = Firehose {
            function,
            pauses: [Duration::from_millis(20); 3],
            site: Site {
                store: &self.store,
                claims: &self.claims,
                lake: &self.lake,
                layout,
                rules: &Rules::default(),
                clock,
            },
            limits: Limits::with_batch(bytes_max),
            window_bytes_max: bytes_max as u64,
            window_age_max: Duration::MAX,
            watch: Watch::Nobody,
            task: 1,
            done: Arc::default(),
            stop: Arc::default(),
        };
        let input = Input::find(std::slice::from_ref(&self.input), &self.lake).unwrap();
        let outcome = firehose.run(input, Arc::default()).unwrap();
        assert!(matches!(outcome.ending, Ending::Complete));
        outcome
    }
}

/// Runs three records through a function.
fn run(script: &[Reply]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    fs::write(&input, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n").unwrap();
    let function = Scripted {
        script: script.to_vec(),
        attempts: AtomicUsize::new(0),
    };
    let outcome = Place::open(&folder.path().join("lake"), &input).run(&function, 1_000_000);
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
    assert_eq!(
        ran.text("events/event_type=1"),
        "{\"n\":1}{\"n\":2}{\"n\":3}"
    );
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
    check_tried_again(Reply::Entries(|record| with(record, "result", json!("OK"))));
    check_tried_again(Reply::Entries(|record| with(record, "data", json!("?"))));
    check_tried_again(Reply::Entries(|record| {
        with(record, "data", json!("AAAA".repeat(1_000_000)))
    }));
}

/// What is wrong with a record alone is not tried again.
#[track_caller]
fn check_kept(entries: fn(&Value) -> Vec<Value>, code: &str, folder: &str) {
    check_reply_kept(Reply::Entries(entries), code, folder);
}

#[track_caller]
fn check_reply_kept(reply: Reply, code: &str, folder: &str) {
    let ran = run(&[reply]);
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
    let missing = "Lambda.MissingRecordId";
    check_kept(|_| Vec::new(), missing, processing);
    for garbage in ["", "no json", "{\"errorMessage\":\"timed out\"}"] {
        check_reply_kept(Reply::Garbage(garbage), missing, processing);
    }
    check_kept(
        |record| with(record, "data", json!(null)),
        "Lambda.InvalidReturnFormat",
        processing,
    );
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
        |record: &Value| {
            with(
                record,
                "metadata",
                json!({"partitionKeys": {"event_type": ""}}),
            )
        },
        |record: &Value| with(record, "metadata", json!({"partitionKeys": {"b": "1"}})),
        |record: &Value| {
            with(
                record,
                "metadata",
                json!({"partitionKeys": {"event_type": "../.."}}),
            )
        },
        |record: &Value| {
            with(
                record,
                "metadata",
                json!({"partitionKeys": {"event_type": "x\ny"}}),
            )
        },
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
    assert_eq!(
        ran.text("events/event_type=1"),
        "{\"n\":1}{\"n\":2}{\"n\":3}"
    );
}

/// Fails once, and says what a kill would leave when the second event comes, after the first one's
/// window.
struct FailsOnce<'a> {
    function: TransformInProcess<'a>,
    attempts: AtomicUsize,
    lake: &'a Path,
    left: &'a Path,
}

impl Invoke for FailsOnce<'_> {
    async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        if self.attempts.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(FunctionError::Failed("told to".into()));
        }
        let body: Value = serde_json::from_slice(request).unwrap();
        let record = BASE64_STANDARD.decode(body["records"][0]["data"].as_str().unwrap());
        if record.unwrap() == event("2").as_bytes() && !self.left.exists() {
            wait_for(|| !files(&self.lake.join("events")).is_empty());
            copy(self.lake, self.left);
        }
        self.function.invoke(request).await
    }
}

fn wait_for(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never comes");
        thread::yield_now();
    }
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let copy = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(file, copy).unwrap();
    }
}

/// The claims of an attempt are durable with the window that has its lines, whichever attempt it is.
#[test]
fn a_kill_after_a_batch_was_tried_again_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.jsonl");
    fs::write(&input, ["1", "2", "1"].map(|n| event(n) + "\n").concat()).unwrap();
    let keys = |name: &str| (name == "PARTITION_KEYS").then(|| "event_type".to_owned());
    let settings = Settings::read(keys).unwrap();
    let place = Place::open(&folder.path().join("lake"), &input);
    let left = folder.path().join("left");
    let failing = FailsOnce {
        function: transform_in_process(settings.clone(), &place.store, clock),
        attempts: AtomicUsize::new(0),
        lake: &place.lake,
        left: &left,
    };
    place.run(&failing, 1);

    let place = Place::open(&left, &input);
    assert_eq!(files(&left.join("events")).len(), 1);
    place.run(&transform_in_process(settings, &place.store, clock), 1);
    let expected = ["1", "2"].map(|number| (number.to_owned(), 1));
    assert_eq!(support::lake::delivered(&left), BTreeMap::from(expected));
}
