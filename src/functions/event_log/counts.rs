//! What became of a batch, in numbers.

use std::time::Duration;

use super::table::Spent;
use crate::{
    functions::Counted,
    telemetry::{Metric, Quantity},
};

/// Events of one batch by what became of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub records: usize,
    pub events: usize,
    /// New in the table.
    pub stored: usize,
    pub unreadable: usize,
    pub text_numbers: usize,
    /// Kept as text, because no map could say them.
    pub raw: usize,
    /// Stored by their record's id, for want of one of their own.
    pub id_missing: usize,
    /// Not to be searched for, for want of a search key.
    pub search_key_missing: usize,
    pub overflow: usize,
    /// Their data stood there.
    pub duplicates: usize,
    pub conflicts: usize,
    pub dead_letters: usize,
    /// Not kept for now: they come again.
    pub failures: usize,
    pub spent: Spent,
    pub duration: Duration,
}

impl Counted for Counts {
    fn metrics(&self) -> Vec<Metric> {
        let count = |name: &str, number| Metric::new(name, Quantity::Count(number));
        vec![
            count("records", self.records),
            count("events", self.events),
            count("stored", self.stored),
            count("unreadable", self.unreadable),
            count("text_numbers", self.text_numbers),
            count("raw", self.raw),
            count("overflow", self.overflow),
            count("duplicates", self.duplicates),
            count("conflicts", self.conflicts),
            count("dead_letters", self.dead_letters),
            count("failures", self.failures),
            count("requests", self.spent.requests),
            Metric::new("write_units", Quantity::Units(self.spent.write_units)),
            Metric::new("total_milliseconds", Quantity::Milliseconds(self.duration)),
        ]
    }
}
