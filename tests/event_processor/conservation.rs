//! Whatever strikes, counters and archive hold each event exactly once, and they agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    time::Duration,
};

use fastrand::Rng;
use flate2::read::MultiGzDecoder;
use nozzle::{
    functions::{
        Function, Moment, Response,
        event_processor::{
            Counts, EventProcessor, Settings, Unavailable,
            key::{self, Named, Subject},
            settings::UniqueUsers,
            sketch::user_hash,
            table::{Item, Key, Value},
            users::Kept,
            window::{Span, Window},
        },
    },
    instant::Instant,
    kinesis::{ShardId, Tag, aggregate::Event},
    local::kinesis::{Mapping, Stream, aggregate, mapping, names::STREAM_ARN, strikes::Strikes},
};
use serde_json::{Value as Json, json};

use super::{
    support::{soak::Soak, stream::stream},
    world::{Safeguard, World},
};

const OTHER_ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/other!";

/// What ought to be known once all is done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Truth {
    counters: BTreeMap<Subject, u64>,
    users: BTreeMap<Subject, BTreeSet<u64>>,
    /// Each event as it was sent, as often as it was.
    archived: BTreeMap<String, usize>,
    /// Names of dead letters.
    letters: BTreeSet<String>,
    /// But for their versions.
    ledgers: BTreeMap<Key, Item>,
}

/// How a world is set up.
#[derive(Debug, Clone, Copy)]
struct Plot {
    seed: u64,
    without: Option<Safeguard>,
    claims: bool,
    users: UniqueUsers,
}

impl Plot {
    fn of(seed: u64) -> Self {
        Self {
            seed,
            without: None,
            claims: seed.is_multiple_of(2),
            users: match seed % 3 {
                0 => UniqueUsers::Sketch,
                1 => UniqueUsers::Exact,
                _ => UniqueUsers::Off,
            },
        }
    }

    /// How often the streams are read from their horizon.
    fn passes(self) -> u64 {
        1 + u64::from(self.seed.is_multiple_of(5))
    }

    fn settings(self) -> Settings {
        let mut settings = Settings::read(|_| None).unwrap();
        settings.unique_users = self.users;
        settings.archive_limits.events = 3;
        settings.counter_slots = 1 + self.seed % 2;
        settings
    }
}

/// Another stream's requests.
struct Renamed<F>(F);

impl<F: Function + Sync> Function for Renamed<F> {
    type Counts = F::Counts;
    type Failure = F::Failure;

    async fn answer(&self, body: &[u8], moment: Moment) -> Result<Response<F::Counts>, F::Failure> {
        let body = String::from_utf8_lossy(body).replace(STREAM_ARN, OTHER_ARN);
        self.0.answer(body.as_bytes(), moment).await
    }
}

#[test]
fn every_event_is_counted_and_archived_once_whatever_strikes() {
    for seed in Soak::read().seeds(200) {
        let (truth, found) = live(Plot::of(seed.0));
        assert_eq!(found, truth);
    }
}

#[test]
fn without_any_one_safeguard_a_world_is_wrong() {
    for without in [
        Safeguard::CounterMark,
        Safeguard::UsersVersion,
        Safeguard::LedgerVersion,
        Safeguard::PlanMemory,
        Safeguard::PlanFence,
        Safeguard::PutCondition,
        Safeguard::ClaimOwner,
    ] {
        let is_wrong = |seed: &u64| {
            let plot = Plot {
                without: Some(without),
                claims: without == Safeguard::ClaimOwner,
                users: UniqueUsers::Sketch,
                ..Plot::of(*seed)
            };
            let (truth, found) = live(plot);
            truth != found
        };
        let seed = (0..2_000).find(is_wrong);
        assert!(seed.is_some(), "no world misses {without:?}");
    }
}

/// What ought to be in a world at its end, and what is.
fn live(plot: Plot) -> (Truth, Truth) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new(plot.seed)
            .troubled(if plot.seed.is_multiple_of(4) { 0 } else { 8 })
            .claiming(plot.claims)
            .without(plot.without);
        let processor = || EventProcessor::new(plot.settings(), &world);
        let (first, second) = (processor(), Renamed(processor()));
        let mut truth = Truth::default();
        for pass in 0..plot.passes() {
            let seed = plot.seed + pass * 1_000_000;
            let (one, other) = (stream(2), stream(1));
            let mut random = Rng::with_seed(plot.seed);
            truth = Truth::default();
            tokio::join!(
                read(&one, &first, seed),
                read(&other, &second, seed + 500_000),
                async {
                    fill(&one, STREAM_ARN, &mut random, &mut truth, plot).await;
                    fill(&other, OTHER_ARN, &mut random, &mut truth, plot).await;
                },
            );
            truth.ledgers = ends(&one, STREAM_ARN)
                .chain(ends(&other, OTHER_ARN))
                .collect();
        }
        (truth, find(&world))
    })
}

async fn read<F: Function<Counts = Counts, Failure = Unavailable>>(
    stream: &Stream,
    function: &F,
    seed: u64,
) {
    let settings = mapping::Settings {
        batch_records_max: 9,
        timeout: Duration::from_secs(8),
        ..mapping::Settings::default()
    };
    let mut mapping = Mapping::new(stream, function, (), settings);
    mapping.strikes = Some(Strikes::from_seed(seed));
    mapping.run().await;
}

/// Puts records of all kinds, and changes the shards half-way.
async fn fill(stream: &Stream, arn: &str, random: &mut Rng, truth: &mut Truth, plot: Plot) {
    let mut sent: Vec<Json> = Vec::new();
    for number in 0..30 {
        let mut draw = || {
            let again = random.u8(..6) == 0;
            match sent.get(random.usize(..sent.len().max(1))) {
                Some(copy) if again => copy.clone(),
                _ => {
                    let event = event(random, &format!("{arn} {number} {}", sent.len()));
                    sent.push(event.clone());
                    event
                }
            }
        };
        let key = number.to_string();
        match number % 5 {
            3 => {
                let placed = stream.put(&key, b"{\"event_id\":7}").await.unwrap();
                let tag = Tag::of(arn);
                let name = format!(
                    "dead-letters/{tag}/{}/{}.json",
                    placed.shard, placed.sequence
                );
                truth.letters.insert(name);
            }
            4 => {
                let events = [draw(), draw(), draw()];
                let texts = events.each_ref().map(Json::to_string);
                let inner = texts.each_ref().map(|text| Event {
                    partition_key: "k",
                    data: text.as_bytes(),
                });
                stream.put(&key, &aggregate::write(&inner)).await.unwrap();
                for event in &events {
                    truth.add(event, plot);
                }
            }
            _ => {
                let event = draw();
                stream
                    .put(&key, event.to_string().as_bytes())
                    .await
                    .unwrap();
                truth.add(&event, plot);
            }
        }
        match number {
            10 => drop(stream.split(ShardId(0)).unwrap()),
            20 if arn == OTHER_ARN => drop(stream.merge(ShardId(1), ShardId(2)).unwrap()),
            _ => tokio::time::sleep(Duration::from_millis(random.u64(..200))).await,
        }
    }
    stream.end();
}

fn event(random: &mut Rng, id: &str) -> Json {
    let mut choose = |words: &[&str]| words[random.usize(..words.len())].to_owned();
    let experiment = choose(&["checkout", "search", "search#1", ""]);
    let variant = choose(&["A", "B", "%", ""]);
    let user = choose(&["user-1", "user-2", "user-3", "user-4"]);
    let time = choose(&[
        "2024-12-19T23:59:59Z",
        "2024-12-20T00:00:00Z",
        "2024-12-20T00:30:00Z",
    ]);
    let event_type = choose(&["view", "purchase"]);
    let mut event =
        json!({"event_id": id, "event_type": event_type, "user_id": user, "timestamp": time});
    if !experiment.is_empty() {
        event["experiment_id"] = experiment.into();
    }
    if !variant.is_empty() {
        event["metadata"] = json!({ "variant": variant });
    }
    event
}

impl Truth {
    fn add(&mut self, event: &Json, plot: Plot) {
        let copies = self.archived.entry(event.to_string()).or_default();
        if plot.claims && *copies > 0 {
            return;
        }
        *copies += 1;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let user = event["user_id"].as_str().unwrap();
        let experiment = text(&event["experiment_id"]);
        let assigned = || match (user, experiment.as_deref()) {
            ("user-1", Some("checkout")) => Some("B".to_owned()),
            ("user-2", Some("checkout")) => Some("A".to_owned()),
            _ => None,
        };
        let variant = text(&event["metadata"]["variant"]).or_else(assigned);
        let Some((experiment, variant)) = experiment.clone().zip(variant) else {
            return;
        };
        let time = Instant::from_text(event["timestamp"].as_str().unwrap()).unwrap();
        for span in [Span::Hour, Span::Day] {
            let subject = Subject {
                experiment: experiment.clone(),
                variant: variant.clone(),
                event_type: text(&event["event_type"]).unwrap(),
                window: Window::of(span, &time.calendar()),
            };
            *self.counters.entry(subject.clone()).or_default() += 1;
            if plot.users != UniqueUsers::Off {
                self.users
                    .entry(subject)
                    .or_default()
                    .insert(user_hash(user));
            }
        }
    }
}

fn find(world: &World) -> Truth {
    let mut found = Truth {
        letters: world.letters().into_keys().collect(),
        ..Truth::default()
    };
    for (key, item) in world.items() {
        found.add_item(&key, &item);
    }
    for object in world.objects().into_values() {
        let mut lines = String::new();
        MultiGzDecoder::new(object.gzip.as_slice())
            .read_to_string(&mut lines)
            .unwrap();
        for line in lines.lines() {
            let mut event: Json = serde_json::from_str(line).unwrap();
            let event = event.as_object_mut().unwrap();
            for added in ["record_id", "event_datetime", "assignment_id", "variant"] {
                event.remove(added);
            }
            for added in [
                "time_since_assignment_seconds",
                "experiment_key",
                "experiment_name",
                "experiment_status",
            ] {
                event.remove(added);
            }
            *found
                .archived
                .entry(Json::Object(event.clone()).to_string())
                .or_default() += 1;
        }
    }
    found
}

impl Truth {
    fn add_item(&mut self, key: &Key, item: &Item) {
        match Named::read(key) {
            Some(Named::Counter(subject)) => {
                let count = item["event_count"].number().unwrap();
                *self.counters.entry(subject).or_default() += count;
            }
            Some(Named::Sketch(subject)) => {
                let kept = Kept::read(item).unwrap();
                let bytes = kept.users.to_bytes();
                let hashes = bytes[1..].as_chunks().0.iter();
                let users = hashes.map(|hash| u64::from_be_bytes(*hash));
                assert_eq!(item["users"], Value::Number(kept.users.users()));
                self.users.entry(subject).or_default().extend(users);
            }
            Some(Named::Marker(subject, user)) => {
                self.users.entry(subject).or_default().insert(user);
            }
            None => {
                let mut item = item.clone();
                item.remove("version");
                self.ledgers.insert(key.clone(), item);
            }
        }
    }
}

/// Of every shard its last record.
fn ends(stream: &Stream, arn: &str) -> impl Iterator<Item = (Key, Item)> {
    let ends = stream.checkpoints().into_iter();
    ends.filter_map(move |(shard, last)| {
        let ledger = key::ledger(Tag::of(arn), shard);
        Some((ledger, ended(last?.bytes().to_vec())))
    })
}

/// A ledger at this end, with nothing under way.
fn ended(done: Vec<u8>) -> Item {
    Item::from([
        ("attempts".to_owned(), Value::Number(0)),
        ("done".to_owned(), Value::Bytes(done)),
    ])
}
