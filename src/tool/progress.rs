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

use anstream::{AutoStream, ColorChoice};
use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};

use super::terminal::{ProgressForm, tell};
use crate::local::input::{Input, Source};

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
    /// Shows `read_bytes` growing, to all that an input has where that is known.
    pub(super) fn of_input(read_bytes: Arc<AtomicU64>, input: &Input) -> Self {
        let display = Self::show(read_bytes, input.bytes);
        if input.sources.contains(&Source::StandardInput) && io::stdin().is_terminal() {
            // Else it would look as if nothing happened.
            tell("reading events from the terminal, one a line; Ctrl-D ends them");
        }
        display
    }

    /// Shows `read_bytes` growing, to `total_bytes` where that is known.
    pub(super) fn show(read_bytes: Arc<AtomicU64>, total_bytes: Option<u64>) -> Self {
        let (ended, end) = channel();
        let form = ProgressForm::of_terminal();
        let bar = (form == ProgressForm::Bar).then(|| bar(total_bytes));
        let started = Instant::now();
        let thread = thread::spawn(move || {
            let every = bar.as_ref().map_or(LINE_EVERY, |_| BAR_EVERY);
            while end.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let bytes = read_bytes.load(Ordering::Relaxed);
                match &bar {
                    Some(bar) => {
                        bar.set_position(bytes);
                        bar.tick();
                    }
                    None if form == ProgressForm::Lines => {
                        write_line(bytes, total_bytes, started.elapsed());
                    }
                    None => {}
                }
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
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

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match total_bytes {
        Some(total_bytes) => (ProgressBar::new(total_bytes), BAR),
        None => (ProgressBar::new_spinner(), SPINNER),
    };
    let template = match AutoStream::choice(&io::stderr()) {
        ColorChoice::Never => template.replace(".green", ""),
        _ => template.to_owned(),
    };
    let style = ProgressStyle::with_template(&template);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn write_line(bytes: u64, total_bytes: Option<u64>, elapsed: Duration) {
    let rate = (bytes / elapsed.as_secs().max(1)).max(1);
    let (read, rate_shown) = (DecimalBytes(bytes), DecimalBytes(rate));
    let line = match total_bytes {
        Some(total) => {
            let left = Duration::from_secs(total.saturating_sub(bytes) / rate);
            let (total, left) = (DecimalBytes(total), HumanDuration(left));
            format!("{read} of {total}, {rate_shown}/s, {left} left")
        }
        None => format!("{read}, {rate_shown}/s"),
    };
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}
