//! What has to change, or had better, before a load comes.

use serde::Serialize;

use super::{
    billing::{CheaperWay, ClaimBilling, ClaimCapacity},
    cost::{Cost, Planned},
    intake::{Inflow, KinesisCapacity},
    lake::{BUFFER_SECONDS_MAX, FILE_BYTES_SMALL},
    limits::{
        ACTIVE_PARTITIONS_ALARM, ACTIVE_PARTITIONS_QUOTA, CONCURRENCY_QUOTA, FUNCTION_SECONDS_MAX,
        NEW_STREAM_SHARDS, NEW_TABLE_WRITES_PER_SECOND, PARTITION_BYTES_PER_SECOND_MAX,
        SHARD_INVOCATIONS_MAX, TABLE_WRITES_QUOTA,
    },
    variables::{quota_to_ask_for, write_units},
    words::{bytes, dollars, number, percent},
};
use crate::functions::firehose_transform::partition::Key;

const SHARDS_MANY: f64 = 500.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Advice {
    pub(super) weight: Weight,
    pub(super) sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Weight {
    /// Without it events are late, or end up under the error prefix.
    Must,
    /// It would cost less, or be read faster.
    Better,
}

pub(super) fn advise(
    planned: &Planned<'_>,
    cost: &Cost,
    billing: &ClaimBilling,
    region: &str,
) -> Vec<Advice> {
    [
        intake(planned, region),
        new_stream(planned),
        idle_shards(planned, cost),
        response(planned),
        running(planned),
        at_once(planned),
        warm_up(planned),
        write_quota(planned),
        write_billing(planned, billing),
        partitions(planned),
        busiest_partition(planned),
        small_files(planned),
        rounding(planned),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn must(sentence: String) -> Advice {
    let weight = Weight::Must;
    Advice { weight, sentence }
}

fn better(sentence: String) -> Advice {
    let weight = Weight::Better;
    Advice { weight, sentence }
}

fn intake(planned: &Planned<'_>, region: &str) -> Option<Advice> {
    match *planned.intake {
        Inflow::DirectPut {
            quota_share, quota, ..
        } if quota_share > 1.0 => Some(must(format!(
            "ask AWS for {} times direct put's quota in {region} ({} records, {} requests, {} a \
             second), or read from Kinesis (--source kinesis)",
            number(quota_share.ceil()),
            number(quota.records),
            number(quota.requests),
            bytes(quota.bytes),
        ))),
        Inflow::DirectPut { quota_share, .. } if quota_share > 0.8 => Some(better(format!(
            "ask for more of direct put's quota in {region}: the peak takes {} of it",
            percent(quota_share)
        ))),
        Inflow::Kinesis { shards, .. } if shards > SHARDS_MANY => Some(must(format!(
            "see that the account may have {} shards, or that many in a stream on demand",
            number(shards)
        ))),
        _ => None,
    }
}

fn new_stream(planned: &Planned<'_>) -> Option<Advice> {
    let Inflow::Kinesis { shards, .. } = planned.intake else {
        return None;
    };
    let is_on_demand = planned.wishes.kinesis_capacity == KinesisCapacity::OnDemand;
    (is_on_demand && *shards > NEW_STREAM_SHARDS).then(|| {
        must(format!(
            "let the load grow, or make the stream with {} shards beforehand and switch it to on \
             demand (kinesis_stream_arn): a new one takes what {} take, and then twice the highest \
             peak of a month",
            number(*shards),
            number(NEW_STREAM_SHARDS)
        ))
    })
}

/// A stream costs the same at rest, and so does a shard.
fn idle_shards(planned: &Planned<'_>, cost: &Cost) -> Option<Advice> {
    if !matches!(planned.intake, Inflow::Kinesis { .. }) || cost.kinesis() < cost.total() / 2.0 {
        return None;
    }
    Some(better(format!(
        "let producers put into Firehose (--source direct-put), unless others read the stream too: \
         {} of {} a month go to Kinesis",
        dollars(cost.kinesis()),
        dollars(cost.total())
    )))
}

fn response(planned: &Planned<'_>) -> Option<Advice> {
    let function = planned.function;
    let allowed = number(function.response_bytes_allowed);
    let fitting = planned.load.shape.answers;
    let fitting = fitting.batch_megabytes_max(planned.wishes.response_bytes_max);
    match (function.batch_megabytes, fitting) {
        _ if function.fits() => None,
        (Some(given), Some(fitting)) => Some(must(format!(
            "make transform_buffer_megabytes {fitting} instead of {given}: an answer may need {} \
             bytes and has {allowed}; what does not fit would go to the error prefix",
            number(function.response_bytes_max)
        ))),
        _ => Some(must(format!(
            "let answers have more than {allowed} bytes (--response-bytes-max): not even those to \
             the smallest batches fit"
        ))),
    }
}

fn running(planned: &Planned<'_>) -> Option<Advice> {
    let seconds = planned.function.peak.milliseconds / 1000.0;
    if seconds > FUNCTION_SECONDS_MAX {
        Some(must(format!(
            "give the function more memory or smaller batches: one takes {} s, and it is stopped \
             after {}",
            number(seconds),
            number(FUNCTION_SECONDS_MAX)
        )))
    } else {
        None
    }
}

fn at_once(planned: &Planned<'_>) -> Option<Advice> {
    let of_buffer = planned.function.peak.at_once / planned.intake.buffers();
    let concurrency = planned.function.concurrency;
    match planned.intake {
        Inflow::Kinesis { .. } if of_buffer > SHARD_INVOCATIONS_MAX => Some(must(format!(
            "more shards or more memory for the function: {} batches of one shard would be in it \
             at once, and Firehose has at most {}",
            number(of_buffer),
            number(SHARD_INVOCATIONS_MAX)
        ))),
        _ if concurrency > CONCURRENCY_QUOTA => Some(must(format!(
            "ask for a concurrency of {} (an account has {}, shared by all its functions): Firehose \
             does not wait for a free place",
            number(concurrency),
            number(CONCURRENCY_QUOTA)
        ))),
        _ => None,
    }
}

fn warm_up(planned: &Planned<'_>) -> Option<Advice> {
    let peak = planned.claims.peak_write_units_per_second;
    let is_on_demand = planned.wishes.claim_capacity == ClaimCapacity::OnDemand;
    if peak <= NEW_TABLE_WRITES_PER_SECOND || !is_on_demand {
        return None;
    }
    Some(must(format!(
        "warm the claim table up to {} write units a second before the first event (DynamoDB's warm \
         throughput), or let the load grow: a new table takes {} and has to double {} times, half \
         an hour each",
        number(peak.ceil()),
        number(NEW_TABLE_WRITES_PER_SECOND),
        number(planned.claims.doublings)
    )))
}

fn write_quota(planned: &Planned<'_>) -> Option<Advice> {
    let peak = planned.claims.peak_write_units_per_second;
    if peak <= TABLE_WRITES_QUOTA {
        return None;
    }
    Some(must(format!(
        "ask for {} write units a second for one table (the quota is {})",
        number(peak.ceil()),
        number(TABLE_WRITES_QUOTA)
    )))
}

fn write_billing(planned: &Planned<'_>, billing: &ClaimBilling) -> Option<Advice> {
    let (on_demand, units) = (dollars(billing.on_demand), dollars(billing.provisioned));
    let at_peak = dollars(billing.provisioned_at_peak);
    let break_even = percent(billing.break_even_share);
    let lines = format!(
        "claim_capacity = \"auto\" with claim_write_units = {}",
        write_units(planned.claims)
    );
    match (billing.cheaper, planned.wishes.claim_capacity) {
        (CheaperWay::Provisioned, ClaimCapacity::OnDemand) => Some(better(format!(
            "pay claims by the unit ({lines}): {units} a month instead of {on_demand} where units \
             follow the load, and {at_peak} with the peak's all month; they pay from {break_even} of \
             use on"
        ))),
        (CheaperWay::ProvisionedForSlowPeaks, ClaimCapacity::OnDemand) => Some(better(format!(
            "pay claims by the unit if the peaks come and go by the hour ({lines}): {units} a month \
             instead of {on_demand}. Not if they are bursts that cannot wait: the peak's units all \
             month are {at_peak}, and units pay from {break_even} of use on"
        ))),
        (CheaperWay::OnDemand, ClaimCapacity::Auto) => Some(better(format!(
            "leave claims on demand: they are {on_demand} a month, and {units} by the unit is not \
             worth an alarm"
        ))),
        (CheaperWay::OnDemand, ClaimCapacity::OnDemand) | (_, ClaimCapacity::Auto) => None,
    }
}

fn partitions(planned: &Planned<'_>) -> Option<Advice> {
    let active = planned.lake.active_partitions_max;
    let quota = quota_to_ask_for(planned.lake)?;
    let sentence = format!(
        "{}, or ask for a quota of {} active partitions, or share the load out to {} streams: {} \
         are active, and a stream has {}",
        fewer_partitions(planned),
        number(quota),
        number((active / (ACTIVE_PARTITIONS_ALARM * ACTIVE_PARTITIONS_QUOTA)).ceil()),
        number(active),
        number(ACTIVE_PARTITIONS_QUOTA)
    );
    if active > ACTIVE_PARTITIONS_QUOTA {
        Some(must(sentence))
    } else {
        Some(better(sentence))
    }
}

/// The keys of time do not make more partitions at once, but where they turn; and one that has the
/// same value everywhere makes none.
fn fewer_partitions(planned: &Planned<'_>) -> String {
    let keys = &planned.wishes.partition_keys;
    let is_there = |key: &Key| keys.split(',').any(|one| one == key.as_str());
    let idle = &planned.wishes.idle_keys;
    let key = [Key::EventSubtype, Key::EventType]
        .into_iter()
        .find(|key| is_there(key) && !idle.contains(key));
    key.map_or("divide by fewer values".to_owned(), |key| {
        format!("leave {} out of partition_keys", key.as_str())
    })
}

fn busiest_partition(planned: &Planned<'_>) -> Option<Advice> {
    let busiest = planned.lake.partition_bytes_per_second_max;
    if busiest <= PARTITION_BYTES_PER_SECOND_MAX {
        return None;
    }
    Some(must(format!(
        "divide the busiest partition, by another key or over {} streams: it gets {} a second, and \
         Firehose writes {}",
        number((busiest / PARTITION_BYTES_PER_SECOND_MAX).ceil()),
        bytes(busiest),
        bytes(PARTITION_BYTES_PER_SECOND_MAX)
    )))
}

fn small_files(planned: &Planned<'_>) -> Option<Advice> {
    let lake = planned.lake;
    if lake.files_per_hour <= 0.0 || lake.file_bytes >= FILE_BYTES_SMALL {
        return None;
    }
    let waiting = if lake.buffer_seconds < BUFFER_SECONDS_MAX {
        ", or a longer buffer_seconds"
    } else {
        ""
    };
    Some(better(format!(
        "{}{waiting}, or join files later: those of {} are slow to query",
        fewer_partitions(planned),
        bytes(lake.file_bytes)
    )))
}

fn rounding(planned: &Planned<'_>) -> Option<Advice> {
    let shape = &planned.load.shape;
    let padding = 1.0 - shape.record_bytes / shape.billed_bytes;
    let a_month = planned.load.events_per_second * super::limits::SECONDS_A_MONTH;
    if padding < 0.5 || a_month * shape.billed_bytes < 1e12 {
        return None;
    }
    Some(better(format!(
        "send events that say more at once: {} of what Firehose bills for taking in is rounding up \
         to 5 KB a record",
        percent(padding)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::{
        chain::Chain,
        example::{load, wishes},
        load::{InflowSource, Load},
        options::Wishes,
        partitions::PartitionGroups,
        prices::Prices,
    };

    fn advice(load: &Load, wishes: &Wishes) -> Vec<Advice> {
        Chain::of(load, 1.0, wishes, &Prices::read(None).unwrap()).advice
    }

    /// That these are told, and nothing else that must be.
    #[track_caller]
    pub(super) fn check(load: &Load, wishes: &Wishes, expected: &[(Weight, &str)]) {
        let advice = advice(load, wishes);
        for (weight, start) in expected {
            let is_told = |one: &Advice| one.weight == *weight && one.sentence.starts_with(start);
            assert!(
                advice.iter().any(is_told),
                "no {weight:?}: {start} in {advice:#?}"
            );
        }
        let musts = |weight: Weight| weight == Weight::Must;
        assert_eq!(
            advice.iter().filter(|one| musts(one.weight)).count(),
            expected.iter().filter(|(weight, _)| musts(*weight)).count(),
            "{advice:#?}"
        );
    }

    use Weight::{Better, Must};

    #[test]
    fn an_ordinary_load_needs_nothing() {
        let load = Load {
            partitions: PartitionGroups::alike(5),
            ..load(20.0, 10_000)
        };
        assert_eq!(advice(&load, &wishes()), []);
    }

    #[test]
    fn shards_that_cost_most_of_it_are_told() {
        let of = |events_per_second| Load {
            source: InflowSource::Kinesis,
            ..load(events_per_second, 4_000)
        };
        let told = "let producers put into Firehose (--source direct-put), unless others read the \
                    stream too: 28.92 $ of";
        check(&of(0.1), &wishes(), &[(Better, told)]);
        let is_told = |one: &Advice| one.sentence.starts_with("let producers");
        assert!(!advice(&of(100.0), &wishes()).iter().any(is_told));
    }

    /// 12.6 MB a second at the peak, and 30,000 write units.
    #[test]
    fn a_large_load_needs_quotas_and_a_warm_table() {
        let expected = [
            (
                Must,
                "ask AWS for 3 times direct put's quota in us-east-1 (500,000 records, 2,000 requests, 5.00 MiB a second), or read",
            ),
            (
                Must,
                "warm the claim table up to 30,000 write units a second before",
            ),
            (
                Better,
                "pay claims by the unit (claim_capacity = \"auto\" with claim_write_units = { minimum = 7143, maximum = 42858 }): 6,686 $ a month instead of 16,200 $ where units follow the load, and 14,040 $ with",
            ),
            (Better, "send events that say more at once: 92 % of"),
        ];
        check(&load(10_000.0, 420), &wishes(), &expected);
        let kinesis = Load {
            source: InflowSource::Kinesis,
            ..load(1e6, 420)
        };
        let expected = [
            (Must, "see that the account may have 3,000 shards"),
            (Must, "let the load grow, or make the stream with 3,000"),
            (Must, "warm the claim table up to 3,000,000 write units"),
            (
                Must,
                "ask for 3,000,000 write units a second for one table (the quota is 40,000)",
            ),
        ];
        check(&kinesis, &wishes(), &expected);
    }

    #[test]
    fn near_a_quota_is_time_to_ask() {
        let near = load(3_500.0, 420);
        check(
            &near,
            &wishes(),
            &[
                (
                    Better,
                    "ask for more of direct put's quota in us-east-1: the peak takes 84 % of it",
                ),
                (Must, "warm the claim table up"),
            ],
        );
    }

    #[test]
    fn a_batch_that_may_not_fit_is_told_with_one_that_does() {
        let large = Wishes {
            batch_megabytes: Some(3.0),
            ..wishes()
        };
        check(
            &load(1.0, 420),
            &large,
            &[(
                Must,
                "make transform_buffer_megabytes 2.7 instead of 3: an answer may need 6,8",
            )],
        );
        let short = Wishes {
            response_bytes_max: 1_000,
            ..wishes()
        };
        check(
            &load(1.0, 420),
            &short,
            &[(
                Must,
                "let answers have more than 1,000 bytes (--response-bytes-max)",
            )],
        );
    }

    /// A batch of 2.7 MB has 6,741 events; 10 ms each at a seventh of a processor are 466 s.
    #[test]
    fn a_function_that_is_too_slow_is_told() {
        let slow = Wishes {
            microseconds_per_event: Some(10_000.0),
            memory_megabytes: Some(256),
            ..wishes()
        };
        check(
            &load(300.0, 420),
            &slow,
            &[(
                Must,
                "give the function more memory or smaller batches: one takes 466 s, and it is stopped after 240",
            )],
        );
        // 3,000 events a second take 207 processors' time of this size.
        let busy = Wishes {
            microseconds_per_event: Some(5_000.0),
            memory_megabytes: Some(256),
            batch_megabytes: Some(0.2),
            ..wishes()
        };
        let kinesis = Load {
            source: InflowSource::Kinesis,
            ..load(1_000.0, 420)
        };
        check(
            &kinesis,
            &busy,
            &[(
                Must,
                "more shards or more memory for the function: 35 batches of one shard",
            )],
        );
        let direct = load(12_000.0 / 3.0, 300);
        let busy = Wishes {
            microseconds_per_event: Some(12_000.0),
            ..busy
        };
        check(
            &direct,
            &busy,
            &[
                (Must, "ask for a concurrency of 1,1"),
                (Must, "warm the claim table"),
            ],
        );
    }

    #[test]
    fn a_small_load_had_better_have_fewer_partitions() {
        let told = "leave event_subtype out of partition_keys, or join files later: those of";
        check(&load(1.0, 420), &wishes(), &[(Better, told)]);
        let by_type = Wishes {
            partition_keys: "event_type,day".to_owned(),
            buffer_seconds: Some(300),
            ..wishes()
        };
        let told = "leave event_type out of partition_keys, or a longer buffer_seconds, or join";
        check(&load(1.0, 420), &by_type, &[(Better, told)]);
        let one_subtype = Wishes {
            idle_keys: vec![Key::EventSubtype],
            ..wishes()
        };
        let told = "leave event_type out of partition_keys, or join";
        check(&load(1.0, 420), &one_subtype, &[(Better, told)]);
        let one_of_each = Wishes {
            idle_keys: Key::ALL.to_vec(),
            ..wishes()
        };
        let told = "divide by fewer values, or join";
        check(&load(1.0, 420), &one_of_each, &[(Better, told)]);
    }

    #[test]
    fn many_partitions_need_a_quota_or_streams() {
        let of = |partitions| Load {
            partitions: PartitionGroups::alike(partitions),
            ..load(1_000.0, 1_000)
        };
        check(&of(199), &wishes(), &[]);
        check(
            &of(230),
            &wishes(),
            &[(
                Better,
                "leave event_subtype out of partition_keys, or ask for a quota of 1,000 active",
            )],
        );
        check(
            &of(1_000),
            &wishes(),
            &[(
                Must,
                "leave event_subtype out of partition_keys, or ask for a quota of 2,500 active partitions, or share the load out to 5 streams",
            )],
        );
        let timeless = Wishes {
            partition_keys: "event_type".to_owned(),
            partitioned_by_time: false,
            ..wishes()
        };
        check(&of(390), &timeless, &[]);
    }

    /// 3,000 x 1,000,000 bytes a second.
    #[test]
    fn a_partition_that_gets_too_much_is_told() {
        let one = Load {
            source: InflowSource::Kinesis,
            partitions: PartitionGroups::alike(1),
            ..load(1_000.0, 1_000_000)
        };
        check(
            &one,
            &wishes(),
            &[
                (
                    Must,
                    "divide the busiest partition, by another key or over 3 streams: it gets 2.79 GiB a second",
                ),
                (Must, "see that the account may have 2,862 shards"),
                (Must, "let the load grow, or make the stream with 2,862"),
            ],
        );
    }
}
