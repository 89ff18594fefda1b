//! `nozzle run`: events from files or standard input into a lake folder.

mod misgivings;
mod options;
mod page;
mod remarks;
mod report;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use anyhow::Result;

use super::{
    clock::now,
    input_remarks::{tell_of_byte_order_mark, tell_of_nothing},
    interrupt::{interrupted, stop_on_signal, tell_of_room, tell_of_skipping},
    page::PageFile,
    places::Places,
    progress::ProgressDisplay,
    terminal::{Format, is_quiet, tell},
    undivided,
};
use crate::{
    dedup::embedded::EmbeddedStore,
    local::{
        clock::epoch_milliseconds,
        firehose::{
            attempts::PAUSES,
            in_process::transform_in_process,
            picture::Picture,
            pipeline::Ending,
            run::{Firehose, Outcome},
            window::Site,
        },
        input::{Expected, Input, InputError},
    },
};
pub(super) use options::RunOptions;
use options::RunTask;
use page::RunPage;
use report::RunReport;

/// Runs. Refused records are kept under the error prefix, so they are no failure; what is left
/// undone is one.
pub(super) fn run(options: &RunOptions) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let task = RunTask::of(options)?;
    let input = find_input(options, &task, &stop)?;
    let page = options.report.as_deref();
    let page = page
        .map(|path| PageFile::prepare(path, &input))
        .transpose()?;
    let places = Places::prepare(
        &format!("--lake {}", task.lake.display()),
        &task.lake,
        task.claims.as_deref(),
    )?;
    let store = EmbeddedStore::open(&places.claims)?;
    if !options.anyway {
        misgivings::check(&task, &places, &store)?;
    }
    let outcome = match process_input(&task, &places, &store, input, stop)? {
        Outcome {
            progress,
            ending: Ending::Broken(error @ InputError::OtherForm { .. }),
        } if progress.summary.records == 0 => return Err(error.into()),
        outcome => outcome,
    };
    let report = RunReport {
        summary: &outcome.progress.summary,
        is_complete: matches!(outcome.ending, Ending::Complete),
        lake: places.lake.clone(),
        errors: places.lake.join(task.layout.error_prefix.literal_folder()),
        function: &options.function,
    };
    let format = options.summary.format();
    match format {
        Format::Human if is_quiet() => {}
        Format::Human => report.print_human()?,
        Format::Json => report.print_json()?,
    }
    if let Some(page) = page {
        write_page(&page, &outcome, &places, &options.function.judging())?;
        if format == Format::Human && !is_quiet() {
            RunReport::print_page(page.path())?;
        }
    }
    tell_remarks(&outcome, &task, &places);
    outcome.conclude(&places.journal(&store))?;
    if options.follow && matches!(outcome.ending, Ending::Stopped) {
        tell("stopped; the same command goes on from here");
        return Ok(ExitCode::SUCCESS);
    }
    exit_code(outcome)
}

fn find_input(options: &RunOptions, task: &RunTask, stop: &Arc<AtomicBool>) -> Result<Input> {
    let (arguments, lake) = (&options.input, &task.lake);
    let mut input = if options.follow {
        Input::follow(arguments, lake, Arc::clone(stop), |error| {
            tell(&format!("{error}; it is passed over"));
        })?
    } else {
        Input::find(arguments, lake)?
    };
    input.on_skip = tell_of_skipping;
    input.on_byte_order_mark = tell_of_byte_order_mark;
    if !options.anyway {
        input.expected = Expected::Events;
    }
    Ok(input)
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &RunOptions) -> Result<()> {
    RunTask::of(options).map(drop)
}

fn process_input(
    task: &RunTask,
    places: &Places,
    store: &EmbeddedStore,
    input: Input,
    stop: Arc<AtomicBool>,
) -> Result<Outcome> {
    let read_bytes = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let _progress = ProgressDisplay::of_input(Arc::clone(&read_bytes), Arc::clone(&done), &input);
    let firehose = Firehose {
        function: &transform_in_process(task.settings.clone(), store, now),
        pauses: PAUSES,
        site: Site {
            store,
            claims: &places.claims,
            lake: &places.lake,
            layout: task.layout.clone(),
            rules: &task.settings.rules,
            clock: now,
        },
        limits: task.limits,
        window_bytes_max: task.window_bytes_max,
        window_age_max: task.window_age_max,
        task: task.task(&places.lake),
        watch: task.watch,
        done,
        stop,
    };
    let outcome = firehose.run(input, read_bytes).map_err(Into::into);
    outcome.inspect_err(tell_of_room)
}

fn tell_remarks(outcome: &Outcome, task: &RunTask, places: &Places) {
    let summary = &outcome.progress.summary;
    let lacking = remarks::lacking(summary, &task.settings.rules.event_fields);
    let known = remarks::all_known(summary, &places.claims);
    let undivided = undivided::remark(summary.name_forms).map(str::to_owned);
    let remarks = [lacking, known, undivided];
    remarks
        .into_iter()
        .flatten()
        .for_each(|remark| tell(&remark));
    if summary.records == 0 && matches!(outcome.ending, Ending::Complete) {
        tell_of_nothing();
    }
}

fn write_page(file: &PageFile, outcome: &Outcome, places: &Places, judging: &str) -> Result<()> {
    let nothing = Picture::default();
    let page = RunPage {
        summary: &outcome.progress.summary,
        picture: outcome.progress.picture.as_deref().unwrap_or(&nothing),
        ending: &outcome.ending,
        judging,
        lake: &places.lake,
        ended: epoch_milliseconds(now()) / 1000,
    };
    file.write(&page.text())
}

fn exit_code(outcome: Outcome) -> Result<ExitCode> {
    match outcome.ending {
        Ending::Complete if outcome.progress.summary.failed_function > 0 => {
            tell("the function failed on some batches: they are kept under the error prefix");
            Ok(ExitCode::FAILURE)
        }
        Ending::Complete => Ok(ExitCode::SUCCESS),
        Ending::Stopped => Ok(interrupted()),
        Ending::Broken(error) => {
            tell("what comes before is done; mend the input and give the same command again");
            Err(error.into())
        }
    }
}
