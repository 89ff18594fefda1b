//! A star table's Parquet file, written into anything while rows come.

use std::collections::{BTreeMap, BTreeSet};

/// A file that was written.
#[derive(Debug)]
pub struct TableWritten<W> {
    pub sink: W,
    /// Where there are none, the file is of no use.
    pub rows: u64,
    /// Cells where a description's `or` text stands.
    pub stand_ins: u64,
    /// The years that its dates touch, by the calendar they refer to.
    pub years: BTreeMap<String, BTreeSet<i32>>,
}
