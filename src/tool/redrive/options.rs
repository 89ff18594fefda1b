//! What `nozzle redrive` can be told, and what that comes to once it is checked.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::{destination::Destination, selection::Filter};
use crate::{
    functions::firehose_transform::Settings,
    tool::{
        layout::LayoutOptions, numbers::whole, objects::ErrorSource, settings::SettingsOptions,
        terminal::FormatOptions,
    },
};

const HOURS_MAX: u64 = 8760;

const NO_TARGET: &str = "--to is missing: what was delivered all the same is told by the claims of the \
                         target, so a dry run has to know it too. Give --to lake:DIR, --to stream:NAME \
                         with --table, or for dead letters --to kinesis:NAME; nothing is sent without \
                         --execute";

const EXAMPLES: &str = "\
Examples:
  nozzle redrive lake/errors --to lake:lake                what would be sent
  nozzle redrive lake/errors --to lake:lake --execute
  nozzle redrive s3://my-lake/errors/ --to stream:events \\
      --table events-claims --ttl-hours 24
  nozzle redrive s3://my-lake/errors/ --to stream:events \\
      --table events-claims --since 2026-11-20 --code Lambda.FunctionError \\
      --execute --rate 2000
  nozzle redrive lake/errors --to lake:lake --uuid 9f3c…       one event alone
  nozzle redrive lake/errors --to lake:lake --export repair     then edit it
  nozzle redrive repair/to-repair.jsonl --to lake:lake --execute
  nozzle redrive s3://my-archive/dead-letters/ --to kinesis:events \\
      --code panicked
  nozzle redrive sqs:https://sqs.eu-west-1.amazonaws.com/123456789012/dead \\
      --to kinesis:events --execute

Nothing changes without --execute. A record goes out as it came in. Before that the claim on its \
event is given back if that very record made it, so that it is not taken for a duplicate of \
itself; if another record's claim is there, its event was delivered and the record is held back. \
Give the settings that the function has (--event-years, --event-types …): they say what would be \
refused again.

What is repaired keeps its line: \
{\"reason\":…,\"code\":…,\"arrivalTimestamp\":…,\"position\":…,\"source\":…,\"mark\":…,\"event\":{…}}. \
Edit the event; text that is no JSON object is under \"text\", bytes that are no text under \"base64\". \
Once it is sent, what it was made of is no longer open where it lies.

Dead letters of a function on a Kinesis stream go back to it, --to kinesis:NAME; they were never \
claimed nor counted. They are told by their reason where error objects have a code; one that \
would be refused for the same again stays, and one that a redrive has sent is not sent again \
without --again. A queue's messages are hidden from others for 15 \
minutes, and deleted once sent; each way through, a dry run too, counts as one receive.

An interrupted redrive goes on where it was when the same command is given again: at most the \
batch under way is sent twice. What was sent is recorded in redriven/ beside the source, for \
colleagues.

The exit code is 0 when nothing is left to do (a dry run: when all could be read), 1 when \
something is: refused, unknown, failed, lines that are no error objects.";

/// Send error objects and dead letters through again, safely
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RedriveOptions {
    /// Where error objects or dead letters lie, or what was repaired: a folder, a file,
    /// `s3://BUCKET/PREFIX` or `sqs:URL`
    pub(super) source: ErrorSource,

    /// Where the records go, of a dry run too, since the target's claims decide what is sent:
    /// stream:NAME (Firehose), kinesis:NAME (the stream it reads from) or lake:DIR
    #[arg(long, value_name = "TARGET")]
    to: Option<Destination>,

    /// Give back claims and send; without it nothing changes
    #[arg(long)]
    pub(super) execute: bool,

    /// The claim table, in DynamoDB
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,

    /// The folder that a lake's claims are in [default: .nozzle/claims in the lake]
    #[arg(long, value_name = "DIR")]
    pub(super) claims: Option<PathBuf>,

    /// How many hours an event is remembered, as the function is told: 1 to 8760 [default: 24; for
    /// ever in a lake of this machine]
    #[arg(long, value_name = "HOURS", value_parser = whole(1..=HOURS_MAX))]
    ttl_hours: Option<u64>,

    #[command(flatten)]
    pub(super) filter: Filter,

    #[command(flatten)]
    pub(super) permissions: Permissions,

    /// Write error objects that would be refused again into this folder, readable, for repair
    #[arg(long, value_name = "DIR")]
    pub(super) export: Option<PathBuf>,

    /// Records a second at most
    #[arg(long, value_name = "NUMBER", value_parser = whole(1..=u32::MAX))]
    pub(super) rate: Option<u32>,

    /// Where it is kept how far the redrive is [default: in redriven/ beside a folder; for S3 in
    /// ~/.local/state/nozzle]
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,

    /// Record bytes after which a lake's files are finished, in MiB: 1 to 10000
    #[arg(long, value_name = "MIB", default_value = "16", value_parser = whole(1_u64..=10_000))]
    pub(super) flush_mb: u64,

    /// Say where the first of each reason stands, under its whole name
    #[arg(long)]
    pub(super) places: bool,

    #[command(flatten)]
    pub(super) summary: FormatOptions,

    #[command(flatten, next_help_heading = "The lake's layout, for lake:DIR")]
    pub(super) layout: LayoutOptions,

    #[command(flatten, next_help_heading = "The function's settings")]
    function: SettingsOptions,
}

/// What may be sent although it usually is not, and how much.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Permissions {
    /// Send so many records at most; the same command goes on behind them
    #[arg(long, value_name = "NUMBER", value_parser = whole(0..=u64::MAX))]
    pub(super) limit: Option<u64>,

    /// Send what would be refused again too, each once: if it is refused, its new error object
    /// stands for it
    #[arg(long)]
    pub(super) all: bool,

    /// Send what cannot be decided too: a copy of it may have been delivered
    #[arg(long)]
    pub(super) assume_undelivered: bool,

    /// Send too what an earlier redrive has sent: dead letters, what would be refused again, and what
    /// was sent three times already
    #[arg(long)]
    pub(super) again: bool,
}

impl RedriveOptions {
    /// Where the records go.
    pub(super) fn to(&self) -> Result<&Destination> {
        self.to.as_ref().context(NO_TARGET)
    }

    /// The function's settings; claims live as long as its own.
    pub(super) fn settings(&self) -> Result<Settings> {
        let settings = self.function.read()?;
        let hours = match (&self.to, self.ttl_hours) {
            (_, Some(hours)) => Some(hours),
            (Some(Destination::Lake(_)), None) => None,
            (_, None) => Some(24),
        };
        Ok(Settings {
            claim_lifetime_seconds: hours.map(|hours| hours * 3600),
            ..settings
        })
    }
}
