//! What a batch allocates and how long it takes: in proportion to its size, whatever it holds.

use std::{fmt::Write, hint::black_box, sync::LazyLock, time::Duration};

use allocation_counter::{AllocationInfo, measure};
use nozzle::{
    aws::Asked,
    functions::{
        Function, Moment,
        event_log::{
            EventLog,
            item::Item,
            table::{Fate, LogTable, Placing, Spent, Written},
        },
    },
};
use tokio::{runtime::Runtime, time::Instant};

use crate::{
    support::effort::{BYTES, Effort, least_seconds, many, numbered, size},
    world::{MemoryDepot, request, settings},
};

/// Times what a byte of ordinary events takes.
const COST_MAX: f64 = 25.0;
const ROUNDS: usize = 3;

/// Takes every item, and costs nothing.
struct TakesAllItems;

impl LogTable for TakesAllItems {
    async fn write(&self, items: &[Item], _: Placing, _: Instant) -> Written {
        Written {
            asked: Asked {
                answers: vec![Some(Fate::Stored); items.len()],
                failure: None,
            },
            spent: Spent::default(),
        }
    }
}

type Log = EventLog<TakesAllItems, MemoryDepot>;

fn log() -> Log {
    let by_id = [
        ("EVENT_ID", "/id"),
        ("SEARCH_KEY", "/s"),
        ("ON_CONFLICT", "keep-both"),
    ];
    EventLog::new(settings(&by_id), TakesAllItems, MemoryDepot::default())
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().unwrap()
}

fn answer(runtime: &Runtime, function: &Log, body: &[u8]) {
    let answer = runtime.block_on(async {
        let moment = Moment {
            now: std::time::UNIX_EPOCH + Duration::from_secs(1_789_014_301),
            deadline: Instant::now() + Duration::from_mins(5),
        };
        function.answer(body, moment).await
    });
    let _ = black_box(answer);
}

fn allocated(body: &[u8]) -> AllocationInfo {
    let (runtime, function) = (runtime(), log());
    answer(&runtime, &function, body);
    measure(|| answer(&runtime, &function, body))
}

fn event(number: usize, bytes: usize) -> String {
    format!(
        r#"{{"id":"{number:036}","s":"a","page":"{}"}}"#,
        "x".repeat(bytes - 70)
    )
}

#[test]
fn an_event_allocates_a_few_times_whatever_the_batchs_length() {
    let count = |records: usize| {
        let events: Vec<_> = (0..records).map(|number| event(number, 420)).collect();
        allocated(&request(&events)).count_total
    };
    let (short, long) = (count(500), count(1_000));
    let of_event = (long - short) / 500;
    assert!(of_event <= 16, "{of_event} allocations an event");
    assert!(short < 500 * (of_event + 1), "{short} allocations");
}

#[test]
fn a_request_takes_at_most_six_times_its_size() {
    for bytes in [100, 420, 2_000, 300_000] {
        let records = 4 * 1024 * 1024 / (bytes / 3 * 4 + 300);
        let events: Vec<_> = (0..records).map(|number| event(number, bytes)).collect();
        let body = request(&events);
        let peak = allocated(&body).bytes_max;
        let most = 6 * body.len() as u64;
        assert!(
            peak <= most,
            "{peak} bytes at the peak for {} of {bytes}",
            body.len()
        );
    }
}

/// The least processor time that a request takes.
fn seconds(body: &[u8]) -> f64 {
    let (runtime, function) = (runtime(), log());
    least_seconds(ROUNDS, || answer(&runtime, &function, body))
}

static EFFORT: LazyLock<Effort> = LazyLock::new(|| {
    let events: Vec<_> = (0..8 * BYTES / 500)
        .map(|number| event(number, 420))
        .collect();
    let body = request(&events);
    Effort {
        seconds,
        ordinary: seconds(&body) / size(&body),
        cost_max: COST_MAX,
    }
});

/// `make` gives the records' data, of about so many bytes together.
#[track_caller]
fn check(name: &str, make: fn(usize) -> Vec<String>) {
    EFFORT.check(name, |bytes| request(&make(bytes)));
}

#[test]
fn no_event_takes_longer_than_its_size_explains() {
    check("members", |bytes| {
        let members = numbered(bytes, |text, number| {
            write!(text, r#""k{number}":1,"#).unwrap();
        });
        vec![format!("{{{members}\"id\":1}}")]
    });
    check("escaped members", |bytes| {
        let members = numbered(bytes, |text, number| {
            write!(text, r#""\u0061{number}":1,"#).unwrap();
        });
        vec![format!("{{{members}\"id\":1}}")]
    });
    check("doubled keys", |bytes| {
        vec![format!("{{{}\"id\":1}}", many(bytes, r#""k":1,"#))]
    });
    check("numbers", |bytes| vec![format!("[{}1]", many(bytes, "1,"))]);
    check("text numbers", |bytes| {
        vec![format!("[{}1]", many(bytes, "1e999,"))]
    });
    check("text numbers behind a long key", |bytes| {
        let key = many(bytes / 2, "k");
        vec![format!(r#"{{"{key}":[{}1]}}"#, many(bytes / 2, "1e999,"))]
    });
    check("digits", |bytes| vec![many(bytes, "9")]);
    check("depth again and again", |bytes| {
        let deep = format!("{}{},", "[".repeat(30), "]".repeat(30));
        vec![format!("[{}0]", many(bytes, &deep))]
    });
    check("too deep for a map", |bytes| {
        let deep = format!("{}{},", "[".repeat(60), "]".repeat(60));
        vec![format!("[{}0]", many(bytes, &deep))]
    });
    check("escapes", |bytes| {
        vec![format!("\"{}\"", many(bytes, r"\n"))]
    });
    check("a long id", |bytes| {
        vec![format!(r#"{{"id":"{}"}}"#, many(bytes, r"\u0041"))]
    });
    check("a long search key", |bytes| {
        vec![format!(r#"{{"s":"{}"}}"#, many(bytes, "s"))]
    });
    check("no JSON at its end", |bytes| {
        vec![format!("[{}", many(bytes, "1,"))]
    });
}

#[test]
fn no_batch_takes_longer_than_its_size_explains() {
    check("one event again and again", |bytes| {
        vec![event(1, 100); bytes / 100]
    });
    check("one id with other data", |bytes| {
        (0..bytes / 30)
            .map(|number| format!(r#"{{"id":1,"n":{number}}}"#))
            .collect()
    });
    check("a long event and its short copies", |bytes| {
        let mut events = vec![event(1, bytes / 2)];
        events.resize(bytes / 80, event(1, 71));
        events
    });
    check("empty events", |bytes| vec![String::new(); bytes / 30]);
    check("no JSON", |bytes| vec!["no json".to_owned(); bytes / 30]);
}
