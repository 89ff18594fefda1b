//! What `nozzle find` can be told.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgGroup, Args};

use super::days::SoughtDays;
use crate::{
    functions::firehose_transform::{Settings, event::EventFields},
    tool::{criterion::Criterion, objects::ErrorSource, settings::SettingsOptions},
};

const EXAMPLES: &str = "\
Examples:
  nozzle find 9f3c2a50-4c5a-4b4b-ad1e-389873001ff5
  nozzle find 9f3c… --lake /data/lake --day 2026-11-20
  nozzle find --where /user/id=u-0352 --json
  nozzle find 9f3c… --lake s3://my-lake/ --since 2026-11-20 \\
      --table events-claims --log-table events-log
  nozzle find 9f3c… --lake counted/dead-letters --log log

A line a finding: event, archived event, error object (and whether a redrive has sent it), dead letter, claim, log. \
An archive's events and dead letters are known by their event_id, too. All that lies in a lake is read, but what stands in a folder of another day (year=, month=, day=): of \
events the day is that of their time, of error objects that of their arrival. Parquet is not read. \
Claims are looked up for the first 1,000 events that were found; with --event-identity uuid for the uuid alone. An \
event log is asked for the id first; one in a folder is read whole where that is not there, a table \
only with --where.

The exit code is 0 when something is found, and what could not be read or asked is said; 1 when nothing is, \
and 2 when nothing is and not everything could be read.";

/// Find an event: in a lake, among error objects and dead letters, its claim, in an event log
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("what").required(true).args(["uuid", "condition"])))]
pub(crate) struct FindOptions {
    /// The event's uuid
    #[arg(value_name = "UUID")]
    uuid: Option<String>,

    /// Find events with this field instead: `user_id=352`, `open=true`, or `/user/id=352` where it lies
    /// deeper; a number however it is spelled
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    condition: Option<Criterion>,

    /// A lake, or where error objects or dead letters lie: a folder, a file or `s3://BUCKET/PREFIX`;
    /// may be given several times [default: lake]
    #[arg(long, value_name = "PLACE")]
    pub(super) lake: Vec<ErrorSource>,

    /// The folder that claims are in [default: .nozzle/claims in the lake]
    #[arg(long, value_name = "DIR")]
    pub(super) claims: Option<PathBuf>,

    /// The claim table, in DynamoDB
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,

    /// An event log's folder
    #[arg(long, value_name = "DIR")]
    pub(super) log: Option<PathBuf>,

    /// An event log's table, in DynamoDB
    #[arg(long, value_name = "NAME")]
    pub(super) log_table: Option<String>,

    #[command(flatten)]
    pub(super) days: SoughtDays,

    /// Print a JSON object a finding
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten, next_help_heading = "The function's settings")]
    function: SettingsOptions,
}

impl FindOptions {
    pub(super) fn settings(&self) -> Result<Settings> {
        self.function.read()
    }

    /// The uuid, where that is looked for.
    pub(super) fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    pub(super) fn criterion(&self, fields: &EventFields) -> Criterion {
        let uuid = self.uuid.as_deref().unwrap_or_default();
        let of_uuid = || Criterion::of_uuid(uuid, fields);
        self.condition.clone().unwrap_or_else(of_uuid)
    }
}
