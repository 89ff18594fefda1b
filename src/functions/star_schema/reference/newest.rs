//! The newest row of each key of a source table.

use std::{borrow::Cow, collections::BTreeMap, io, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::functions::star_schema::{
    columns::RowKey, fields::FieldValue, rows::Row, timestamp::Timestamp,
};

/// The newest row of each key by (version, packet, line), with the columns that dimensions need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference(BTreeMap<String, KeyedRows>);

/// The rows as one column finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::functions::star_schema) struct KeyedRows {
    /// What the values of each row are called.
    names: Vec<String>,
    rows: BTreeMap<RowKey, NewestRow>,
}

/// A row, and how new it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NewestRow {
    age: RowAge,
    /// A JSON array of its values as they were spelled.
    values: Arc<str>,
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
            let own = self.0.entry(column);
            let own = own.or_insert_with(|| KeyedRows::new(&rows.names));
            for (key, row) in rows.rows {
                own.take(key, row.age, || row.values);
            }
        }
    }

    /// Takes a row where it is newer.
    pub(in crate::functions::star_schema) fn take(
        &mut self,
        column: &str,
        key: RowKey,
        age: RowAge,
        (names, values): (&[String], &[FieldValue<'_>]),
    ) {
        if !self.0.contains_key(column) {
            self.0.insert(column.to_owned(), KeyedRows::new(names));
        }
        if let Some(rows) = self.0.get_mut(column) {
            rows.take(key, age, || spelled_values(values));
        }
    }

    /// The lines of a checkpoint, in the order of the keys.
    pub fn write_checkpoint(&self, out: &mut impl io::Write) -> io::Result<()> {
        for (column, keyed) in &self.0 {
            for held in keyed.rows.values() {
                let values: Vec<&RawValue> = serde_json::from_str(&held.values)?;
                let row: BTreeMap<_, _> = keyed.names.iter().zip(values).collect();
                let line = CheckpointLine {
                    by: Cow::Borrowed(column),
                    packet: held.age.packet,
                    line: held.age.line,
                    row: &to_raw_value(&row)?,
                };
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}

impl KeyedRows {
    fn new(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            rows: BTreeMap::new(),
        }
    }

    fn take(&mut self, key: RowKey, age: RowAge, values: impl FnOnce() -> Arc<str>) {
        let held = self.rows.get(&key);
        if held.is_none_or(|held| held.age < age) {
            let values = values();
            self.rows.insert(key, NewestRow { age, values });
        }
    }

    pub(in crate::functions::star_schema) fn holds(&self, key: &RowKey) -> bool {
        self.rows.contains_key(key)
    }

    pub(in crate::functions::star_schema) fn get(&self, key: &RowKey) -> Option<Row<'_>> {
        self.rows.get(key).map(|held| self.row(held))
    }

    /// In the order of the keys.
    pub(in crate::functions::star_schema) fn iter(
        &self,
    ) -> impl Iterator<Item = (&RowKey, Row<'_>)> {
        self.rows.iter().map(|(key, held)| (key, self.row(held)))
    }

    fn row<'a>(&'a self, held: &'a NewestRow) -> Row<'a> {
        Row {
            number: held.age.line,
            text: Ok(&held.values),
            names: Some(&self.names),
        }
    }
}

/// Writes a row's values as a JSON array: their names would be as long again.
fn spelled_values(values: &[FieldValue<'_>]) -> Arc<str> {
    let mut spelled = String::from("[");
    for value in values {
        if spelled.len() > 1 {
            spelled.push(',');
        }
        value.push_json(&mut spelled);
    }
    spelled.push(']');
    // Of its own size: one that was grown and shrunk would leave a hole behind each row.
    Arc::from(spelled.as_str())
}
