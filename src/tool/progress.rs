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
use indicatif::{DecimalBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::terminal::{ProgressForm, tell};
use crate::local::input::{Input, Source};

const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(10);

const BAR: &str = "{bar:30.green} {decimal_bytes} of {decimal_total_bytes}{msg}, \
                   {decimal_bytes_per_sec}, {eta} left";
const SPINNER: &str = "{spinner:.green} {decimal_bytes}{msg}, {decimal_bytes_per_sec}, {elapsed}";

/// Shown until it is dropped.
pub(super) struct ProgressDisplay {
    ended: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressDisplay {
    /// Shows `read_bytes` growing, to all that an input has where that is known, and how many records
    /// are done with.
    pub(super) fn of_input(
        read_bytes: Arc<AtomicU64>,
        done: Arc<AtomicU64>,
        input: &Input,
    ) -> Self {
        let display = Self::begin(read_bytes, Some(done), input.bytes);
        if input.sources.contains(&Source::StandardInput) && io::stdin().is_terminal() {
            // Else it would look as if nothing happened.
            tell("reading events from the terminal, one a line; Ctrl-D ends them");
        }
        display
    }

    /// Shows `read_bytes` growing, to `total_bytes` where that is known.
    pub(super) fn show(read_bytes: Arc<AtomicU64>, total_bytes: Option<u64>) -> Self {
        Self::begin(read_bytes, None, total_bytes)
    }

    fn begin(
        read_bytes: Arc<AtomicU64>,
        done: Option<Arc<AtomicU64>>,
        total_bytes: Option<u64>,
    ) -> Self {
        let (ended, end) = channel();
        let form = ProgressForm::of_terminal();
        let bar = (form == ProgressForm::Bar).then(|| bar(total_bytes));
        let started = Instant::now();
        let thread = thread::spawn(move || {
            let every = bar.as_ref().map_or(LINE_EVERY, |_| BAR_EVERY);
            while end.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let bytes = read_bytes.load(Ordering::Relaxed);
                let done = done.as_deref().map(|done| done.load(Ordering::Relaxed));
                let records = done.map(|done| format!(", {} records", HumanCount(done)));
                let records = records.unwrap_or_default();
                match &bar {
                    Some(bar) => {
                        bar.set_position(bytes);
                        bar.set_message(records);
                        bar.tick();
                    }
                    None if form == ProgressForm::Lines => {
                        let said = line(bytes, &records, total_bytes, started.elapsed());
                        // Where nobody listens there is nobody to tell.
                        let _ = writeln!(io::stderr(), "{said}");
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

fn line(bytes: u64, records: &str, total_bytes: Option<u64>, elapsed: Duration) -> String {
    let rate = (bytes / elapsed.as_secs().max(1)).max(1);
    let (read, rate_shown) = (DecimalBytes(bytes), DecimalBytes(rate));
    match total_bytes {
        Some(total) => {
            let left = Duration::from_secs(total.saturating_sub(bytes) / rate);
            let (total, left) = (DecimalBytes(total), HumanDuration(left));
            format!("{read} of {total}{records}, {rate_shown}/s, {left} left")
        }
        None => format!("{read}{records}, {rate_shown}/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_what_is_done() {
        let elapsed = Duration::from_secs(10);
        for (records, total, expected) in [
            ("", None, "20.00 kB, 2.00 kB/s"),
            (
                ", 1,234 records",
                None,
                "20.00 kB, 1,234 records, 2.00 kB/s",
            ),
            (
                ", 5 records",
                Some(40_000),
                "20.00 kB of 40.00 kB, 5 records, 2.00 kB/s, 10 seconds left",
            ),
        ] {
            assert_eq!(line(20_000, records, total, elapsed), expected);
        }
    }
}
