//! `nozzle run`: events from files or standard input into a lake folder.

mod options;
mod page;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use anyhow::Result;

use super::{
    interrupt::{INTERRUPTED, stop_on_signal, tell},
    now,
    places::Places,
    progress::Progress,
    report::Report,
};
use crate::{
    dedup::embedded::EmbeddedStore,
    local::{
        firehose::{
            Ending, Firehose, Outcome, batch::epoch_milliseconds, function::PAUSES,
            in_process::InProcess, lake::Lake, picture::Picture,
        },
        input::{Input, Source},
        journal::{self, Journal, Unfinished},
    },
};
use options::Plan;
pub(super) use options::{Options, SummaryFormat};
use page::{Page, Target};

/// Runs. Refused records are kept under the error prefix, so they are no failure; what is left
/// undone is one.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let plan = Plan::of(options)?;
    let input = Input::find(&options.input, &plan.lake)?;
    let target = options.report.as_deref();
    let target = target
        .map(|path| Target::prepare(path, &input))
        .transpose()?;
    let places = Places::prepare(
        &format!("--lake {}", plan.lake.display()),
        &plan.lake,
        plan.claims.as_deref(),
    )?;
    let store = EmbeddedStore::open(&places.claims)?;
    let Outcome { progress, ending } = process_input(&plan, &places, &store, input, stop)?;
    let failed_function = progress.summary.failed_function;
    let is_complete = matches!(ending, Ending::Complete);
    let report = Report {
        summary: &progress.summary,
        is_complete,
        lake: places.lake.clone(),
        errors: places.lake.join(plan.layout.error_prefix.literal_folder()),
    };
    match options.summary {
        SummaryFormat::Human => report.print_human()?,
        SummaryFormat::Json => report.print_json()?,
    }
    if let Some(target) = target {
        write_page(&target, &progress, &ending, &places)?;
        if let SummaryFormat::Human = options.summary {
            Report::print_page(target.path())?;
        }
    }
    places.journal(&store).conclude(progress, is_complete)?;
    exit_code(ending, failed_function)
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &Options) -> Result<()> {
    Plan::of(options).map(drop)
}

fn process_input(
    plan: &Plan,
    places: &Places,
    store: &EmbeddedStore,
    input: Input,
    stop: Arc<AtomicBool>,
) -> Result<Outcome> {
    let left = Journal::recover(store, &places.claims)?;
    let writer = journal::writer(&places.claims, &places.lake);
    let lake = Lake::open(&places.lake, &writer, plan.layout.clone())?;
    lake.sweep()?;
    let read_bytes = Arc::new(AtomicU64::new(0));
    let _progress = Progress::show(Arc::clone(&read_bytes), input.bytes);
    tell_of_terminal(&input);
    let firehose = Firehose {
        function: &InProcess::new(plan.settings.clone(), store, now),
        pauses: PAUSES,
        rules: &plan.settings.rules,
        store,
        journal: places.journal(store),
        lake,
        limits: plan.limits,
        window_bytes_max: plan.window_bytes_max,
        task: plan.task(&places.lake),
        watch: plan.watch,
        clock: now,
        stop,
    };
    Ok(firehose.run(input, left, read_bytes)?)
}

fn write_page(
    target: &Target,
    progress: &Unfinished,
    ending: &Ending,
    places: &Places,
) -> Result<()> {
    target.write(&Page {
        summary: &progress.summary,
        picture: progress.picture.as_deref().unwrap_or(&Picture::default()),
        progress: match ending {
            Ending::Complete => page::Progress::Complete,
            Ending::Stopped | Ending::Broken(_) => page::Progress::Interrupted,
        },
        lake: &places.lake,
        ended: epoch_milliseconds(now()) / 1000,
    })
}

/// Else it would look as if nothing happened.
fn tell_of_terminal(input: &Input) {
    if input.sources.contains(&Source::StandardInput) && io::stdin().is_terminal() {
        tell("reading events from the terminal, one a line; Ctrl-D ends them");
    }
}

fn exit_code(ending: Ending, failed_function: u64) -> Result<ExitCode> {
    match ending {
        Ending::Complete if failed_function > 0 => {
            tell("the function failed on some batches: they are kept under the error prefix");
            Ok(ExitCode::FAILURE)
        }
        Ending::Complete => Ok(ExitCode::SUCCESS),
        Ending::Stopped => {
            tell("interrupted; give the same command again and it goes on from here");
            Ok(INTERRUPTED.into())
        }
        Ending::Broken(error) => {
            tell("what comes before is done; mend the input and give the same command again");
            Err(error.into())
        }
    }
}
