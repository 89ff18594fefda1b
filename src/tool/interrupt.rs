//! Ctrl-C, and what is said on the way.

use std::{
    io::{self, Write},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};

/// What a shell expects of a program that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// The first signal asks for an end at the next point that can be gone on from, a second one ends
/// at once.
pub(super) fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if heard.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED.into());
        }
    })
    .context("signals cannot be handled")?;
    Ok(stop)
}

pub(super) fn tell(sentence: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "nozzle: {sentence}");
}
