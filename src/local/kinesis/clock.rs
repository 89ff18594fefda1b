//! The time in a stream.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Starts at a time that is given, and goes on as tokio's clock does, or stands.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: SystemTime,
    /// None where it stands.
    started: Option<Instant>,
}

impl Clock {
    #[must_use]
    pub fn starting(start: SystemTime) -> Self {
        Self {
            start,
            started: Some(Instant::now()),
        }
    }

    #[must_use]
    pub fn standing(start: SystemTime) -> Self {
        Self {
            start,
            started: None,
        }
    }

    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.start
            + self
                .started
                .map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// Since 1970.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}
