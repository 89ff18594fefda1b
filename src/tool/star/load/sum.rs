//! What a run's calls have come to.

use std::collections::{BTreeMap, BTreeSet};

use crate::functions::star_schema::{
    Counts,
    description::Star,
    names::Packet,
    refusal::{RefusedColumns, RefusedRows, RowRefusal},
};

/// What the function says of its calls, added up.
#[derive(Debug, Default)]
pub(super) struct LoadSum {
    pub(super) loaded: u64,
    /// Packets that had a receipt when the run began.
    pub(super) done_before: u64,
    pub(super) rows: u64,
    pub(super) refused: RefusedRows,
    /// Each with its table: `orders.total`.
    refused_columns: RefusedColumns,
    pub(super) files: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) columns_unknown: u64,
    pub(super) stand_ins: u64,
    /// Ids that are missing, by table.
    gaps: BTreeMap<String, u64>,
    /// That the star reads, and of which there is a packet or a receipt.
    pub(super) tables_found: BTreeSet<String>,
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
        let columns = counts.refused_columns.iter();
        let with_table = |(reason, column): &(_, String)| (*reason, format!("{table}.{column}"));
        self.refused_columns.extend(columns.map(with_table));
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

    pub(super) fn columns_refused(&self, reason: RowRefusal) -> impl Iterator<Item = &str> {
        let columns = self.refused_columns.iter();
        let of_reason = columns.filter(move |(other, _)| *other == reason);
        of_reason.map(|(_, column)| column.as_str())
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
    /// Those that the star reads, and of which there never was a packet.
    pub(super) fn tables_missed<'s>(&self, star: &'s Star) -> Vec<&'s str> {
        let sources = star.sources.iter().map(String::as_str);
        let missed = sources.filter(|table| !self.tables_found.contains(*table));
        missed.collect()
    }
}
