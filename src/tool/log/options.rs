//! What `nozzle log` can be told when it puts events in, and what that comes to once it is checked.

use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    functions::event_log::Settings,
    kinesis::depot::folder::BUCKET,
    local::kinesis::passage::PartitionKey,
    tool::{intake::IntakeOptions, settings::by_option},
};

/// Which log.
pub(super) const LOG: &str = "log";

#[derive(Debug, Args)]
pub(super) struct PutOptions {
    #[command(flatten)]
    pub(super) intake: IntakeOptions,

    /// The folder that the log is in
    #[arg(long, value_name = "DIR", default_value = LOG)]
    log: PathBuf,

    /// Where in the log's folder dead letters go
    #[arg(long, value_name = "FOLDER", default_value = "dead-letters")]
    dead_letters: PathBuf,

    #[command(flatten, next_help_heading = "The function's settings")]
    function: EventLogOptions,
}

/// Named as the function's variables are. It checks them itself.
#[derive(Debug, Args)]
struct EventLogOptions {
    /// What is an event's id: `record`, or a JSON pointer to text or a number in the event, which
    /// is then stored once [default: record]
    #[arg(long, value_name = "WHICH")]
    event_id: Option<String>,

    /// What to do with an event whose id has other data already: `keep-first` (the other is a dead
    /// letter) or `keep-both` [default: keep-first]
    #[arg(long, value_name = "WHAT", requires = "event_id")]
    on_conflict: Option<String>,

    /// A JSON pointer to what an event can be searched by [default: none]
    #[arg(long, value_name = "POINTER")]
    search_key: Option<String>,

    /// Over how many keys of the index one search key is spread: 1 to 1000 [default: 1]
    #[arg(long, value_name = "NUMBER", requires = "search_key")]
    search_buckets: Option<String>,

    /// What an event is stored as: `map` or `text`, byte for byte [default: map]
    #[arg(long, value_name = "HOW")]
    data: Option<String>,

    /// What to do with what is no JSON: `store` or `dead-letter` [default: store]
    #[arg(long, value_name = "WHAT")]
    on_unreadable: Option<String>,

    /// How many hours an item is kept: 1 to 876000 [default: for ever]
    #[arg(long, value_name = "HOURS")]
    log_ttl_hours: Option<String>,
}

/// What is to be done; every value is allowed.
pub(super) struct LogTask {
    pub(super) settings: Settings,
    partition_key: PartitionKey,
    shards: u32,
    pub(super) log: PathBuf,
}

impl LogTask {
    pub(super) fn of(options: &PutOptions) -> Result<Self> {
        let dead_letters = prefix(&options.dead_letters)?;
        let settings = Settings::read(|name| match name {
            "S3_BUCKET" => Some(BUCKET.to_owned()),
            "DEAD_LETTER_PREFIX" => Some(dead_letters.clone()),
            _ => options.function.value(name),
        });
        Ok(Self {
            settings: settings.map_err(|error| by_option(&error))?,
            partition_key: options.intake.partition_key(),
            shards: options.intake.shards,
            log: options.log.clone(),
        })
    }

    /// A hash of all that decides what becomes of an event: only a run that does the same can go on
    /// with another one's work.
    pub(super) fn hash(&self) -> u64 {
        let way = (&self.settings, &self.partition_key, self.shards);
        xxh3_64(format!("{way:?}").as_bytes())
    }
}

impl EventLogOptions {
    fn value(&self, name: &str) -> Option<String> {
        let value = match name {
            "EVENT_ID" => &self.event_id,
            "ON_CONFLICT" => &self.on_conflict,
            "SEARCH_KEY" => &self.search_key,
            "SEARCH_BUCKETS" => &self.search_buckets,
            "DATA" => &self.data,
            "ON_UNREADABLE" => &self.on_unreadable,
            "LOG_TTL_HOURS" => &self.log_ttl_hours,
            _ => &None,
        };
        value.clone()
    }
}

/// What the keys of dead letters begin with: a folder within the log's.
fn prefix(folder: &Path) -> Result<String> {
    let is_inside = folder
        .components()
        .all(|part| matches!(part, Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".")));
    match folder.to_str() {
        Some(name) if is_inside && !name.is_empty() => {
            Ok(format!("{}/", name.trim_end_matches('/')))
        }
        _ => bail!(
            "--dead-letters {} cannot be used: it must be the name of a folder within the log's, not hidden",
            folder.display()
        ),
    }
}
