//! The function's settings as options: `EVENT_YEARS` is `--event-years`.

use anyhow::anyhow;
use clap::Args;

use crate::{
    config::{SettingsError, read_settings},
    firehose::Settings,
    partition::{Key, PartitionKeys},
};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings of the function")]
pub(super) struct SettingsOptions {
    /// What makes two events the same: uuid, name and time (`event`), or the uuid alone (`uuid`)
    #[arg(long, value_name = "event|uuid")]
    event_identity: Option<String>,
    /// What the lake is partitioned by, in the prefix's order
    #[arg(long, value_name = "KEY,…")]
    partition_keys: Option<String>,
    /// First and last year of created_at that is accepted
    #[arg(long, value_name = "FIRST-LAST")]
    event_years: Option<String>,
    /// Types that are accepted, with their subtypes where wanted: account:created,login
    #[arg(long, value_name = "TYPE[:SUBTYPE],…")]
    event_types: Option<String>,
    /// What to do when the claims cannot be read or written
    #[arg(long, value_name = "retry|deliver")]
    on_claim_failure: Option<String>,
    /// What becomes of a duplicate whose bytes differ
    #[arg(long, value_name = "drop|fail")]
    on_differing_duplicate: Option<String>,
    /// The most bytes of the function's response, for tests
    #[arg(long, value_name = "BYTES")]
    response_bytes_max: Option<String>,
}

impl SettingsOptions {
    /// The settings; an error names the option.
    pub(super) fn read(&self) -> anyhow::Result<Settings> {
        read_settings(|name| self.value(name)).map_err(|error| match error {
            SettingsError::Missing { name, allowed } => {
                anyhow!("{} is missing; it must be {allowed}", option(name))
            }
            SettingsError::Wrong {
                name,
                value,
                allowed,
            } => anyhow!("{} is {value:?}; it must be {allowed}", option(name)),
        })
    }

    fn value(&self, name: &str) -> Option<String> {
        let value = match name {
            "EVENT_IDENTITY" => &self.event_identity,
            "PARTITION_KEYS" => &self.partition_keys,
            "EVENT_YEARS" => &self.event_years,
            "EVENT_TYPES" => &self.event_types,
            "ON_CLAIM_FAILURE" => &self.on_claim_failure,
            "ON_DIFFERING_DUPLICATE" => &self.on_differing_duplicate,
            "RESPONSE_BYTES_MAX" => &self.response_bytes_max,
            _ => &None,
        };
        value.clone()
    }
}

/// Hive's way: a folder a partition key.
pub(super) fn default_prefix(keys: &PartitionKeys) -> String {
    let folder = |key: Key| {
        format!(
            "{key}=!{{partitionKeyFromLambda:{key}}}/",
            key = key.as_str()
        )
    };
    format!("events/{}", keys.iter().map(folder).collect::<String>())
}

fn option(name: &str) -> String {
    format!("--{}", name.to_lowercase().replace('_', "-"))
}
