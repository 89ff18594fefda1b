//! The price list: a file that can be replaced. Where none is given, the one in the repository.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

pub(super) const OURS: &str = include_str!("prices.json");

/// What AWS asks for, in dollars. Every field has to be there, and no other may be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prices {
    pub(super) region: String,
    pub(super) date: String,
    pub(super) source: String,
    pub(super) firehose_ingest_per_gigabyte: f64,
    pub(super) firehose_dynamic_partitioning_per_gigabyte: f64,
    pub(super) firehose_dynamic_partitioning_per_thousand_objects: f64,
    pub(super) firehose_format_conversion_per_gigabyte: f64,
    pub(super) kinesis_shard_per_hour: f64,
    pub(super) kinesis_per_million_put_units: f64,
    pub(super) kinesis_on_demand_stream_per_hour: f64,
    pub(super) kinesis_on_demand_in_per_gigabyte: f64,
    pub(super) kinesis_on_demand_out_per_gigabyte: f64,
    pub(super) dynamodb_on_demand_per_million_writes: f64,
    pub(super) dynamodb_provisioned_per_write_unit_hour: f64,
    pub(super) lambda_arm64_per_gigabyte_second: f64,
    pub(super) lambda_per_million_requests: f64,
    pub(super) s3_per_thousand_puts: f64,
    pub(super) s3_per_gigabyte_month: f64,
    pub(super) cloudwatch_alarm_metric_per_month: f64,
    pub(super) cloudwatch_dashboard_per_month: f64,
    pub(super) cloudwatch_metric_per_month: f64,
    pub(super) cloudwatch_logs_per_gigabyte: f64,
}

impl Prices {
    /// Whose they are, and whose they are not, for a plan in this region.
    pub(super) fn named(&self, region: &str) -> String {
        let named = format!("{}, list of {}", self.region, self.date);
        if region == self.region {
            named
        } else {
            format!("{named}; not {region}'s, for which give --prices")
        }
    }

    /// The list in this file, or ours.
    pub(super) fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            return Self::parse(OURS);
        };
        let name = file.display();
        let text = fs::read_to_string(file)
            .with_context(|| format!("--prices `{name}` cannot be read"))?;
        Self::parse(&text).with_context(|| format!("--prices `{name}` is no price list"))
    }

    fn parse(text: &str) -> Result<Self> {
        let prices: Self = serde_json::from_str(text)?;
        let all = serde_json::to_value(&prices)?;
        for (name, value) in all.as_object().into_iter().flatten() {
            let is_price = value.as_f64().is_none_or(|price| price >= 0.0);
            ensure!(is_price, "{name} is {value}; a price is 0 or more");
        }
        Ok(prices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Value), expected: &str) {
        let mut list: Value = serde_json::from_str(OURS).unwrap();
        change(&mut list);
        let error = Prices::parse(&list.to_string()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn our_list_is_read_and_says_where_it_is_from() {
        let prices = Prices::read(None).unwrap();
        assert_eq!(prices.region, "us-east-1");
        assert!(prices.source.contains("check before quoting"));
    }

    #[test]
    fn a_list_with_a_field_too_few_or_too_many_is_refused_by_its_name() {
        check_refused(
            |list| drop(list.as_object_mut().unwrap().remove("s3_per_thousand_puts")),
            "missing field `s3_per_thousand_puts`",
        );
        check_refused(
            |list| list["s3_per_get"] = json!(0.1),
            "unknown field `s3_per_get`",
        );
        check_refused(
            |list| list["kinesis_shard_per_hour"] = json!("0.015"),
            "invalid type: string \"0.015\", expected f64",
        );
        check_refused(
            |list| list["kinesis_shard_per_hour"] = json!(-1),
            "kinesis_shard_per_hour is -1.0; a price is 0 or more",
        );
    }
}
