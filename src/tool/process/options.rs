//! What `nozzle process` can be told when it takes events in, and what that comes to once it is checked.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Args;
use xxhash_rust::xxh3::Xxh3Default;

use crate::{
    functions::event_processor::{
        Settings,
        enrichment::{
            AssignmentFields,
            listed::{LineError, Listed},
        },
        services::folder::Copies,
    },
    local::input::reader::Unpacked,
    tool::{counter_table::COUNTED, intake::IntakeOptions, settings::by_option, terminal::tell},
};

#[derive(Debug, Args)]
pub(super) struct TakeOptions {
    #[command(flatten)]
    pub(super) intake: IntakeOptions,

    /// The folder for counters, archive and dead letters
    #[arg(long, value_name = "DIR", default_value = COUNTED)]
    pub(super) into: PathBuf,

    /// The event type that a variant is for: which part of its users did it is said, with the
    /// interval that the true rate lies in (95 %)
    #[arg(long, value_name = "EVENT_TYPE")]
    pub(super) conversion: Option<String>,

    /// Write a page that shows what was counted: events over time by variant, unique users,
    /// refusals, duplicates. It needs nothing but a browser
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,

    /// JSON Lines of who was assigned which variant: `user_id`, `experiment_id` and what
    /// --assignment-fields names
    #[arg(long, value_name = "FILE")]
    assignments: Option<PathBuf>,

    /// What an assignment's id, variant and time are called
    /// [default: `assignment_id,variant,timestamp`]
    #[arg(long, value_name = "NAMES", requires = "assignments")]
    assignment_fields: Option<AssignmentFields>,

    /// JSON Lines of experiments: `key`, `name`, `status`
    #[arg(long, value_name = "FILE")]
    experiments: Option<PathBuf>,

    /// Which field of an experiment an event's `experiment_id` is
    #[arg(long, value_name = "NAME", default_value = "key")]
    experiment_key: String,

    /// Count and archive each `event_id` once
    #[arg(long)]
    drop_copies: bool,

    #[command(flatten, next_help_heading = "The function's settings")]
    function: EventProcessorOptions,
}

/// Named as the function's variables are. It checks them itself.
#[derive(Debug, Args)]
struct EventProcessorOptions {
    /// Which windows are counted: `hour`, `day` or both [default: hour,day]
    #[arg(long, value_name = "WINDOWS")]
    windows: Option<String>,

    /// How users are counted: `sketch` (about 1.7 % off beyond 96), `exact` or `off`
    /// [default: sketch]
    #[arg(long, value_name = "HOW")]
    unique_users: Option<String>,

    /// Over how many items each counter is spread: 1 to 10000 [default: 1]
    #[arg(long, value_name = "NUMBER")]
    counter_slots: Option<String>,

    /// How many days after its window a counter expires [default: for ever]
    #[arg(long, value_name = "DAYS")]
    counter_ttl_days: Option<String>,

    /// With --drop-copies, how many hours an event is remembered: 1 to 8760 [default: 24]
    #[arg(long, value_name = "HOURS")]
    event_cache_ttl_hours: Option<String>,

    /// The most bytes of an archive file before compression [default: 5242880]
    #[arg(long, value_name = "BYTES")]
    archive_file_bytes: Option<String>,

    /// The most events of an archive file [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    archive_file_events: Option<String>,
}

/// What is to be done; every value is allowed.
pub(super) struct ProcessTask {
    pub(super) settings: Settings,
    pub(super) lookup: Listed,
    /// Of all that decides what becomes of an event.
    pub(super) hash: u64,
}

impl ProcessTask {
    pub(super) fn of(options: &TakeOptions) -> Result<Self> {
        let settings = options.settings()?;
        let fields = options.assignment_fields.clone().unwrap_or_default();
        let key = &options.experiment_key;
        let mut lookup = Listed::default();
        let mut hash = Xxh3Default::new();
        let partition_key = options.intake.partition_key();
        let shards = options.intake.shards;
        let way = (
            &settings,
            &fields,
            key,
            options.copies(),
            partition_key,
            shards,
        );
        hash.update(format!("{way:?}").as_bytes());
        if let Some(path) = &options.assignments {
            add(path, &mut hash, |lines| {
                lookup.add_assignments(lines, &fields)
            })?;
            tell_of_no_variant(path, &lookup, &fields);
        }
        if let Some(path) = &options.experiments {
            add(path, &mut hash, |lines| lookup.add_experiments(lines, key))?;
        }
        Ok(Self {
            settings,
            lookup,
            hash: hash.digest(),
        })
    }
}

/// An event may have a variant of its own, so it is no error.
fn tell_of_no_variant(file: &Path, lookup: &Listed, fields: &AssignmentFields) {
    if lookup.lacks_variants() {
        tell(&format!(
            "no line of `{}` has a `{}`, so no event gets a variant from it; what a variant is called \
             there --assignment-fields says",
            file.display(),
            fields.variant
        ));
    }
}

type Lines = Unpacked<Cursor<Vec<u8>>>;

fn add(
    path: &Path,
    hash: &mut Xxh3Default,
    add: impl FnOnce(Lines) -> Result<(), LineError>,
) -> Result<()> {
    let read = || -> Result<()> {
        let bytes = fs::read(path)?;
        hash.update(&bytes);
        let lines = Unpacked::open(Cursor::new(bytes), &Arc::default())?;
        Ok(add(lines)?)
    };
    read().with_context(|| format!("`{}` cannot be used", path.display()))
}

impl TakeOptions {
    pub(super) fn settings(&self) -> Result<Settings> {
        Settings::read(|name| self.function.value(name)).map_err(|error| by_option(&error))
    }

    pub(super) fn copies(&self) -> Copies {
        if self.drop_copies {
            Copies::Dropped
        } else {
            Copies::Kept
        }
    }
}

impl EventProcessorOptions {
    fn value(&self, name: &str) -> Option<String> {
        let value = match name {
            "WINDOWS" => &self.windows,
            "UNIQUE_USERS" => &self.unique_users,
            "COUNTER_SLOTS" => &self.counter_slots,
            "COUNTER_TTL_DAYS" => &self.counter_ttl_days,
            "EVENT_CACHE_TTL_HOURS" => &self.event_cache_ttl_hours,
            "ARCHIVE_FILE_BYTES" => &self.archive_file_bytes,
            "ARCHIVE_FILE_EVENTS" => &self.archive_file_events,
            _ => &None,
        };
        value.clone()
    }
}
