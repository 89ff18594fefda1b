//! The time in a stream.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Starts at a time that is given, and goes on as tokio's clock does.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: SystemTime,
    started: Instant,
}

impl Clock {
    #[must_use]
    pub fn starting(start: SystemTime) -> Self {
        Self {
            start,
            started: Instant::now(),
        }
    }

    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.start + self.started.elapsed()
    }

    /// Since 1970.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}
