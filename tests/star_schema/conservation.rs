//! Packets in any order, twice, and killed anywhere: the same star.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use nozzle::functions::star_schema::receipt::Receipt;

use super::{
    plot::Plot,
    rows::star,
    support::soak::Soak,
    world::{Safeguard, World},
};

/// What a world comes to.
struct End {
    star: BTreeMap<String, Vec<String>>,
    /// Every object but those whose names and order are the world's own.
    objects: BTreeMap<String, Vec<u8>>,
    receipts: BTreeMap<String, Option<Receipt>>,
    parameters: BTreeMap<String, String>,
    /// Objects that were changed after they were put.
    changed: Vec<String>,
}

const JOINED: [&str; 2] = ["dim_staff/", "dim_counterparty/"];

impl End {
    fn of(world: &World, changed: Vec<String>) -> Self {
        let all = world.objects();
        let star = star(&all);
        let (receipts, objects): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(key, _)| key.starts_with("packets/"));
        let receipt = |(key, text): (String, Vec<u8>)| {
            let mut receipt: Option<Receipt> = serde_json::from_slice(&text).ok();
            for receipt in &mut receipt {
                receipt.files.retain(|file| !is_joined(file));
            }
            (key, receipt)
        };
        let own = |key: &str| is_joined(key) || key.starts_with("reference/");
        Self {
            star,
            objects: objects.into_iter().filter(|(key, _)| !own(key)).collect(),
            receipts: receipts.into_iter().map(receipt).collect(),
            parameters: world.parameters(),
            changed,
        }
    }

    /// The names of all that is not as it should be.
    fn difference(&self, expected: &Self) -> Vec<String> {
        [
            self.changed.clone(),
            differing(&self.receipts, &expected.receipts),
            differing(&self.parameters, &expected.parameters),
            differing(&self.objects, &expected.objects),
            differing(&self.star, &expected.star),
        ]
        .concat()
    }
}

/// The names under which two maps do not have the same.
fn differing<V: PartialEq>(one: &BTreeMap<String, V>, other: &BTreeMap<String, V>) -> Vec<String> {
    let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name));
    differ.cloned().collect()
}

fn is_joined(key: &str) -> bool {
    JOINED.iter().any(|folder| key.starts_with(folder))
}

/// All packets at once, and nothing strikes.
async fn calm(seed: u64) -> End {
    let world = World::new(seed);
    let plot = Plot::of(seed);
    plot.put_into(&world);
    world.call(&plot.names(), None).await.unwrap().unwrap();
    End::of(&world, Vec::new())
}

/// Random calls that die and fail; then sweeps, to the end.
async fn struck(seed: u64, expected: &End, without: Option<Safeguard>) -> End {
    let mut world = World::new(seed).troubled(2);
    world.without = without;
    let plot = Plot::of(seed);
    plot.put_into(&world);
    let mut random = Rng::with_seed(seed);
    let mut names = [plot.names(), plot.names()].concat();
    random.shuffle(&mut names);
    let foreign = foreign(seed, expected);
    if let Some(key) = &foreign {
        world.put_foreign(key, "somebody's");
    }
    let mut seen = world.objects();
    let mut changed = Vec::new();
    while !names.is_empty() {
        let calls = names.split_off(names.len().saturating_sub(random.usize(1..6)));
        let until_death = random.bool().then(|| random.u32(..120));
        // Whoever has called does so again, or a sweep does.
        drop(world.call(&calls, until_death).await);
        note_changes(&world, &mut seen, &mut changed);
        lose_a_checkpoint(&world, &mut seen, &mut random);
    }
    if let Some(key) = &foreign {
        world.remove(key);
        seen.remove(key);
    }
    for until_death in [Some(random.u32(..200)), None, None] {
        drop(world.call(&[], until_death).await);
        note_changes(&world, &mut seen, &mut changed);
    }
    world.mend();
    for _ in 0..2 {
        drop(world.call(&[], None).await);
        note_changes(&world, &mut seen, &mut changed);
    }
    End::of(&world, changed)
}

/// Some worlds have an object under a name of ours, which a person removes.
fn foreign(seed: u64, expected: &End) -> Option<String> {
    let mut keys = expected.objects.keys();
    let key = keys.find(|key| key.starts_with("fact_sales_order/"));
    key.filter(|_| seed.is_multiple_of(3)).cloned()
}

fn note_changes(world: &World, seen: &mut BTreeMap<String, Vec<u8>>, changed: &mut Vec<String>) {
    let now = world.objects();
    let was_changed = |(key, text): &(&String, &Vec<u8>)| now.get(*key) != Some(*text);
    let keys = seen.iter().filter(was_changed).map(|(key, _)| key.clone());
    changed.extend(keys);
    *seen = now;
}

fn lose_a_checkpoint(world: &World, seen: &mut BTreeMap<String, Vec<u8>>, random: &mut Rng) {
    let checkpoint = seen
        .keys()
        .find(|key| key.starts_with("reference/"))
        .cloned();
    if let Some(key) = checkpoint.filter(|_| random.bool()) {
        world.remove(&key);
        seen.remove(&key);
    }
}

fn live<T>(world: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(world)
}

#[test]
fn whatever_strikes_the_star_is_the_same() {
    for seed in Soak::read().seeds(60) {
        let expected = live(calm(seed.0));
        let found = live(struck(seed.0, &expected, None));
        assert_eq!(found.difference(&expected), [""; 0]);
    }
}

#[test]
fn without_any_one_safeguard_a_world_is_wrong() {
    for without in [
        Safeguard::PutCondition,
        Safeguard::SourceEtag,
        Safeguard::WholeObjects,
        Safeguard::LastNumber,
        Safeguard::Sequence,
    ] {
        let is_wrong = |seed: &u64| {
            let expected = live(calm(*seed));
            let found = live(struck(*seed, &expected, Some(without)));
            // That it comes to an end at all does not rest on it.
            let has_ended = found.receipts.len() == expected.receipts.len();
            has_ended && !found.difference(&expected).is_empty()
        };
        let seed = (0..2_000).find(is_wrong);
        assert!(seed.is_some(), "no world misses {without:?}");
    }
}
