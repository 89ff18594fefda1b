//! `nozzle log`: events through a Kinesis of this machine into an event log, and looking them up.

mod folder;
mod lookup;
mod options;
mod put;
mod summary;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use lookup::{Get, Search, Tail};
use options::{LogTask, PutOptions};

const EXAMPLES: &str = "\
Examples:
  nozzle log events.jsonl                                 into the folder log
  nozzle log tail                                         the last ten of them
  nozzle log events.jsonl --event-id /event_uuid --search-key /user/id
  nozzle log get 50470601-4c5a-4b4b-ad1e-389873001ff5
  nozzle log search u-0352 --since 2026-02-19
  zcat old.gz | nozzle log --log /data/log --partition-key /sensor --shards 4
  nozzle log get shardId-000000000000:4959… --table nozzle-prod-event-log

A line is a record of a Kinesis stream on this machine, and the function that reads that stream \
on AWS stores it. What cannot be an item is kept beside the table: dead-letters/ with the reason, \
overflow/ with what is over 400 KB. A line of more than 1 MiB, its partition key counted (32 \
bytes of a hash), no stream takes: it is named, and not stored. Lines of white space are passed \
over.

An interrupted run goes on where it stopped when the same command is given again: nothing is \
lost, nothing is stored twice, and meanwhile nothing else is taken into the log. A finished one given again is new records, as in a stream; with \
--event-id each event is stored once, however often it comes.

The exit code is 0 when all input is taken in, also with dead letters; 1 when a line is left out, \
or `get` or `search` finds no event.";

/// Put events into an event log, and look them up
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct LogOptions {
    #[command(subcommand)]
    look: Option<LogCommand>,

    #[command(flatten)]
    put: PutOptions,
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    Get(Get),
    Search(Search),
    Tail(Tail),
}

/// Puts events in, or looks them up.
pub(super) fn run(options: &LogOptions) -> Result<ExitCode> {
    match &options.look {
        None => put::run(&options.put),
        Some(LogCommand::Get(get)) => get.run(),
        Some(LogCommand::Search(search)) => search.run(),
        Some(LogCommand::Tail(tail)) => tail.run(),
    }
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &LogOptions) -> Result<()> {
    match &options.look {
        None => LogTask::of(&options.put).map(drop),
        Some(LogCommand::Search(search)) => search.understand(),
        Some(_) => Ok(()),
    }
}
