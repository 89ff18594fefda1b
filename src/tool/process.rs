//! `nozzle process`: events through a Kinesis of this machine into counters and an archive, and what
//! was counted.

mod counted;
mod counters;
mod folder;
mod options;
mod page;
mod rate;
mod report;
mod sum;
mod taken;
mod variants;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{
    clock::now,
    intake::{Intake, Summary},
    interrupt::stop_on_signal,
    other_names::in_words,
    page::PageFile,
    terminal::{Format, is_quiet, tell},
};
use crate::{
    functions::event_processor::{EventProcessor, services::folder::Copies},
    local::{
        clock::epoch_milliseconds,
        input::Input,
        kinesis::{clock::Clock, feed::Ending},
    },
};
use counted::Counted;
use counters::Counters;
use folder::ProcessFolder;
use options::{ProcessTask, TakeOptions};
use page::ProcessPage;
use report::{ProcessReport, lacking};
use sum::ProcessSum;
use taken::TakenInput;
use variants::Variants;

const EXAMPLES: &str = "\
Examples:
  nozzle process events.jsonl --into counted   count and archive
  nozzle process events/ --into counted --conversion purchase
  nozzle process events.jsonl --into counted --report counted.html
  nozzle process events.jsonl --into counted \\
      --assignments assignments.jsonl --experiments experiments.jsonl
  zcat old.gz | nozzle process --into counted \\
      --windows day --unique-users exact
  nozzle process counters counted --experiment checkout \\
      --window hour --since 2026-11-20
  nozzle process counters --table nozzle-prod-event-processor --json

A line is a record of a Kinesis stream on this machine, and the function that reads that stream \
on AWS counts it by experiment, variant, event type, hour and day, and archives it. The folder \
holds table/ (counters, users and how far each shard is), archive/ (JSON Lines by hour, gzip) and \
dead-letters/ (what is not accepted, with its reason). An event without experiment or variant is \
archived and not counted.

An interrupted run goes on where it stopped when the same command is given again, and each event \
is counted and archived once; meanwhile nothing else is taken into the folder. A finished one given \
again is new records, as in a stream; with --drop-copies an event_id that comes again within \
--event-cache-ttl-hours (24) is dropped.

The exit code is 0 when all input is taken in, also with dead letters; 1 when a line is left out.";

/// Count an experiment's events and users, and archive the events
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct ProcessOptions {
    #[command(subcommand)]
    look: Option<ProcessCommand>,

    #[command(flatten)]
    take: TakeOptions,
}

#[derive(Debug, Subcommand)]
enum ProcessCommand {
    Counters(Counters),
}

/// Takes events in, or says what was counted.
pub(super) fn run(options: &ProcessOptions) -> Result<ExitCode> {
    match &options.look {
        None => take(&options.take),
        Some(ProcessCommand::Counters(counters)) => counters.run(),
    }
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &ProcessOptions) -> Result<()> {
    match &options.look {
        None => options.take.settings().map(drop),
        Some(_) => Ok(()),
    }
}

/// Dead letters are kept, so they are no failure; what is left undone is one.
fn take(options: &TakeOptions) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let ProcessTask {
        settings,
        lookup,
        hash,
    } = ProcessTask::of(options)?;
    let input = Input::find(&options.intake.input, &options.into)?;
    let page = options.report.as_deref();
    let page = page
        .map(|path| PageFile::prepare(path, &input))
        .transpose()?;
    let folder = ProcessFolder::prepare(&options.into, options.copies(), lookup)?;
    let taken = TakenInput::of(&input.sources, &folder.path);
    tell_of_second_time(taken.as_ref(), options);
    let note = folder.note()?;
    let commit = |note: &_| folder.commit(note);
    let function = EventProcessor::new(settings, &folder.services);
    let mut intake = Intake::new(
        &function,
        &options.intake,
        hash,
        Clock::standing,
        note,
        &folder.path,
        &commit,
    );
    let ending = intake.run(input, stop)?;
    show(options, &folder, intake.summary(), &ending, page)?;
    if let Some(lacking) = lacking(intake.summary()) {
        tell(&format!(
            "{lacking}, and by other names nothing is counted; the first line has {}",
            in_words(intake.first_fields())
        ));
    }
    let taken = taken.filter(|_| matches!(ending, Ending::Complete));
    let code = intake.conclude(ending)?;
    taken.iter().try_for_each(TakenInput::remember)?;
    Ok(code)
}

/// What the run has come to, and what was counted.
fn show(
    options: &TakeOptions,
    folder: &ProcessFolder,
    summary: &Summary<ProcessSum>,
    ending: &Ending,
    page: Option<PageFile>,
) -> Result<()> {
    let counted = Counted::read(folder.services.table.items().map(|item| Ok(item?)))?;
    let variants = Variants::of(&counted, options.conversion.as_deref());
    let report = ProcessReport {
        summary,
        ending,
        variants: &variants,
        folder: &folder.path,
    };
    let format = options.intake.summary.format();
    if format == Format::Json || !is_quiet() {
        report.print(format)?;
    }
    if let Some(file) = page {
        let page = ProcessPage {
            summary,
            ending,
            counted: &counted,
            variants: &variants,
            folder: &folder.path,
            ended: epoch_milliseconds(now()) / 1000,
        };
        file.write(&page.text())?;
        if format == Format::Human && !is_quiet() {
            ProcessReport::print_page(file.path())?;
        }
    }
    Ok(())
}

/// A copy is a new record, as in a stream.
fn tell_of_second_time(taken: Option<&TakenInput>, options: &TakeOptions) {
    if options.copies() == Copies::Kept && taken.is_some_and(TakenInput::is_known) {
        tell(&format!(
            "`{}` has taken in this input before, and each of its events counts once more; in a \
             folder that was begun with --drop-copies each event_id counts once within \
             --event-cache-ttl-hours",
            options.into.display()
        ));
    }
}
