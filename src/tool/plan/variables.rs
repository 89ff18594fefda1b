//! What follows for a `.tfvars` file.

use serde::Serialize;

use super::{
    billing::ClaimCapacity,
    claims::ClaimTable,
    cost::Planned,
    lake::LakeSizing,
    limits::{ACTIVE_PARTITIONS_ALARM, ACTIVE_PARTITIONS_QUOTA, UNITS_USED},
    load::InflowSource,
    options::FileFormat,
};
use crate::functions::firehose_transform::{event::EventFields, partition::PartitionKeys};

/// A variable of `terraform/variables.tf`, its value as it is written there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// What differs from Terraform's defaults only by chance is named all the same: a plan says all
/// that it counts on.
pub(super) fn variables(planned: &Planned<'_>) -> Vec<Variable> {
    let Planned {
        load,
        function,
        claims,
        lake,
        wishes,
        ..
    } = planned;
    let mut variables = Vec::new();
    let mut set = |name, value: String| variables.push(Variable { name, value });
    set("stream_source", quoted(source_name(load.source)));
    if wishes.event_fields != EventFields::default() {
        set("event_fields", list(&wishes.event_fields.to_string()));
    }
    if wishes.partition_keys != PartitionKeys::default().to_string() {
        set("partition_keys", list(&wishes.partition_keys));
    }
    set("format", quoted(format_name(wishes.format)));
    if wishes.originals_backup {
        set("originals_backup", "true".to_owned());
    }
    set("claim_hours", wishes.claim_hours.to_string());
    if wishes.claim_capacity == ClaimCapacity::Auto {
        set("claim_capacity", quoted("auto"));
        set("claim_write_units", write_units(claims));
    }
    set("buffer_megabytes", lake.buffer_megabytes.to_string());
    set("buffer_seconds", lake.buffer_seconds.to_string());
    if let Some(megabytes) = function.batch_megabytes {
        set("transform_buffer_megabytes", megabytes.to_string());
        set(
            "transform_buffer_seconds",
            function.batch_seconds.to_string(),
        );
    }
    set(
        "function_memory_megabytes",
        function.memory_megabytes.to_string(),
    );
    for (name, is_planned) in [
        ("event_log", wishes.streams.event_log),
        ("event_processor", wishes.streams.counters.is_some()),
    ] {
        if is_planned {
            set(name, "true".to_owned());
        }
    }
    if let Some(quota) = quota_to_ask_for(lake) {
        set("active_partitions_quota", quota.to_string());
    }
    variables
}

/// From half of what the mean takes to what the peak does, used as much as scaling aims at.
pub(super) fn write_units(claims: &ClaimTable) -> String {
    let minimum = (claims.write_units_per_second / UNITS_USED / 2.0)
        .ceil()
        .max(1.0);
    let maximum = (claims.peak_write_units_per_second / UNITS_USED).ceil();
    let maximum = maximum.max(minimum + 1.0);
    format!("{{ minimum = {minimum}, maximum = {maximum} }}")
}

/// Where the usual quota of active partitions would ring the alarm: the next round one that does not.
pub(super) fn quota_to_ask_for(lake: &LakeSizing) -> Option<f64> {
    let usual = ACTIVE_PARTITIONS_QUOTA;
    let needed = lake.active_partitions_max / ACTIVE_PARTITIONS_ALARM;
    (needed > usual).then(|| (needed / usual).ceil() * usual)
}

fn source_name(source: InflowSource) -> &'static str {
    match source {
        InflowSource::DirectPut => "direct-put",
        InflowSource::Kinesis => "kinesis",
    }
}

fn format_name(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Json => "json",
        FileFormat::Parquet => "parquet",
    }
}

/// Of names between commas.
fn list(names: &str) -> String {
    let names: Vec<_> = names.split(',').map(quoted).collect();
    format!("[{}]", names.join(", "))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::{
        chain::Chain,
        example::{load, wishes},
        load::Load,
        options::Wishes,
        partitions::PartitionGroups,
        prices::Prices,
        streams::StreamWishes,
    };

    const TERRAFORM: &str = include_str!("../../../terraform/variables.tf");

    fn of(load: &Load, wishes: &Wishes) -> Vec<Variable> {
        Chain::of(load, 1.0, wishes, &Prices::read(None).unwrap()).variables
    }

    /// The text between a variable's braces.
    fn block(name: &str) -> &'static str {
        let start = format!("variable \"{name}\" {{\n");
        let (_, rest) = TERRAFORM
            .split_once(&start)
            .unwrap_or_else(|| panic!("no {name}"));
        rest.split("\n}\n").next().unwrap()
    }

    /// Whether a number keeps what the variable's conditions say of numbers. Where they ask for
    /// `transform`, it is true here.
    #[track_caller]
    fn check_number(name: &str, value: f64) {
        let block = block(name);
        assert!(
            block.contains("type        = number"),
            "{name} is no number"
        );
        let variable = format!("var.{name} ");
        let conditions = block.lines().filter(|line| line.contains("condition "));
        for comparison in conditions.flat_map(|line| line.split(&variable).skip(1)) {
            let (operator, rest) = comparison.split_once(' ').unwrap();
            let rest = match rest.strip_prefix('(') {
                Some(choice) => choice.split_once("? ").unwrap().1,
                None => rest,
            };
            let digits = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next();
            let Ok(bound) = digits.unwrap().parse::<f64>() else {
                continue;
            };
            let holds = match operator {
                "<=" => value <= bound,
                ">=" => value >= bound,
                "!=" => (value - bound).abs() > 1e-9,
                _ => continue,
            };
            assert!(holds, "{name} = {value}, but {operator} {bound}");
        }
        let is_whole = block.contains("whole number");
        assert!(!is_whole || value.fract().abs() < 1e-9, "{name} = {value}");
    }

    #[track_caller]
    fn check(load: &Load, wishes: &Wishes) {
        for Variable { name, value } in of(load, wishes) {
            match value.parse::<f64>() {
                Ok(number) => check_number(name, number),
                Err(_) if value.starts_with('"') => {
                    assert!(block(name).contains(&value), "{name} = {value}");
                }
                Err(_) => assert!(block(name).contains("type        = "), "{name} = {value}"),
            }
        }
    }

    #[test]
    fn terraform_takes_whatever_is_planned() {
        for (events_per_second, bytes, partitions) in [
            (0.0, 64, 1),
            (0.01, 100, 5),
            (1.0, 420, 20),
            (1_000.0, 420, 400),
            (1_000.0, 5_000, 30_000),
            (1e6, 1_000_000, 1),
            (1e12, 64, 1_000_000),
        ] {
            for format in [FileFormat::Json, FileFormat::Parquet] {
                for source in [InflowSource::DirectPut, InflowSource::Kinesis] {
                    let load = Load {
                        source,
                        partitions: PartitionGroups::alike(partitions),
                        ..load(events_per_second, bytes)
                    };
                    for claim_capacity in [ClaimCapacity::OnDemand, ClaimCapacity::Auto] {
                        let wishes = Wishes {
                            format,
                            claim_capacity,
                            ..wishes()
                        };
                        check(&load, &wishes);
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "transform_buffer_megabytes = 1, but != 1")]
    fn a_value_that_terraform_refuses_would_be_found() {
        check_number("transform_buffer_megabytes", 1.0);
    }

    #[test]
    #[should_panic(expected = "buffer_seconds = 59, but >= 60")]
    fn a_value_below_the_least_with_a_function_would_be_found() {
        check_number("buffer_seconds", 59.0);
    }

    #[test]
    fn what_was_asked_for_is_in_the_lines() {
        let wishes = Wishes {
            event_fields: "id,name,ts".parse().unwrap(),
            partition_keys: "event_type,year".to_owned(),
            originals_backup: true,
            claim_capacity: ClaimCapacity::Auto,
            buffer_seconds: Some(120),
            streams: StreamWishes {
                event_log: true,
                counters: Some(300.0),
                ..StreamWishes::default()
            },
            ..wishes()
        };
        let load = Load {
            partitions: PartitionGroups::alike(1_000),
            ..load(1_000.0, 420)
        };
        let lines: Vec<_> = of(&load, &wishes)
            .iter()
            .map(|variable| format!("{} = {}", variable.name, variable.value))
            .collect();
        let expected = [
            "stream_source = \"direct-put\"",
            "event_fields = [\"id\", \"name\", \"ts\"]",
            "partition_keys = [\"event_type\", \"year\"]",
            "format = \"json\"",
            "originals_backup = true",
            "claim_hours = 24",
            "claim_capacity = \"auto\"",
            "claim_write_units = { minimum = 715, maximum = 4286 }",
            "buffer_megabytes = 64",
            "buffer_seconds = 120",
            "transform_buffer_megabytes = 2.7",
            "transform_buffer_seconds = 30",
            "function_memory_megabytes = 256",
            "event_log = true",
            "event_processor = true",
            // 1,000 partitions with 3 events a second each, and twice as many at midnight.
            "active_partitions_quota = 2500",
        ];
        assert_eq!(lines, expected);
    }
}
