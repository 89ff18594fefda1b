//! What holds for any load.

use proptest::prelude::*;
use serde_json::Value;

use super::{
    chain::Chain,
    example::{check_near, load, wishes},
    load::{InflowSource, Load},
    partitions::PartitionGroups,
    prices::Prices,
};

fn plan(load: &Load, scale: f64) -> Chain {
    Chain::of(load, scale, &wishes(), &Prices::read(None).unwrap())
}

fn numbers(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Number(number) => found.extend(number.as_f64()),
        Value::Array(values) => values.iter().for_each(|value| numbers(value, found)),
        Value::Object(values) => values.values().for_each(|value| numbers(value, found)),
        _ => {}
    }
}

/// Infinities and what is no number are null in JSON.
fn nulls(value: &Value) -> usize {
    match value {
        Value::Null => 1,
        Value::Array(values) => values.iter().map(nulls).sum(),
        Value::Object(values) => values.values().map(nulls).sum(),
        _ => 0,
    }
}

#[track_caller]
fn check_sane(load: &Load, scale: f64) {
    let plan = plan(load, scale);
    let json = serde_json::to_value(&plan).unwrap();
    let mut found = Vec::new();
    numbers(&json, &mut found);
    assert!(found.iter().all(|number| *number >= 0.0), "{json}");
    let of_nothing = plan.cost_per_million_events.is_none();
    assert!(!of_nothing || load.events_per_second < 1e-200);
    assert_eq!(nulls(&json), usize::from(of_nothing), "{json}");
}

#[test]
fn absurd_loads_have_plans_of_numbers() {
    for events_per_second in [0.0, 1e-300, 1e-9, 1e12] {
        for (bytes, partitions) in [(64, 1), (1_024_000, 4_000_000_000)] {
            for source in [InflowSource::DirectPut, InflowSource::Kinesis] {
                let load = Load {
                    source,
                    partitions: PartitionGroups::alike(partitions),
                    ..load(events_per_second, bytes)
                };
                for scale in [1e-9, 1.0, 1e9] {
                    check_sane(&load, scale);
                }
            }
        }
    }
}

#[test]
fn nothing_but_what_is_refused_or_copied_has_a_plan_too() {
    for (duplicate_share, refused_share) in [(1.0, 0.0), (0.0, 1.0), (0.3, 0.7)] {
        let load = Load {
            duplicate_share,
            refused_share,
            ..load(1_000.0, 420)
        };
        check_sane(&load, 1.0);
        check_near(plan(&load, 1.0).lake.files_per_hour, 0.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_paid_by_the_event_grows_with_the_events(
        events_per_second in 1e-3..1e6, scale in 1e-3..1e3, bytes in 64_usize..5_000, duplicate_share in 0.0..0.5,
    ) {
        let load = Load { duplicate_share, ..load(events_per_second, bytes) };
        let (given, scaled) = (plan(&load, 1.0), plan(&load, scale));
        for (given, scaled) in [
            (given.cost.firehose_ingest, scaled.cost.firehose_ingest),
            (given.cost.dynamic_partitioning_bytes, scaled.cost.dynamic_partitioning_bytes),
            (given.cost.claims, scaled.cost.claims),
            (given.cost.s3_storage, scaled.cost.s3_storage),
            (given.claims.items, scaled.claims.items),
            (given.claims.peak_write_units_per_second, scaled.claims.peak_write_units_per_second),
        ] {
            check_near(scaled, given * scale);
        }
    }

    #[test]
    fn more_events_never_cost_less_nor_need_less(
        events_per_second in 1e-3..1e6, more in 1.0..1e3, bytes in 64_usize..5_000,
    ) {
        // Buffers are chosen by the load; with others files may be fewer, and so may their cost.
        let wishes = super::options::Wishes {
            buffer_megabytes: Some(64), buffer_seconds: Some(300), memory_megabytes: Some(512), ..wishes()
        };
        let prices = Prices::read(None).unwrap();
        let load = load(events_per_second, bytes);
        let (less, more) = (Chain::of(&load, 1.0, &wishes, &prices), Chain::of(&load, more, &wishes, &prices));
        let no_less = |less: f64, more: f64| more >= less * (1.0 - 1e-9);
        prop_assert!(no_less(less.cost_total, more.cost_total));
        prop_assert!(no_less(less.function.mean.invocations_per_second, more.function.mean.invocations_per_second));
        prop_assert!(no_less(less.function.concurrency, more.function.concurrency));
        prop_assert!(no_less(less.lake.files_per_hour, more.lake.files_per_hour));
        prop_assert!(no_less(less.lake.active_partitions, more.lake.active_partitions));
        prop_assert!(more.lake.active_partitions <= more.lake.partitions * (1.0 + 1e-9));
    }

    #[test]
    fn every_answer_of_a_batch_that_is_advised_fits(bytes in 64_usize..100_000) {
        prop_assert!(plan(&load(1_000.0, bytes), 1.0).function.fits());
    }
}
