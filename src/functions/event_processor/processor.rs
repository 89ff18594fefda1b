//! What the function has and remembers from one invocation to the next.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{enriching::Memory, services::Services, settings::Settings, users::Remembered};

/// How long putting an object takes, before one was put.
const PACE: Duration = Duration::from_millis(50);

/// The function: its settings, what it keeps elsewhere, and what it remembers while it is warm.
pub struct EventProcessor<S> {
    pub(super) settings: Settings,
    pub(super) services: S,
    pub(super) sketches: Remembered,
    pub(super) memory: Memory,
    pub(super) pace: Pace,
}

/// How long putting an object last took.
pub(super) struct Pace(AtomicU64);

impl Pace {
    pub(super) fn set(&self, pace: Duration) {
        let micros = u64::try_from(pace.as_micros()).unwrap_or(u64::MAX);
        self.0.store(micros, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed).max(1))
    }
}

impl<S: Services> EventProcessor<S> {
    pub fn new(settings: Settings, services: S) -> Self {
        let pace = Pace(AtomicU64::new(0));
        pace.set(PACE);
        Self {
            settings,
            services,
            sketches: Remembered::default(),
            memory: Memory::default(),
            pace,
        }
    }
}
