//! What `nozzle recount` can be told.

use std::rc::Rc;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::runtime::Runtime;

use super::compare::Terms;
use crate::{
    functions::event_processor::{key::Spans, services::folder::ARCHIVE},
    local::clock::epoch_milliseconds,
    tool::{
        aws::Aws,
        clock::now,
        counter_table::{CounterPlace, CounterTable},
        numbers::whole,
        objects::{ErrorSource, Folder, Objects},
        terminal::Format,
        times::read_time,
    },
};

const HOURS_MAX: i64 = 8760;
const DAYS_MAX: u64 = 36_500;
const MILLISECONDS_PER_HOUR: i64 = 3_600_000;
const SECONDS_PER_DAY: u64 = 86_400;

const EXAMPLES: &str = "\
Examples:
  nozzle recount                        the folder counted of nozzle process
  nozzle recount --table nozzle-prod-event-processor --since 2026-11-20 \\
      --archive s3://nozzle-prod-lake/event-processor/archive/
  nozzle recount --table nozzle-prod-event-processor --since 2026-11-20 \\
      --archive s3://nozzle-prod-lake/event-processor/archive/ --execute

The archive is read object by object, and memory holds one day's counts of it beside the \
counters. Nothing changes without --execute. With it a counter becomes what the archive says, on \
condition that nobody has changed it meanwhile. Left alone are windows that ended less than \
--settle hours ago, those that have events archived and not counted yet, those of which the \
archive has an object or a line that cannot be read, those of which it has no object, and days with \
an hour that has a counter and no object. Where a lifecycle deletes old objects of the archive, name \
with --since the first day that is whole: of an older one the archive knows less than the counter.

The exit code is 0 when all counters agree or are set right, but for those whose windows ended \
less than --settle hours ago or are not whole in the archive while others are; 1 when some \
differ or are not counted yet, something cannot be read, no counter is there or the archive has \
nothing of any. Given again it finds what is left.";

/// Compare counters with the archive, and set them right
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::tool) struct RecountOptions {
    #[command(flatten)]
    place: CounterPlace,

    /// Where the archive is: a folder or `s3://BUCKET/PREFIX` [default: archive/ in DIR]
    #[arg(long, value_name = "WHERE")]
    archive: Option<ErrorSource>,

    /// Set right what differs; without it nothing changes
    #[arg(long)]
    execute: bool,

    /// How many hours ago a window must have ended: 0 to 8760
    #[arg(long, value_name = "HOURS", default_value = "2", value_parser = whole(0..=HOURS_MAX))]
    settle: i64,

    /// Only windows that begin then or later: 2026-11-20 or 2026-11-20T23:00:00Z
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    since: Option<i64>,

    /// Only windows that end by then
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    until: Option<i64>,

    /// Which windows are counted, as the function is told: `hour`, `day` or both [default: those that
    /// the table has; where it has none, both]
    #[arg(long, value_name = "WINDOWS")]
    pub(super) windows: Option<Spans>,

    /// How many days after its window a counter expires, as the function is told; older windows are
    /// left alone [default: never]
    #[arg(long, value_name = "DAYS", value_parser = whole(1..=DAYS_MAX))]
    counter_ttl_days: Option<u64>,

    /// One JSON object, in place of a table
    #[arg(long)]
    json: bool,
}

impl RecountOptions {
    pub(super) fn format(&self) -> Format {
        Format::of_flag(self.json)
    }

    /// Whoever only looks at them need not be one who may write them.
    pub(super) fn counters(&self, runtime: &Rc<Runtime>) -> Result<CounterTable> {
        if self.execute {
            self.place.open(runtime)
        } else {
            self.place.look(runtime)
        }
    }

    pub(super) fn archive(&self, runtime: &Rc<Runtime>) -> Result<Box<dyn Objects>> {
        match &self.archive {
            Some(ErrorSource::Folder(path)) => Ok(Box::new(Folder::find(path)?)),
            Some(ErrorSource::Bucket { bucket, prefix }) => {
                Aws::connect(Rc::clone(runtime))?.bucket(bucket, prefix)
            }
            Some(queue @ ErrorSource::Queue(_)) => bail!("--archive {queue} is no archive"),
            None => {
                let folder = self.place.folder();
                let folder = folder.context("name where the archive of --table is: --archive")?;
                Ok(Box::new(Folder::find(&folder.join(ARCHIVE))?))
            }
        }
    }

    pub(super) fn terms(&self) -> Terms {
        let now_milliseconds = epoch_milliseconds(now());
        let seconds = |milliseconds: i64| u64::try_from(milliseconds / 1000).unwrap_or_default();
        Terms {
            execute: self.execute,
            now_seconds: seconds(now_milliseconds),
            settled_seconds: seconds(now_milliseconds - self.settle * MILLISECONDS_PER_HOUR),
            since_seconds: self.since.map_or(0, seconds),
            until_seconds: self.until.map_or(u64::MAX, seconds),
            lifetime_seconds: self.counter_ttl_days.map(|days| days * SECONDS_PER_DAY),
        }
    }
}
