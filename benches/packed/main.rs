//! Write units of packed claims, an experiment: `cargo bench --no-default-features --bench packed`.
//! What came of it is in `docs/packed-claims.md`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may panic, and prints its result"
)]

#[path = "../../tests/support/contract.rs"]
#[expect(
    dead_code,
    clippy::indexing_slicing,
    reason = "no redrive was built, and a contract may panic"
)]
mod contract;
mod stream;
mod table;

use nozzle::dedup::{Claim, ClaimStore, Owner, Terms};
use stream::{Batch, Clock, Lateness, Stream};
use table::{CLAIMS_MAX, Layout, PackedTable};
use tokio::{
    runtime::Builder,
    time::{Duration, Instant},
};

/// In seconds: how much of `created_at` may share an item.
const SLICES: [f64; 3] = [0.1, 0.25, 1.0];
const BUCKETS: [u64; 3] = [1, 3, 12];
const SHARDS: [usize; 4] = [1, 3, 10, 30];
const EVENTS_PER_SECOND: f64 = 278.0;
const NOW_SECONDS: u64 = 1_800_000_000;

fn main() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let packed = PackedTable::new(Layout {
            slice_nanoseconds: 1_000_000_000,
            buckets: 1,
        });
        contract::holds(&packed, "packed").await;
        println!("The contract of a claim store holds.\n");
        shared().await;
        layout_for_all().await;
        hostile().await;
        slip().await;
    });
}

/// The best layout for each stream, as if it were known.
async fn shared() {
    println!(
        "Write units an event at {EVENTS_PER_SECOND} events a second, with the best layout for each:\n"
    );
    println!("| shards | times in | events arrive | slice, s | buckets | units an event | saved |");
    println!("|---:|---|---|---:|---:|---:|---:|");
    for clock in [Clock::Microseconds, Clock::Seconds] {
        for lateness in Lateness::ALL {
            for shards in SHARDS {
                let batches = stream(shards, clock, lateness).batches();
                let mut best = (f64::MAX, 0.0, 0);
                for layout in layouts() {
                    let units = units_an_event(&batches, layout).await;
                    if units < best.0 {
                        best = (units, layout.slice_seconds(), layout.buckets);
                    }
                }
                let (units, slice, buckets) = best;
                println!(
                    "| {shards} | {clock} | {lateness} | {slice} | {buckets} | {units:.3} | {:.1} times |",
                    1.0 / units
                );
            }
        }
    }
}

/// A layout is for life: what one writes the other does not find. So it is one for every hour's load.
async fn layout_for_all() {
    let layout = Layout {
        slice_nanoseconds: 1_000_000_000,
        buckets: 12,
    };
    println!(
        "\nA layout of one second and 12 buckets, as for times in seconds at that load, under other loads:\n"
    );
    println!("| events a second | shards | units an event |");
    println!("|---:|---:|---:|");
    for (events_per_second, shards) in [(2.78, 1), (27.8, 1), (278.0, 1), (2_780.0, 4)] {
        let load = Stream {
            events_per_second,
            ..stream(shards, Clock::Seconds, Lateness::Prompt)
        };
        let units = units_an_event(&load.batches(), layout).await;
        println!("| {events_per_second} | {shards} | {units:.3} |");
    }
}

/// Events of one made-up time, from a sender who wants the owner to pay.
async fn hostile() {
    let layout = Layout {
        slice_nanoseconds: 1_000_000_000,
        buckets: 12,
    };
    println!("\nEvents of one sender, in batches of 10, at that layout:\n");
    println!("| `created_at` | units an event |");
    println!("|---|---:|");
    for (name, clock) in [
        ("one and the same", Clock::Stopped),
        ("any of ten years", Clock::Scattered),
    ] {
        let batches: Vec<_> = stream(1, clock, Lateness::Prompt).batches();
        let cut: Vec<_> = batches.iter().flat_map(|batch| batch.cut(10)).collect();
        println!("| {name} | {:.3} |", units_an_event(&cut, layout).await);
    }
}

/// More events of one moment than an item takes: the last stands alone. When the others have expired and
/// their item is gone, its copy finds room in a new one, though its own claim is alive.
async fn slip() {
    let table = PackedTable::new(Layout {
        slice_nanoseconds: 1_000_000_000,
        buckets: 1,
    });
    let owner = Owner::of("record", Some(0), b"bytes");
    let ids: Vec<_> = (0..=CLAIMS_MAX).map(|id| format!("[\"{id}\"]")).collect();
    let claims = ids.iter().map(|identity| Claim {
        identity,
        led_by: Some(0),
        owner,
    });
    let claims: Vec<_> = claims.collect();
    let (others, alone) = claims.split_at(CLAIMS_MAX);
    table.claim(others, terms(0)).await;
    table.claim(alone, terms(3_600)).await;
    table.delete_expired(NOW_SECONDS + 86_400);
    let copy = table.claim(alone, terms(86_400)).await;
    println!(
        "\nA copy of an event that is claimed alone, when the item it had no room in has expired: {:?}",
        copy.claimed
    );
}

fn terms(since_seconds: u64) -> Terms {
    let now_seconds = NOW_SECONDS + since_seconds;
    Terms {
        now_seconds,
        ttl_seconds: now_seconds + 86_400,
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

fn stream(shards: usize, clock: Clock, lateness: Lateness) -> Stream {
    Stream {
        events_per_second: EVENTS_PER_SECOND,
        shards,
        clock,
        lateness,
    }
}

fn layouts() -> impl Iterator<Item = Layout> {
    SLICES.into_iter().flat_map(|slice| {
        BUCKETS.map(|buckets| Layout {
            slice_nanoseconds: Duration::from_secs_f64(slice)
                .as_nanos()
                .try_into()
                .unwrap(),
            buckets,
        })
    })
}

async fn units_an_event(batches: &[Batch], layout: Layout) -> f64 {
    let table = PackedTable::new(layout);
    let (mut units, mut events) = (0.0, 0.0);
    for batch in batches {
        let claims = batch.claims();
        let answers = table.claim(&claims, terms(0)).await;
        if batch.is_counted {
            units += answers.write_units;
            events += f64::from(u32::try_from(claims.len()).unwrap());
        }
    }
    units / events
}
