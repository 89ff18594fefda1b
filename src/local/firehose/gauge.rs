//! When a window is to end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::dedup::embedded::EmbeddedStore;

/// A window ends with so many claims, which are held in memory until then.
const CLAIMS_MAX: usize = 220_000;

pub struct Gauge<'a> {
    store: &'a EmbeddedStore,
    bytes_max: u64,
    bytes: u64,
    age_max: Duration,
    /// When the window got its first record.
    begun: Option<Instant>,
    /// Set by whoever writes the lake.
    pub lake_is_full: Arc<AtomicBool>,
}

impl<'a> Gauge<'a> {
    /// A window ends with so many record bytes.
    #[must_use]
    pub fn new(store: &'a EmbeddedStore, bytes_max: u64) -> Self {
        Self {
            store,
            bytes_max,
            bytes: 0,
            age_max: Duration::MAX,
            begun: None,
            lake_is_full: Arc::default(),
        }
    }

    /// A window ends when it is so old, too.
    #[must_use]
    pub fn with_age(self, age_max: Duration) -> Self {
        Self { age_max, ..self }
    }

    pub fn add(&mut self, record_bytes: usize) {
        self.begun.get_or_insert_with(Instant::now);
        self.bytes += record_bytes as u64;
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
            || self.store.pending() >= CLAIMS_MAX
            || self.lake_is_full.load(Ordering::Relaxed)
            || self
                .begun
                .is_some_and(|begun| begun.elapsed() >= self.age_max)
    }

    /// What is claimed from now on belongs to the next window.
    pub fn cut(&mut self) {
        self.store.cut();
        self.bytes = 0;
        self.begun = None;
        self.lake_is_full.store(false, Ordering::Relaxed);
    }
}
