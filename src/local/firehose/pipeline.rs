//! The threads of a run: one reads, one has batches answered, one delivers, one commits. Order is
//! kept.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, ScopedJoinHandle},
};

use super::{
    attempts::{Attempts, Settled},
    batch::{Cutter, Intake, Piece},
    commit::{Closed, CommitError, Committer},
    gauge::Gauge,
    invocation::Invoke,
    window::Window,
};
use crate::{
    disk::FileError,
    local::input::{InputError, resume::PATIENCE},
};

/// What waits between two threads.
const WAITING_MAX: usize = 2;

pub(super) struct Pipeline<'a, F> {
    pub(super) attempts: Attempts<'a, F>,
    pub(super) gauge: Gauge<'a>,
    pub(super) partition_keys: Vec<String>,
    pub(super) stop: Arc<AtomicBool>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// All input is taken in.
    Complete,
    /// It was to stop.
    Stopped,
    /// The input cannot be read further.
    Broken(InputError),
}

/// Why not everything was taken through.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
    #[error("a thread has ended early: this is a mistake in nozzle")]
    ThreadGone,
}

/// From the reader to the function.
enum Taken {
    Intake(Intake),
    End(Ending),
}

/// From the function to the delivery.
enum Step {
    Batch(Box<Settled>),
    Piece(Piece),
    WindowEnd,
    End(Ending),
}

/// The other thread is gone, and knows why.
struct Gone;

impl<F: Invoke + Sync> Pipeline<'_, F> {
    /// Takes everything through, up to the last window.
    pub(super) fn run(
        mut self,
        cutter: Cutter,
        window: &mut Window<'_>,
    ) -> Result<Ending, PipelineError> {
        let committer = &window.committer();
        let (to_function, taken) = sync_channel(WAITING_MAX);
        let (to_delivery, steps) = sync_channel(WAITING_MAX);
        let (to_committer, windows) = sync_channel(0);
        let (done, windows_done) = sync_channel(1);
        // Not waited for: it may hang on an input that has nothing.
        thread::Builder::new()
            .name("reader".into())
            .spawn(move || read(cutter, &to_function))?;
        thread::scope(|scope| {
            let full = Arc::clone(&self.gauge.lake_is_full);
            let named = |name: &str| thread::Builder::new().name(name.into());
            named("function").spawn_scoped(scope, move || {
                self.answer(&taken, &to_delivery, &windows_done)
            })?;
            let committing = named("committer")
                .spawn_scoped(scope, move || commit(committer, &windows, &done))?;
            let delivered = deliver(&steps, window, to_committer, &full);
            drop(steps);
            join(committing)?;
            delivered
        })
    }

    fn answer(
        &mut self,
        taken: &Receiver<Taken>,
        steps: &SyncSender<Step>,
        windows_done: &Receiver<()>,
    ) -> Result<(), Gone> {
        let mut is_first_window = true;
        let mut may_end_window = false;
        loop {
            let received = taken.recv_timeout(PATIENCE);
            // What is followed ends because it is to stop.
            if self.stop.load(Ordering::Relaxed) {
                return send(steps, Step::End(Ending::Stopped));
            }
            match received {
                Ok(Taken::Intake(intake)) => may_end_window = self.answer_one(intake, steps)?,
                Ok(Taken::End(ending)) => return send(steps, Step::End(ending)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Gone),
            }
            if may_end_window && self.gauge.is_full() {
                // Claims are cut once a window: the last one's are durable before the next are.
                if !is_first_window {
                    windows_done.recv().map_err(|_| Gone)?;
                }
                is_first_window = false;
                self.gauge.cut();
                send(steps, Step::WindowEnd)?;
            }
        }
    }

    /// Whether a window may end after it.
    fn answer_one(&mut self, intake: Intake, steps: &SyncSender<Step>) -> Result<bool, Gone> {
        match intake {
            Intake::Batch(batch) => {
                self.gauge.add(batch.record_bytes);
                let settled = self.attempts.settle(batch, &self.partition_keys);
                send(steps, Step::Batch(Box::new(settled)))?;
                Ok(true)
            }
            Intake::Piece(piece) => {
                self.gauge.add(piece.bytes.len());
                let is_last = piece.after.is_some();
                send(steps, Step::Piece(piece))?;
                Ok(is_last)
            }
        }
    }
}

fn read(mut cutter: Cutter, function: &SyncSender<Taken>) -> Result<(), Gone> {
    loop {
        let ending = match cutter.take_in() {
            Ok(Some(intake)) => {
                send(function, Taken::Intake(intake))?;
                continue;
            }
            Ok(None) => Ending::Complete,
            Err(error) => Ending::Broken(error),
        };
        return send(function, Taken::End(ending));
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the committer ends when nobody can send to it any more"
)]
fn deliver(
    steps: &Receiver<Step>,
    window: &mut Window<'_>,
    committer: SyncSender<Closed>,
    lake_is_full: &AtomicBool,
) -> Result<Ending, PipelineError> {
    loop {
        match steps.recv() {
            Ok(Step::Batch(settled)) => window.put(*settled).map(drop)?,
            Ok(Step::Piece(piece)) => window.put_piece(&piece)?,
            Ok(Step::WindowEnd) => send(&committer, window.close()?)?,
            Ok(Step::End(ending)) => {
                send(&committer, window.close()?)?;
                return Ok(ending);
            }
            Err(_) => return Err(Gone.into()),
        }
        if window.is_full() {
            lake_is_full.store(true, Ordering::Relaxed);
        }
    }
}

fn commit(
    committer: &Committer<'_>,
    windows: &Receiver<Closed>,
    window_done: &SyncSender<()>,
) -> Result<(), CommitError> {
    for closed in windows {
        committer.commit(&closed)?;
        // A function that has ended does not wait for it.
        let _ = window_done.try_send(());
    }
    Ok(())
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let joined = thread.join();
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl From<Gone> for PipelineError {
    fn from(Gone: Gone) -> Self {
        Self::ThreadGone
    }
}

fn send<T>(channel: &SyncSender<T>, message: T) -> Result<(), Gone> {
    channel.send(message).map_err(|_| Gone)
}
