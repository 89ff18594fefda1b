//! Events from files or standard input into a log.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use super::{
    folder::{LogFolder, LogNote},
    options::{LogTask, PutOptions},
    summary::LogReport,
};
use crate::{
    functions::event_log::EventLog,
    kinesis::depot::folder::FolderDepot,
    local::{input::Input, kinesis::clock::Clock},
    tool::{
        intake::Intake,
        interrupt::stop_on_signal,
        other_names::in_words,
        terminal::{Format, is_quiet, tell},
    },
};

/// Runs. Dead letters are kept, so they are no failure; what is left undone is one.
pub(super) fn run(options: &PutOptions) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let task = LogTask::of(options)?;
    let input = Input::find(&options.intake.input, &task.log)?;
    let folder = LogFolder::prepare(&task.log)?;
    let LogNote {
        search_buckets,
        intake,
    } = folder.note()?;
    let search_buckets = check_buckets(&task, search_buckets)?;
    let commit = |intake: &_| folder.commit(search_buckets, intake);
    let depot = FolderDepot::new(folder.path.clone());
    let function = EventLog::new(task.settings.clone(), &folder.table, depot);
    let (hash, clock) = (task.hash(), Clock::starting);
    let (path, own) = (&folder.path, &options.intake);
    let mut run = Intake::new(&function, own, hash, clock, intake, path, &commit);
    let ending = run.run(input, stop)?;
    let report = LogReport {
        summary: run.summary(),
        ending: &ending,
        log: &folder.path,
        dead_letters: folder.path.join(&task.settings.dead_letter_prefix),
    };
    match options.intake.summary.format() {
        Format::Human if is_quiet() => {}
        Format::Human => report.print_human()?,
        Format::Json => report.print_json()?,
    }
    if let Some(lacking) = report.lacking() {
        tell(&format!(
            "no event has {lacking}; the first has {}",
            in_words(run.first_fields())
        ));
    }
    run.conclude(ending)
}

/// Over how many keys each search key is spread, now and from then on.
fn check_buckets(task: &LogTask, noted: Option<u64>) -> Result<Option<u64>> {
    let Some(search) = &task.settings.search else {
        return Ok(noted);
    };
    let buckets = noted.unwrap_or(search.buckets);
    ensure!(
        buckets == search.buckets,
        "--search-buckets is {}, but `{}` has {buckets}, and a search has to know where to \
         look: give --search-buckets {buckets}, or another --log",
        search.buckets,
        task.log.display()
    );
    Ok(Some(buckets))
}
