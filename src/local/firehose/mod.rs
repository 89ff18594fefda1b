//! A Firehose for one machine: it cuts input into batches, gives each to a function, checks the
//! answer, and writes the lake.
//!
//! Threads with little room between them, so that memory is bounded whatever the input's size: the
//! reader cuts batches, the function answers them, the delivery writes what was answered. A *window*
//! is what becomes durable at once, files and claims together; while the committer sees to one, the
//! others are at work on the next.

pub mod answer;
pub mod batch;
pub mod commit;
pub mod delivery;
pub mod error_object;
pub mod function;
pub mod in_process;
pub mod invoke_url;
pub mod lake;
pub mod picture;
mod pipeline;
pub mod prefix;
pub mod summary;
pub mod timestamp;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::{Instant, SystemTime},
};

use super::input::{Fingerprinter, Input, InputError, Lines, Skipped};
use super::journal::{Journal, Left, Unfinished};
use batch::{Cutter, Limits, Mark};
use commit::{CommitError, Committer};
use delivery::Delivery;
use function::{Function, Invoker, Pauses};
use lake::{Lake, LakeError};
use picture::Picture;
use pipeline::{Pipeline, WindowGauge};
use summary::{NotConserved, Summary};

use crate::{dedup::embedded::EmbeddedStore, functions::firehose_transform::transform::Rules};

/// How this Firehose names itself, where a real one has names.
pub const STREAM_ARN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/nozzle";
pub const STREAM_NAME: &str = "nozzle";

/// Everything a run needs but its input.
pub struct Firehose<'a, F> {
    pub function: &'a F,
    pub pauses: Pauses,
    /// By which what failed is told apart.
    pub rules: &'a Rules,
    pub store: &'a EmbeddedStore,
    pub journal: Journal<'a>,
    pub lake: Lake,
    pub limits: Limits,
    /// A window ends with so many record bytes.
    pub window_bytes_max: u64,
    pub watch: Watch,
    /// A hash of what the run is asked to do with its input.
    pub task: u64,
    pub clock: fn() -> SystemTime,
    pub stop: Arc<AtomicBool>,
}

/// Who looks at a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    Nobody,
    /// Somebody who wants a picture of it.
    Picture,
}

/// How a run ended, and what it came to, with what an interrupted run did before. Given again, it
/// goes on, until it is [concluded](Journal::conclude).
#[derive(Debug)]
pub struct Outcome {
    pub progress: Unfinished,
    pub ending: Ending,
}

#[derive(Debug)]
pub enum Ending {
    /// All input is taken in.
    Complete,
    /// It was to stop.
    Stopped,
    /// The input cannot be read further.
    Broken(InputError),
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    NotConserved(#[from] NotConserved),
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
    #[error("a thread has ended early: this is a mistake in nozzle")]
    ThreadGone,
}

impl<F: Function + Sync> Firehose<'_, F> {
    /// Takes in all input, or goes on where an interrupted run of the same task had stopped.
    /// `read_bytes` shows how far it is.
    pub fn run(
        self,
        input: Input,
        left: Left,
        read_bytes: Arc<AtomicU64>,
    ) -> Result<Outcome, RunError> {
        let started = Instant::now();
        let sources = input.sources.clone();
        let lines = Lines::new(input, self.limits.record_bytes_max + 2, read_bytes);
        let (cutter, progress) = self.begin(lines, left)?;
        let committer = Committer {
            journal: self.journal,
            lake: self.lake.folder().to_owned(),
        };
        let mut delivery = Delivery {
            invoker: Invoker::new(self.function, self.pauses)?,
            lake: self.lake,
            rules: self.rules,
            sources,
            clock: self.clock,
            started,
            progress,
            long: None,
        };
        let pipeline = Pipeline {
            invoker: Invoker::new(self.function, self.pauses)?,
            window: WindowGauge::new(self.store, self.window_bytes_max),
            stop: self.stop,
        };
        let run = pipeline.run(cutter, &mut delivery, &committer);
        if let Err(RunError::Lake(_)) = &run {
            // A full disk may need the room. All that was committed has its final name, and what
            // cannot be done now the next run does.
            let _ = delivery.lake.sweep();
        }
        let ending = run?;
        let progress = delivery.progress;
        progress.summary.check_conserved()?;
        Ok(Outcome { progress, ending })
    }

    fn begin(&self, lines: Lines, left: Left) -> Result<(Cutter, Unfinished), RunError> {
        let arrived = left.arrival_milliseconds;
        let begun = self.go_on(lines, left);
        if let Err(InputError::OtherStream) = &begun {
            let given_up = self.journal.commit(&[], arrived, None);
            given_up.map_err(CommitError::from)?;
        }
        Ok(begun?)
    }

    fn go_on(&self, mut lines: Lines, left: Left) -> Result<(Cutter, Unfinished), InputError> {
        let mut fingerprinter = Fingerprinter::default();
        let mut progress = Unfinished {
            task: self.task,
            mark: Mark::default(),
            summary: Summary::default(),
            picture: None,
        };
        if let Some(unfinished) = left
            .unfinished
            .filter(|unfinished| unfinished.task == self.task)
        {
            let Mark {
                position,
                fingerprint,
                ..
            } = unfinished.mark;
            let skipped = lines.skip(&position, fingerprint, &mut fingerprinter, &self.stop)?;
            if skipped != Skipped::Other {
                progress = unfinished;
                progress.summary.resumed_records = progress.summary.records;
            }
        }
        progress.picture = match self.watch {
            Watch::Nobody => None,
            Watch::Picture => progress
                .picture
                .or_else(|| Some(Box::new(Picture::after(progress.summary.records)))),
        };
        let arrived = left.arrival_milliseconds;
        progress.mark.arrival_milliseconds = arrived;
        let cutter = Cutter::new(lines, fingerprinter, arrived, self.limits, self.clock);
        Ok((cutter, progress))
    }
}
