//! What strikes a function on a stream: its process dies at a request to a store, its answer is lost,
//! its records are cut anew, and an older invocation goes on beside newer ones.
#![cfg(feature = "tool")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use nozzle::{
    functions::{Function, Moment, Response},
    kinesis::{ShardId, envelope::Envelope},
    local::kinesis::{
        Mapping,
        mapping::{Settings, Totals},
        strikes::{self, Strikes},
    },
};
use support::stream::{Failed, Nothing, numbers, put, settings, span, stream};

/// A store that is struck, and a function on it that puts what it is given, some at a time.
#[derive(Default)]
struct Stored {
    /// Once, whatever comes again.
    set: Mutex<BTreeSet<u64>>,
    /// How often each record was put: what a function that only adds would count.
    added: Mutex<BTreeMap<u64, usize>>,
    /// Records in the order in which they came first, by shard.
    firsts: Mutex<BTreeMap<u64, Vec<u64>>>,
    running: AtomicUsize,
    running_most: AtomicUsize,
    requests: AtomicUsize,
    story: Mutex<Vec<String>>,
}

impl Stored {
    async fn put(&self, numbers: &[u64]) {
        strikes::request(async {
            self.requests.fetch_add(1, Ordering::SeqCst);
            for number in numbers {
                self.set.lock().unwrap().insert(*number);
                *self.added.lock().unwrap().entry(*number).or_default() += 1;
            }
        })
        .await;
    }
}

/// Counts an invocation as long as it lives.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Function for Stored {
    type Counts = Nothing;
    type Failure = Failed;

    async fn answer(&self, body: &[u8], _: Moment) -> Result<Response<Nothing>, Failed> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.running_most.fetch_max(running, Ordering::SeqCst);
        let _running = Running(&self.running);
        let envelope = Envelope::read(body).unwrap();
        let numbers = numbers(&envelope);
        self.story.lock().unwrap().push(span(&numbers));
        let shard = envelope.records[0].shard.0;
        for number in &numbers {
            let mut firsts = self.firsts.lock().unwrap();
            let firsts = firsts.entry(shard).or_default();
            if !firsts.contains(number) {
                firsts.push(*number);
            }
        }
        for some in numbers.chunks(4) {
            self.put(some).await;
        }
        Ok(Response {
            body: Vec::new(),
            counts: Nothing,
        })
    }
}

async fn struck(seed: u64, lanes: usize) -> (Stored, strikes::Tally, Totals) {
    let stream = stream(2);
    put(&stream, 200).await;
    stream.split(ShardId(1)).unwrap();
    put(&stream, 200).await;
    stream.end();
    let store = Stored::default();
    let settings = Settings {
        lanes,
        batch_records_max: 30,
        ..settings()
    };
    let mut mapping = Mapping::new(&stream, &store, (), settings);
    mapping.strikes = Some(Strikes::from_seed(seed));
    let totals = mapping.run().await;
    let tally = mapping.strikes.as_ref().unwrap().tally();
    assert_eq!(stream.progress().next, 400, "seed {seed}");
    (store, tally, totals)
}

#[tokio::test(start_paused = true)]
async fn whatever_strikes_every_record_is_done_and_comes_first_in_order() {
    for seed in 0..40 {
        let (store, tally, totals) = struck(seed, 1).await;
        assert_eq!(store.set.lock().unwrap().len(), 400, "seed {seed}");
        for firsts in store.firsts.lock().unwrap().values() {
            assert!(firsts.is_sorted(), "seed {seed}");
        }
        // The strikes have teeth: a function that only adds counts too much.
        let added: usize = store.added.lock().unwrap().values().sum();
        assert!(added > 400, "seed {seed}");
        let strikes::Tally {
            deaths,
            lost_answers,
            overtaken,
            spared,
        } = tally;
        assert!(
            deaths > 0 && lost_answers > 0 && overtaken > 0,
            "seed {seed}: {tally:?}"
        );
        let invocations = deaths + lost_answers + overtaken + spared;
        assert_eq!(totals.invocations, invocations as u64);
        assert!(totals.failovers >= overtaken as u64);
        // Of two shards, more than two at once: an older one beside the newer.
        assert!(store.running_most.load(Ordering::SeqCst) > 3, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn lanes_are_struck_too() {
    for seed in 0..10 {
        let (store, _, _) = struck(seed, 5).await;
        assert_eq!(store.set.lock().unwrap().len(), 400, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_seed_tells_the_same_story_again() {
    let story = async |seed| struck(seed, 1).await.0.story.into_inner().unwrap();
    assert_eq!(story(7).await, story(7).await);
    assert_ne!(story(7).await, story(8).await);
}

#[tokio::test(start_paused = true)]
async fn without_strikes_nothing_comes_again() {
    let stream = stream(2);
    put(&stream, 400).await;
    stream.end();
    let store = Stored::default();
    Mapping::new(&stream, &store, (), settings()).run().await;
    assert!(
        store
            .added
            .lock()
            .unwrap()
            .values()
            .all(|times| *times == 1)
    );
}
