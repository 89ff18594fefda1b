//! The mapping of one machine: which records it hands out when, what an answer means to it, when it
//! gives up.
#![cfg(feature = "tool")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::ControlFlow,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nozzle::{
    functions::{Function, Moment, Response},
    kinesis::{
        ShardId,
        aggregate::{Content, Event},
        envelope::Envelope,
    },
    local::kinesis::{
        Mapping, Stream, aggregate,
        answer::Reporting,
        given_up::GivenUp,
        mapping::{Listener, OnFailure, Settings, StartingPosition, Totals},
        record::PutError,
        stream::Progress,
    },
};
use proptest::prelude::*;
use support::stream::{Failed, Nothing, number, numbers, put, sequence, settings, span, stream};
use tokio::time::{Instant, sleep};

/// What a function says.
#[derive(Debug, Clone, Copy)]
enum Said {
    Done,
    /// The record with this number has failed.
    From(u64),
    Text(&'static str),
    Error,
    Hang,
}

/// Says what a test has it say, and remembers what it was asked.
struct Scripted<S> {
    say: S,
    asked: Mutex<Vec<Asked>>,
    at_once: AtomicUsize,
    at_once_most: AtomicUsize,
}

#[derive(Debug, Clone)]
struct Asked {
    shard: ShardId,
    numbers: Vec<u64>,
    keys: Vec<String>,
    bytes: usize,
    at: Instant,
}

impl<S: Fn(&[u64]) -> Said> Scripted<S> {
    fn new(say: S) -> Self {
        Self {
            say,
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            at_once_most: AtomicUsize::new(0),
        }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The batches, as their first and last records.
    fn spans(&self) -> Vec<String> {
        self.asked()
            .iter()
            .map(|asked| span(&asked.numbers))
            .collect()
    }
}

impl<S: Fn(&[u64]) -> Said + Sync> Function for Scripted<S> {
    type Counts = Nothing;
    type Failure = Failed;

    async fn answer(&self, body: &[u8], _: Moment) -> Result<Response<Nothing>, Failed> {
        let envelope = Envelope::read(body).unwrap();
        let numbers = numbers(&envelope);
        let keys = envelope.records.iter();
        let keys = keys.map(|record| record.partition_key.unwrap().text.to_owned());
        self.asked.lock().unwrap().push(Asked {
            shard: envelope.records[0].shard,
            numbers: numbers.clone(),
            keys: keys.collect(),
            bytes: body.len(),
            at: Instant::now(),
        });
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.at_once_most.fetch_max(at_once, Ordering::SeqCst);
        sleep(Duration::from_millis(1)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let body = match (self.say)(&numbers) {
            Said::Done => r#"{"batchItemFailures":[]}"#.to_owned(),
            Said::From(number) => format!(
                r#"{{"batchItemFailures":[{{"itemIdentifier":"{}"}}]}}"#,
                sequence(number)
            ),
            Said::Text(text) => text.to_owned(),
            Said::Error => return Err(Failed),
            Said::Hang => std::future::pending().await,
        };
        Ok(Response {
            body: body.into_bytes(),
            counts: Nothing,
        })
    }
}

/// Says one after the other, and then that all is done.
fn script(said: &[Said]) -> impl Fn(&[u64]) -> Said + Sync {
    let script = Mutex::new(VecDeque::from(said.to_vec()));
    move |_| script.lock().unwrap().pop_front().unwrap_or(Said::Done)
}

/// Keeps what was given up.
#[derive(Default)]
struct Kept {
    given_up: Mutex<Vec<(String, &'static str, u32)>>,
    breaks: bool,
}

impl<F: Function> Listener<F> for &Kept {
    fn given_up(&self, batch: &GivenUp) -> ControlFlow<()> {
        let numbers: Vec<_> = batch
            .batch
            .iter()
            .map(|record| record.placed.number)
            .collect();
        let told = (span(&numbers), batch.condition.as_str(), batch.invocations);
        self.given_up.lock().unwrap().push(told);
        if self.breaks {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// What became of records in one shard.
struct Run {
    spans: Vec<String>,
    given_up: Vec<(String, &'static str, u32)>,
    totals: Totals,
    checkpoint: Option<u64>,
    milliseconds: Vec<u128>,
}

async fn run(records: u64, settings: Settings, say: impl Fn(&[u64]) -> Said + Sync) -> Run {
    let stream = stream(1);
    put(&stream, records).await;
    stream.end();
    let function = Scripted::new(say);
    let kept = Kept::default();
    let started = Instant::now();
    let totals = Mapping::new(&stream, &function, &kept, settings)
        .run()
        .await;
    let checkpoint = stream.checkpoints()[0].1;
    Run {
        spans: function.spans(),
        given_up: kept.given_up.lock().unwrap().clone(),
        totals,
        checkpoint: checkpoint.map(|sequence| number(&sequence.to_string())),
        milliseconds: function
            .asked()
            .iter()
            .map(|asked| (asked.at - started).as_millis())
            .collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn batches_are_cut_by_count_and_by_the_bytes_of_their_request() {
    let run_of_25 = run(25, settings(), script(&[])).await;
    assert_eq!(run_of_25.spans, ["0-9", "10-19", "20-24"]);
    assert_eq!(run_of_25.checkpoint, Some(24));
    assert_eq!(
        (run_of_25.totals.invocations, run_of_25.totals.records),
        (3, 25)
    );

    let stream = stream(1);
    put(&stream, 3).await;
    stream.end();
    let function = Scripted::new(script(&[]));
    Mapping::new(&stream, &function, (), settings()).run().await;
    let three_bytes = function.asked()[0].bytes;
    // The writer counts a comma after the last record too.
    for (request_bytes_max, expected) in [
        (three_bytes + 1, vec!["0-2"]),
        (three_bytes - 1, vec!["0-1", "2-2"]),
        (1, vec!["0-0", "1-1", "2-2"]),
    ] {
        let settings = Settings {
            request_bytes_max,
            ..settings()
        };
        assert_eq!(run(3, settings, script(&[])).await.spans, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_has_at_most_six_megabytes_with_its_envelope() {
    let stream = stream(1);
    let function = Scripted::new(script(&[]));
    let data = vec![b'x'; 1_000_000];
    let settings = Settings {
        batch_records_max: 10_000,
        ..settings()
    };
    for _ in 0..10 {
        stream.put("k", &data).await.unwrap();
    }
    stream.end();
    Mapping::new(&stream, &function, (), settings).run().await;
    assert_eq!(function.spans(), ["0-3", "4-7", "8-9"]);
    assert!(function.asked()[0].bytes < 6 * 1024 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_window_is_waited_for_unless_the_batch_is_full() {
    let stream = stream(1);
    let function = Scripted::new(script(&[]));
    let settings = Settings {
        window: Duration::from_secs(10),
        ..settings()
    };
    let mapping = Mapping::new(&stream, &function, (), settings);
    let started = Instant::now();
    let feed = async {
        // Four seconds between records: three come within the window of the first.
        for number in 0..4 {
            stream.put("k", &[number]).await.unwrap();
            sleep(Duration::from_secs(4)).await;
        }
        put(&stream, 12).await;
        sleep(Duration::from_secs(100)).await;
        stream.end();
    };
    tokio::join!(mapping.run(), feed);
    let seconds: Vec<_> = function
        .asked()
        .iter()
        .map(|asked| (asked.at - started).as_secs())
        .collect();
    assert_eq!(function.spans(), ["0-2", "3-12", "13-15"]);
    assert_eq!(seconds, [10, 16, 26]);
}

#[tokio::test(start_paused = true)]
async fn what_a_mapping_begins_with_is_its_starting_position() {
    for (position, expected) in [
        (StartingPosition::TrimHorizon, vec!["0-1", "2-3"]),
        (StartingPosition::Latest, vec!["2-3"]),
    ] {
        let stream = stream(1);
        put(&stream, 2).await;
        let function = Scripted::new(script(&[]));
        let settings = Settings {
            starting_position: position,
            ..settings()
        };
        let mapping = Mapping::new(&stream, &function, (), settings);
        let feed = async {
            sleep(Duration::from_secs(1)).await;
            put(&stream, 2).await;
            stream.end();
        };
        tokio::join!(mapping.run(), feed);
        assert_eq!(function.spans(), expected, "{position:?}");
    }
    let stream = stream(1);
    put(&stream, 3).await;
    sleep(Duration::from_secs(1)).await;
    let time = stream.clock.now();
    put(&stream, 3).await;
    stream.end();
    let function = Scripted::new(script(&[]));
    let settings = Settings {
        starting_position: StartingPosition::AtTimestamp(time),
        ..settings()
    };
    Mapping::new(&stream, &function, (), settings).run().await;
    assert_eq!(function.spans(), ["3-5"]);
}

#[tokio::test(start_paused = true)]
async fn everything_from_the_lowest_failure_comes_again() {
    let said = [Said::From(4), Said::From(4), Said::From(9), Said::Done];
    let run = run(12, settings(), script(&said)).await;
    assert_eq!(run.spans, ["0-9", "4-9", "4-9", "9-9", "10-11"]);
    assert_eq!(run.checkpoint, Some(11));
    assert_eq!(run.totals.retries, 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_means_what_lambda_takes_it_for() {
    const FOREIGN: &str = r#"{"batchItemFailures":[{"itemIdentifier":"7"}]}"#;
    for (said, reporting, times) in [
        (Said::Text(""), Reporting::BatchItemFailures, 1),
        (Said::Text("null"), Reporting::BatchItemFailures, 1),
        (Said::Text("{}"), Reporting::BatchItemFailures, 1),
        (Said::Text(FOREIGN), Reporting::BatchItemFailures, 2),
        (Said::From(3), Reporting::Off, 1),
        (Said::Text(FOREIGN), Reporting::Off, 1),
        (Said::Error, Reporting::Off, 2),
        (Said::Error, Reporting::BatchItemFailures, 2),
        (Said::Hang, Reporting::BatchItemFailures, 2),
    ] {
        let settings = Settings {
            reporting,
            ..settings()
        };
        let run = run(10, settings, script(&[said])).await;
        assert_eq!(run.spans, vec!["0-9"; times], "{said:?} {reporting:?}");
        assert_eq!(run.checkpoint, Some(9));
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_between_attempts_grow_to_their_most() {
    let settings = Settings {
        pause: Duration::from_millis(100),
        pause_max: Duration::from_millis(350),
        ..settings()
    };
    let run = run(1, settings, script(&[Said::Error; 5])).await;
    // Each attempt takes a millisecond.
    assert_eq!(run.milliseconds, [0, 101, 302, 653, 1004, 1355]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_given_up_after_so_many_retries() {
    let settings = Settings {
        retries_max: Some(2),
        ..settings()
    };
    let run = run(12, settings, script(&[Said::Error; 3])).await;
    assert_eq!(run.spans, ["0-9", "0-9", "0-9", "10-11"]);
    assert_eq!(
        run.given_up,
        [("0-9".to_owned(), "RetryAttemptsExhausted", 3)]
    );
    assert_eq!(run.totals.records_given_up, 10);
    assert_eq!(run.checkpoint, Some(11));
}

#[tokio::test(start_paused = true)]
async fn halves_leave_a_poisoned_record_alone() {
    let settings = Settings {
        on_failure: OnFailure::Bisect,
        retries_max: Some(1),
        ..settings()
    };
    let poisoned = |numbers: &[u64]| {
        if numbers.contains(&5) {
            Said::Error
        } else {
            Said::Done
        }
    };
    let run = run(10, settings, poisoned).await;
    let expected = [
        "0-9", "0-4", "5-9", "5-7", "5-6", "5-5", "5-5", "6-6", "7-7", "8-9",
    ];
    assert_eq!(run.spans, expected);
    assert_eq!(
        run.given_up,
        [("5-5".to_owned(), "RetryAttemptsExhausted", 2)]
    );
    assert_eq!(run.totals.records, 9);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_too_old_are_given_up() {
    for (age_max, retention) in [(Some(10), 1_000), (None, 10), (Some(1_000), 10)] {
        let mut stream = stream(1);
        stream.retention = Duration::from_secs(retention);
        put(&stream, 2).await;
        sleep(Duration::from_secs(6)).await;
        put(&stream, 2).await;
        stream.end();
        sleep(Duration::from_secs(5)).await;
        let settings = Settings {
            age_max: age_max.map(Duration::from_secs),
            pause: Duration::from_secs(6),
            ..settings()
        };
        let function = Scripted::new(|_: &[u64]| Said::Error);
        let kept = Kept::default();
        Mapping::new(&stream, &function, &kept, settings)
            .run()
            .await;
        assert_eq!(function.spans(), ["2-3"]);
        let given_up = kept.given_up.lock().unwrap().clone();
        let expected = [
            ("0-1".to_owned(), "RecordAgeExceeded", 0),
            ("2-3".to_owned(), "RecordAgeExceeded", 1),
        ];
        assert_eq!(given_up, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn who_will_have_nothing_given_up_stops_the_stream_there() {
    let stream = stream(1);
    put(&stream, 30).await;
    let kept = Kept {
        breaks: true,
        ..Kept::default()
    };
    let settings = Settings {
        retries_max: Some(0),
        ..settings()
    };
    let function = Scripted::new(script(&[Said::Done, Said::Error]));
    let totals = Mapping::new(&stream, &function, &kept, settings)
        .run()
        .await;
    assert_eq!(function.spans(), ["0-9", "10-19"]);
    assert_eq!(totals.records_given_up, 0);
    assert_eq!(stream.progress().next, 10);
    assert_eq!(stream.put("k", b"").await, Err(PutError::Ended));
}

#[tokio::test(start_paused = true)]
async fn lanes_keep_the_order_of_a_key_and_the_checkpoint_waits_for_the_slowest() {
    let stream = stream(1);
    for number in 0..100 {
        let key = format!("key {}", number % 7);
        stream.put(&key, b"{}").await.unwrap();
    }
    let slowest = Mutex::new(Progress::default());
    let function = Scripted::new(|numbers: &[u64]| {
        if !numbers.contains(&3) {
            return Said::Done;
        }
        *slowest.lock().unwrap() = stream.progress();
        match slowest.lock().unwrap().next {
            3 => Said::Done,
            _ => Said::From(3),
        }
    });
    stream.end();
    let settings = Settings {
        lanes: 4,
        ..settings()
    };
    Mapping::new(&stream, &function, (), settings).run().await;
    assert!(function.at_once_most.load(Ordering::SeqCst) > 1);
    let mut last = BTreeMap::new();
    let mut first_time = BTreeSet::new();
    for asked in function.asked() {
        for (key, number) in asked.keys.into_iter().zip(asked.numbers) {
            if first_time.insert(number) {
                assert!(last.insert(key, number).is_none_or(|last| last < number));
            }
        }
    }
    assert_eq!(first_time.len(), 100);
    assert_eq!(slowest.lock().unwrap().next, 3);
    assert_eq!(stream.progress().next, 100);
}

#[tokio::test(start_paused = true)]
async fn children_are_read_when_their_parents_are_done() {
    let stream = stream(2);
    put(&stream, 40).await;
    let [low, high] = stream.split(ShardId(0)).unwrap();
    put(&stream, 40).await;
    let merged = stream.merge(high, ShardId(1)).unwrap();
    put(&stream, 40).await;
    stream.end();
    let function = Scripted::new(script(&[Said::Error, Said::Error]));
    Mapping::new(&stream, &function, (), settings()).run().await;
    let asked = function.asked();
    let first = |shard| asked.iter().position(|asked| asked.shard == shard).unwrap();
    let last = |shard| {
        asked
            .iter()
            .rposition(|asked| asked.shard == shard)
            .unwrap()
    };
    for (parent, child) in [
        (ShardId(0), low),
        (ShardId(0), high),
        (high, merged),
        (ShardId(1), merged),
    ] {
        assert!(last(parent) < first(child), "{parent} {child}");
    }
    let numbers: BTreeSet<_> = asked.iter().flat_map(|asked| &asked.numbers).collect();
    assert_eq!(numbers.len(), 120);
    let mut by_key = BTreeMap::new();
    for asked in &asked {
        for (key, number) in asked.keys.iter().zip(&asked.numbers) {
            let before = by_key.insert(key, number);
            assert!(before.is_none_or(|before| before <= number), "{key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn resharding_under_a_running_mapping_loses_nothing() {
    let stream = stream(1);
    let function = Scripted::new(script(&[]));
    let mapping = Mapping::new(&stream, &function, (), settings());
    let feed = async {
        put(&stream, 20).await;
        sleep(Duration::from_secs(1)).await;
        let [low, high] = stream.split(ShardId(0)).unwrap();
        put(&stream, 20).await;
        sleep(Duration::from_secs(1)).await;
        stream.merge(low, high).unwrap();
        put(&stream, 20).await;
        stream.end();
    };
    tokio::join!(mapping.run(), feed);
    let asked = function.asked();
    let numbers: BTreeSet<_> = asked.iter().flat_map(|asked| &asked.numbers).collect();
    assert_eq!(numbers.len(), 60);
    let shards: BTreeSet<_> = asked.iter().map(|asked| asked.shard.0).collect();
    assert_eq!(Vec::from_iter(shards), [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn whoever_puts_more_than_is_held_waits_until_records_are_done() {
    let stream = stream(1).holding(0);
    let function = Scripted::new(script(&[]));
    let settings = Settings {
        // Nobody waits for a window that a full stream could not fill.
        window: Duration::from_mins(5),
        batch_records_max: 10_000,
        ..settings()
    };
    let mapping = Mapping::new(&stream, &function, (), settings);
    let started = Instant::now();
    let most = Mutex::new(0);
    let feed = async {
        for number in 0..100_u64 {
            stream.put("k", &vec![0; 100_000]).await.unwrap();
            let held = number + 1 - stream.progress().next;
            let mut most = most.lock().unwrap();
            *most = held.max(*most);
        }
        stream.end();
    };
    tokio::join!(mapping.run(), feed);
    assert_eq!(stream.progress().next, 100);
    assert!(*most.lock().unwrap() <= 16, "{most:?} records were held");
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_where_it_was_stopped_and_numbers_its_records_alike() {
    let keys: Vec<_> = (0..100).map(|number| format!("key {number}")).collect();
    let first = stream(3);
    let mut placed = Vec::new();
    for key in &keys {
        placed.push(first.put(key, b"{}").await.unwrap());
    }
    let function = Scripted::new(|numbers: &[u64]| {
        // One shard gets nowhere.
        if numbers.contains(&placed[0].number) {
            Said::Error
        } else {
            Said::Done
        }
    });
    let mapping = Mapping::new(&first, &function, (), settings());
    let stop = async {
        sleep(Duration::from_secs(5)).await;
        first.stop();
    };
    tokio::join!(mapping.run(), stop);
    let progress = first.progress();
    assert_eq!(progress.next, 0);
    assert_eq!(progress.done.len(), 2);
    let text = serde_json::to_string(&progress).unwrap();
    let progress: Progress = serde_json::from_str(&text).unwrap();

    let second = Stream::resume(3, first.clock, &progress);
    for (key, before) in keys.iter().zip(&placed) {
        assert_eq!(second.put(key, b"{}").await.unwrap(), *before);
    }
    second.end();
    let function = Scripted::new(script(&[]));
    Mapping::new(&second, &function, (), settings()).run().await;
    let shards: BTreeSet<_> = function.asked().iter().map(|asked| asked.shard).collect();
    assert_eq!(Vec::from_iter(shards), [placed[0].shard]);
    assert_eq!(second.progress().next, 100);
    let before: BTreeMap<_, _> = first.checkpoints().into_iter().collect();
    for (shard, checkpoint) in second.checkpoints() {
        assert!(checkpoint >= before[&shard]);
    }
}

/// Takes aggregates apart.
struct TakesApart(Mutex<Vec<String>>);
impl Function for TakesApart {
    type Counts = Nothing;
    type Failure = Failed;
    async fn answer(&self, body: &[u8], _: Moment) -> Result<Response<Nothing>, Failed> {
        let envelope = Envelope::read(body).unwrap();
        let mut bytes = Vec::new();
        envelope.records[0].decode_append(&mut bytes).unwrap();
        let Content::Aggregate(events) = Content::read(&bytes) else {
            return Err(Failed);
        };
        let mut found = self.0.lock().unwrap();
        for (sub, event) in events.iter().enumerate() {
            let id = envelope.records[0].id(Some(sub));
            let data = String::from_utf8_lossy(event.data);
            found.push(format!("{id} {} {data}", event.partition_key));
        }
        Ok(Response {
            body: Vec::new(),
            counts: Nothing,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_aggregate_is_a_record() {
    let stream = stream(1);
    let events = [("a", "1"), ("b", "2"), ("a", "")].map(|(partition_key, data)| Event {
        partition_key,
        data: data.as_bytes(),
    });
    stream.put("a", &aggregate::write(&events)).await.unwrap();
    stream.end();

    let function = TakesApart(Mutex::default());
    Mapping::new(&stream, &function, (), settings()).run().await;
    let id = format!("shardId-000000000000:{}", sequence(0));
    let expected = [
        format!("{id}.0 a 1"),
        format!("{id}.1 b 2"),
        format!("{id}.2 a "),
    ];
    assert_eq!(*function.0.lock().unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any settings, and a function that fails any way: every record is done or given up, once.
    #[test]
    fn every_record_is_done_or_given_up(
        records in 1..80_u64,
        batch_records_max in 1..20_usize,
        lanes in 1..5_usize,
        retries_max in 0..3_u32,
        bisects in any::<bool>(),
        said in prop::collection::vec(0..5_u8, 0..40),
    ) {
        let said: Vec<_> = said
            .iter()
            .map(|choice| match choice {
                0 => Said::Error,
                1 => Said::Text("7"),
                2 => Said::From(records / 2),
                3 => Said::From(1),
                _ => Said::Done,
            })
            .collect();
        let settings = Settings {
            batch_records_max,
            lanes,
            retries_max: Some(retries_max),
            on_failure: if bisects { OnFailure::Bisect } else { OnFailure::RetryWhole },
            ..settings()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let run = runtime.block_on(run(records, settings, script(&said)));
        prop_assert_eq!(run.totals.records + run.totals.records_given_up, records);
        prop_assert_eq!(run.checkpoint, Some(records - 1));
        prop_assert_eq!(run.totals.batches_given_up, run.given_up.len() as u64);
    }
}
