//! What a batch allocates: a fixed number of times, whatever its length, and never many times its
//! size. Counted, so that it is the same on every machine.
#![expect(clippy::expect_used, reason = "a test may panic")]

mod support;

use std::time::{Duration, UNIX_EPOCH};

use allocation_counter::{AllocationInfo, measure};
use nozzle::functions::{
    Function, Moment,
    firehose_transform::{FirehoseTransform, Settings},
};
use support::{
    requests::{Sent, event, request},
    takes_all::TakesAll,
};
use tokio::time::Instant;

/// The most that Lambda hands over.
const REQUEST_BYTES_MAX: usize = 6 * 1024 * 1024;

fn body(events: impl Iterator<Item = String>) -> Vec<u8> {
    let records: Vec<_> = events
        .enumerate()
        .map(|(index, event)| Sent::new(&format!("{index:056}"), 1_495_072_949_453, &event))
        .collect();
    request(&records)
}

/// An event as long as this, none like another.
fn sized(number: usize, bytes: usize) -> String {
    let event = event(&format!("{number:036}"));
    let padding = bytes.saturating_sub(event.len() + r#","page":"""#.len());
    event.replace('}', &format!(r#","page":"{}"}}"#, "x".repeat(padding)))
}

/// What answering this body allocates, its runtime and the body itself left out.
fn allocated(body: &[u8], records: usize) -> AllocationInfo {
    let settings = Settings::read(|_| None).expect("the settings are allowed");
    let function = FirehoseTransform::new(settings, TakesAll);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let answer = || {
        let moment = Moment {
            now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
            deadline: Instant::now() + Duration::from_mins(1),
        };
        let answer = runtime.block_on(function.answer(body, moment));
        assert_eq!(answer.expect("it is answered").counts.records, records);
    };
    answer();
    measure(answer)
}

#[test]
fn an_event_allocates_nothing_of_its_own() {
    let count = |records: usize| {
        let body = body((0..records).map(|number| sized(number, 420)));
        allocated(&body, records).count_total
    };
    let (short, long) = (count(1_000), count(6_000));
    assert_eq!(short, long);
    assert!(short <= 14, "{short} allocations");
}

#[test]
fn a_request_takes_at_most_four_times_its_size() {
    for (event_bytes, request_bytes) in [
        (100, REQUEST_BYTES_MAX),
        (420, REQUEST_BYTES_MAX),
        (420, REQUEST_BYTES_MAX / 10),
        (2_000, REQUEST_BYTES_MAX),
        (1_000_000, REQUEST_BYTES_MAX),
    ] {
        let records = request_bytes / (event_bytes / 3 * 4 + 150);
        let body = body((0..records).map(|number| sized(number, event_bytes)));
        let peak = allocated(&body, records).bytes_max;
        assert!(
            peak <= 4 * body.len() as u64,
            "{peak} bytes at the peak for {} in events of {event_bytes}",
            body.len()
        );
    }
}
