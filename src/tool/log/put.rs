//! Events from files or standard input into a log, window by window: what a window has stored becomes
//! durable together with how far the input is.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Instant,
};

use anyhow::{Result, ensure};
use tokio::runtime::Builder;

use super::{
    folder::{LogFolder, Note, Unfinished},
    options::{LogTask, PutOptions},
    summary::{LogReport, Summary, Tally},
};
use crate::{
    functions::event_log::EventLog,
    kinesis::depot::folder::FolderDepot,
    local::{
        input::{Fingerprinter, Input, InputError, Lines, Skipped, Source},
        kinesis::{
            feed::{Ending, Feed, PART_BYTES_MAX, Window},
            mapping::Settings,
            passage::{Passage, Passed},
        },
    },
    tool::{
        clock::now,
        interrupt::{interrupted, stop_on_signal},
        progress::ProgressDisplay,
        terminal::{Format, tell},
    },
};

/// Runs. Dead letters are kept, so they are no failure; what is left undone is one.
pub(super) fn run(options: &PutOptions) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let task = LogTask::of(options)?;
    let input = Input::find(&options.input, &task.log)?;
    let folder = LogFolder::prepare(&task.log)?;
    let mut run = Run::begin(&task, &folder)?;
    let ending = run.process(input, stop)?;
    let report = LogReport {
        summary: &run.unfinished.summary,
        is_complete: matches!(ending, Ending::Complete),
        log: &folder.path,
        dead_letters: folder.path.join(&task.settings.dead_letter_prefix),
    };
    match options.summary {
        Format::Human => report.print_human()?,
        Format::Json => report.print_json()?,
    }
    run.conclude(&ending)?;
    exit_code(ending, &run.unfinished.summary)
}

/// A run on its way.
struct Run<'a> {
    task: &'a LogTask,
    folder: &'a LogFolder,
    note: Note,
    unfinished: Unfinished,
}

impl<'a> Run<'a> {
    fn begin(task: &'a LogTask, folder: &'a LogFolder) -> Result<Self> {
        let mut note = folder.note()?;
        if let Some(search) = &task.settings.search {
            let buckets = note.search_buckets.unwrap_or(search.buckets);
            ensure!(
                buckets == search.buckets,
                "--search-buckets is {}, but `{}` has {buckets}, and a search has to know where to \
                 look: give --search-buckets {buckets}, or another --log",
                search.buckets,
                task.log.display()
            );
            note.search_buckets = Some(buckets);
        }
        Ok(Self {
            task,
            folder,
            note,
            unfinished: Unfinished {
                task: task.hash(),
                ..Unfinished::default()
            },
        })
    }

    /// Takes in all input, or goes on where an interrupted run of the same task had stopped.
    fn process(&mut self, input: Input, stop: Arc<AtomicBool>) -> Result<Ending> {
        let read_bytes = Arc::new(AtomicU64::new(0));
        let _progress = ProgressDisplay::of_input(Arc::clone(&read_bytes), &input);
        let sources = input.sources.clone();
        let mut lines = Lines::new(input, PART_BYTES_MAX, read_bytes);
        let mut fingerprinter = Fingerprinter::default();
        self.go_on(&mut lines, &mut fingerprinter, &stop)?;
        self.work(Feed::start(lines, fingerprinter, stop)?, &sources)
    }

    fn go_on(
        &mut self,
        lines: &mut Lines,
        fingerprinter: &mut Fingerprinter,
        stop: &AtomicBool,
    ) -> Result<()> {
        let same = |unfinished: &Unfinished| unfinished.task == self.unfinished.task;
        let Some(left) = self.note.unfinished.take().filter(same) else {
            return Ok(());
        };
        let skipped = lines.skip(
            &left.mark.position,
            left.mark.fingerprint,
            fingerprinter,
            stop,
        );
        if let Err(InputError::OtherStream) = skipped {
            self.folder.commit(&self.note)?;
        }
        if skipped? != Skipped::Other {
            self.unfinished = left;
            self.unfinished.summary.resumed_records = self.unfinished.summary.records;
        }
        Ok(())
    }

    fn work(&mut self, mut feed: Feed, sources: &[Source]) -> Result<Ending> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let depot = FolderDepot::new(self.folder.path.clone());
        let function = EventLog::new(self.task.settings.clone(), &self.folder.table, depot);
        let passage = Passage {
            function: &function,
            shards: self.task.shards,
            partition_key: &self.task.partition_key,
            mapping: Settings::default(),
            clock: now,
        };
        let (started, before) = (Instant::now(), self.unfinished.summary.seconds);
        loop {
            let window = match feed.next_window() {
                Ok(window) => window,
                Err(ending) => return Ok(ending),
            };
            let tally = Tally::default();
            let taken = passage.take(&window, &self.note.progress, |counts| tally.add(counts));
            let passed = runtime.block_on(taken)?;
            self.unfinished.summary.seconds = before + started.elapsed().as_secs_f64();
            self.end_window(&window, passed, tally, sources)?;
        }
    }

    fn end_window(
        &mut self,
        window: &Window,
        passed: Passed,
        tally: Tally,
        sources: &[Source],
    ) -> Result<()> {
        let summary = &mut self.unfinished.summary;
        summary.add(tally, passed.totals);
        summary.bytes_in += window.input_bytes;
        for (source, line, error) in passed.not_taken {
            let source = sources.get(source).map(Source::name).unwrap_or_default();
            summary.not_taken += 1;
            summary
                .not_taken_example
                .get_or_insert_with(|| format!("{source}:{line}: {error}"));
        }
        self.unfinished.mark = window.mark;
        self.note.progress = passed.progress;
        self.note.unfinished = Some(self.unfinished.clone());
        self.folder.commit(&self.note)
    }

    /// Ends a run whose summary has been told: a finished one is not gone on with.
    fn conclude(&mut self, ending: &Ending) -> Result<()> {
        self.note.unfinished = match ending {
            Ending::Complete => None,
            Ending::Stopped | Ending::Broken(_) => Some(self.unfinished.clone()),
        };
        self.folder.commit(&self.note)
    }
}

fn exit_code(ending: Ending, summary: &Summary) -> Result<ExitCode> {
    match ending {
        Ending::Complete if summary.not_taken > 0 => {
            tell("some lines are longer than a stream takes, and are not in the log");
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
