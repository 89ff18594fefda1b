//! What became of a call's packets, in numbers.

use std::time::Duration;

use super::refusal::{RefusedColumns, RefusedRows};
use crate::{
    functions::Counted,
    telemetry::{Metric, Quantity},
};

/// Packets of one call by what became of them, their rows, and what it took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub packets: usize,
    pub loaded: usize,
    pub done_before: usize,
    /// As a whole.
    pub packets_refused: usize,
    /// That a sweep found.
    pub swept: usize,
    pub rows: u64,
    pub refused: RefusedRows,
    pub refused_columns: RefusedColumns,
    pub files: usize,
    pub read_bytes: u64,
    pub written_bytes: u64,
    pub columns_unknown: usize,
    /// Cells where `or '…'` stands for what a join does not find.
    pub stand_ins: u64,
    pub checkpoints: usize,
    /// Ids that are missing below the highest of their table.
    pub gap: u64,
    /// How old the newest row of the packet that is furthest behind is.
    pub lag: Option<Duration>,
    pub duration: Duration,
}

impl Counts {
    pub(super) fn refuse(&mut self, refused: &RefusedRows) {
        for (reason, rows) in refused {
            *self.refused.entry(*reason).or_default() += rows;
        }
    }
}

impl Counted for Counts {
    /// One for each number, and one for each reason that occurred.
    fn metrics(&self) -> Vec<Metric> {
        let count = |name: &str, number| Metric::new(name, Quantity::Count(number));
        let many = |name: &str, number| count(name, size(number));
        let bytes = |name: &str, number| Metric::new(name, Quantity::Bytes(size(number)));
        let time = |name: &str, duration| Metric::new(name, Quantity::Milliseconds(duration));
        let mut metrics = vec![
            count("packets", self.packets),
            count("loaded", self.loaded),
            count("done_before", self.done_before),
            count("packets_refused", self.packets_refused),
            count("swept", self.swept),
            many("rows", self.rows),
            many("refused", self.refused.values().sum()),
            count("files", self.files),
            bytes("read_bytes", self.read_bytes),
            bytes("written_bytes", self.written_bytes),
            count("columns_unknown", self.columns_unknown),
            many("stand_ins", self.stand_ins),
            count("checkpoints", self.checkpoints),
            many("gap", self.gap),
            time("total_milliseconds", self.duration),
        ];
        metrics.extend(self.lag.map(|lag| time("lag_milliseconds", lag)));
        let refused = self.refused.iter();
        metrics.extend(refused.map(|(reason, rows)| many(&format!("refused_{reason}"), *rows)));
        metrics
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
