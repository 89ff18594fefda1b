//! What the function says of its invocations, added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{functions::event_processor::Counts, tool::intake::Sum};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ProcessSum {
    pub(super) events: u64,
    pub(super) archived: u64,
    pub(super) uncounted: u64,
    pub(super) duplicates: u64,
    pub(super) dead_letters: u64,
    pub(super) refused: BTreeMap<String, u64>,
    /// Records that a run that was killed had done.
    pub(super) done_before: u64,
    pub(super) already_counted: u64,
    pub(super) archive_objects: u64,
    pub(super) archive_bytes: u64,
    pub(super) enriched: u64,
    pub(super) assignments_missing: u64,
    pub(super) experiments_missing: u64,
}

impl Sum for ProcessSum {
    type Counts = Counts;

    fn add(&mut self, counts: &Counts) -> u64 {
        for (sum, number) in [
            (&mut self.events, counts.events),
            (&mut self.archived, counts.archived),
            (&mut self.uncounted, counts.uncounted),
            (&mut self.duplicates, counts.duplicates),
            (&mut self.dead_letters, counts.dead_letters),
            (&mut self.done_before, counts.done_before),
            (&mut self.archive_objects, counts.archive_objects),
            (&mut self.archive_bytes, counts.archive_bytes),
            (&mut self.enriched, counts.enriched),
            (&mut self.assignments_missing, counts.assignments_missing),
            (&mut self.experiments_missing, counts.experiments_missing),
        ] {
            *sum += number as u64;
        }
        self.already_counted += counts.already_counted;
        for (reason, number) in &counts.refused {
            *self.refused.entry(reason.to_string()).or_default() += *number as u64;
        }
        counts.records as u64
    }
}
