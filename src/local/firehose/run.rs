//! A run: all of an input through a function into a lake, going on where another was interrupted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use super::{
    attempts::{Attempts, Pauses},
    batch::{Cutter, Limits},
    gauge::Gauge,
    invocation::Invoke,
    picture::Picture,
    pipeline::{Ending, Pipeline, PipelineError},
    progress::Unfinished,
    summary::NotConserved,
    window::{OpenError, Site, Window},
};
use crate::local::{
    input::{Input, InputError, Lines, Skipped, resume::Resumed},
    journal::{Journal, JournalError, Left},
};

/// Everything a run needs but its input.
pub struct Firehose<'a, F> {
    pub function: &'a F,
    pub pauses: Pauses,
    pub site: Site<'a>,
    pub limits: Limits,
    /// A window ends with so many record bytes.
    pub window_bytes_max: u64,
    /// ... and when its first record is so old.
    pub window_age_max: Duration,
    pub watch: Watch,
    /// A hash of what the run is asked to do with its input.
    pub task: u64,
    /// How many records are done with, for who looks on.
    pub done: Arc<AtomicU64>,
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
/// goes on, until it is [concluded](Outcome::conclude).
#[derive(Debug)]
pub struct Outcome {
    pub progress: Unfinished,
    pub ending: Ending,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    NotConserved(#[from] NotConserved),
}

impl<F: Invoke + Sync> Firehose<'_, F> {
    /// Takes in all input, or goes on where an interrupted run of the same task had stopped.
    /// `read_bytes` shows how far it is.
    pub fn run(self, input: Input, read_bytes: Arc<AtomicU64>) -> Result<Outcome, RunError> {
        let (mut window, left) = Window::open(self.site.clone())?;
        let lines = Lines::new(input, self.limits.record_bytes_max + 2, read_bytes);
        window.sources = lines.sources.clone();
        window.done = Arc::clone(&self.done);
        let (cutter, progress) = self.begin(lines, left)?;
        let Some(cutter) = cutter else {
            return Ok(Outcome {
                progress,
                ending: Ending::Stopped,
            });
        };
        window.progress = progress;
        let pipeline = Pipeline {
            attempts: Attempts::new(self.function, self.pauses).map_err(PipelineError::Thread)?,
            gauge: Gauge::new(self.site.store, self.window_bytes_max).with_age(self.window_age_max),
            partition_keys: window.partition_keys().to_vec(),
            stop: self.stop,
        };
        let run = pipeline.run(cutter, &mut window);
        if let Err(PipelineError::File(_)) = &run {
            // A full disk may need the room. All that was committed has its final name, and what
            // cannot be done now the next run does.
            let _ = window.sweep();
        }
        let ending = run?;
        let progress = window.progress;
        progress.summary.check_conserved()?;
        Ok(Outcome { progress, ending })
    }

    fn begin(
        &self,
        lines: Lines,
        left: Left<Unfinished>,
    ) -> Result<(Option<Cutter>, Unfinished), RunError> {
        let arrived = left.arrival_milliseconds;
        let begun = self.go_on(lines, left);
        if let Err(InputError::OtherStream) = &begun {
            let journal = Journal::new(self.site.store, self.site.claims, self.site.lake);
            journal.commit::<Unfinished>(&[], arrived, None)?;
        }
        Ok(begun?)
    }

    /// No cutter where it is to stop before the input is where it was.
    fn go_on(
        &self,
        lines: Lines,
        left: Left<Unfinished>,
    ) -> Result<(Option<Cutter>, Unfinished), InputError> {
        let arrived = left.arrival_milliseconds;
        let is_same = |unfinished: &Unfinished| unfinished.task == self.task;
        let unfinished = left.unfinished.filter(is_same);
        let resumed = match &unfinished {
            None => Some(Resumed::anew(lines)),
            Some(Unfinished { mark, .. }) => {
                lines.resume(mark.position, mark.fingerprint, &self.stop)?
            }
        };
        let mut progress = match (unfinished, &resumed) {
            (
                Some(mut unfinished),
                None
                | Some(Resumed {
                    skipped: Skipped::Same,
                    ..
                }),
            ) => {
                unfinished.summary.resumed_records = unfinished.summary.records;
                unfinished
            }
            _ => Unfinished {
                task: self.task,
                ..Unfinished::default()
            },
        };
        progress.picture = match self.watch {
            Watch::Nobody => None,
            Watch::Picture => progress
                .picture
                .or_else(|| Some(Box::new(Picture::after(progress.summary.records)))),
        };
        progress.mark.arrival_milliseconds = arrived;
        let cutter = resumed.map(|resumed| {
            let Resumed {
                lines,
                fingerprinter,
                ..
            } = resumed;
            Cutter::new(lines, fingerprinter, arrived, self.limits, self.site.clock)
        });
        Ok((cutter, progress))
    }
}

impl Outcome {
    /// Ends a run whose summary has been told: a finished one is not gone on with. With no names
    /// left to give, lake and claims may part.
    pub fn conclude(&self, journal: &Journal<'_>) -> Result<(), JournalError> {
        let unfinished = match self.ending {
            Ending::Complete => None,
            Ending::Stopped | Ending::Broken(_) => Some(&self.progress),
        };
        journal.commit(&[], self.progress.mark.arrival_milliseconds, unfinished)
    }
}
