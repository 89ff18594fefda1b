//! The newest row of each key of a source table.

use std::{borrow::Cow, collections::BTreeMap, io};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::functions::star_schema::{columns::RowKey, fields::FieldValue, timestamp::Timestamp};

/// The newest row of each key by (version, packet, line), with the columns that dimensions need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference(BTreeMap<String, KeyedRows>);

/// The rows as one column finds them.
pub(in crate::functions::star_schema) type KeyedRows = BTreeMap<RowKey, NewestRow>;

/// A row, and how new it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::functions::star_schema) struct NewestRow {
    age: RowAge,
    /// A JSON object of its columns as they were spelled.
    pub(in crate::functions::star_schema) row: Box<str>,
}

/// What tells which of two rows is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::functions::star_schema) struct RowAge {
    pub(in crate::functions::star_schema) version: Timestamp,
    pub(in crate::functions::star_schema) packet: u64,
    pub(in crate::functions::star_schema) line: u64,
}

/// A line of a checkpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct CheckpointLine<'a> {
    /// The column that finds it.
    #[serde(borrow)]
    pub(super) by: Cow<'a, str>,
    pub(super) packet: u64,
    pub(super) line: u64,
    #[serde(borrow)]
    pub(super) row: &'a RawValue,
}

impl Reference {
    /// The rows as this column finds them.
    pub(in crate::functions::star_schema) fn by(&self, column: &str) -> Option<&KeyedRows> {
        self.0.get(column)
    }

    /// Takes the other's rows where they are newer; in which order does not matter.
    pub fn merge(&mut self, other: Self) {
        for (column, rows) in other.0 {
            let own = self.0.entry(column).or_default();
            for (key, row) in rows {
                take_newer(own, key, row.age, || row.row);
            }
        }
    }

    /// Takes a row where it is newer.
    pub(in crate::functions::star_schema) fn take(
        &mut self,
        column: &str,
        key: RowKey,
        age: RowAge,
        row: impl FnOnce() -> Box<str>,
    ) {
        if !self.0.contains_key(column) {
            self.0.insert(column.to_owned(), KeyedRows::new());
        }
        if let Some(rows) = self.0.get_mut(column) {
            take_newer(rows, key, age, row);
        }
    }

    /// The lines of a checkpoint, in the order of the keys.
    pub fn write_checkpoint(&self, out: &mut impl io::Write) -> io::Result<()> {
        for (column, rows) in &self.0 {
            for held in rows.values() {
                let line = CheckpointLine {
                    by: Cow::Borrowed(column),
                    packet: held.age.packet,
                    line: held.age.line,
                    row: serde_json::from_str(&held.row)?,
                };
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}

fn take_newer(rows: &mut KeyedRows, key: RowKey, age: RowAge, row: impl FnOnce() -> Box<str>) {
    match rows.get_mut(&key) {
        Some(held) if held.age >= age => {}
        Some(held) => *held = NewestRow { age, row: row() },
        None => drop(rows.insert(key, NewestRow { age, row: row() })),
    }
}

/// Writes these columns of a row as a JSON object.
pub(in crate::functions::star_schema) fn spelled_row(
    names: &[String],
    values: &[FieldValue<'_>],
) -> Box<str> {
    let mut row = String::from("{");
    for (name, value) in names.iter().zip(values) {
        if row.len() > 1 {
            row.push(',');
        }
        row.push('"');
        row.push_str(name);
        row.push_str("\":");
        value.push_json(&mut row);
    }
    row.push('}');
    // Of its own size: one that was grown and shrunk would leave a hole behind each row.
    Box::from(row.as_str())
}
