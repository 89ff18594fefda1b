//! Ctrl-C, and the like: heard in one way by all commands.

use std::{
    io,
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::HumanCount;

use super::terminal::tell;

/// What a shell expects of a program that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// Says how to go on with what was interrupted.
pub(super) fn interrupted() -> ExitCode {
    tell("interrupted; give the same command again and it goes on from here");
    INTERRUPTED.into()
}

/// Says that a full disk ends nothing for good.
pub(super) fn tell_of_room(error: &anyhow::Error) {
    if is_full(error) {
        tell("once there is room, the same command goes on from here");
    }
}

fn is_full(error: &anyhow::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause: &io::Error| matches!(cause.kind(), StorageFull | QuotaExceeded))
}

/// Says what a command waits for that goes on with a stream.
pub(super) fn tell_of_skipping(bytes: u64) {
    let bytes = HumanCount(bytes);
    tell(&format!(
        "going on with an interrupted run: skipping the first {bytes} bytes, if they are what was read before"
    ));
}

/// How soon a wish to stop is heard by one who waits.
const SLICE: Duration = Duration::from_millis(50);

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

/// Sleeps until then, or until it is to stop.
pub(super) fn sleep_until(then: Instant, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let left = then.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(SLICE));
    }
}

/// Comes back when it is to stop.
pub(super) async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(SLICE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileError;

    #[test]
    fn a_full_disk_is_known_wherever_it_is_met() {
        for (kind, expected) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::PermissionDenied, false),
        ] {
            let error = FileError {
                path: "lake".into(),
                error: kind.into(),
            };
            let error = anyhow::Error::from(error).context("more");
            assert_eq!(is_full(&error), expected);
        }
    }
}
