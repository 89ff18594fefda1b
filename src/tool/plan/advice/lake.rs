//! What the lake had better look like: partitions and their files.

use super::{
    super::{
        cost::Planned,
        lake::{BUFFER_SECONDS_MAX, FILE_BYTES_SMALL},
        limits::{
            ACTIVE_PARTITIONS_ALARM, ACTIVE_PARTITIONS_QUOTA, PARTITION_BYTES_PER_SECOND_MAX,
        },
        variables::quota_to_ask_for,
        words::{bytes, number},
    },
    Advice, better, must,
};

pub(super) fn partitions(planned: &Planned<'_>) -> Option<Advice> {
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

/// The keys of time do not make more partitions at once, but where they turn.
fn fewer_partitions(planned: &Planned<'_>) -> String {
    let keys = &planned.wishes.partition_keys;
    let key = ["event_subtype", "event_type"]
        .into_iter()
        .find(|key| keys.split(',').any(|one| one == *key));
    key.map_or("divide by fewer values".to_owned(), |key| {
        format!("leave {key} out of partition_keys")
    })
}

pub(super) fn busiest_partition(planned: &Planned<'_>) -> Option<Advice> {
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

pub(super) fn small_files(planned: &Planned<'_>) -> Option<Advice> {
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

#[cfg(test)]
mod tests {
    use super::super::{
        Weight::{Better, Must},
        tests::check,
    };
    use crate::tool::plan::{
        example::{load, wishes},
        load::{InflowSource, Load, PartitionGroups},
        options::Wishes,
    };

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
            ],
        );
    }
}
