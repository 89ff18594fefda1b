//! What a packet that was read came to: for its receipt, its line in the log and the call's counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    counts::Counts,
    load::Loaded,
    names::Packet,
    reading::Read,
    settings::Share,
    store::{Origin, spool::Spool},
    table_file::TableWritten,
    timestamp::{MICROSECONDS_PER_DAY, Timestamp},
    wire::{Outcome, Status},
};

/// What a packet that was read came to.
#[derive(Debug)]
pub(super) struct Came {
    pub loaded: Loaded<Spool>,
    pub read: Read,
    /// Their keys.
    pub files: Vec<String>,
    pub written_bytes: u64,
    pub stand_ins: u64,
    pub checkpoints: usize,
    /// Years that dates touch, by their calendar.
    pub years: BTreeMap<String, BTreeSet<i32>>,
    /// Columns that are not described and that the packet before had not.
    pub columns_new: Vec<String>,
    pub end: End,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Receipt,
    /// Too many rows were refused.
    Refused,
}

impl Came {
    pub(super) fn of(loaded: Loaded<Spool>, read: Read, refused_rows_max: Share) -> Self {
        let refused = loaded.refused.values().sum();
        let end = if refused_rows_max.is_exceeded(refused, loaded.rows + refused) {
            End::Refused
        } else {
            End::Receipt
        };
        Self {
            loaded,
            read,
            files: Vec::new(),
            written_bytes: 0,
            stand_ins: 0,
            checkpoints: 0,
            years: BTreeMap::new(),
            columns_new: Vec::new(),
            end,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            source_etag: self.read.etag.clone(),
            folded: None,
        }
    }

    pub(super) fn refused(&self) -> u64 {
        self.loaded.refused.values().sum()
    }

    /// A file of it is there.
    pub(super) fn note(&mut self, key: String, written: &TableWritten<Spool>) {
        self.files.push(key);
        self.written_bytes += written.sink.bytes();
        self.stand_ins += written.stand_ins;
        for (calendar, years) in &written.years {
            let touched = self.years.entry(calendar.clone()).or_default();
            touched.extend(years);
        }
    }

    pub(super) fn outcome(&self, packet: &Packet) -> Outcome {
        let (status, rows) = match self.end {
            End::Receipt => (Status::Loaded, self.loaded.rows),
            End::Refused => (Status::Refused, 0),
        };
        Outcome {
            table: packet.table.clone(),
            id: packet.id,
            status,
            rows,
            refused: self.refused(),
            files: self.files.clone(),
        }
    }

    /// The packet's line: numbers and names, and nothing of what stands in a row.
    pub(super) fn tell(&self, packet: &Packet, took: Duration) {
        let Packet { table, id } = packet;
        if !self.columns_new.is_empty() {
            let columns = self.columns_new.join(", ");
            tracing::warn!(
                table,
                id,
                columns,
                "columns that are not described are left out"
            );
        }
        let message = match self.end {
            End::Receipt => "a packet is loaded",
            End::Refused => "a packet is refused: too many of its rows are",
        };
        tracing::info!(
            table,
            id,
            rows = self.loaded.rows,
            refused = self.refused(),
            files = self.files.len(),
            bytes = self.read.bytes,
            newest = self.loaded.newest.map(Timestamp::in_file_name),
            milliseconds = took.as_secs_f64() * 1e3,
            "{message}"
        );
    }

    pub(super) fn count(&self, counts: &mut Counts, now: Duration) {
        match self.end {
            End::Receipt => {
                counts.loaded += 1;
                counts.rows += self.loaded.rows;
            }
            End::Refused => counts.packets_refused += 1,
        }
        counts.refuse(&self.loaded.refused);
        let columns = self.loaded.refused_columns.iter();
        counts.refused_columns.extend(columns.cloned());
        counts.files += self.files.len();
        counts.read_bytes += self.read.bytes;
        counts.written_bytes += self.written_bytes;
        counts.columns_unknown += self.loaded.unknown_columns.len();
        counts.stand_ins += self.stand_ins;
        counts.checkpoints += self.checkpoints;
        let lag = self.loaded.newest.map(|newest| lag(newest, now));
        counts.lag = counts.lag.max(lag);
    }
}

/// How old this is; nothing of what is yet to come, and of what came before 1970 all.
fn lag(newest: Timestamp, now: Duration) -> Duration {
    let day = i64::from(newest.date()) * MICROSECONDS_PER_DAY;
    let newest = u64::try_from(day + newest.time()).unwrap_or_default();
    now.saturating_sub(Duration::from_micros(newest))
}
