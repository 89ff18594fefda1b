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
        clock::epoch_milliseconds,
        firehose::{
            attempts::PAUSES,
            in_process::transform,
            picture::Picture,
            pipeline::Ending,
            run::{Firehose, Outcome},
            window::Site,
        },
        input::{Input, Source},
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
    let outcome = process_input(&plan, &places, &store, input, stop)?;
    let report = Report {
        summary: &outcome.progress.summary,
        is_complete: matches!(outcome.ending, Ending::Complete),
        lake: places.lake.clone(),
        errors: places.lake.join(plan.layout.error_prefix.literal_folder()),
    };
    match options.summary {
        SummaryFormat::Human => report.print_human()?,
        SummaryFormat::Json => report.print_json()?,
    }
    if let Some(target) = target {
        write_page(&target, &outcome, &places)?;
        if let SummaryFormat::Human = options.summary {
            Report::print_page(target.path())?;
        }
    }
    outcome.conclude(&places.journal(&store))?;
    exit_code(outcome)
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
    let read_bytes = Arc::new(AtomicU64::new(0));
    let _progress = Progress::show(Arc::clone(&read_bytes), input.bytes);
    tell_of_terminal(&input);
    let firehose = Firehose {
        function: &transform(plan.settings.clone(), store, now),
        pauses: PAUSES,
        site: Site {
            store,
            claims: &places.claims,
            lake: &places.lake,
            layout: plan.layout.clone(),
            rules: &plan.settings.rules,
            clock: now,
        },
        limits: plan.limits,
        window_bytes_max: plan.window_bytes_max,
        task: plan.task(&places.lake),
        watch: plan.watch,
        stop,
    };
    Ok(firehose.run(input, read_bytes)?)
}

fn write_page(target: &Target, outcome: &Outcome, places: &Places) -> Result<()> {
    let progress = &outcome.progress;
    target.write(&Page {
        summary: &progress.summary,
        picture: progress.picture.as_deref().unwrap_or(&Picture::default()),
        progress: match outcome.ending {
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

fn exit_code(outcome: Outcome) -> Result<ExitCode> {
    match outcome.ending {
        Ending::Complete if outcome.progress.summary.failed_function > 0 => {
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
