//! What became of a batch, in numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{event::Refusal, failure::Part};
use crate::{
    functions::Counted,
    telemetry::{Metric, Quantity},
};

/// Events of one invocation by what became of them, and what it took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub records: usize,
    pub events: usize,
    pub refused: BTreeMap<Refusal, usize>,
    pub duplicates: usize,
    /// Records that an earlier invocation had done.
    pub done_before: usize,
    /// Events that a counter already had, in each window by itself.
    pub already_counted: u64,
    pub counted: u64,
    /// Events without experiment or variant, or whose experiment could not be looked up.
    pub uncounted: usize,
    pub users_written: usize,
    pub archived: usize,
    pub archive_objects: usize,
    pub archive_bytes: usize,
    pub dead_letters: usize,
    pub enriched: usize,
    pub assignments_missing: usize,
    pub experiments_missing: usize,
    pub claim_duration: Duration,
    pub enrich_duration: Duration,
    pub archive_duration: Duration,
    pub count_duration: Duration,
    pub duration: Duration,
    pub write_units: f64,
    /// What failed for now: the rest comes again, or is kept without what could not be looked up.
    pub failed: BTreeSet<Part>,
}

impl Counted for Counts {
    /// One for each number, and one for each reason and failure that occurred.
    fn metrics(&self) -> Vec<Metric> {
        let count = |name: &str, number| Metric::new(name, Quantity::Count(number));
        let many = |name: &str, number| count(name, usize::try_from(number).unwrap_or(usize::MAX));
        let time = |name: &str, duration| Metric::new(name, Quantity::Milliseconds(duration));
        let mut metrics = vec![
            count("records", self.records),
            count("events", self.events),
            count("refused", self.refused.values().sum()),
            count("duplicates", self.duplicates),
            count("done_before", self.done_before),
            many("already_counted", self.already_counted),
            many("counted", self.counted),
            count("uncounted", self.uncounted),
            count("users_written", self.users_written),
            count("archived", self.archived),
            count("archive_objects", self.archive_objects),
            Metric::new("archive_bytes", Quantity::Bytes(self.archive_bytes)),
            count("dead_letters", self.dead_letters),
            count("enriched", self.enriched),
            count("assignments_missing", self.assignments_missing),
            count("experiments_missing", self.experiments_missing),
            time("claim_milliseconds", self.claim_duration),
            time("enrich_milliseconds", self.enrich_duration),
            time("archive_milliseconds", self.archive_duration),
            time("count_milliseconds", self.count_duration),
            time("total_milliseconds", self.duration),
            Metric::new("write_units", Quantity::Units(self.write_units)),
        ];
        let refused = self.refused.iter();
        metrics
            .extend(refused.map(|(reason, number)| count(&format!("refused_{reason}"), *number)));
        metrics.extend(self.failed.iter().map(|part| part.metric()));
        metrics
    }
}
