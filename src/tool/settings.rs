//! The function's settings as options: `EVENT_YEARS` is `--event-years`.

use anyhow::anyhow;
use clap::Args;

use crate::{
    config::SettingsError,
    functions::firehose_transform::{
        Settings,
        event::Refusal,
        partition::{Key, PartitionKeys},
    },
    local::shell::quoted,
};

/// Nobody types more of an option.
const TYPED_BYTES_MAX: usize = 60;

/// Named as the function's variables are. It checks them itself.
#[derive(Debug, Args)]
pub(super) struct SettingsOptions {
    /// What makes two events the same: `event` (uuid, name and time) or `uuid` [default: event]
    #[arg(long, value_name = "WHICH")]
    event_identity: Option<String>,

    /// Under which names an event has its uuid, name and time, as in `id,name,ts`
    /// [default: `event_uuid,event_name,created_at`]
    #[arg(long, value_name = "FIELDS")]
    event_fields: Option<String>,

    /// The keys of a partition, in order: of `event_type,event_subtype,year,month,day,hour`
    /// [default: `event_type,event_subtype,year,month,day`]
    #[arg(long, value_name = "KEYS")]
    partition_keys: Option<String>,

    /// The first and last year that is accepted [default: 1970-9999]
    #[arg(long, value_name = "FROM-TO")]
    event_years: Option<String>,

    /// The types that are accepted, with subtypes where wanted: `account:created,login`
    /// [default: any]
    #[arg(long, value_name = "TYPES")]
    event_types: Option<String>,

    /// What to do when the claims cannot be read or written: `retry` or `deliver` [default: retry]
    #[arg(long, value_name = "WHAT")]
    on_claim_failure: Option<String>,

    /// What to do with a duplicate that has other bytes: `drop` or `fail` [default: drop]
    #[arg(long, value_name = "WHAT")]
    on_differing_duplicate: Option<String>,

    /// How many partitions one batch may spread over, as the function has it for the sake of
    /// Firehose's quota; a folder has none [default: 100000]
    #[arg(long, value_name = "NUMBER")]
    batch_partitions_max: Option<String>,

    /// How many bytes an answer may have, for trying out overflow [default: 6291556]
    #[arg(long, value_name = "BYTES")]
    response_bytes_max: Option<String>,
}

impl SettingsOptions {
    /// The settings; an error names the option.
    pub(super) fn read(&self) -> anyhow::Result<Settings> {
        Settings::read(|name| self.value(name)).map_err(|error| by_option(&error))
    }

    /// The types that are accepted, as they were given; without any, all are.
    pub(super) fn event_types(&self) -> Option<&str> {
        self.event_types.as_deref()
    }

    /// The options that say what is refused, as they are typed; a long list is left out.
    pub(super) fn judging(&self) -> String {
        let given = [
            ("--event-fields", &self.event_fields),
            ("--partition-keys", &self.partition_keys),
            ("--event-years", &self.event_years),
            ("--event-types", &self.event_types),
        ];
        let short = given.into_iter().filter_map(|(name, value)| {
            let value = value
                .as_ref()
                .filter(|value| value.len() <= TYPED_BYTES_MAX)?;
            Some(format!(" {name} {}", quoted(value)))
        });
        short.collect()
    }

    /// The years and types by which records are refused, where some are.
    pub(super) fn accepted_in_words(&self) -> Option<String> {
        let years = self.event_years.as_ref();
        let years = years.map(|years| format!("the years {years}"));
        let types = self.event_types.as_ref();
        let types = types.map(|_| "the types of --event-types".to_owned());
        let accepted: Vec<_> = years.into_iter().chain(types).collect();
        (!accepted.is_empty()).then(|| format!("accepted are {}", accepted.join(" and ")))
    }

    /// Whether [`Self::judging`] leaves out what this reason is for.
    pub(super) fn leaves_out(&self, reason: &str) -> bool {
        let types = self.event_types.as_ref();
        reason == Refusal::EventTypeNotListed.as_str()
            && types.is_some_and(|types| types.len() > TYPED_BYTES_MAX)
    }

    /// Whether no year and no type is refused, as a function may be set to do.
    pub(super) fn accept_every_year_and_type(&self) -> bool {
        self.event_years.is_none() && self.event_types.is_none()
    }

    fn value(&self, name: &str) -> Option<String> {
        let value = match name {
            "EVENT_IDENTITY" => &self.event_identity,
            "EVENT_FIELDS" => &self.event_fields,
            "PARTITION_KEYS" => &self.partition_keys,
            "EVENT_YEARS" => &self.event_years,
            "EVENT_TYPES" => &self.event_types,
            "ON_CLAIM_FAILURE" => &self.on_claim_failure,
            "ON_DIFFERING_DUPLICATE" => &self.on_differing_duplicate,
            "RESPONSE_BYTES_MAX" => &self.response_bytes_max,
            "BATCH_PARTITIONS_MAX" => {
                let unlimited = || Some("100000".to_owned());
                return self.batch_partitions_max.clone().or_else(unlimited);
            }
            _ => &None,
        };
        value.clone()
    }
}

/// Whether a value is one that the function takes of this variable; if it has no such one, it is.
pub(super) fn check(variable: &str, value: &str) -> Result<(), String> {
    let one = |name: &str| (name == variable).then(|| value.to_owned());
    match Settings::read(one) {
        Err(SettingsError::Wrong { name, allowed, .. }) if name == variable => {
            Err(format!("it must be {allowed}"))
        }
        _ => Ok(()),
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

/// What is wrong, under the option's name in place of the variable's.
pub(super) fn by_option(error: &SettingsError) -> anyhow::Error {
    match error {
        SettingsError::Missing { name, allowed } => {
            anyhow!("{} is missing; it must be {allowed}", option(name))
        }
        SettingsError::Wrong {
            name,
            value,
            allowed,
        } => anyhow!("{} is {value:?}; it must be {allowed}", option(name)),
    }
}

fn option(name: &str) -> String {
    format!("--{}", name.to_lowercase().replace('_', "-"))
}
