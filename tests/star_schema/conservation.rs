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
            if let Some(receipt) = &mut receipt {
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
    let mut known = world.objects();
    let mut changed = Vec::new();
    while !names.is_empty() {
        let calls = names.split_off(names.len().saturating_sub(random.usize(1..6)));
        let until_death = random.bool().then(|| random.u32(..120));
        // Whoever has called does so again, or a sweep does.
        drop(world.call(&calls, until_death).await);
        note_changes(&world, &mut known, &mut changed);
        lose_a_checkpoint(&world, &mut known, &mut random);
    }
    if let Some(key) = &foreign {
        world.remove(key);
        known.remove(key);
    }
    for until_death in [Some(random.u32(..200)), None, None] {
        drop(world.call(&[], until_death).await);
        note_changes(&world, &mut known, &mut changed);
    }
    world.mend();
    for _ in 0..2 {
        drop(world.call(&[], None).await);
        note_changes(&world, &mut known, &mut changed);
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
    ] {
        let is_wrong = |seed: &u64| {
            let expected = live(calm(*seed));
            let found = live(struck(*seed, &expected, Some(without)));
            // That it comes to an end at all does not rest on it.
            let has_ended = found.receipts.len() == expected.receipts.len();
            has_ended && !found.difference(&expected).is_empty()
        };
        let seed = (0..200).find(is_wrong);
        assert!(seed.is_some(), "no world misses {without:?}");
    }
}

/// Two packets that each leave a dimension's file behind and no receipt, then both again: the first
/// has moved a member of staff, whom the second's file shows where it was. What the star says of it.
async fn two_leftovers(deaths: [u32; 2], without: Option<Safeguard>) -> Vec<String> {
    let mut world = World::new(0);
    world.without = without;
    let department = |id: u64, name: &str| {
        format!(
            r#"{{"department_id":{id},"department_name":"{name}","location":"L","last_updated":"2024-11-0{id} 00:00:00"}}"#
        )
    };
    let staff = |department: u64| {
        format!(
            r#"{{"staff_id":1,"first_name":"A","last_name":"B","department_id":{department},"email_address":"e","last_updated":"2024-11-0{department} 00:00:00"}}"#
        )
    };
    let departments = [department(1, "one"), department(2, "two")].join("\n");
    world.put_packet("department_1_x.jsonl", departments);
    world.put_packet("staff_1_x.jsonl", staff(1));
    world.call(&[], None).await.unwrap().unwrap();
    world.put_packet("staff_2_x.jsonl", staff(2));
    let renamed = department(1, "uno").replace("11-01", "11-03");
    world.put_packet("department_2_x.jsonl", renamed);
    let packets = [("staff", 2), ("department", 2)];
    for (packet, death) in packets.iter().zip(deaths) {
        drop(world.call(&[*packet], Some(death)).await);
    }
    for packet in packets {
        world.call(&[packet], None).await.unwrap().unwrap();
    }
    star(&world.objects()).remove("dim_staff").unwrap()
}

#[test]
fn what_crashes_leave_of_a_joined_dimension_hides_nothing() {
    // Before and behind each request about the one that puts the file.
    let deaths = || (26..44).flat_map(|one| (26..44).map(move |other| [one, other]));
    let is_right = |deaths, without| {
        let staff = live(two_leftovers(deaths, without));
        staff.len() == 1 && staff[0].contains("\"two\"")
    };
    let wrong = deaths().find(|deaths| !is_right(*deaths, None));
    assert_eq!(wrong, None);
    let without = Some(Safeguard::LastNumber);
    assert!(deaths().any(|deaths| !is_right(deaths, without)));
}
