//! Events from files or standard input through a function, window by window: how far the input is becomes
//! durable with what a window has come to, so that a run that was killed goes on.

mod options;

use std::{
    cell::RefCell,
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, ensure};
use indicatif::HumanCount;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::runtime::Builder;

use super::{
    clock::now,
    counts::Pace,
    input_remarks::{tell_of_byte_order_mark, tell_of_nothing},
    interrupt::{INTERRUPTED, tell_of_room, tell_of_skipping},
    progress::ProgressDisplay,
    terminal::tell,
};
use crate::{
    disk::sync_file_system,
    functions::Function,
    local::{
        field_names::FieldNames,
        input::{
            Expected, Fingerprint, Input, InputError, Lines, Skipped, Source, resume::Resumed,
        },
        kinesis::{
            clock::Clock,
            feed::{Ending, Feed, Mark, PART_BYTES_MAX, Window},
            mapping::Settings,
            passage::{Passage, Passed},
            stream::Progress,
        },
    },
};
pub(super) use options::IntakeOptions;

/// What a function's invocations have come to, added up.
pub(super) trait Sum: Clone + Default + Serialize + DeserializeOwned {
    type Counts: Clone;

    /// Says how many records they were.
    fn add(&mut self, counts: &Self::Counts) -> u64;

    /// How many lie beside the table by now.
    fn files(&self) -> u64;
}

/// With what an interrupted run did before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Summary<S> {
    pub(super) taken: InputCounts,
    pub(super) of_function: S,
}

/// What was taken in, whatever the function makes of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct InputCounts {
    pub(super) records: u64,
    pub(super) invocations: u64,
    /// Lines that no stream takes.
    pub(super) not_taken: u64,
    pub(super) not_taken_example: Option<String>,
    pub(super) bytes_in: u64,
    seconds: f64,
    resumed_records: u64,
}

/// What is kept of runs between them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "S: Sum")]
pub(super) struct Note<S> {
    /// Of the stream, which goes on from run to run.
    progress: Progress,
    under_way: Option<UnderWay>,
    /// What a run that has not reached its end says of itself.
    unfinished: Option<Unfinished<S>>,
}

impl<S> Default for Note<S> {
    fn default() -> Self {
        Self {
            progress: Progress::default(),
            under_way: None,
            unfinished: None,
        }
    }
}

/// A window that a function was given, which a note does not know to be done.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct UnderWay {
    arrival: Duration,
    /// It ended where it did because of the time that passed, too.
    lines: usize,
    /// Up to its end.
    fingerprint: Fingerprint,
}

const HALF_DONE: &str = "a run that was killed has left records half done there, and what comes next would be taken for \
     them: give its command and its input again until it has ended, or name another folder";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound = "S: Sum")]
struct Unfinished<S> {
    /// A hash of what the run was asked to do with its input.
    task: u64,
    mark: Mark,
    summary: Summary<S>,
    /// Of the first line.
    #[serde(default)]
    first_fields: Option<FieldNames>,
}

/// A run on its way.
pub(super) struct Intake<'a, F, S> {
    function: &'a F,
    options: &'a IntakeOptions,
    clock: fn(SystemTime) -> Clock,
    note: Note<S>,
    folder: &'a Path,
    commit: &'a dyn Fn(&Note<S>) -> Result<()>,
    unfinished: Unfinished<S>,
    /// How many records are done with, for who looks on.
    done: Arc<AtomicU64>,
}

impl<'a, F: Function, S: Sum<Counts = F::Counts>> Intake<'a, F, S>
where
    F::Counts: Clone,
{
    /// `task` is a hash of all that decides what becomes of an event: only a run that does the same
    /// goes on with another one's work. `clock` is a window's, from when it first came: one that
    /// comes again has what an earlier attempt at it has written beside the note.
    pub(super) fn new(
        function: &'a F,
        options: &'a IntakeOptions,
        task: u64,
        clock: fn(SystemTime) -> Clock,
        note: Note<S>,
        folder: &'a Path,
        commit: &'a dyn Fn(&Note<S>) -> Result<()>,
    ) -> Self {
        let unfinished = Unfinished {
            task,
            ..Unfinished::default()
        };
        Self {
            function,
            options,
            clock,
            note,
            folder,
            commit,
            unfinished,
            done: Arc::default(),
        }
    }

    pub(super) fn summary(&self) -> &Summary<S> {
        &self.unfinished.summary
    }

    /// What the first line has, as far as one was taken in.
    pub(super) fn first_fields(&self) -> &FieldNames {
        const NONE: &FieldNames = &FieldNames::NONE;
        self.unfinished.first_fields.as_ref().unwrap_or(NONE)
    }

    /// Takes in all input, or goes on where an interrupted run of the same task had stopped.
    pub(super) fn run(&mut self, mut input: Input, stop: Arc<AtomicBool>) -> Result<Ending> {
        input.on_skip = tell_of_skipping;
        input.on_byte_order_mark = tell_of_byte_order_mark;
        if !self.options.anyway {
            input.expected = Expected::Records;
        }
        let read_bytes = Arc::new(AtomicU64::new(0));
        let done = Arc::clone(&self.done);
        let _progress = ProgressDisplay::of_input(Arc::clone(&read_bytes), done, &input);
        let sources = input.sources.clone();
        let lines = Lines::new(input, PART_BYTES_MAX, read_bytes);
        let Some(resumed) = self.go_on(lines, &stop)? else {
            return Ok(Ending::Stopped);
        };
        let feed = Feed::start(resumed.lines, resumed.fingerprinter, stop)?;
        match self.work(feed, &sources).inspect_err(tell_of_room)? {
            Ending::Broken(error @ InputError::OtherForm { .. })
                if self.summary().taken.records == 0 =>
            {
                Err(error.into())
            }
            ending => Ok(ending),
        }
    }

    /// None where it is to stop before the input is where it was.
    fn go_on(&mut self, lines: Lines, stop: &AtomicBool) -> Result<Option<Resumed>> {
        let Some(left) = self.note.unfinished.clone() else {
            self.check_all_done()?;
            return Ok(Some(Resumed::anew(lines)));
        };
        if left.task != self.unfinished.task {
            self.give_up(&left)?;
            return Ok(Some(Resumed::anew(lines)));
        }
        let resumed = if left.mark == Mark::default() {
            Ok(Some(Resumed {
                skipped: Skipped::Same,
                ..Resumed::anew(lines)
            }))
        } else {
            lines.resume(left.mark.position, left.mark.fingerprint, stop)
        };
        if let Err(InputError::OtherStream) = resumed {
            self.check_all_done()?;
            self.note.unfinished = None;
            (self.commit)(&self.note)?;
        }
        let resumed = resumed?;
        if resumed
            .as_ref()
            .is_some_and(|resumed| resumed.skipped == Skipped::Other)
        {
            self.give_up(&left)?;
            return Ok(resumed);
        }
        self.unfinished = left;
        let taken = &mut self.unfinished.summary.taken;
        taken.resumed_records = taken.records;
        Ok(resumed)
    }

    /// What an interrupted run has taken in would come again when it is given again.
    fn give_up(&self, left: &Unfinished<S>) -> Result<()> {
        self.check_all_done()?;
        let records = left.summary.taken.records;
        ensure!(
            self.options.anyway || records == 0,
            "an interrupted run of another command or another input has taken in {} records there, \
             and would be given up: given again later, it takes them in twice; give its command, \
             its input and its files as they were until it has ended, name another folder, or give \
             --anyway",
            HumanCount(records)
        );
        Ok(())
    }

    /// Other records would get the numbers of those that may be counted in part.
    fn check_all_done(&self) -> Result<()> {
        ensure!(self.note.under_way.is_none(), HALF_DONE);
        Ok(())
    }

    fn work(&mut self, mut feed: Feed, sources: &[Source]) -> Result<Ending> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let passage = Passage {
            function: self.function,
            shards: self.options.shards,
            partition_key: &self.options.partition_key(),
            mapping: Settings::default(),
        };
        let (started, before) = (Instant::now(), self.summary().taken.seconds);
        loop {
            let window = match self.next_window(&mut feed) {
                Ok(window) => window,
                Err(Ending::Complete) => {
                    self.check_all_done()?;
                    return Ok(Ending::Complete);
                }
                Err(ending) => return Ok(ending),
            };
            let counts = RefCell::new(Vec::new());
            let count = |counted: &F::Counts| counts.borrow_mut().push(counted.clone());
            let clock = self.begin_window(&window)?;
            let taken = passage.take(&window, &self.note.progress, clock, count);
            let passed = runtime.block_on(taken)?;
            self.unfinished.summary.taken.seconds = before + started.elapsed().as_secs_f64();
            self.end_window(&window, passed, &counts.into_inner(), sources)?;
        }
    }

    /// One that was under way comes again as it was.
    fn next_window(&self, feed: &mut Feed) -> Result<Window, Ending> {
        match self.note.under_way {
            Some(left) => feed.next_lines(left.lines),
            None => feed.next_window(),
        }
    }

    /// Says what time it is for the window.
    fn begin_window(&mut self, window: &Window) -> Result<Clock> {
        let begun = UnderWay {
            arrival: now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            lines: window.lines(),
            fingerprint: window.mark.fingerprint,
        };
        let left = *self.note.under_way.get_or_insert(begun);
        ensure!(left.fingerprint == begun.fingerprint, HALF_DONE);
        self.note.unfinished = Some(self.unfinished.clone());
        (self.commit)(&self.note)?;
        Ok((self.clock)(UNIX_EPOCH + left.arrival))
    }

    fn end_window(
        &mut self,
        window: &Window,
        passed: Passed,
        counts: &[F::Counts],
        sources: &[Source],
    ) -> Result<()> {
        if let (None, Some(first)) = (&self.unfinished.first_fields, window.events().next()) {
            self.unfinished.first_fields = Some(FieldNames::of(first.data));
        }
        let Summary { taken, of_function } = &mut self.unfinished.summary;
        let files_before = of_function.files();
        taken.records += counts
            .iter()
            .map(|counts| of_function.add(counts))
            .sum::<u64>();
        if of_function.files() > files_before {
            sync_file_system(self.folder)?;
        }
        self.done.store(taken.records, Ordering::Relaxed);
        taken.invocations += passed.totals.invocations;
        taken.bytes_in += window.input_bytes;
        for (source, line, error) in passed.not_taken {
            let source = sources.get(source).map(Source::name).unwrap_or_default();
            taken.not_taken += 1;
            taken
                .not_taken_example
                .get_or_insert_with(|| format!("{source}:{line}: {error}"));
        }
        self.unfinished.mark = window.mark;
        self.note.progress = passed.progress;
        self.note.under_way = None;
        self.note.unfinished = Some(self.unfinished.clone());
        (self.commit)(&self.note)
    }

    /// Ends a run whose summary has been told: a finished one is not gone on with.
    pub(super) fn conclude(mut self, ending: Ending) -> Result<ExitCode> {
        self.note.unfinished = match ending {
            Ending::Complete => None,
            Ending::Stopped | Ending::Broken(_) => Some(self.unfinished.clone()),
        };
        (self.commit)(&self.note)?;
        let InputCounts {
            records, not_taken, ..
        } = self.summary().taken;
        match ending {
            Ending::Complete if records + not_taken == 0 => {
                tell_of_nothing();
                Ok(ExitCode::SUCCESS)
            }
            Ending::Complete if not_taken > 0 => {
                tell("some lines are longer than a stream takes, and are left out");
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
}

impl InputCounts {
    pub(super) fn pace(&self) -> Pace {
        Pace {
            records: self.records,
            seconds: self.seconds,
            resumed_records: self.resumed_records,
        }
    }

    /// Names are for ever.
    pub(super) fn json(&self, ending: &Ending) -> Result<Map<String, Value>> {
        let mut out = members(self)?;
        let rate = self.pace().records_per_second();
        out.insert("records_per_second".to_owned(), rate.into());
        let is_complete = matches!(ending, Ending::Complete);
        out.insert("complete".to_owned(), is_complete.into());
        Ok(out)
    }
}

/// What a summary has, under its names.
pub(super) fn members(summary: &impl Serialize) -> Result<Map<String, Value>> {
    Ok(serde_json::from_value(serde_json::to_value(summary)?)?)
}
