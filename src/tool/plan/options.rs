//! What `nozzle plan` can be told, and what of it the person has decided once that is checked.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    billing::ClaimCapacity,
    intake::KinesisCapacity,
    limits::{BATCH_SECONDS_MAX, BATCH_SECONDS_REFUSED, BATCH_TENTHS, BATCH_TENTHS_REFUSED},
    load::{InflowSource, Load},
    partitions::PartitionGroups,
    prices::Prices,
    sample::{Described, LoadSample},
    streams::StreamWishes,
};
use crate::{
    functions::firehose_transform::{Settings, event::EventFields, partition::Key},
    tool::{
        numbers::{number, whole},
        settings::SettingsOptions,
    },
};

const EXAMPLES: &str = "\
Examples:
  nozzle plan --events-per-second 1000 --bytes 420
  nozzle plan --events-per-second 1000 --sample events.jsonl \\
      --scale 0.001 --scale 1000
  nozzle plan --events-per-second 50 --bytes 900 \\
      --source kinesis --format parquet --all
  nozzle plan --events-per-second 20 --sample logs/ --region eu-central-1 \\
      --partition-keys event_type,year,month,day
  nozzle plan --events-per-second 278 --bytes 300 --counters 300 --event-log
  nozzle plan --show-prices > prices.json
  nozzle plan --events-per-second 1000 --bytes 420 --prices prices.json

Each --scale is a column beside the load as given: the same events, more or fewer of them, to the \
same partitions. Below stands what has to be done first for each; with --all every figure, what had \
better be done, and lines for a .tfvars file.

Sizes are in KiB, MiB and GiB; so are AWS's. A month has 30 days. Quotas are AWS's defaults: what \
the account has is to be looked up.

The exit code is 0 when there is a plan, also one with something that must change.";

/// Plan the chain for a load: shards or quotas, buffers, partitions, write units, concurrency, cost
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(crate) struct PlanOptions {
    /// Events that come in a second, over the month: all of them, refused ones and duplicates too
    #[arg(
        long,
        value_name = "NUMBER",
        required = true,
        requires = "size",
        value_parser = number(0.0..=1e12)
    )]
    events_per_second: Option<f64>,

    /// Bytes of an event as it is sent, on the average
    #[arg(long, value_name = "NUMBER", group = "size")]
    bytes: Option<usize>,

    /// Bytes of the smallest event there is: a batch of nothing else is to fit into its answer
    /// [default: as few as an event can have]
    #[arg(long, value_name = "NUMBER", conflicts_with = "sample")]
    smallest_bytes: Option<usize>,

    /// The name of events where --bytes says their length: type and subtype are written again in
    /// answers and lines
    #[arg(
        long,
        value_name = "NAME",
        default_value = "account:created",
        conflicts_with = "sample"
    )]
    event_name: String,

    /// Measure real events instead: a file of JSON Lines, gzip or not, a folder of them, or `-` for
    /// standard input. Bytes, shares, partitions and gzip's ratio are taken from it
    #[arg(long, value_name = "FILE", group = "size")]
    sample: Option<PathBuf>,

    /// Of all events, the share that is a copy of one that came before [default: the sample's, or 0]
    #[arg(long, value_name = "SHARE", value_parser = number(0.0..=1.0))]
    duplicate_share: Option<f64>,

    /// Of all events, the share that is refused [default: the sample's, or 0]
    #[arg(long, value_name = "SHARE", value_parser = number(0.0..=1.0))]
    refused_share: Option<f64>,

    /// Partitions that get events within an hour, each as many: one for each type and subtype. That
    /// a new day or hour replaces them all is seen to [default: as in the sample, or 20]
    #[arg(long, value_name = "NUMBER", value_parser = whole(1..=u32::MAX))]
    partitions_per_hour: Option<u32>,

    /// The peak's events a second over the mean's
    #[arg(long, value_name = "FACTOR", default_value = "3", value_parser = number(1.0..=1e6))]
    peak_factor: f64,

    /// Where Firehose reads
    #[arg(long, value_name = "SOURCE", default_value = "direct-put")]
    source: InflowSource,

    /// How many times smaller files are than the lines in them [default: by gzip of the sample, or 5]
    #[arg(long, value_name = "FACTOR", value_parser = number(1e-6..=1e9))]
    compression: Option<f64>,

    /// A column for this many times the load; may be repeated, or be a list with commas
    #[arg(long, value_name = "FACTOR", value_delimiter = ',', value_parser = number(1e-9..=1e9))]
    scale: Vec<f64>,

    /// A price list that replaces the one inside
    #[arg(long, value_name = "FILE")]
    pub(super) prices: Option<PathBuf>,

    /// Print the price list that is inside, to be changed and given back
    #[arg(long, exclusive = true)]
    pub(super) show_prices: bool,

    /// Show every figure, what had better be done too, lines for a .tfvars file, and what is taken for
    /// granted
    #[arg(long, conflicts_with = "json")]
    pub(super) all: bool,

    /// Print one JSON object, with all of it
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    wishes: Wishes,

    #[command(flatten, next_help_heading = "The function's settings")]
    settings: SettingsOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FileFormat {
    /// Lines, gzip
    Json,
    /// Listed columns; the originals are kept too
    Parquet,
}

/// What the person has decided. What is none the plan chooses.
#[derive(Debug, Clone, Args)]
pub(super) struct Wishes {
    /// What the lake's files are
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(super) format: FileFormat,

    /// Keep every record as it came, too; so it always is with Parquet
    #[arg(long)]
    pub(super) originals_backup: bool,

    /// How many hours an event is remembered: 1 to 8760
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = whole(1_u32..=8760))]
    pub(super) claim_hours: u32,

    /// How the claim table's writes are paid. Both ways are priced; this is the one that is counted
    #[arg(long, value_name = "HOW", default_value = "on-demand")]
    pub(super) claim_capacity: ClaimCapacity,

    /// How a Kinesis stream is paid; one of yours may be provisioned
    #[arg(long, value_name = "HOW", default_value = "on-demand")]
    pub(super) kinesis_capacity: KinesisCapacity,

    /// How many days of delivered events S3 keeps when the month is billed
    #[arg(long, value_name = "DAYS", default_value = "365", value_parser = whole(1_u32..=36_500))]
    pub(super) retention_days: u32,

    /// The region whose quotas count [default: the price list's]; its prices are --prices'
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub(super) region: Option<String>,

    /// Firehose's buffer before the function, in MB: 0.2 to 3, in tenths
    #[arg(long = "transform-buffer-megabytes", help_heading = CHOICES, value_name = "MB", value_parser = batch_megabytes)]
    pub(super) batch_megabytes: Option<f64>,

    /// The same in seconds: 0 to 900
    #[arg(long = "transform-buffer-seconds", help_heading = CHOICES, value_name = "SECONDS", value_parser = batch_seconds)]
    pub(super) batch_seconds: Option<u32>,

    /// Firehose's buffer of a partition, in MB: 64 to 128
    #[arg(long, help_heading = CHOICES, value_name = "MB", value_parser = whole(64_u32..=128))]
    pub(super) buffer_megabytes: Option<u32>,

    /// The same in seconds: 60 to 900
    #[arg(long, help_heading = CHOICES, value_name = "SECONDS", value_parser = whole(60_u32..=900))]
    pub(super) buffer_seconds: Option<u32>,

    /// The function's memory, in MB: 128 to 10240
    #[arg(long = "function-memory-megabytes", help_heading = CHOICES, value_name = "MB", value_parser = whole(128_u32..=10_240))]
    pub(super) memory_megabytes: Option<u32>,

    /// A whole processor's time for an event [default: 15, and 0.008 a byte: three times
    /// what benches/RESULTS.md has over TLS]
    #[arg(long, help_heading = CHOICES, value_name = "MICROSECONDS", value_parser = number(1e-6..=1e9))]
    pub(super) microseconds_per_event: Option<f64>,

    /// How long DynamoDB takes for a request of 25 claims
    #[arg(long, help_heading = CHOICES, value_name = "MILLISECONDS", default_value = "20", value_parser = number(1e-6..=1e9))]
    pub(super) claim_milliseconds: f64,

    #[command(flatten, next_help_heading = "Beside it, on Kinesis")]
    pub(super) streams: StreamWishes,

    #[arg(skip)]
    pub(super) partition_keys: String,

    /// Of these, what makes no partition more, as far as that is known.
    #[arg(skip)]
    pub(super) idle_keys: Vec<Key>,

    #[arg(skip)]
    pub(super) event_fields: EventFields,

    #[arg(skip)]
    pub(super) partitioned_by_time: bool,

    #[arg(skip)]
    pub(super) response_bytes_max: usize,
}

const CHOICES: &str = "Instead of what the plan would choose";

impl Wishes {
    /// The one that is planned for.
    pub(super) fn region<'a>(&'a self, prices: &'a Prices) -> &'a str {
        self.region.as_deref().unwrap_or(&prices.region)
    }

    /// Terraform's defaults, which nobody is asked for here.
    pub(super) const ORIGINALS_DAYS: u32 = 30;
    pub(super) const ERRORS_DAYS: u32 = 90;
}

/// The load, and the sample that it was taken from.
pub(super) struct Given {
    pub(super) load: Load,
    pub(super) sample: Option<LoadSample>,
    pub(super) wishes: Wishes,
    /// In order; the load as given is among them.
    pub(super) scales: Vec<f64>,
}

/// Where neither the person nor a sample says more.
const PARTITIONS: u32 = 20;
const COMPRESSION: f64 = 5.0;

impl PlanOptions {
    pub(super) fn read(&self) -> Result<Given> {
        let settings = self.settings.read()?;
        let sample = self.sample.as_ref();
        let sample = sample
            .map(|path| LoadSample::read(path, &settings))
            .transpose()?;
        Ok(Given {
            load: self.load(sample.as_ref(), &settings)?,
            wishes: self.wishes(sample.as_ref(), &settings),
            sample,
            scales: self.scales(),
        })
    }

    fn load(&self, sample: Option<&LoadSample>, settings: &Settings) -> Result<Load> {
        let or_sample = |given: Option<f64>, value: fn(&LoadSample) -> f64, default: f64| {
            given.or_else(|| sample.map(value)).unwrap_or(default)
        };
        let load = Load {
            source: self.source,
            events_per_second: self.events_per_second.unwrap_or_default(),
            peak_factor: self.peak_factor,
            duplicate_share: or_sample(self.duplicate_share, |sample| sample.duplicate_share, 0.0),
            refused_share: or_sample(self.refused_share, |sample| sample.refused_share, 0.0),
            shape: match sample {
                Some(sample) => sample.shape.clone(),
                None => self.described().shape(settings)?,
            },
            compression: or_sample(self.compression, |sample| sample.compression, COMPRESSION),
            partitions: match (self.partitions_per_hour, sample) {
                (Some(count), _) => PartitionGroups::alike(count),
                (None, Some(sample)) => sample.partitions.clone(),
                (None, None) => PartitionGroups::alike(PARTITIONS),
            },
        };
        let gone = load.duplicate_share + load.refused_share;
        ensure!(
            gone <= 1.0,
            "--duplicate-share {} and --refused-share {} are more than 1 together; both are shares \
             of all events",
            load.duplicate_share,
            load.refused_share
        );
        Ok(load)
    }

    fn described(&self) -> Described<'_> {
        Described {
            bytes: self.bytes.unwrap_or_default(),
            name: &self.event_name,
            smallest_bytes: self.smallest_bytes,
        }
    }

    fn wishes(&self, sample: Option<&LoadSample>, settings: &Settings) -> Wishes {
        let keys = &settings.rules.partition_keys;
        let is_time = |key: Key| matches!(key, Key::Year | Key::Month | Key::Day | Key::Hour);
        Wishes {
            partition_keys: keys.to_string(),
            idle_keys: sample.map_or_else(Vec::new, |sample| sample.idle_keys.clone()),
            event_fields: settings.rules.event_fields.clone(),
            partitioned_by_time: keys.iter().any(is_time),
            response_bytes_max: settings.response_bytes_max,
            ..self.wishes.clone()
        }
    }

    fn scales(&self) -> Vec<f64> {
        let mut scales = self.scale.clone();
        scales.push(1.0);
        scales.sort_by(f64::total_cmp);
        scales.dedup();
        scales
    }
}

/// As AWS names them: `eu-central-1`, `us-gov-east-1`.
fn region(text: &str) -> Result<String, String> {
    let mut parts = text.split('-').rev();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word =
        |part: &str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_region = parts.next().is_some_and(is_number) && parts.clone().count() >= 2;
    if is_region && parts.all(is_word) {
        Ok(text.to_owned())
    } else {
        Err("it must be a region's name, such as eu-central-1".to_owned())
    }
}

fn batch_megabytes(text: &str) -> Result<f64, String> {
    let choices = BATCH_TENTHS
        .filter(|tenths| *tenths != BATCH_TENTHS_REFUSED)
        .map(|tenths| f64::from(tenths) / 10.0);
    let given = text.parse::<f64>().ok();
    let chosen = choices.into_iter().find(|choice| Some(*choice) == given);
    chosen.ok_or_else(|| {
        "it must be from 0.2 to 3 in tenths, but not 1: Firehose does not store its own default, \
         and Terraform's plan would never be empty"
            .to_owned()
    })
}

fn batch_seconds(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(seconds @ 0..=BATCH_SECONDS_MAX) if seconds != BATCH_SECONDS_REFUSED => Ok(seconds),
        _ => Err(format!(
            "it must be a whole number from 0 to {BATCH_SECONDS_MAX}, but not {BATCH_SECONDS_REFUSED}: \
             Firehose does not store its own default, and Terraform's plan would never be empty"
        )),
    }
}
