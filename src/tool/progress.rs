//! How far a run is: a bar on a terminal, elsewhere a line now and then.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};

const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(10);

const BAR: &str = "{bar:30.green} {decimal_bytes} of {decimal_total_bytes}, \
                   {decimal_bytes_per_sec}, {eta} left";
const SPINNER: &str = "{spinner:.green} {decimal_bytes}, {decimal_bytes_per_sec}, {elapsed}";

/// Shown until it is dropped.
pub(super) struct ProgressDisplay {
    ended: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressDisplay {
    /// Shows `read_bytes` growing, to `total_bytes` where that is known.
    pub(super) fn show(read_bytes: Arc<AtomicU64>, total_bytes: Option<u64>) -> Self {
        let (ended, end) = channel();
        let mut face: Box<dyn Face> = if io::stderr().is_terminal() {
            Box::new(bar(total_bytes))
        } else {
            Box::new(ProgressLines::new(total_bytes))
        };
        let thread = thread::spawn(move || {
            let every = face.every();
            while end.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                face.show(read_bytes.load(Ordering::Relaxed));
            }
            face.end();
        });
        Self {
            ended: Some(ended),
            thread: Some(thread),
        }
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        drop(self.ended.take());
        if let Some(thread) = self.thread.take() {
            // It only shows something: how it ends changes nothing.
            let _ = thread.join();
        }
    }
}

trait Face: Send {
    fn every(&self) -> Duration;
    fn show(&mut self, bytes: u64);
    fn end(&mut self);
}

impl Face for ProgressBar {
    fn every(&self) -> Duration {
        BAR_EVERY
    }

    fn show(&mut self, bytes: u64) {
        self.set_position(bytes);
        self.tick();
    }

    fn end(&mut self) {
        self.finish_and_clear();
    }
}

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match total_bytes {
        Some(total_bytes) => (ProgressBar::new(total_bytes), BAR),
        None => (ProgressBar::new_spinner(), SPINNER),
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

struct ProgressLines {
    started: Instant,
    total_bytes: Option<u64>,
}

impl ProgressLines {
    fn new(total_bytes: Option<u64>) -> Self {
        Self {
            started: Instant::now(),
            total_bytes,
        }
    }
}

impl Face for ProgressLines {
    fn every(&self) -> Duration {
        LINE_EVERY
    }

    fn show(&mut self, bytes: u64) {
        let seconds = self.started.elapsed().as_secs().max(1);
        let rate = (bytes / seconds).max(1);
        let read = DecimalBytes(bytes);
        let rate_shown = DecimalBytes(rate);
        // Where nobody listens there is nobody to tell.
        let _ = match self.total_bytes {
            Some(total) => {
                let left = Duration::from_secs(total.saturating_sub(bytes) / rate);
                let (total, left) = (DecimalBytes(total), HumanDuration(left));
                writeln!(
                    io::stderr(),
                    "{read} of {total}, {rate_shown}/s, {left} left"
                )
            }
            None => writeln!(io::stderr(), "{read}, {rate_shown}/s"),
        };
    }

    fn end(&mut self) {}
}
