//! The real function when it dies, when its store is away, and when two of it run at once.
#![cfg(feature = "lambda")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod support;

use std::{
    collections::{HashMap, VecDeque},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use fastrand::Rng;
use serde_json::Value;
use support::{
    emulators::ministack,
    proxy::{Fault, Proxy, Upstream},
    requests::{Sent, event, request, results},
    runtime_api::{Function, Outcome},
};

use Fault::{BlackHole, Pass, Refuse, RefuseStatements, Reset};

/// Time for an invocation that leaves the store a second.
const TWO_SECONDS: Duration = Duration::from_secs(2);

#[tokio::test]
async fn what_died_is_sent_again_and_nothing_is_lost_or_doubled() {
    killed_and_retried(Proxy::in_memory(), 10, 40).await;
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_on_ministack() {
    let Some(emulator) = ministack() else { return };
    emulator.create_table().await;
    killed_and_retried(Proxy::new(Upstream::Http(emulator.address)), 11, 12).await;
}

/// Sends batches as Firehose does, again and again until each is answered, while the function is
/// killed before, between and after its requests, and answers come too late. Every event has one
/// copy, somewhere, that arrived at another time.
async fn killed_and_retried(proxy: Arc<Proxy>, seed: u64, batches: usize) {
    let mut random = Rng::with_seed(seed);
    let address = proxy.listen().await;
    let victim = Arc::new(AtomicU32::new(0));
    let killer = Killer::install(&proxy, &victim);
    let mut function = start(address, &[]).await;
    let (mut delivered, mut deaths) = (HashMap::<String, usize>::new(), 0);
    let mut waiting: VecDeque<_> = batches_with_copies(batches, &mut random).into();
    while let Some(batch) = waiting.pop_front() {
        victim.store(function.process_id, Ordering::SeqCst);
        killer.aim(random.usize(..12));
        match function.invoke(request(&batch)).await {
            Outcome::Answer(answer) if random.u8(..8) > 0 => {
                count_delivered(&batch, &answer, &mut delivered);
            }
            Outcome::Answer(_) => waiting.push_back(batch), // It came too late.
            Outcome::Died => {
                deaths += 1;
                waiting.push_back(batch);
                function = start(address, &[]).await;
            }
            Outcome::Failure(failure) => panic!("{failure}"),
        }
    }
    assert!(deaths > batches / 4, "{deaths} deaths");
    assert_eq!(delivered.len(), batches * 60);
    let doubled = delivered.iter().find(|(_, times)| **times != 1);
    assert_eq!(doubled, None, "seed {seed}");
}

fn count_delivered(batch: &[Sent], answer: &[u8], delivered: &mut HashMap<String, usize>) {
    let results = results(answer);
    assert_eq!(results.len(), batch.len());
    for (sent, (id, result)) in batch.iter().zip(results) {
        assert_eq!(sent.id, id);
        if result == "Ok" {
            *delivered.entry(uuid(sent)).or_default() += 1;
        }
    }
}

fn uuid(sent: &Sent) -> String {
    let event: Value = serde_json::from_slice(&sent.bytes).unwrap();
    event["event_uuid"].as_str().unwrap().to_owned()
}

/// Of 120 records each: 60 new events a batch, and every one of them a second time somewhere.
fn batches_with_copies(batches: usize, random: &mut Rng) -> Vec<Vec<Sent>> {
    let mut records: Vec<_> = (0..batches * 120)
        .map(|number| {
            let arrival = 1_800_000_000_000 + i64::try_from(number).unwrap();
            Sent::new(
                &format!("record-{number}"),
                arrival,
                &event(&format!("{}", number / 2)),
            )
        })
        .collect();
    random.shuffle(&mut records);
    records.chunks(120).map(<[Sent]>::to_vec).collect()
}

/// Kills the function when the store has written so many of a batch's requests.
struct Killer(Arc<Mutex<Option<usize>>>);

impl Killer {
    fn install(proxy: &Proxy, victim: &Arc<AtomicU32>) -> Self {
        let aim = Arc::new(Mutex::new(None::<usize>));
        let (left, victim) = (Arc::clone(&aim), Arc::clone(victim));
        proxy.after_write(move |_| {
            let mut left = left.lock().unwrap();
            *left = match *left {
                Some(0) => {
                    kill(victim.load(Ordering::SeqCst));
                    None
                }
                left => left.map(|left| left - 1),
            };
        });
        Self(aim)
    }

    fn aim(&self, requests: usize) {
        *self.0.lock().unwrap() = Some(requests);
    }
}

fn kill(process_id: u32) {
    let status = Command::new("kill")
        .args(["-9", &process_id.to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn of_two_functions_at_once_exactly_one_delivers_each_event() {
    let proxy = Proxy::in_memory();
    let address = proxy.listen().await;
    let (left, right) = tokio::join!(start(address, &[]), start(address, &[]));
    let mut random = Rng::with_seed(7);
    for round in 0..10 {
        let mut batch = |arrival| {
            let mut batch: Vec<_> = (0..300)
                .map(|n| {
                    Sent::new(
                        &format!("{arrival}-{n}"),
                        arrival,
                        &event(&format!("{round}-{n}")),
                    )
                })
                .collect();
            random.shuffle(&mut batch);
            batch
        };
        let (ours, theirs) = (batch(1), batch(2));
        let (mine, other) =
            tokio::join!(left.invoke(request(&ours)), right.invoke(request(&theirs)));
        let mut delivered = HashMap::new();
        count_delivered(&ours, &mine.answer(), &mut delivered);
        count_delivered(&theirs, &other.answer(), &mut delivered);
        assert_eq!(delivered.len(), 300);
        assert!(delivered.values().all(|times| *times == 1));
    }
}

#[tokio::test]
async fn an_outage_is_an_error_in_time_and_the_next_invocation_works() {
    for fault in [
        BlackHole,
        Reset,
        Refuse(500, "InternalServerError"),
        Refuse(400, "ThrottlingException"),
        RefuseStatements(0.9, "ThrottlingError"),
    ] {
        let proxy = Proxy::in_memory();
        let function = start(proxy.listen().await, &[]).await;
        let batch = batch("outage", 1, 2000);
        proxy.play(move |_| fault);
        let started = Instant::now();
        let outcome = function.invoke_within(request(&batch), TWO_SECONDS).await;
        let (kind, why) = outcome.failure();
        assert!(
            started.elapsed() < TWO_SECONDS,
            "{fault:?}: {:?}",
            started.elapsed()
        );
        assert_eq!(kind, "ClaimStoreUnavailable", "{why}");
        assert!(why.contains("table \"claims\" in us-east-1"), "{why}");
        proxy.play(|_| Pass);
        assert_eq!(
            letters(&function, &batch).await,
            "O".repeat(2000),
            "{fault:?}"
        );
    }
}

/// 5 seconds of trying; what is known to be a duplicate stays one, the rest goes out and is counted.
#[tokio::test]
async fn where_told_so_an_outage_delivers_unclaimed_and_counts_it() {
    let proxy = Proxy::in_memory();
    let settings = [("ON_CLAIM_FAILURE", "deliver")];
    let function = start(proxy.listen().await, &settings).await;
    letters(&function, &batch("known", 1, 25)).await;
    proxy.play(|number| if number < 2 { Pass } else { BlackHole });
    let known = batch("known", 2, 25);
    let started = Instant::now();
    assert_eq!(letters(&function, &known).await, "D".repeat(25));
    assert_eq!(
        letters(&function, &batch("new", 3, 200)).await,
        "O".repeat(200)
    );
    let took = started.elapsed().as_secs_f64();
    assert!((4.9..7.0).contains(&took), "{took}");
    let counts = counts(&function.stop().await);
    let unclaimed: Vec<_> = counts.iter().map(|line| &line["unclaimed"]).collect();
    assert_eq!(unclaimed, [0, 0, 200]);
}

#[tokio::test]
async fn a_store_that_is_away_at_start_is_said_once_and_awaited() {
    let proxy = Proxy::in_memory();
    proxy.play(|_| Reset);
    let function = start(proxy.listen().await, &[]).await;
    proxy.play(|_| Pass);
    assert_eq!(
        letters(&function, &batch("late", 1, 60)).await,
        "O".repeat(60)
    );
    assert_eq!(proxy.requests(), [25, 25, 10]);
    let errors = errors(&function.stop().await);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("did not answer in time"), "{errors:?}");
}

#[tokio::test]
async fn what_a_person_has_to_put_right_is_said_at_start_and_with_each_failure() {
    let no_credentials = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    for (fault, settings, says) in [
        (
            RefuseStatements(1.0, "ResourceNotFound"),
            &[][..],
            "there is no table \"claims\" in us-east-1; create it there or correct EVENT_CACHE_TABLE_NAME",
        ),
        (
            Refuse(400, "AccessDeniedException"),
            &[],
            "allow its role dynamodb:PartiQLInsert",
        ),
        (
            Pass,
            &no_credentials,
            "no credentials that are accepted for table \"claims\"",
        ),
    ] {
        let proxy = Proxy::in_memory();
        proxy.play(move |_| fault);
        let function = start(proxy.listen().await, settings).await;
        let started = Instant::now();
        let outcome = function.invoke(request(&batch("x", 1, 100))).await;
        let (kind, why) = outcome.failure();
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(kind, "ClaimStoreUnavailable");
        assert!(why.contains(says), "{why}");
        let errors = errors(&function.stop().await);
        assert_eq!(errors.len(), 2, "at start, and for the batch: {errors:?}");
        assert!(
            errors.iter().all(|error| error.contains(says)),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn a_copy_with_other_content_is_counted_and_may_be_kept() {
    let differing = |arrival: i64| {
        let text = event("1").replacen('{', &format!("{{\"n\":{arrival},"), 1);
        Sent::new(&arrival.to_string(), arrival, &text)
    };
    for (setting, expected) in [("drop", "D"), ("fail", "P")] {
        let proxy = Proxy::in_memory();
        let settings = [("ON_DIFFERING_DUPLICATE", setting)];
        let function = start(proxy.listen().await, &settings).await;
        assert_eq!(letters(&function, &[differing(1)]).await, "O");
        assert_eq!(letters(&function, &[differing(2)]).await, expected);
        let same = Sent::new("3", 3, std::str::from_utf8(&differing(1).bytes).unwrap());
        assert_eq!(letters(&function, &[same]).await, "D");
        let counts = counts(&function.stop().await);
        let numbers: Vec<_> = counts
            .iter()
            .map(|line| [&line["duplicates"], &line["duplicates_differing"]])
            .collect();
        assert_eq!(numbers, [[0, 0], [1, 1], [1, 0]]);
    }
}

#[tokio::test]
async fn an_identity_may_be_the_uuid_alone() {
    let renamed = |arrival: i64| {
        let text = event("1").replace(":created", &format!(":created{arrival}"));
        Sent::new(&arrival.to_string(), arrival, &text)
    };
    for (setting, expected) in [("event", "O"), ("uuid", "D")] {
        let proxy = Proxy::in_memory();
        let settings = [("EVENT_IDENTITY", setting)];
        let function = start(proxy.listen().await, &settings).await;
        assert_eq!(letters(&function, &[renamed(1)]).await, "O");
        assert_eq!(letters(&function, &[renamed(2)]).await, expected);
    }
}

/// One request that opens a connection at start, then one for 25 new events each.
#[tokio::test]
async fn a_batch_of_new_events_costs_a_request_per_25_of_them() {
    let proxy = Proxy::in_memory();
    let function = start(proxy.listen().await, &[]).await;
    assert_eq!(proxy.requests(), [1]);
    assert_eq!(proxy.table().len(), 0);
    proxy.play(|_| Pass);
    letters(&function, &batch("new", 1, 1010)).await;
    assert_eq!(proxy.requests().len(), 41);
    assert_eq!(proxy.requests().iter().sum::<usize>(), 1010);
}

async fn start(address: std::net::SocketAddr, settings: &[(&str, &str)]) -> Function {
    let endpoint = format!("http://{address}");
    let settings = [settings, &[("AWS_ENDPOINT_URL_DYNAMODB", &*endpoint)]].concat();
    let function = Function::start(&settings).await;
    function.ready().await;
    function
}

fn batch(name: &str, arrival: i64, events: usize) -> Vec<Sent> {
    (0..events)
        .map(|n| {
            Sent::new(
                &format!("{arrival}-{n}"),
                arrival,
                &event(&format!("{name}-{n}")),
            )
        })
        .collect()
}

/// The first letters of what a batch's records came to.
async fn letters(function: &Function, batch: &[Sent]) -> String {
    let answer = function.invoke(request(batch)).await.answer();
    let results = results(&answer);
    results.iter().map(|(_, result)| &result[..1]).collect()
}

fn lines(output: &[String]) -> Vec<Value> {
    output
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn counts(output: &[String]) -> Vec<Value> {
    let mut lines = lines(output);
    lines.retain(|line| line["records"].is_number());
    lines
}

/// What was logged as an error.
fn errors(output: &[String]) -> Vec<String> {
    let mut lines = lines(output);
    lines.retain(|line| line["level"] == "ERROR");
    lines
        .iter()
        .map(|line| line["error"].to_string().replace("\\\"", "\""))
        .collect()
}
