//! The threads of a run: one reads, one has batches answered, one delivers, one commits. Order is
//! kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use super::{
    Ending, RunError,
    batch::{Cutter, Intake, Piece},
    commit::{Closed, CommitError, Committer},
    delivery::Delivery,
    function::{Function, Invoker, Settled},
};
use crate::dedup::embedded::EmbeddedStore;

/// What waits between two threads.
const WAITING_MAX: usize = 2;
/// How soon a wish to stop is heard while the input has nothing.
const PATIENCE: Duration = Duration::from_millis(50);
/// A window ends with so many claims, which are held in memory until then.
const WINDOW_CLAIMS_MAX: usize = 220_000;

pub(super) struct Pipeline<'a, F> {
    pub(super) invoker: Invoker<'a, F>,
    pub(super) partition_keys: Vec<String>,
    pub(super) window: WindowGauge<'a>,
    pub(super) stop: Arc<AtomicBool>,
}

/// Says when a window is to end.
pub(super) struct WindowGauge<'a> {
    store: &'a EmbeddedStore,
    bytes_max: u64,
    bytes: u64,
    /// Set by the delivery.
    lake_is_full: Arc<AtomicBool>,
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

impl<F: Function + Sync> Pipeline<'_, F> {
    /// Takes everything through, up to the last window.
    pub(super) fn run(
        mut self,
        cutter: Cutter,
        delivery: &mut Delivery<'_>,
        committer: &Committer<'_>,
    ) -> Result<Ending, RunError> {
        let (to_function, taken) = sync_channel(WAITING_MAX);
        let (to_delivery, steps) = sync_channel(WAITING_MAX);
        let (to_committer, windows) = sync_channel(0);
        let (done, windows_done) = sync_channel(1);
        // Not waited for: it may hang on an input that has nothing.
        thread::Builder::new()
            .name("reader".into())
            .spawn(move || read(cutter, &to_function))?;
        thread::scope(|scope| {
            let full = Arc::clone(&self.window.lake_is_full);
            let named = |name: &str| thread::Builder::new().name(name.into());
            named("function").spawn_scoped(scope, move || {
                self.answer(&taken, &to_delivery, &windows_done)
            })?;
            let committing = named("committer")
                .spawn_scoped(scope, move || commit(committer, &windows, &done))?;
            let delivered = deliver(&steps, delivery, to_committer, &full);
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
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return send(steps, Step::End(Ending::Stopped));
            }
            let may_end_window = match taken.recv_timeout(PATIENCE) {
                Ok(Taken::Intake(intake)) => self.answer_one(intake, steps)?,
                Ok(Taken::End(ending)) => return send(steps, Step::End(ending)),
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return Err(Gone),
            };
            if may_end_window && self.window.is_full() {
                // Claims are cut once a window: the last one's are durable before the next are.
                if !is_first_window {
                    windows_done.recv().map_err(|_| Gone)?;
                }
                is_first_window = false;
                self.window.end();
                send(steps, Step::WindowEnd)?;
            }
        }
    }

    /// Whether a window may end after it.
    fn answer_one(&mut self, intake: Intake, steps: &SyncSender<Step>) -> Result<bool, Gone> {
        match intake {
            Intake::Batch(batch) => {
                self.window.bytes += batch.record_bytes as u64;
                let settled = self.invoker.settle(batch, &self.partition_keys);
                send(steps, Step::Batch(Box::new(settled)))?;
                Ok(true)
            }
            Intake::Piece(piece) => {
                self.window.bytes += piece.bytes.len() as u64;
                let is_last = piece.after.is_some();
                send(steps, Step::Piece(piece))?;
                Ok(is_last)
            }
        }
    }
}

impl<'a> WindowGauge<'a> {
    pub(super) fn new(store: &'a EmbeddedStore, bytes_max: u64) -> Self {
        Self {
            store,
            bytes_max,
            bytes: 0,
            lake_is_full: Arc::default(),
        }
    }

    /// What is claimed from now on belongs to the next window.
    fn end(&mut self) {
        self.store.cut();
        self.bytes = 0;
        self.lake_is_full.store(false, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
            || self.store.pending() >= WINDOW_CLAIMS_MAX
            || self.lake_is_full.load(Ordering::Relaxed)
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
    delivery: &mut Delivery<'_>,
    committer: SyncSender<Closed>,
    lake_is_full: &AtomicBool,
) -> Result<Ending, RunError> {
    loop {
        match steps.recv() {
            Ok(Step::Batch(settled)) => delivery.deliver(*settled)?,
            Ok(Step::Piece(piece)) => delivery.deliver_piece(&piece)?,
            Ok(Step::WindowEnd) => send(&committer, delivery.end_window()?)?,
            Ok(Step::End(ending)) => {
                send(&committer, delivery.end_window()?)?;
                return Ok(ending);
            }
            Err(_) => return Err(Gone.into()),
        }
        if delivery.lake.is_full() {
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
        committer.commit(closed)?;
        // A function that has ended does not wait for it.
        let _ = window_done.try_send(());
    }
    Ok(())
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let joined = thread.join();
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl From<Gone> for RunError {
    fn from(Gone: Gone) -> Self {
        Self::ThreadGone
    }
}

fn send<T>(channel: &SyncSender<T>, message: T) -> Result<(), Gone> {
    channel.send(message).map_err(|_| Gone)
}
