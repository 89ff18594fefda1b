//! Before Firehose: what a direct-put stream must take in, or the shards of a Kinesis stream.

use clap::ValueEnum;
use serde::Serialize;

use super::{
    limits::{
        PUT_BATCH_BYTES_MAX, PUT_BATCH_RECORDS_MAX, PutQuota, SHARD_BYTES_PER_SECOND,
        SHARD_RECORDS_PER_SECOND,
    },
    load::{InflowSource, Load},
};

/// How a Kinesis stream is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KinesisCapacity {
    /// By what it takes and gives, as the stream that Terraform makes
    OnDemand,
    /// By the shard, as one of yours may be
    Provisioned,
}

/// What the source needs, at the peak.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub(super) enum Inflow {
    DirectPut {
        records_per_second: f64,
        bytes_per_second: f64,
        /// With as many records in each `PutRecordBatch` as it takes.
        requests_per_second: f64,
        quota: PutQuota,
        /// Of the quota that is nearest.
        quota_share: f64,
    },
    Kinesis {
        records_per_second: f64,
        bytes_per_second: f64,
        shards: f64,
    },
}

impl Inflow {
    pub(super) fn of(load: &Load, quota: PutQuota) -> Self {
        let peak = load.at_peak();
        let records_per_second = peak.events_per_second;
        let bytes_per_second = peak.bytes_per_second();
        match load.source {
            InflowSource::DirectPut => {
                let requests_per_second = (records_per_second / PUT_BATCH_RECORDS_MAX)
                    .max(bytes_per_second / PUT_BATCH_BYTES_MAX);
                Self::DirectPut {
                    records_per_second,
                    bytes_per_second,
                    requests_per_second,
                    quota,
                    quota_share: (records_per_second / quota.records)
                        .max(bytes_per_second / quota.bytes)
                        .max(requests_per_second / quota.requests),
                }
            }
            InflowSource::Kinesis => Self::Kinesis {
                records_per_second,
                bytes_per_second,
                shards: (records_per_second / SHARD_RECORDS_PER_SECOND)
                    .max(bytes_per_second / SHARD_BYTES_PER_SECOND)
                    .ceil()
                    .max(1.0),
            },
        }
    }

    /// How many buffers fill on their way to the function: one a shard. What direct put has inside
    /// is not told; it is taken for one.
    pub(super) fn buffers(&self) -> f64 {
        match self {
            Self::DirectPut { .. } => 1.0,
            Self::Kinesis { shards, .. } => *shards,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::example::{check_near, load};

    #[track_caller]
    fn check(region: &str, events_per_second: f64, bytes: usize, expected: [f64; 4]) {
        let load = load(events_per_second, bytes);
        let Inflow::DirectPut {
            records_per_second,
            bytes_per_second,
            requests_per_second,
            quota_share,
            ..
        } = Inflow::of(&load, PutQuota::of(region))
        else {
            panic!("{load:?}")
        };
        let [records, bytes, requests, share] = expected;
        check_near(records_per_second, records);
        check_near(bytes_per_second, bytes);
        check_near(requests_per_second, requests);
        check_near(quota_share, share);
    }

    /// A peak of 3 times the mean. 3,000 records of 420 bytes are 1,260,000 bytes and 6 requests
    /// of 500; 5 MiB are 5,242,880. 300 records of 102,400 bytes are 30,720,000 bytes, 40 in a
    /// request of 4 MiB.
    #[test]
    fn direct_put_is_held_against_the_region_s_quota() {
        let expected = [3_000.0, 1_260_000.0, 6.0, 1_260_000.0 / 5_242_880.0];
        check("us-east-1", 1_000.0, 420, expected);
        let expected = [3_000.0, 1_260_000.0, 6.0, 1_260_000.0 / 1_048_576.0];
        check("eu-central-1", 1_000.0, 420, expected);
        let expected = [300.0, 30_720_000.0, 7.324_218_75, 5.859_375];
        check("eu-west-1", 100.0, 102_400, expected);
    }

    /// At the peak 3,000 records of 300 bytes: by count. 3,000 of 1,000 bytes are 2.86 MiB.
    /// 300 of 100,000 are 28.6 MiB: by size.
    #[test]
    fn a_shard_takes_a_thousand_records_or_a_mebibyte_a_second() {
        for (events_per_second, bytes, expected) in [
            (1_000.0, 300, 3.0),
            (1_000.0, 1_000, 3.0),
            (1_000.1, 300, 4.0),
            (100.0, 100_000, 29.0),
            (0.0, 300, 1.0),
        ] {
            let load = Load {
                source: InflowSource::Kinesis,
                ..load(events_per_second, bytes)
            };
            let intake = Inflow::of(&load, PutQuota::of("eu-west-1"));
            check_near(intake.buffers(), expected);
        }
    }
}
