//! What a run's calls have come to.

use std::collections::{BTreeMap, BTreeSet};

use crate::functions::star_schema::{Counts, names::Packet, refusal::RefusedRows};

/// What the function says of its calls, added up.
#[derive(Debug, Default)]
pub(super) struct LoadSum {
    pub(super) loaded: u64,
    /// Packets that had a receipt when the run began.
    pub(super) done_before: u64,
    pub(super) rows: u64,
    pub(super) refused: RefusedRows,
    pub(super) files: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) columns_unknown: u64,
    pub(super) stand_ins: u64,
    /// Ids that are missing, by table.
    gaps: BTreeMap<String, u64>,
    /// Of tables that the star does not read.
    pub(super) not_of_the_star: BTreeSet<Packet>,
    /// Files that are none.
    pub(super) no_packets: BTreeSet<String>,
    /// Why packets are not loaded.
    pub(super) left: Vec<String>,
    pub(super) seconds: f64,
}

impl LoadSum {
    pub(super) fn add(&mut self, table: &str, counts: &Counts) {
        self.loaded += counts.loaded as u64;
        self.rows += counts.rows;
        for (reason, rows) in &counts.refused {
            *self.refused.entry(*reason).or_default() += rows;
        }
        self.files += counts.files as u64;
        self.bytes_in += counts.read_bytes;
        self.bytes_out += counts.written_bytes;
        self.columns_unknown += counts.columns_unknown as u64;
        self.stand_ins += counts.stand_ins;
        if counts.loaded + counts.done_before > 0 {
            self.gaps.insert(table.to_owned(), counts.gap);
        }
    }

    pub(super) fn rows_refused(&self) -> u64 {
        self.refused.values().sum()
    }

    pub(super) fn is_left(&self) -> bool {
        !self.left.is_empty()
    }

    pub(super) fn gaps(&self) -> impl Iterator<Item = (&String, &u64)> {
        self.gaps.iter().filter(|(_, missing)| **missing > 0)
    }

    pub(super) fn tables_left_alone(&self) -> BTreeSet<&str> {
        let packets = self.not_of_the_star.iter();
        packets.map(|packet| packet.table.as_str()).collect()
    }
}
