//! The program, as Lambda runs it.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    support::{
        depot_stub::DepotStub,
        log_items::UNWANTED,
        proxy::{
            Fault::{BlackHole, Pass, Refuse, RefuseStatements, Reset},
            Proxy,
        },
        runtime_api::Function,
    },
    world::{SHARD, first_not_done, request},
};

/// A table, a depot, and the program before them.
pub(crate) struct Running {
    pub(crate) function: Function,
    pub(crate) table: Arc<Proxy>,
    pub(crate) depot: DepotStub,
}

pub(crate) async fn start(settings: &[(&str, &str)]) -> Running {
    start_before(Proxy::of_log(), settings).await
}

/// Waits until it asks for an invocation.
pub(crate) async fn start_before(table: Arc<Proxy>, settings: &[(&str, &str)]) -> Running {
    let running = launch(table, settings).await;
    running.function.ready().await;
    running
}

async fn launch(table: Arc<Proxy>, settings: &[(&str, &str)]) -> Running {
    let depot = DepotStub::listen().await;
    let endpoint = format!("http://{}", table.listen().await);
    let (objects, queue) = (depot.endpoint(), depot.queue_url());
    let places = [
        ("AWS_LAMBDA_FUNCTION_NAME", "dev-event-log"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &*endpoint),
        ("AWS_ENDPOINT_URL_S3", &*objects),
        ("AWS_ENDPOINT_URL_SQS", &*objects),
    ];
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| match *name {
            "DLQ_URL" => ("DLQ_URL", queue.as_str()),
            name => (name, *value),
        })
        .chain(places)
        .collect();
    let function = Function::of(env!("CARGO_BIN_EXE_event-log"), &settings).await;
    Running {
        function,
        table,
        depot,
    }
}

impl Running {
    /// The first record that is not done.
    async fn invoke(&self, data: &[&str]) -> Option<String> {
        let outcome = self.function.invoke(request(data)).await;
        first_not_done(&outcome.answer())
    }
}

const EVERYWHERE: [(&str, &str); 4] = [
    ("S3_BUCKET", "bucket"),
    ("DLQ_URL", "the stub's"),
    ("EVENT_ID", "/id"),
    ("ON_UNREADABLE", "dead-letter"),
];

fn json_lines(output: &[String]) -> Vec<Value> {
    let lines = output.iter();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

fn counts(output: &[String]) -> Vec<Value> {
    let mut lines = json_lines(output);
    lines.retain(|line| line["_aws"].is_object());
    lines
}

fn errors(output: &[String]) -> Vec<String> {
    let mut lines = json_lines(output);
    lines.retain(|line| line["level"] == "ERROR");
    let said = lines.iter().map(|line| line["error"].as_str().unwrap());
    said.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn events_are_kept_and_counted_wherever_they_belong() {
    let running = start(&EVERYWHERE).await;
    let large = format!(r#"{{"id":"large","text":"{}"}}"#, "x".repeat(410_000));
    let unwanted = format!(r#"{{"id":"unwanted","text":"{UNWANTED}"}}"#);
    let data = [
        r#"{"id":"a","n":1e999}"#,
        r#"{"id":"a","n":1e999}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"b","id":"b"}"#,
        "no json",
        &large,
        &unwanted,
    ];
    assert_eq!(running.invoke(&data).await, None);
    let ids: Vec<_> = running.table.log().items.keys().cloned().collect();
    assert_eq!(ids, ["a", "b", "large"]);
    let objects = running.depot.objects();
    let names = objects.keys().map(|path| path.rsplit_once('/').unwrap().1);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["3.json", "5.json", "7.json", "6"]
    );
    let overflow = objects.iter().find(|(path, _)| path.contains("overflow"));
    assert_eq!(overflow.unwrap().1, large.as_bytes());
    assert_eq!(running.depot.messages().len(), 3);
    assert!(running.depot.messages()[0].contains(r#""reason":"conflict""#));

    let [line] = counts(&running.function.stop().await).try_into().unwrap();
    for (name, expected) in [
        ("records", 7),
        ("events", 7),
        ("stored", 3),
        ("unreadable", 1),
        ("text_numbers", 2),
        ("raw", 1),
        ("overflow", 1),
        ("duplicates", 1),
        ("conflicts", 1),
        ("dead_letters", 3),
        ("failures", 0),
    ] {
        assert_eq!(line[name], expected, "{name}");
    }
    assert_eq!(line["FunctionName"], "dev-event-log");
    for name in ["requests", "write_units", "total_milliseconds"] {
        assert!(line[name].as_f64() > Some(0.0), "{name}");
    }
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
    let numbers = line.as_object().unwrap().values();
    let numbers = numbers.filter(|value| value.is_number()).count();
    assert_eq!(metrics.unwrap().len(), numbers);
}

/// One request that opens a connection at start, then one for 25 events each.
#[tokio::test]
async fn a_warm_start_asks_once_and_a_batch_once_per_25_events() {
    for settings in [&[][..], &[("EVENT_ID", "/id")]] {
        let running = start(settings).await;
        assert_eq!(running.table.requests().len(), 1);
        running.table.play(|_| Pass);
        let data: Vec<_> = (0..1_010).map(|n| format!(r#"{{"id":{n}}}"#)).collect();
        let data: Vec<_> = data.iter().map(String::as_str).collect();
        assert_eq!(running.invoke(&data).await, None);
        assert_eq!(running.table.requests().len(), 41);
        assert_eq!(running.table.log().write_units, 1_010);
    }
}

#[tokio::test]
async fn an_envelope_that_cannot_be_read_fails_alone() {
    let running = start(&[]).await;
    for body in ["", "[]", "{\"records\":[]}", "{\"Records\":[{}]}", "\u{0}"] {
        let (kind, message) = running.function.invoke(body.to_owned()).await.failure();
        assert_eq!(kind, "EnvelopeUnreadable", "{body}: {message}");
    }
    assert_eq!(running.invoke(&["{}"]).await, None);
}

#[tokio::test]
async fn a_wrong_setting_stops_it_at_its_start_with_a_sentence() {
    for (name, value, allowed) in [
        ("TABLE_NAME", "a b", "a table's name"),
        ("EVENT_ID", "id", "`record` or a JSON pointer"),
    ] {
        let running = launch(Proxy::of_log(), &[(name, value)]).await;
        let (success, told, output) = running.function.end().await;
        assert!(!success);
        let sentence = told.unwrap()["errorMessage"].as_str().unwrap().to_owned();
        let start = format!("{name} is {value:?}; it must be {allowed}");
        assert!(sentence.starts_with(&start), "{sentence}");
        assert_eq!(errors(&output), [sentence]);
    }
}

#[tokio::test]
async fn an_outage_is_reported_in_time_and_the_next_invocation_works() {
    const TWO_SECONDS: Duration = Duration::from_secs(2);
    for fault in [
        BlackHole,
        Reset,
        Refuse(500, "InternalServerError"),
        RefuseStatements(1.0, "ThrottlingError"),
    ] {
        for settings in [&[][..], &[("EVENT_ID", "/id")]] {
            let running = start(settings).await;
            running.table.play(move |_| fault);
            let data: Vec<_> = (0..500).map(|n| format!(r#"{{"id":{n}}}"#)).collect();
            let started = Instant::now();
            let outcome = running
                .function
                .invoke_within(request(&data), TWO_SECONDS)
                .await;
            assert!(
                started.elapsed() < TWO_SECONDS,
                "{fault:?}: {:?}",
                started.elapsed()
            );
            assert_eq!(first_not_done(&outcome.answer()).as_deref(), Some("1"));
            running.table.play(|_| Pass);
            let data: Vec<_> = data.iter().map(String::as_str).collect();
            assert_eq!(running.invoke(&data).await, None);
            assert_eq!(running.table.log().items.len(), 500);
        }
    }
}

#[tokio::test]
async fn what_a_person_has_to_put_right_is_said_at_start_and_with_each_failure() {
    for (fault, says) in [
        (
            Refuse(400, "ResourceNotFoundException"),
            "there is no table \"EventLogs\" in us-east-1; create it there or correct TABLE_NAME",
        ),
        (
            Refuse(400, "AccessDeniedException"),
            "the function may not use table \"EventLogs\" in us-east-1; allow its role",
        ),
        (
            Refuse(400, "ValidationException"),
            "its key has to be \"eventId\"",
        ),
    ] {
        let table = Proxy::of_log();
        table.play(move |_| fault);
        let running = start_before(table, &[]).await;
        let outcome = running.function.invoke(request(&["{}", "{}"])).await;
        let (kind, why) = outcome.failure();
        assert_eq!(kind, "Refused");
        assert!(why.contains(says), "{why}");
        let errors = errors(&running.function.stop().await);
        assert_eq!(errors.len(), 2, "at start, and for the batch: {errors:?}");
        assert!(
            errors.iter().all(|error| error.contains(says)),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn what_a_person_has_to_put_right_at_bucket_and_queue_is_said_too() {
    for (settings, code, says) in [
        (
            &EVERYWHERE[..1],
            "NoSuchBucket",
            "there is no bucket \"bucket\"; create it there or correct S3_BUCKET",
        ),
        (
            &EVERYWHERE[..1],
            "AccessDenied",
            "the function may not use bucket \"bucket\"; allow its role s3:PutObject there",
        ),
        (
            &EVERYWHERE[1..2],
            "AccessDenied",
            "allow its role sqs:SendMessage there",
        ),
    ] {
        let settings = [settings, &EVERYWHERE[3..]].concat();
        let running = start(&settings).await;
        running.depot.refuse(403, code);
        let outcome = running.function.invoke(request(&["no json", "{}"])).await;
        let (_, why) = outcome.failure();
        assert!(why.contains(says), "{why}");
        let ids: Vec<_> = running.table.log().items.keys().cloned().collect();
        assert_eq!(ids, [format!("{SHARD}:2")]);
    }
}

#[tokio::test]
async fn a_killed_program_is_taken_over_by_another_and_nothing_is_missing_or_doubled() {
    let table = Proxy::of_log();
    let data: Vec<_> = (0..500).map(|n| format!(r#"{{"id":{n}}}"#)).collect();
    for writes in [0, 1, 5, 19] {
        table.play(|_| Pass);
        let running = start_before(Arc::clone(&table), &[("EVENT_ID", "/id")]).await;
        let process_id = running.function.process_id.to_string();
        let before = table.requests().len();
        table.after_write(move |number| {
            if number == before + writes {
                let kill = std::process::Command::new("kill")
                    .args(["-9", &process_id])
                    .status();
                assert!(kill.unwrap().success());
            }
        });
        let outcome = running.function.invoke(request(&data)).await;
        assert!(matches!(
            outcome,
            crate::support::runtime_api::Outcome::Died
        ));
    }
    table.after_write(|_| {});
    let running = start_before(Arc::clone(&table), &[("EVENT_ID", "/id")]).await;
    let data: Vec<_> = data.iter().map(String::as_str).collect();
    assert_eq!(running.invoke(&data).await, None);
    assert_eq!(table.log().items.len(), 500);
    let [line] = counts(&running.function.stop().await).try_into().unwrap();
    let known = |name: &str| line[name].as_u64().unwrap();
    assert_eq!(known("stored") + known("duplicates"), 500);
    assert_eq!(line["conflicts"], json!(0));
}

/// The most memory that the process has had.
fn peak_bytes(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
    kilobytes.unwrap().parse::<u64>().unwrap() * 1024
}

const MEGABYTE: usize = 1024 * 1024;

/// As many records as a request of 6 MB has room for.
fn full(record: impl Fn(usize) -> String) -> Vec<u8> {
    let bytes = |count: usize| request(&(0..count).map(&record).collect::<Vec<_>>());
    let one = bytes(2).len() - bytes(1).len();
    let body = bytes((6 * MEGABYTE - 5_000) / (one + 12));
    assert!(
        (5 * MEGABYTE..=6 * MEGABYTE).contains(&body.len()),
        "{}",
        body.len()
    );
    body
}

fn padded(number: usize, bytes: usize) -> String {
    format!(r#"{{"id":"{number:06}","page":"{}"}}"#, "x".repeat(bytes))
}

/// ... as it is, when it comes again, and when most of it is throttled at first. A table of the
/// tests takes a minute for a batch of numbers, so that comes once.
#[tokio::test]
async fn a_full_request_of_6_mb_peaks_at_64_mb_of_memory() {
    let by_id = [("EVENT_ID", "/id"), ("S3_BUCKET", "bucket")];
    let set_aside = [EVERYWHERE[0], EVERYWHERE[1], EVERYWHERE[3]];
    let ones = format!("[1{}]", ",1".repeat(30_000));
    let no_json = |number| format!("no json {number:06}{}", "x".repeat(1_500));
    let (usual, once, throttled) = (&[0, 0, 40][..], &[0][..], &[40][..]);
    for (name, settings, body, times) in [
        ("small", &[][..], full(|number| padded(number, 100)), usual),
        (
            "usual, by id",
            &by_id,
            full(|number| padded(number, 400)),
            usual,
        ),
        ("of numbers", &[], full(|_| ones.clone()), throttled),
        ("set aside", &set_aside, full(no_json), once),
    ] {
        let running = start(settings).await;
        for throttled in times.iter().copied() {
            running.table.play(move |number| match number {
                number if number < throttled => RefuseStatements(0.9, "ThrottlingError"),
                _ => Pass,
            });
            let time = Duration::from_mins(5);
            let outcome = running.function.invoke_within(body.clone(), time).await;
            assert_eq!(first_not_done(&outcome.answer()), None, "{name}");
        }
        let peak = peak_bytes(running.function.process_id);
        assert!(
            peak <= 64 * MEGABYTE as u64,
            "{name}: {peak} bytes at the peak"
        );
    }
}
