//! What a month costs, part by part.

use serde::Serialize;

use super::{
    billing::ClaimBilling,
    claims::ClaimTable,
    function::FunctionSizing,
    intake::{Inflow, KinesisCapacity},
    lake::LakeSizing,
    limits::{GIBIBYTE, HOURS_A_MONTH, KIBIBYTE, SECONDS_A_HOUR, SECONDS_A_MONTH},
    load::Load,
    options::{FileFormat, Wishes},
    prices::Prices,
    watching::{LOG_BYTES_A_CALL, alarm_metrics, metrics},
};

/// Dollars a month. What is not needed costs nothing.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Cost {
    pub(super) kinesis_shards: f64,
    pub(super) kinesis_put_units: f64,
    pub(super) kinesis_on_demand: f64,
    pub(super) firehose_ingest: f64,
    pub(super) dynamic_partitioning_bytes: f64,
    pub(super) dynamic_partitioning_objects: f64,
    pub(super) format_conversion: f64,
    pub(super) function_time: f64,
    pub(super) function_requests: f64,
    pub(super) claims: f64,
    pub(super) s3_puts: f64,
    pub(super) s3_storage: f64,
    pub(super) alarms_and_dashboard: f64,
    pub(super) metrics: f64,
    pub(super) logs: f64,
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
        let billing = ClaimBilling::of(planned.claims, prices);
        let mut cost = Self {
            claims: billing.dollars(planned.wishes.claim_capacity),
            ..Self::default()
        };
        cost.take_in(planned, prices);
        cost.transform(planned.function, prices);
        cost.deliver(planned, prices);
        cost.watch(planned, prices);
        cost
    }

    fn take_in(&mut self, planned: &Planned<'_>, prices: &Prices) {
        let load = planned.load;
        let records = load.events_per_second * SECONDS_A_MONTH;
        if let Inflow::Kinesis { shards, .. } = planned.intake {
            match planned.wishes.kinesis_capacity {
                KinesisCapacity::Provisioned => {
                    self.kinesis_shards = shards * HOURS_A_MONTH * prices.kinesis_shard_per_hour;
                    self.kinesis_put_units =
                        records * load.shape.put_units / 1e6 * prices.kinesis_per_million_put_units;
                }
                KinesisCapacity::OnDemand => {
                    let gigabytes = records * load.shape.kinesis_bytes / GIBIBYTE;
                    let readers = 1.0 + planned.wishes.streams.count();
                    self.kinesis_on_demand = HOURS_A_MONTH
                        * prices.kinesis_on_demand_stream_per_hour
                        + gigabytes * prices.kinesis_on_demand_in_per_gigabyte
                        + readers * gigabytes * prices.kinesis_on_demand_out_per_gigabyte;
                }
            }
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

    /// The alarms and the dashboard are there at rest too; a metric is paid by the hours that have it.
    fn watch(&mut self, planned: &Planned<'_>, prices: &Prices) {
        let alarms = alarm_metrics(planned.wishes);
        let invocations = planned.function.mean.invocations_per_second;
        let hours_that_have_some = (invocations * SECONDS_A_HOUR).min(1.0);
        let log_gigabytes = invocations * SECONDS_A_MONTH * LOG_BYTES_A_CALL / GIBIBYTE;
        self.alarms_and_dashboard = alarms * prices.cloudwatch_alarm_metric_per_month
            + prices.cloudwatch_dashboard_per_month;
        self.metrics =
            metrics(planned.load) * hours_that_have_some * prices.cloudwatch_metric_per_month;
        self.logs = log_gigabytes * prices.cloudwatch_logs_per_gigabyte;
    }

    pub(super) fn parts(&self) -> [(&'static str, f64); 15] {
        [
            ("Kinesis shards", self.kinesis_shards),
            ("Kinesis put units", self.kinesis_put_units),
            ("Kinesis on demand", self.kinesis_on_demand),
            ("Firehose, taking in", self.firehose_ingest),
            ("Firehose, partitioned GB", self.dynamic_partitioning_bytes),
            (
                "Firehose, partition files",
                self.dynamic_partitioning_objects,
            ),
            ("Firehose, to Parquet", self.format_conversion),
            ("Lambda, time", self.function_time),
            ("Lambda, requests", self.function_requests),
            ("DynamoDB, claims", self.claims),
            ("S3, writing files", self.s3_puts),
            ("S3, keeping them", self.s3_storage),
            ("CloudWatch, alarms, board", self.alarms_and_dashboard),
            ("CloudWatch, metrics", self.metrics),
            ("CloudWatch, logs", self.logs),
        ]
    }

    /// The same by service, whose name stands before the first comma or word.
    pub(super) fn services(&self) -> Vec<(&'static str, f64)> {
        let mut services: Vec<(&str, f64)> = Vec::new();
        for (part, dollars) in self.parts() {
            let service = part.split([',', ' ']).next().unwrap_or(part);
            match services.iter_mut().find(|(known, _)| *known == service) {
                Some((_, sum)) => *sum += dollars,
                None => services.push((service, dollars)),
            }
        }
        services
    }

    /// However the stream is billed.
    pub(super) fn kinesis(&self) -> f64 {
        self.kinesis_shards + self.kinesis_put_units + self.kinesis_on_demand
    }

    pub(super) fn total(&self) -> f64 {
        self.parts().iter().map(|(_, dollars)| dollars).sum()
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
        // At rest there are 10 alarms, one of two metrics, at 0.10 $, a dashboard at 3 $.
        let empty = cost(&load(0.0, 3_072), &wishes());
        check_cents(empty.total(), 4.1);
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
            let provisioned = Wishes {
                kinesis_capacity: KinesisCapacity::Provisioned,
                ..wishes()
            };
            cost(&load, &provisioned)
        };
        check_cents(from_kinesis(300).kinesis_shards, 32.4);
        check_cents(from_kinesis(300).kinesis_put_units, 36.29);
        check_cents(from_kinesis(25_601).kinesis_shards, 799.2);
        check_cents(from_kinesis(25_601).kinesis_put_units, 72.58);
        check_cents(from_kinesis(300).firehose_ingest, 358.43);
    }

    /// 720 hours at 0.04 $. 2,592 million records of 1 KB, which 300 bytes are rounded up to, are 2,471.92 GB:
    /// at 0.08 $ in, and at 0.04 $ out for Firehose, and for the event log.
    #[test]
    fn a_stream_on_demand_costs_by_size_for_each_that_reads_it() {
        let load = Load {
            source: InflowSource::Kinesis,
            ..load(1_000.0, 300)
        };
        check_cents(
            cost(&load, &wishes()).kinesis_on_demand,
            28.8 + 2_471.92 * 0.12,
        );
        let mut with_log = wishes();
        with_log.streams.event_log = true;
        check_cents(
            cost(&load, &with_log).kinesis_on_demand,
            28.8 + 2_471.92 * 0.16,
        );
    }

    /// 10 alarms with 11 metrics, a dashboard; 13 metrics at 0.30 $. 1.953125 calls a second log 2,000
    /// bytes each: 9.43 GB at 0.50 $.
    #[test]
    fn watching_costs_by_alarm_metric_and_gigabyte() {
        let wishes = Wishes {
            batch_megabytes: Some(0.5),
            ..wishes()
        };
        let watched = cost(&load(1_000.0, 1_024), &wishes);
        check_cents(watched.alarms_and_dashboard, 4.1);
        check_cents(watched.metrics, 3.9);
        check_cents(watched.logs, 4.71);
        // A batch in ten hours has its metrics in as many.
        let rare = cost(&load(1.0 / 36_000.0, 1_024), &wishes);
        check_cents(rare.metrics, 0.39);
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
        // Shards are there where the stream is not on demand.
        let is_missing = |(name, part): &&(&str, f64)| *part <= 0.0 && !name.starts_with("Kinesis");
        assert_eq!(cost.parts().iter().find(is_missing), None);
        let services = cost.services();
        check_near(services.iter().map(|(_, part)| part).sum(), cost.total());
        assert_eq!(services.len(), 6, "{services:?}");
    }
}
