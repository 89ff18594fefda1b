//! What each part of answering a batch takes, a thousand events at a time: where a regression sits.
//! `cargo bench --bench parts`; whole functions are compared elsewhere.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "../tests/support/takes_all.rs"]
mod takes_all;

use std::{
    iter,
    time::{Duration, SystemTime},
};

use base64_simd::STANDARD;
use divan::{Bencher, black_box, counter::ItemsCount};
use nozzle::{
    dedup::Owner,
    functions::{
        Function, Moment,
        firehose_transform::{
            FirehoseTransform, Settings,
            draft::Draft,
            transform::{Identity, Rules, transform, write_delivered, write_identity},
            wire::{Answer, read_request},
        },
    },
    json::Cursor,
};
use takes_all::TakesAll;
use tokio::{runtime::Runtime, time::Instant};

const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

fn events(count: usize) -> Vec<String> {
    let event = |number| {
        format!(
            r#"{{"event_uuid":"{number:08x}-5717-4562-b3fc-2c963f66afa6","event_name":"payment:order:completed","created_at":17125{number:05}.022075,"user":{{"id":{number},"email":"user{number}@example.com","country":"DE","tags":["a","b"]}},"amount":1234.50,"currency":"EUR","items":[{{"sku":"ABC-123","quantity":2,"price":17.25}}],"user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","page":"https://shop.example.com/checkout/done?x=1"}}"#
        )
    };
    (0..count).map(event).collect()
}

fn body(count: usize) -> Vec<u8> {
    let record = |(number, event): (usize, &String)| {
        let data = STANDARD.encode_to_string(event);
        format!(
            r#"{{"recordId":"{number:056}","approximateArrivalTimestamp":1495072949453,"data":"{data}"}}"#
        )
    };
    let records: Vec<_> = events(count).iter().enumerate().map(record).collect();
    format!(
        r#"{{"invocationId":"i","deliveryStreamArn":"a","region":"r","records":[{}]}}"#,
        records.join(",")
    )
    .into_bytes()
}

/// Measures doing this once for each of a thousand.
fn bench_each<T: Sync, R>(bencher: Bencher<'_, '_>, things: &[T], each: impl Fn(&T) -> R + Sync) {
    bencher.counter(ItemsCount::new(things.len())).bench(|| {
        for thing in things {
            black_box(each(black_box(thing)));
        }
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// An event's share of a batch is to be the same at any length.
#[divan::bench(args = [100, 1_000, 6_000])]
fn batch(bencher: Bencher<'_, '_>, count: usize) {
    let runtime = runtime();
    let function = FirehoseTransform::new(Settings::read(|_| None).unwrap(), TakesAll);
    let body = body(count);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let moment = Moment {
            now: SystemTime::now(),
            deadline: in_a_minute(),
        };
        runtime.block_on(function.answer(&body, moment)).unwrap()
    });
}

#[divan::bench]
fn envelope(bencher: Bencher<'_, '_>) {
    let body = body(EVENTS);
    bencher
        .counter(ItemsCount::new(EVENTS))
        .bench(|| black_box(read_request(&body).unwrap().len()));
}

/// Reading alone, of texts that differ in what makes it slow.
#[divan::bench(args = ["usual", "short", "indented", "long", "escapes"])]
fn json(bencher: Bencher<'_, '_>, kind: &str) {
    let texts: Vec<_> = events(EVENTS)
        .iter()
        .map(|event| text(kind, event))
        .collect();
    bench_each(bencher, &texts, |text| Cursor::new(text).value().is_ok());
}

fn text(kind: &str, event: &str) -> String {
    match kind {
        "short" => r#"{"event_uuid":"000","event_name":"a:b","created_at":1712511721}"#.to_owned(),
        "indented" => {
            let value: serde_json::Value = serde_json::from_str(event).unwrap();
            serde_json::to_string_pretty(&value).unwrap()
        }
        "long" => format!(r#"{{"text":"{}"}}"#, "a long text, and é ".repeat(50)),
        "escapes" => format!(r#"{{"text":"{}"}}"#, r#"a \"line\"\n"#.repeat(20)),
        _ => event.to_owned(),
    }
}

#[divan::bench]
fn base64_decode(bencher: Bencher<'_, '_>) {
    let encoded: Vec<_> = events(EVENTS)
        .iter()
        .map(|event| STANDARD.encode_to_string(event))
        .collect();
    bench_each(bencher, &encoded, |data| STANDARD.decode_to_vec(data));
}

#[divan::bench]
fn base64_encode(bencher: Bencher<'_, '_>) {
    bench_each(bencher, &events(EVENTS), |event| {
        STANDARD.encode_to_string(event)
    });
}

#[divan::bench]
fn transform_event(bencher: Bencher<'_, '_>) {
    let rules = Rules::default();
    bench_each(bencher, &events(EVENTS), |event| {
        transform(event.as_bytes(), &rules).unwrap().calendar
    });
}

#[divan::bench]
fn delivered_line(bencher: Bencher<'_, '_>) {
    let texts = events(EVENTS);
    let rules = Rules::default();
    let events: Vec<_> = texts
        .iter()
        .map(|text| transform(text.as_bytes(), &rules).unwrap())
        .collect();
    bench_each(bencher, &events, |event| {
        let mut line = Vec::with_capacity(1_000);
        rules.partition_keys.write_json(event, &mut line);
        write_delivered(event, &mut line);
        line
    });
}

#[divan::bench]
fn identity(bencher: Bencher<'_, '_>) {
    let texts = events(EVENTS);
    let events: Vec<_> = texts
        .iter()
        .map(|text| transform(text.as_bytes(), &Rules::default()).unwrap())
        .collect();
    bench_each(bencher, &events, |event| {
        let mut identity = String::with_capacity(200);
        write_identity(event, Identity::Event, &mut identity);
        identity
    });
}

#[divan::bench]
fn owner(bencher: Bencher<'_, '_>) {
    let id = "49546986683135544286507457936321625675700192471156785154";
    bench_each(bencher, &events(EVENTS), |event| {
        Owner::of(id, Some(1_495_072_949_453), event.as_bytes())
    });
}

#[divan::bench]
fn response(bencher: Bencher<'_, '_>) {
    let (body, lines) = (body(EVENTS), events(EVENTS));
    let records = read_request(&body).unwrap();
    bencher.counter(ItemsCount::new(EVENTS)).bench(|| {
        let mut draft = Draft::with_capacity(body.len() * 2, EVENTS);
        for (record, line) in records.iter().zip(&lines) {
            let answer = Answer::Ok {
                line: line.as_bytes(),
                partition_keys: br#"{"event_type":"payment","year":"2024"}"#,
            };
            draft.push(record.slot, &answer);
        }
        draft.settle(iter::empty())
    });
}

#[cfg(feature = "tool")]
mod claims_embedded {
    use std::cell::Cell;

    use nozzle::dedup::{Answers, Claim, ClaimStore, Terms, embedded::EmbeddedStore};
    use tempfile::TempDir;

    use super::{Bencher, EVENTS, ItemsCount, Owner, Runtime, in_a_minute, runtime};

    /// Each round claims identities of its own.
    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn new(bencher: Bencher<'_, '_>) {
        let (claims, round) = (Claims::open(), Cell::new(0));
        let next = || {
            round.set(round.get() + 1);
            identities(round.get())
        };
        bencher
            .counter(ItemsCount::new(EVENTS))
            .with_inputs(next)
            .bench_local_values(|identities| claims.claim(&identities));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn known(bencher: Bencher<'_, '_>) {
        let (claims, identities) = (Claims::open(), identities(0));
        claims.claim(&identities);
        bencher
            .counter(ItemsCount::new(EVENTS))
            .bench_local(|| claims.claim(&identities));
    }

    fn identities(round: u32) -> Vec<String> {
        let identity = |number| format!(r#"["{round}-{number}","a:b",1]"#);
        (0..EVENTS).map(identity).collect()
    }

    struct Claims {
        store: EmbeddedStore,
        runtime: Runtime,
        _folder: TempDir,
    }

    impl Claims {
        fn open() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self {
                store: EmbeddedStore::open(folder.path()).unwrap(),
                runtime: runtime(),
                _folder: folder,
            }
        }

        fn claim(&self, identities: &[String]) -> Answers {
            let claims: Vec<_> = identities.iter().map(claim).collect();
            let terms = Terms {
                now_seconds: 1_789_014_301,
                ttl_seconds: 1_789_100_701,
                deadline: in_a_minute(),
            };
            let answers = self.runtime.block_on(self.store.claim(&claims, terms));
            self.store.commit(b"").unwrap();
            answers
        }
    }

    fn claim(identity: &String) -> Claim<'_> {
        Claim {
            identity,
            led_by: Some(1),
            owner: Owner::of(identity, Some(1), identity.as_bytes()),
        }
    }
}
