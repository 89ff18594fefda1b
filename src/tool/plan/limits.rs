//! What AWS and Terraform allow, and the units that AWS counts in. A *quota* is a default that AWS
//! raises when asked: what an account really has is to be looked up.

pub(super) const KIBIBYTE: f64 = 1024.0;
pub(super) const MEBIBYTE: f64 = 1024.0 * KIBIBYTE;
/// AWS's worked examples take 1,048,576 KB for a GB.
pub(super) const GIBIBYTE: f64 = 1024.0 * MEBIBYTE;

pub(super) const SECONDS_A_HOUR: f64 = 3600.0;
/// AWS's worked examples take 30 days for a month.
pub(super) const HOURS_A_MONTH: f64 = 30.0 * 24.0;
pub(super) const SECONDS_A_MONTH: f64 = HOURS_A_MONTH * SECONDS_A_HOUR;

/// Each record is billed in steps of this, whether it is put or read from Kinesis.
pub(super) const BILLED_STEP_BYTES: usize = 5 * 1024;
pub(super) const PUT_BATCH_RECORDS_MAX: f64 = 500.0;
pub(super) const PUT_BATCH_BYTES_MAX: f64 = 4.0 * MEBIBYTE;

/// What one direct-put stream takes in, a second.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub(super) struct PutQuota {
    pub(super) records: f64,
    pub(super) requests: f64,
    pub(super) bytes: f64,
}

impl PutQuota {
    pub(super) fn of(region: &str) -> Self {
        match region {
            "us-east-1" | "us-west-2" | "eu-west-1" => Self {
                records: 500_000.0,
                requests: 2_000.0,
                bytes: 5.0 * MEBIBYTE,
            },
            _ => Self {
                records: 100_000.0,
                requests: 1_000.0,
                bytes: MEBIBYTE,
            },
        }
    }
}

pub(super) const SHARD_RECORDS_PER_SECOND: f64 = 1_000.0;
pub(super) const SHARD_BYTES_PER_SECOND: f64 = MEBIBYTE;
pub(super) const PUT_UNIT_BYTES: usize = 25 * 1024;
/// A stream on demand bills each record in steps of this.
pub(super) const KINESIS_STEP_BYTES: usize = 1024;
/// What a new stream on demand takes before it has grown.
pub(super) const NEW_STREAM_SHARDS: f64 = 4.0;
/// Batches of one shard that Firehose has in the function at once.
pub(super) const SHARD_INVOCATIONS_MAX: f64 = 5.0;

/// Tenths of a megabyte that `BufferSizeInMBs` may have.
pub(super) const BATCH_TENTHS: std::ops::RangeInclusive<u32> = 2..=30;
/// Firehose's own default is not stored, so Terraform refuses it.
pub(super) const BATCH_TENTHS_REFUSED: u32 = 10;
pub(super) const BATCH_SECONDS_MAX: u32 = 900;
pub(super) const BATCH_SECONDS_REFUSED: u32 = 60;

/// The function's timeout in `terraform/function.tf`.
pub(super) const FUNCTION_SECONDS_MAX: f64 = 240.0;
/// An account's quota.
pub(super) const CONCURRENCY_QUOTA: f64 = 1_000.0;
/// Where Lambda gives one whole processor; below, a part in proportion.
pub(super) const WHOLE_PROCESSOR_MEGABYTES: f64 = 1_769.0;
pub(super) const REQUEST_BYTES_MAX: f64 = 6.0 * MEBIBYTE;

/// As in `dedup/dynamodb`.
pub(super) const STATEMENTS_A_REQUEST: f64 = 25.0;
pub(super) const REQUESTS_AT_ONCE: f64 = 64.0;
pub(super) const WRITE_UNIT_BYTES: usize = 1024;
pub(super) const TABLE_PARTITION_WRITES_PER_SECOND: f64 = 1_000.0;
pub(super) const NEW_TABLE_WRITES_PER_SECOND: f64 = 4_000.0;
/// A table's quota, on demand.
pub(super) const TABLE_WRITES_QUOTA: f64 = 40_000.0;
/// What DynamoDB stores with each item beside its own bytes.
pub(super) const ITEM_OVERHEAD_BYTES: f64 = 100.0;

/// What `claim_write_units` has for its `used_percent`.
pub(super) const UNITS_USED: f64 = 0.7;

/// A stream's quota.
pub(super) const ACTIVE_PARTITIONS_QUOTA: f64 = 500.0;
/// Where Terraform's alarm rings.
pub(super) const ACTIVE_PARTITIONS_ALARM: f64 = 0.8;
pub(super) const PARTITION_BYTES_PER_SECOND_MAX: f64 = GIBIBYTE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_those_of_the_claim_table_s_client() {
        let source = include_str!("../../dedup/dynamodb/mod.rs");
        for line in [
            format!("const STATEMENTS_MAX: usize = {STATEMENTS_A_REQUEST};"),
            format!("const REQUESTS_AT_ONCE: usize = {REQUESTS_AT_ONCE};"),
        ] {
            assert!(source.contains(&line), "{line}");
        }
    }

    #[test]
    fn units_are_used_as_terraform_says() {
        let source = include_str!("../../../terraform/variables.tf");
        let default = format!("used_percent = optional(number, {})", UNITS_USED * 100.0);
        assert!(source.contains(&default), "{default}");
    }

    #[test]
    fn the_timeout_is_terraform_s() {
        let source = include_str!("../../../terraform/function.tf");
        let line = format!("function_timeout_seconds = {FUNCTION_SECONDS_MAX}");
        assert!(source.contains(&line));
    }
}
