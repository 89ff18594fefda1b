//! What every table and every archive does, whichever it is. Each run brings a name of its own.

use std::{collections::BTreeSet, time::Duration};

use nozzle::{
    functions::event_processor::{
        archive::{Head, Object, Objects, Put, PutOn},
        counters::{self, Added, Addition, Run},
        sketch::{Sketch, user_hash},
        table::{Action, Change, Condition, Is, Item, Key, Outcome, Statement, Table, Value},
        users::{self, Kept, Marker, Merged, Remembered, Seen},
    },
    kinesis::Sequence,
};
use tokio::time::Instant;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn key(run: &str, sort: &str) -> Key {
    Key {
        partition: format!("exp_{run}#variant#%23 é#hour#2024-12-19-23"),
        sort: sort.to_owned(),
    }
}

fn item(attributes: &[(&str, Value)]) -> Item {
    let owned = |(name, value): &(&str, Value)| ((*name).to_owned(), value.clone());
    attributes.iter().map(owned).collect()
}

async fn ask<T: Table>(table: &T, key: &Key, action: Action) -> Outcome {
    let statement = Statement {
        key: key.clone(),
        action,
    };
    let mut executed = table.execute(&[statement], PATIENCE).await;
    executed.outcomes.pop().unwrap().unwrap()
}

fn update(attribute: &str, is: Is, changes: &[(&str, Change)]) -> Action {
    let owned = |(name, change): &(&str, Change)| ((*name).to_owned(), change.clone());
    Action::Update {
        changes: changes.iter().map(owned).collect(),
        on: Condition {
            attribute: attribute.to_owned(),
            is,
        },
    }
}

fn bytes(byte: u8) -> Value {
    Value::Bytes(vec![byte; 24])
}

fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn items() -> [Option<Item>; 5] {
    let count = ("event_count", Value::Number(7));
    [
        None,
        Some(item(std::slice::from_ref(&count))),
        Some(item(&[count, ("h2d066", bytes(5))])),
        Some(item(&[
            ("version", Value::Number(3)),
            ("done", bytes(9)),
            ("plan_keys", texts(&["2024-12-19-23#0", "2024-12-19-23#1"])),
        ])),
        Some(item(&[
            ("version", Value::Number(4)),
            ("sketch", Value::Bytes(vec![1; 1400])),
        ])),
    ]
}

fn actions() -> [Action; 7] {
    let count = [
        ("event_count", Change::Add(5)),
        ("h2d066", Change::Set(bytes(6))),
    ];
    let version = [
        ("version", Change::Set(Value::Number(4))),
        ("plan_keys", Change::Set(texts(&["x"]))),
        ("done", Change::Remove),
        ("plan_first", Change::Remove),
    ];
    let users = [("ttl", Value::Number(1)), ("users", Value::Number(0))];
    [
        Action::Read,
        Action::Insert(item(&users)),
        Action::Insert(Item::new()),
        update("h2d066", Is::Less(bytes(6)), &count),
        update("h2d066", Is::Less(bytes(5)), &count),
        update("h2d066", Is::Missing, &count[1..]),
        update("version", Is::Equal(Value::Number(3)), &version),
    ]
}

/// Each statement over each item that it may meet comes to what the pure rule says.
pub(crate) async fn table_holds<T: Table + Sync>(table: &T, run: &str) {
    for (row, before) in items().into_iter().enumerate() {
        for (column, action) in actions().into_iter().enumerate() {
            let key = key(run, &format!("event_type#{row}#{column}"));
            if let Some(before) = &before {
                let inserted = ask(table, &key, Action::Insert(before.clone())).await;
                assert_eq!(inserted, Outcome::Done);
            }
            let (outcome, after) = action.apply(before.clone());
            let asked = ask(table, &key, action.clone()).await;
            assert_eq!(asked, outcome, "{before:?} {action:?}");
            let found = ask(table, &key, Action::Read).await;
            let after = after.or_else(|| before.clone());
            assert_eq!(found, Outcome::Found(after), "{before:?} {action:?}");
        }
    }
    answers_stand_in_order(table, run).await;
    counters_count_once(table, run).await;
    users_are_united(table, run).await;
    markers_are_there_once(table, run).await;
}

async fn answers_stand_in_order<T: Table + Sync>(table: &T, run: &str) {
    let insert = |number: u64| Action::Insert(item(&[("version", Value::Number(number))]));
    let statement = |number: u64, action| Statement {
        key: key(run, &format!("order#{number}")),
        action,
    };
    let writes = (0..10).map(|number| statement(number, insert(number)));
    table.execute(&writes.collect::<Vec<_>>(), PATIENCE).await;
    let mixed = (0..20).map(|number| match number % 2 {
        0 => statement(number, Action::Read),
        _ => statement(number, insert(number)),
    });
    let executed = table.execute(&mixed.collect::<Vec<_>>(), PATIENCE).await;
    for (number, outcome) in (0..).zip(executed.outcomes) {
        let there = item(&[("version", Value::Number(number))]);
        let expected = match (number % 2, number < 10) {
            (0, true) => Outcome::Found(Some(there)),
            (0, false) => Outcome::Found(None),
            (_, true) => Outcome::Exists,
            (_, false) => Outcome::Done,
        };
        assert_eq!(outcome.unwrap(), expected, "{number}");
    }
}

fn addition(run: &str, number: usize, sequences: &[u32]) -> Addition {
    let runs = sequences.iter().map(|sequence| Run {
        sequence: Sequence::parse(&sequence.to_string()).unwrap(),
        events: 2,
    });
    Addition {
        key: key(run, &format!("event_type#counted {number}")),
        runs: runs.collect(),
        ttl_seconds: Some(4_000_000_000),
    }
}

/// Over two shards at once, and again, cut anew.
async fn counters_count_once<T: Table + Sync>(table: &T, run: &str) {
    let add = async |mark: &str, sequences: &[u32]| {
        let additions: Vec<_> = (0..60)
            .map(|number| addition(run, number, sequences))
            .collect();
        let asked = counters::add(table, mark, &additions, soon()).await.asked;
        assert!(asked.failure.is_none(), "{:?}", asked.failure);
        let added = asked.answers.into_iter().flatten();
        added
            .map(|added: Added| (added.counted, added.already_counted))
            .collect::<BTreeSet<_>>()
    };
    let both = tokio::join!(add("h00011", &[1, 2, 3]), add("h00012", &[2, 3]));
    assert_eq!(both, ([(6, 0)].into(), [(4, 0)].into()));
    let again = tokio::join!(add("h00011", &[2, 3]), add("h00012", &[3, 4, 5]));
    assert_eq!(again, ([(0, 4)].into(), [(4, 2)].into()));
    let key = addition(run, 59, &[]).key;
    let Outcome::Found(Some(item)) = ask(table, &key, Action::Read).await else {
        panic!("a counter is there");
    };
    assert_eq!(item["event_count"], Value::Number(14));
    assert_eq!(item["ttl"], Value::Number(4_000_000_000));
}

fn seen(run: &str, range: std::ops::Range<u64>) -> Seen {
    let users = range.map(|user| user_hash(&user.to_string()));
    Seen {
        key: key(run, "users#view"),
        users: users.collect::<Sketch>(),
        ttl_seconds: None,
    }
}

async fn users_are_united<T: Table + Sync>(table: &T, run: &str) {
    let merge = async |remembered: &Remembered, range| {
        let seen = [seen(run, range)];
        let asked = users::merge(table, remembered, &seen, soon()).await.asked;
        assert!(asked.failure.is_none(), "{:?}", asked.failure);
        let written = |merged| matches!(merged, Some(Merged::Written(_)));
        asked.answers.into_iter().map(written).collect::<Vec<_>>()
    };
    let [one, other] = [Remembered::default(), Remembered::default()];
    let both = tokio::join!(merge(&one, 0..60), merge(&other, 40..90));
    assert_eq!(both, (vec![true], vec![true]));
    assert_eq!(merge(&one, 0..90).await.len(), 1);
    // What is remembered has them all: nothing is asked.
    assert_eq!(merge(&one, 10..80).await, [false; 0]);
    assert_eq!(merge(&Remembered::default(), 10..80).await, [false]);
    assert_eq!(merge(&other, 90..97).await, [true]);
    let all = seen(run, 0..97);
    let Outcome::Found(Some(item)) = ask(table, &all.key, Action::Read).await else {
        panic!("a sketch is there");
    };
    let kept = Kept::read(&item).unwrap();
    assert_eq!(kept.users.to_bytes(), all.users.to_bytes());
}

async fn markers_are_there_once<T: Table + Sync>(table: &T, run: &str) {
    let marker = |user| Marker {
        key: key(run, &format!("user#view#{user:016x}")),
        ttl_seconds: None,
    };
    let mark = async |users: std::ops::Range<u32>| {
        let markers: Vec<_> = users.map(marker).collect();
        let answers = users::mark(table, &markers, soon()).await.asked.answers;
        let new = answers.into_iter().flatten().filter(|is_new| *is_new);
        new.count()
    };
    assert_eq!((mark(0..30).await, mark(20..40).await), (30, 10));
}

pub(crate) fn object(plan: u64) -> Object {
    let header = flate2::GzBuilder::new().mtime(u32::try_from(plan).unwrap());
    let gzip = header.write(Vec::new(), flate2::Compression::default());
    Object {
        gzip: gzip.finish().unwrap(),
        events: 0,
        first: "1".to_owned(),
        last: "2".to_owned(),
        plan,
    }
}

pub(crate) async fn archive_holds<O: Objects>(archive: &O, run: &str) {
    let key = format!("{run}/year=2024/month=12/day=19/hour=23/2d06-0-1-0.jsonl.gz");
    let put = async |plan, on| {
        let put = archive.put(&key, &object(plan), &on, PATIENCE).await;
        put.unwrap()
    };
    let head = async || archive.head(&key, PATIENCE).await.unwrap();
    assert_eq!(head().await, None);
    let nothing = PutOn::Match("\"none\"".to_owned());
    assert_eq!(put(1, nothing).await, Put::Refused);
    assert_eq!(head().await, None);
    assert_eq!(put(1, PutOn::Absent).await, Put::Written);
    assert_eq!(put(2, PutOn::Absent).await, Put::Refused);
    let Head { etag, plan } = head().await.unwrap();
    assert_eq!(plan, 1);
    assert_eq!(put(3, PutOn::Match(etag.clone())).await, Put::Written);
    assert_eq!(put(4, PutOn::Match(etag)).await, Put::Refused);
    assert_eq!(head().await.unwrap().plan, 3);
}
