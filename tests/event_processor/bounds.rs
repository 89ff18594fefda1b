//! What a batch allocates and how long it takes: in proportion to its size, whatever it holds.

use std::{fmt::Write, hint::black_box, sync::LazyLock, time::Duration};

use allocation_counter::{AllocationInfo, measure};
use nozzle::functions::event_processor::EventProcessor;
use tokio::runtime::Runtime;

use super::{
    request::{ask_within, request_from, settings},
    support::effort::{BYTES, Effort, least_seconds, many, numbered, size},
    world::World,
};

/// Times what a byte of ordinary events takes.
const COST_MAX: f64 = 25.0;
const ROUNDS: usize = 3;

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().unwrap()
}

/// By a function that is new, in a world that is.
fn answer(runtime: &Runtime, world: &World, body: &[u8]) {
    let function = EventProcessor::new(settings(&[]), world);
    let answer = runtime.block_on(ask_within(&function, body, Duration::from_mins(5)));
    let _ = black_box(answer);
}

fn event(number: usize, bytes: usize) -> String {
    format!(
        r#"{{"event_id":"{number:036}","event_type":"t{}","user_id":"u{}","experiment_id":"x","metadata":{{"variant":"A"}},"page":"{}"}}"#,
        number % 10,
        number % 100,
        "x".repeat(bytes - 150)
    )
}

fn body(events: impl IntoIterator<Item = String>) -> Vec<u8> {
    let data: Vec<_> = events.into_iter().map(String::into_bytes).collect();
    request_from(0, &data)
}

fn allocated(body: &[u8]) -> AllocationInfo {
    let (runtime, world) = (runtime(), World::new(0));
    measure(|| answer(&runtime, &world, body))
}

#[test]
fn an_event_allocates_a_few_times_whatever_the_batchs_length() {
    let count = |records: usize| {
        let body = body((0..records).map(|number| event(number, 420)));
        allocated(&body).count_total
    };
    let (short, long) = (count(1_000), count(2_000));
    let of_event = (long - short).div_ceil(1_000);
    assert!(of_event <= 26, "{of_event} allocations an event");
    assert!(short < 1_000 * (of_event + 4), "{short} allocations");
}

#[test]
fn a_request_takes_at_most_six_times_its_size() {
    for bytes in [200, 420, 2_000, 300_000] {
        let records = 4 * 1024 * 1024 / (bytes / 3 * 4 + 300);
        let body = body((0..records).map(|number| event(number, bytes)));
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
    let runtime = runtime();
    least_seconds(ROUNDS, || answer(&runtime, &World::new(0), body))
}

static EFFORT: LazyLock<Effort> = LazyLock::new(|| {
    let body = body((0..8 * BYTES / 500).map(|number| event(number, 420)));
    Effort {
        seconds,
        ordinary: seconds(&body) / size(&body),
        cost_max: COST_MAX,
    }
});

/// `make` gives the records' data, of about so many bytes together.
#[track_caller]
fn check(name: &str, make: fn(usize) -> Vec<String>) {
    EFFORT.check(name, |bytes| body(make(bytes)));
}

/// One event, with this inside.
fn with(inside: &str) -> Vec<String> {
    vec![event(1, 200).replacen('{', &format!("{{{inside}"), 1)]
}

#[test]
fn no_event_takes_longer_than_its_size_explains() {
    check("members", |bytes| {
        with(&numbered(bytes, |text, number| {
            write!(text, r#""k{number}":1,"#).unwrap();
        }))
    });
    check("doubled own keys", |bytes| {
        with(&many(bytes, r#""user_id":1,"#))
    });
    check("replaced keys", |bytes| {
        with(&many(bytes, r#""record_id":1,"#))
    });
    check("escaped keys", |bytes| {
        with(&many(bytes, r#""record\u005fid":1,"#))
    });
    check("members of metadata", |bytes| {
        let members = many(bytes, r#""variant":"A","#);
        vec![event(1, 200).replace(r#"{"variant"#, &format!(r#"{{{members}"variant"#))]
    });
    check("deep again and again", |bytes| {
        let deep = format!("{}{},", "[".repeat(60), "]".repeat(60));
        with(&format!(r#""a":[{}0],"#, many(bytes, &deep)))
    });
    check("escapes", |bytes| {
        with(&format!(r#""a":"{}","#, many(bytes, r"\n")))
    });
    check("a long type", |bytes| {
        vec![event(1, 200).replace("t1", &many(bytes, r"\u0041"))]
    });
    check("digits of time", |bytes| {
        with(&format!(r#""timestamp":0.{},"#, many(bytes, "0")))
    });
    check("no JSON at its end", |bytes| {
        vec![format!("[{}", many(bytes, "1,"))]
    });
}

#[test]
fn no_batch_takes_longer_than_its_size_explains() {
    check("one event again and again", |bytes| {
        vec![event(1, 200); bytes / 200]
    });
    check("a counter for each event", |bytes| {
        let events = (0..bytes / 200).map(|number| event(number, 200));
        let typed = events.enumerate();
        let typed = typed.map(|(number, event)| {
            event.replace(
                r#""experiment_id":"x"#,
                &format!(r#""experiment_id":"x{number}"#),
            )
        });
        typed.collect()
    });
    check("an hour for each event", |bytes| {
        let hours = (0..bytes / 250).map(|number| {
            let seconds = 1_700_000_000 + number * 3_600;
            let with_time = format!(r#"{{"timestamp":{seconds},"#);
            event(number, 200).replacen('{', &with_time, 1)
        });
        hours.collect()
    });
    check("empty events", |bytes| vec![String::new(); bytes / 30]);
    check("no JSON", |bytes| vec!["no json".to_owned(); bytes / 30]);
}
