//! `nozzle recount`: do the counters agree with the archive? Sets them right if told.
//!
//! The counters are read first, then the archive, then the ledgers. An event that is archived and not
//! yet counted shows in the ledger, and its windows are left alone; one that is counted meanwhile
//! changes its counter, which is then not what the correction is on condition of. So nothing is
//! counted twice by a correction, and given again it finds only what is left.

mod archive;
mod compare;
mod options;
mod report;

use std::{
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Result;
use tokio::runtime::Builder;

use super::{
    interrupt::{INTERRUPTED, stop_on_signal},
    progress::ProgressDisplay,
    terminal::tell,
};
use crate::functions::event_processor::key::Spans;
use archive::{Days, Unread};
use compare::{Compared, Comparison, CounterItems, Deviations};
pub(super) use options::RecountOptions;

/// Compares, day by day, and sets right.
pub(super) fn run(options: &RecountOptions) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let counters = options.counters(&runtime)?;
    let objects = options.archive(&runtime)?;
    let table = CounterItems::read(&counters, options.windows.as_ref())?;
    let mut comparison = Comparison {
        spans: options.windows.clone().unwrap_or_else(|| table.spans()),
        table,
        counters: &counters,
        terms: options.terms(),
        deviations: Deviations::default(),
    };
    let read_bytes = Arc::new(AtomicU64::new(0));
    let progress = ProgressDisplay::show(Arc::clone(&read_bytes), None);
    let mut days = Days::new(&*objects, read_bytes);
    objects.each(&mut |object| {
        if !stop.load(Ordering::Relaxed)
            && let Some(day) = days.take(&object)?
        {
            comparison.compare(&day, &days.unread)?;
        }
        Ok(())
    })?;
    let is_stopped = stop.load(Ordering::Relaxed);
    if !is_stopped {
        if let Some(day) = days.last() {
            comparison.compare(&day, &days.unread)?;
        }
        comparison.compare_rest();
    }
    drop(progress);
    if options.windows.is_none() {
        tell_of_spans(&comparison.spans);
    }
    let deviations = comparison.deviations;
    report::print_deviations(&deviations, &days.unread, options.format())?;
    for sentence in &days.unread.objects {
        tell(sentence);
    }
    if is_stopped {
        tell("interrupted; give the same command again: what is set right is not found again");
        return Ok(INTERRUPTED.into());
    }
    Ok(exit_code(deviations.compared(), &days.unread))
}

/// Says what looks like a mistake in the command.
fn exit_code(compared: Compared, unread: &Unread) -> ExitCode {
    match compared {
        Compared::Agrees if unread.is_nothing() => ExitCode::SUCCESS,
        Compared::Agrees | Compared::Left => ExitCode::FAILURE,
        Compared::NoCounter => {
            tell(
                "the table has no counter at all, and the archive has events to count: is it the right one?",
            );
            ExitCode::FAILURE
        }
        Compared::Nothing => {
            tell(
                "nothing was compared: the archive has no object of any counter; is --archive right?",
            );
            ExitCode::FAILURE
        }
    }
}

/// Where a table has no counter of a kind, nobody knows whether there should be some.
fn tell_of_spans(Spans(found): &Spans) {
    let Spans(all) = Spans::default();
    for span in all.iter().filter(|span| !found.contains(span)) {
        tell(&format!(
            "the table has no counters by {0}, so none is compared; if the function counts by {0}, give \
             --windows hour,day",
            span.as_str()
        ));
    }
}
