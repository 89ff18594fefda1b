//! Whatever strikes, the table ends as after one clean pass: worlds drawn from a seed, on a Kinesis
//! of one machine whose invocations die, are lost, cut anew and overtaken, before a table that
//! throttles and loses answers. `make soak` goes on from seed to seed.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use nozzle::{
    aws::Failure,
    kinesis::{ShardId, aggregate::Event},
    local::kinesis::{
        Clock, Mapping, Stream, aggregate,
        mapping::{OnFailure, Settings, Totals},
        strikes::{Strikes, Tally},
    },
};

use crate::{
    support::{log_items::UNWANTED, proxy::Fault, soak::Soak},
    world::{Kept, World},
};

const WORLDS: u64 = 6;
const RECORDS: usize = 200;

const WAYS: [&[(&str, &str)]; 4] = [
    &[],
    &[("EVENT_ID", "/id")],
    &[("EVENT_ID", "/id"), ("ON_CONFLICT", "keep-both")],
    &[("ON_UNREADABLE", "dead-letter"), ("DATA", "text")],
];

#[tokio::test(start_paused = true)]
async fn a_log_under_faults_ends_as_after_one_clean_pass() {
    let mut struck = Tally::default();
    for seed in Soak::read().seeds(1) {
        for world in 0..WORLDS {
            let tally = check(seed.0 * WORLDS + world).await;
            struck.deaths += tally.deaths;
            struck.lost_answers += tally.lost_answers;
            struck.overtaken += tally.overtaken;
        }
    }
    let least = struck.deaths.min(struck.lost_answers).min(struck.overtaken);
    assert!(least > 10, "{struck:?}");
}

async fn check(seed: u64) -> Tally {
    let (clean, totals, _) = pass(seed, None).await;
    assert_eq!(totals.retries, 0, "seed {seed}");
    let (kept, _, tally) = pass(seed, Some(Strikes::from_seed(seed))).await;
    same(&clean.items, &kept.items).unwrap_or_else(|id| panic!("seed {seed}: item {id}"));
    same(&clean.objects, &kept.objects).unwrap_or_else(|key| panic!("seed {seed}: object {key}"));
    tally.unwrap()
}

/// The first that is not in both, or other in each.
fn same<T: PartialEq>(
    one: &BTreeMap<String, T>,
    other: &BTreeMap<String, T>,
) -> Result<(), String> {
    let names = one.keys().chain(other.keys());
    let differing = names
        .filter(|name| one.get(*name) != other.get(*name))
        .min();
    differing.map_or(Ok(()), |name| Err(name.clone()))
}

/// The records of a seed, once through the function.
async fn pass(seed: u64, strikes: Option<Strikes>) -> (Kept, Totals, Option<Tally>) {
    let mut random = Rng::with_seed(seed);
    let way = WAYS[random.usize(..WAYS.len())];
    let settings = [
        way,
        &[
            ("S3_BUCKET", "bucket"),
            ("SEARCH_KEY", "/id"),
            ("SEARCH_BUCKETS", "7"),
            ("LOG_TTL_HOURS", "24"),
        ],
    ]
    .concat();
    let world = World::new(&settings);
    let stream = stream(&mut random).await;
    if strikes.is_some() {
        afflict(&world, random.fork());
    }
    let records_max = random.usize(1..120);
    let mut mapping = Mapping::new(&stream, &world.function, (), mapping(records_max));
    mapping.strikes = strikes;
    let totals = mapping.run().await;
    let done = stream.progress().next;
    assert_eq!(done, RECORDS as u64, "seed {seed}");
    let tally = mapping.strikes.as_ref().map(Strikes::tally);
    (world.kept(), totals, tally)
}

fn mapping(batch_records_max: usize) -> Settings {
    Settings {
        batch_records_max,
        on_failure: OnFailure::Bisect,
        ..Settings::default()
    }
}

/// Records with copies of some events, all of one event in one shard, before and after a split.
async fn stream(random: &mut Rng) -> Stream {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_545_084_650);
    let stream = Stream::new(2, Clock::starting(start));
    for number in 0..RECORDS {
        if number == RECORDS / 2 {
            stream.split(ShardId(0)).unwrap();
        }
        let id = random.usize(..RECORDS / 2);
        let data = data(id, random);
        stream.put(&format!("key {id}"), &data).await.unwrap();
    }
    stream.end();
    stream
}

/// A record of the event with this id, whose content is one of few.
fn data(id: usize, random: &mut Rng) -> Vec<u8> {
    let event = |text: &str| format!(r#"{{"id":"{id}","n":1.50,"text":"{text}"}}"#).into_bytes();
    match random.u8(..120) {
        0 => event(&"x".repeat(420_000)),
        1..6 => b"no json".to_vec(),
        6..8 => Vec::new(),
        // Whether it is refused or a conflict would depend on how it is cut.
        8..14 => format!(r#"{{"id":"unwanted {id}","text":"{UNWANTED}"}}"#).into_bytes(),
        14..20 => format!(r#"{{"id":"{id}","id":"{id}"}}"#).into_bytes(),
        20..26 => format!(r#"{{"id":{id},"n":1e999}}"#).into_bytes(),
        26..32 => b"{}".to_vec(),
        32..44 => together(id, &[event("a"), event("b"), event("a"), b"[]".to_vec()]),
        44..64 => event("b"),
        _ => event("a"),
    }
}

fn together(id: usize, events: &[Vec<u8>]) -> Vec<u8> {
    let key = format!("key {id}");
    let events = events.iter().map(|data| Event {
        partition_key: &key,
        data,
    });
    aggregate::write(&events.collect::<Vec<_>>())
}

/// The table fails now and then, and so does the bucket: once, since a batch may need nothing else.
fn afflict(world: &World, mut random: Rng) {
    let depot = world.depot.clone();
    world.proxy.play(move |_| {
        match random.u8(..40) {
            0 => depot.fail_once("overflow", Failure::Passing("told to".to_owned())),
            1..4 => depot.recover(),
            _ => {}
        }
        fault(&mut random)
    });
}

fn fault(random: &mut Rng) -> Fault {
    match random.u8(..100) {
        0..5 => Fault::Refuse(500, "InternalServerError"),
        5..10 => Fault::Refuse(400, "ThrottlingException"),
        10..25 => Fault::RefuseStatements(0.4, "ThrottlingError"),
        25..30 => Fault::Reset,
        30..36 => Fault::LoseAnswer,
        36..40 => Fault::Delay(Duration::from_millis(1_500)),
        40..42 => Fault::SwallowAnswer,
        42 => Fault::BlackHole,
        43 => Fault::Refuse(400, "AccessDeniedException"),
        _ => Fault::Pass,
    }
}
