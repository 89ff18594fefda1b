//! Goes on with an input behind what an earlier run has read of it, without waiting for an input that
//! has nothing when it is to stop.

use std::{
    panic::resume_unwind,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{Fingerprint, Fingerprinter, InputError, Lines, Position, Skipped};

/// How soon a wish to stop is heard while the input has nothing.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// Lines that may be read on, and what was passed over to get there.
pub struct Resumed {
    pub lines: Lines,
    pub fingerprinter: Fingerprinter,
    pub skipped: Skipped,
}

impl Resumed {
    /// All of them come next.
    #[must_use]
    pub fn anew(lines: Lines) -> Self {
        Self {
            lines,
            fingerprinter: Fingerprinter::default(),
            skipped: Skipped::Other,
        }
    }

    fn skip(mut self, to: &Position, expected: Fingerprint) -> Result<Self, InputError> {
        self.skipped = self.lines.skip(to, expected, &mut self.fingerprinter)?;
        Ok(self)
    }
}

impl Lines {
    /// Passes over what an earlier run has read, if the input begins with it; none when it is to
    /// stop before that is done.
    pub fn resume(
        self,
        to: Position,
        expected: Fingerprint,
        stop: &AtomicBool,
    ) -> Result<Option<Resumed>, InputError> {
        if to.bytes == 0 {
            return Ok(Some(Resumed::anew(self)));
        }
        let (done, skipped) = sync_channel(1);
        // Not waited for: it may hang on an input that has nothing.
        let skipping = thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                // Whoever has stopped does not want it.
                let _ = done.send(Resumed::anew(self).skip(&to, expected));
            })
            .map_err(InputError::Thread)?;
        loop {
            let received = skipped.recv_timeout(PATIENCE);
            // What is followed breaks off because it is to stop.
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            match received {
                Ok(resumed) => return resumed.map(Some),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let ended = skipping.join();
                    return ended.map_or_else(|panic| resume_unwind(panic), |()| Ok(None));
                }
            }
        }
    }
}
