//! What a month costs, part by part.

use serde::Serialize;

use super::{
    claims::ClaimTable,
    function::FunctionSizing,
    intake::Inflow,
    lake::LakeSizing,
    limits::{GIBIBYTE, HOURS_A_MONTH, KIBIBYTE, SECONDS_A_MONTH},
    load::Load,
    options::{FileFormat, Wishes},
    prices::Prices,
};

/// Dollars a month. What is not needed costs nothing.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Cost {
    pub(super) kinesis_shards: f64,
    pub(super) kinesis_put_units: f64,
    pub(super) firehose_ingest: f64,
    pub(super) dynamic_partitioning_bytes: f64,
    pub(super) dynamic_partitioning_objects: f64,
    pub(super) format_conversion: f64,
    pub(super) function_time: f64,
    pub(super) function_requests: f64,
    pub(super) claims: f64,
    pub(super) s3_puts: f64,
    pub(super) s3_storage: f64,
}

/// The two ways to pay for the claim table's writes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ClaimBilling {
    pub(super) on_demand: f64,
    /// With as many units as the peak takes, all month.
    pub(super) provisioned_at_peak: f64,
    /// The share of provisioned units that must be used on the average for both to cost the same.
    pub(super) break_even_share: f64,
}

/// What a plan costs is made of.
pub(super) struct Planned<'a> {
    pub(super) load: &'a Load,
    pub(super) intake: &'a Inflow,
    pub(super) function: &'a FunctionSizing,
    pub(super) claims: &'a ClaimTable,
    pub(super) lake: &'a LakeSizing,
    pub(super) wishes: &'a Wishes,
}

impl Cost {
    pub(super) fn of(planned: &Planned<'_>, prices: &Prices) -> Self {
        let mut cost = Self {
            claims: ClaimBilling::of(planned.claims, prices).on_demand,
            ..Self::default()
        };
        cost.take_in(planned, prices);
        cost.transform(planned.function, prices);
        cost.deliver(planned, prices);
        cost
    }

    fn take_in(&mut self, planned: &Planned<'_>, prices: &Prices) {
        let load = planned.load;
        let records = load.events_per_second * SECONDS_A_MONTH;
        if let Inflow::Kinesis { shards, .. } = planned.intake {
            self.kinesis_shards = shards * HOURS_A_MONTH * prices.kinesis_shard_per_hour;
            self.kinesis_put_units =
                records * load.shape.put_units / 1e6 * prices.kinesis_per_million_put_units;
        }
        let billed_gigabytes = records * load.shape.billed_bytes / GIBIBYTE;
        self.firehose_ingest = billed_gigabytes * prices.firehose_ingest_per_gigabyte;
        // Billed for what is taken in, as it is billed there.
        if planned.wishes.format == FileFormat::Parquet {
            self.format_conversion =
                billed_gigabytes * prices.firehose_format_conversion_per_gigabyte;
        }
    }

    fn transform(&mut self, function: &FunctionSizing, prices: &Prices) {
        let invocations = function.mean.invocations_per_second * SECONDS_A_MONTH;
        let billed_seconds = invocations * function.mean.milliseconds.ceil() / 1000.0;
        let gigabytes = f64::from(function.memory_megabytes) / KIBIBYTE;
        self.function_time = billed_seconds * gigabytes * prices.lambda_arm64_per_gigabyte_second;
        self.function_requests = invocations / 1e6 * prices.lambda_per_million_requests;
    }

    fn deliver(&mut self, planned: &Planned<'_>, prices: &Prices) {
        let lake = planned.lake;
        let gigabytes = lake.delivered_bytes_per_hour * HOURS_A_MONTH / GIBIBYTE;
        let thousand_files = lake.files_per_hour * HOURS_A_MONTH / 1000.0;
        let thousand_others = lake.other_files_per_hour * HOURS_A_MONTH / 1000.0;
        self.dynamic_partitioning_bytes =
            gigabytes * prices.firehose_dynamic_partitioning_per_gigabyte;
        self.dynamic_partitioning_objects =
            thousand_files * prices.firehose_dynamic_partitioning_per_thousand_objects;
        self.s3_puts = (thousand_files + thousand_others) * prices.s3_per_thousand_puts;
        self.s3_storage = lake.stored_bytes / GIBIBYTE * prices.s3_per_gigabyte_month;
    }

    pub(super) fn parts(&self) -> [(&'static str, f64); 11] {
        [
            ("Kinesis shards", self.kinesis_shards),
            ("Kinesis put units", self.kinesis_put_units),
            ("Firehose, taking in", self.firehose_ingest),
            (
                "Firehose, partitioning by size",
                self.dynamic_partitioning_bytes,
            ),
            (
                "Firehose, partitioning by file",
                self.dynamic_partitioning_objects,
            ),
            ("Firehose, to Parquet", self.format_conversion),
            ("Lambda, time", self.function_time),
            ("Lambda, requests", self.function_requests),
            ("DynamoDB, writes on demand", self.claims),
            ("S3, writing files", self.s3_puts),
            ("S3, keeping them", self.s3_storage),
        ]
    }

    pub(super) fn total(&self) -> f64 {
        self.parts().iter().map(|(_, dollars)| dollars).sum()
    }
}

impl ClaimBilling {
    pub(super) fn of(claims: &ClaimTable, prices: &Prices) -> Self {
        let a_million = prices.dynamodb_on_demand_per_million_writes;
        let a_unit_hour = prices.dynamodb_provisioned_per_write_unit_hour;
        let writes = claims.write_units_per_second * SECONDS_A_MONTH;
        let units = claims.peak_write_units_per_second.ceil().max(1.0);
        let full_hour_on_demand = 3600.0 / 1e6 * a_million;
        Self {
            on_demand: writes / 1e6 * a_million,
            provisioned_at_peak: units * HOURS_A_MONTH * a_unit_hour,
            break_even_share: a_unit_hour / full_hour_on_demand.max(f64::MIN_POSITIVE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::{
        example::{check_near, load, wishes},
        limits::PutQuota,
        load::InflowSource,
    };

    fn cost(load: &Load, wishes: &Wishes) -> Cost {
        let intake = Inflow::of(load, PutQuota::of("us-east-1"));
        let planned = Planned {
            load,
            intake: &intake,
            function: &FunctionSizing::of(load, intake.buffers(), wishes),
            claims: &ClaimTable::of(load, wishes.claim_hours),
            lake: &LakeSizing::of(load, wishes),
            wishes,
        };
        Cost::of(&planned, &Prices::read(None).unwrap())
    }

    #[track_caller]
    fn check_cents(dollars: f64, expected: f64) {
        assert!(
            (dollars - expected).abs() < 0.005,
            "{dollars}, not {expected}"
        );
    }

    /// As AWS works it out on its price page: 1,000 records of 3 KB a second are billed as 5 KB,
    /// 1,000 x 5 / 1,048,576 = 0.004768 GB a second, 12,359.62 GB in 30 days, at 0.029 $.
    #[test]
    fn taking_in_costs_what_aws_s_own_example_costs() {
        check_cents(
            cost(&load(1_000.0, 3_072), &wishes()).firehose_ingest,
            358.43,
        );
        // 5,121 bytes are two steps.
        let twice = cost(&load(1_000.0, 5_121), &wishes()).firehose_ingest;
        check_cents(twice, 716.86);
        let empty = cost(&load(0.0, 3_072), &wishes());
        assert!(empty.total().abs() < 1e-12, "{empty:?}");
    }

    /// 1,000 events a second are 2,592,000,000 in 30 days. Delivered, one of 420 bytes has 519:
    /// 1,345,248,000,000 bytes are 1,252.86 GB, at 0.020 $.
    #[test]
    fn partitioning_costs_by_size_and_by_file() {
        let wishes = Wishes {
            buffer_seconds: Some(300),
            ..wishes()
        };
        let cost = cost(&load(1_000.0, 420), &wishes);
        check_cents(cost.dynamic_partitioning_bytes, 25.06);
        // 100 partitions with 10 events a second each: a file of 3,001 each, 863,712 files.
        check_cents(cost.dynamic_partitioning_objects, 4.32);
        check_cents(cost.s3_puts, 4.32);
    }

    /// 2,592 million writes at 0.625 $; a tenth of them duplicates is a tenth more.
    #[test]
    fn claims_cost_a_write_unit_each() {
        check_cents(cost(&load(1_000.0, 420), &wishes()).claims, 1_620.0);
        let load = Load {
            duplicate_share: 0.1,
            ..load(1_000.0, 420)
        };
        check_cents(cost(&load, &wishes()).claims, 1_782.0);
    }

    /// 3,000 units at the peak, 720 hours, 0.00065 $. On demand a unit used all hour costs 3,600
    /// writes, 0.00225 $: provisioned is cheaper from 28.9 % of use on.
    #[test]
    fn provisioned_writes_pay_from_the_break_even_share_on() {
        let prices = Prices::read(None).unwrap();
        let billing = |peak_factor| {
            let load = Load {
                peak_factor,
                ..load(1_000.0, 420)
            };
            ClaimBilling::of(&ClaimTable::of(&load, 24), &prices)
        };
        check_cents(billing(3.0).on_demand, 1_620.0);
        check_cents(billing(3.0).provisioned_at_peak, 1_404.0);
        check_near(billing(3.0).break_even_share, 0.65 / 2.25);
        let at_break_even = billing(2.25 / 0.65);
        let nearly = at_break_even.provisioned_at_peak / at_break_even.on_demand;
        assert!((nearly - 1.0).abs() < 0.001, "{nearly}");
    }

    /// 512 events of 1,024 bytes in a batch: 1.953125 invocations a second, 5,062,500 a month, at
    /// 0.20 $ a million. 51.2 ms and 20 are billed as 72: 364,500 s with 1 GB, at 0.0000133334 $.
    #[test]
    fn the_function_costs_by_call_and_by_the_millisecond_begun() {
        let wishes = Wishes {
            batch_megabytes: Some(0.5),
            memory_megabytes: Some(1_024),
            microseconds_per_event: Some(100.0 * 1_024.0 / 1_769.0),
            ..wishes()
        };
        let cost = cost(&load(1_000.0, 1_024), &wishes);
        check_cents(cost.function_requests, 1.01);
        check_cents(cost.function_time, 4.86);
    }

    /// 3 shards over 720 hours at 0.015 $. 2,592 million put units at 0.014 $ a million; events of
    /// 25,601 bytes take two each, and 74 shards (3,000 x 25,601 / 1,048,576 = 73.2).
    #[test]
    fn kinesis_costs_by_shard_and_by_put_unit() {
        let from_kinesis = |bytes| {
            let load = Load {
                source: InflowSource::Kinesis,
                ..load(1_000.0, bytes)
            };
            cost(&load, &wishes())
        };
        check_cents(from_kinesis(300).kinesis_shards, 32.4);
        check_cents(from_kinesis(300).kinesis_put_units, 36.29);
        check_cents(from_kinesis(25_601).kinesis_shards, 799.2);
        check_cents(from_kinesis(25_601).kinesis_put_units, 72.58);
        check_cents(from_kinesis(300).firehose_ingest, 358.43);
    }

    /// 12,359.62 GB as taken in, at 0.018 $.
    #[test]
    fn parquet_costs_by_what_is_taken_in() {
        let wishes = Wishes {
            format: FileFormat::Parquet,
            ..wishes()
        };
        check_cents(cost(&load(1_000.0, 420), &wishes).format_conversion, 222.47);
    }

    /// 1,000 x 519 bytes over 31,536,000 s, by 5: 3,048.53 GB, at 0.023 $.
    #[test]
    fn keeping_costs_by_size() {
        check_cents(cost(&load(1_000.0, 420), &wishes()).s3_storage, 70.12);
    }

    #[test]
    fn a_total_is_the_sum_of_all_parts() {
        let load = Load {
            source: InflowSource::Kinesis,
            ..load(1_000.0, 420)
        };
        let wishes = Wishes {
            format: FileFormat::Parquet,
            ..wishes()
        };
        let cost = cost(&load, &wishes);
        let fields = serde_json::to_value(cost).unwrap();
        let fields = fields.as_object().unwrap().values();
        check_near(
            cost.total(),
            fields.map(|field| field.as_f64().unwrap()).sum(),
        );
        assert!(cost.parts().iter().all(|(_, part)| *part > 0.0), "{cost:?}");
    }
}
