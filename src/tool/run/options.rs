//! What `nozzle run` can be told, and what a run is to do once that is checked.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    functions::firehose_transform::Settings,
    local::firehose::{batch::Limits, lake::Layout, run::Watch},
    tool::{
        layout::LayoutOptions, numbers::whole, settings::SettingsOptions, terminal::FormatOptions,
    },
};

const MEBIBYTE: u64 = 1024 * 1024;
const HOURS_MAX: u64 = 8760;

const EXAMPLES: &str = "\
Examples:
  nozzle run events.jsonl                      into the folder lake
  nozzle run logs/ more.jsonl.gz --lake /data/lake
  nozzle run events.jsonl --report run.html    and a page that shows it
  zcat old.gz | nozzle run --compression gzip
  tail -F app.log | nozzle run --flush-seconds 5
  nozzle run --follow /var/log/events          and what comes there later
  nozzle run events.jsonl --partition-keys event_type,year,month,day,hour
  nozzle run events.jsonl --json --partition-keys event_type \\
      --prefix 'raw/!{partitionKeyFromLambda:event_type}/!{timestamp:yyyy}/'

An interrupted run goes on where it stopped when the same command is given again; nothing is lost \
or written twice. A finished one given again finds every event a duplicate; records that are \
refused have no claim, so their error objects are written again.

What comes in slowly is in the lake after --flush-seconds. With --follow, files grow and folders get \
more of them; Ctrl-C ends it well, and the same command goes on from there. A line is taken when it \
has its end.

A line is a record. One of more than 1,000 KiB is too long for Firehose: it becomes an error \
object without having seen the function. Lines of white space are passed over.

The exit code is 0 when all input is taken in, also with refused records; 1 when the function \
failed on some.";

/// Put events into a lake folder, each once
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunOptions {
    /// Files of JSON Lines, gzip or not, or folders of them (hidden files are left out); `-` or
    /// none is standard input
    pub(super) input: Vec<PathBuf>,

    /// The folder that the lake is in
    #[arg(long, value_name = "DIR", default_value = "lake")]
    lake: PathBuf,

    /// The folder that claims are in: what was seen before [default: .nozzle/claims in the lake]
    #[arg(long, value_name = "DIR")]
    claims: Option<PathBuf>,

    #[command(flatten)]
    layout: LayoutOptions,

    /// Record bytes that go to the function at once, in MiB: 0.2 to 3
    #[arg(long, value_name = "MIB", default_value = "1", value_parser = batch_bytes)]
    batch_mb: usize,

    /// Record bytes after which files are finished, in MiB: 1 to 10000; 220,000 new events or 20,000
    /// partitions finish them sooner
    #[arg(long, value_name = "MIB", default_value = "128", value_parser = whole(1_u64..=10_000))]
    flush_mb: u64,

    /// Seconds after which files are finished that have events: 1 to 86400
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = whole(1_u64..=86_400))]
    flush_seconds: u64,

    /// Go on with what files get later, and folders, until Ctrl-C. Packed files must be whole
    #[arg(long, requires = "input")]
    pub(super) follow: bool,

    /// How many hours an event is remembered: 1 to 8760 [default: for ever]
    #[arg(long, value_name = "HOURS", value_parser = whole(1..=HOURS_MAX))]
    ttl_hours: Option<u64>,

    /// Go on though the claims remember events that the lake does not hold, the lake is laid out by
    /// another prefix, or the input does not look like events, one a line
    #[arg(long)]
    pub(super) anyway: bool,

    #[command(flatten)]
    pub(super) summary: FormatOptions,

    /// Write a page that shows the run: events over time, refusals, duplicates, sizes, timing. It
    /// needs nothing but a browser
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,

    #[command(flatten, next_help_heading = "The function's settings")]
    pub(super) function: SettingsOptions,
}

/// What a run is to do; every value is allowed.
pub(super) struct RunTask {
    pub(super) settings: Settings,
    pub(super) layout: Layout,
    pub(super) limits: Limits,
    pub(super) window_bytes_max: u64,
    pub(super) window_age_max: Duration,
    pub(super) watch: Watch,
    pub(super) lake: PathBuf,
    pub(super) claims: Option<PathBuf>,
}

impl RunTask {
    pub(super) fn of(options: &RunOptions) -> Result<Self> {
        let settings = options.settings()?;
        let layout = options.layout.read(&settings.rules.partition_keys)?;
        Ok(Self {
            settings,
            layout,
            limits: Limits::with_batch(options.batch_mb),
            window_bytes_max: options.flush_mb * MEBIBYTE,
            window_age_max: Duration::from_secs(options.flush_seconds),
            watch: match options.report {
                Some(_) => Watch::Picture,
                None => Watch::Nobody,
            },
            lake: options.lake.clone(),
            claims: options.claims.clone(),
        })
    }

    /// A hash of all that decides what becomes of a record: only a run that does the same can go on
    /// with another one's work.
    pub(super) fn task(&self, lake: &Path) -> u64 {
        xxh3_64(format!("{:?} {:?} {}", self.settings, self.layout, lake.display()).as_bytes())
    }
}

impl RunOptions {
    fn settings(&self) -> Result<Settings> {
        let settings = self.function.read()?;
        Ok(Settings {
            claim_lifetime_seconds: self.ttl_hours.map(|hours| hours * 3600),
            ..settings
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "it is between 0.2 and 3"
)]
fn batch_bytes(text: &str) -> Result<usize, String> {
    match text.parse::<f64>() {
        Ok(mebibytes) if (0.2..=3.0).contains(&mebibytes) => {
            Ok((mebibytes * MEBIBYTE as f64) as usize)
        }
        _ => Err("it must be a number from 0.2 to 3".to_owned()),
    }
}
