//! The tables of a star, file by file: keys that stand twice, and keys that nothing has. In memory
//! are the keys of dimensions, and of one file those that were seen.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Result;
use chrono::NaiveDate;
use serde::Serialize;

use super::{
    account::table_files,
    fault::{FaultKind, Faults},
    files::StarFiles,
    keys::TableColumns,
};
use crate::functions::star_schema::{
    description::{ColumnType, Star, StarColumn, StarTable, TableKind},
    names::number_of,
};

/// So many keys are named; the rest is a number.
const NAMED_MAX: usize = 5;

/// What was read of a table.
#[derive(Debug, Serialize)]
pub(super) struct TableRead {
    pub(super) table: String,
    pub(super) files: u64,
    pub(super) rows: u64,
}

/// All tables on their way.
pub(super) struct Tables<'a> {
    star: &'a Star,
    files: &'a StarFiles,
    read_bytes: &'a AtomicU64,
    /// Of the dimensions and calendars that something refers to.
    keys: BTreeMap<&'a str, HashSet<u64>>,
    pub(super) read: Vec<TableRead>,
    /// By file.
    pub(super) rows: BTreeMap<String, u64>,
}

/// Keys of a column that its dimension has not.
#[derive(Debug, Default)]
struct Orphans {
    rows: u64,
    first: BTreeSet<u64>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(star: &'a Star, files: &'a StarFiles, read_bytes: &'a AtomicU64) -> Self {
        let columns = star.tables.iter().flat_map(|table| &table.columns);
        let referred = columns.filter_map(|column| column.refers_to.as_deref());
        Self {
            star,
            files,
            read_bytes,
            keys: referred.map(|table| (table, HashSet::new())).collect(),
            read: Vec::new(),
            rows: BTreeMap::new(),
        }
    }

    /// Facts last: what they refer to is known then.
    pub(super) fn read_all(&mut self, faults: &mut Faults) -> Result<()> {
        let star = self.star;
        let is_fact = |table: &&StarTable| matches!(table.kind, TableKind::Fact { .. });
        let others = star.tables.iter().filter(|table| !is_fact(table));
        for table in others.clone() {
            self.read_table(table, faults, |tables, key, columns, faults| {
                tables.read_keys(table, key, columns, faults)
            })?;
        }
        for table in others.filter(|table| refers(table)) {
            self.read_again(table, faults)?;
        }
        for table in star.tables.iter().filter(is_fact) {
            self.read_fact(table, faults)?;
        }
        let place = |read: &TableRead| {
            star.tables
                .iter()
                .position(|table| table.name == read.table)
        };
        self.read.sort_by_key(place);
        Ok(())
    }

    fn read_fact(&mut self, table: &'a StarTable, faults: &mut Faults) -> Result<()> {
        let mut orphans = BTreeMap::new();
        self.read_table(table, faults, |tables, key, columns, faults| {
            tables.look_for_doubles(table, key, columns, faults)?;
            tables.look_for_orphans(table, columns, &mut orphans)
        })?;
        tell_orphans(table, &orphans, faults);
        Ok(())
    }

    /// A dimension that refers to others.
    fn read_again(&mut self, table: &'a StarTable, faults: &mut Faults) -> Result<()> {
        let mut orphans = BTreeMap::new();
        for key in table_files(self.files, table) {
            // One that cannot be read is told of already.
            if let Ok(columns) = TableColumns::open(self.files.open_file(key)?) {
                self.look_for_orphans(table, &columns, &mut orphans)?;
            }
        }
        tell_orphans(table, &orphans, faults);
        Ok(())
    }

    /// A file that cannot be read is a fault, and keeps no other from being read.
    fn read_table(
        &mut self,
        table: &'a StarTable,
        faults: &mut Faults,
        mut look: impl FnMut(&mut Self, &str, &TableColumns, &mut Faults) -> Result<()>,
    ) -> Result<()> {
        let (mut files, mut rows) = (0, 0);
        for key in table_files(self.files, table) {
            let file = self.files.open_file(key)?;
            let looked = TableColumns::open(file).and_then(|columns| {
                look(self, key, &columns, faults)?;
                columns.rows()
            });
            match looked {
                Ok(found) => {
                    rows += found;
                    self.rows.insert(key.to_owned(), found);
                }
                Err(error) => {
                    let what = format!("it is no file of {}: {error:#}; restore it", table.name);
                    faults.add(FaultKind::Unreadable, key, 1, what);
                }
            }
            files += 1;
            self.read_bytes
                .fetch_add(self.files.bytes(key), Ordering::Relaxed);
        }
        let table = table.name.clone();
        self.read.push(TableRead { table, files, rows });
        Ok(())
    }

    fn read_keys(
        &mut self,
        table: &StarTable,
        key: &str,
        columns: &TableColumns,
        faults: &mut Faults,
    ) -> Result<()> {
        if let Some(keys) = self.keys.get_mut(table.name.as_str())
            && let Some(column) = table.columns.first()
        {
            columns.each(&column.name, |value| keys.extend(value))?;
        }
        if let TableKind::Calendar(_) = table.kind {
            look_for_days(table, key, columns.rows()?, faults);
        }
        self.look_for_doubles(table, key, columns, faults)
    }

    fn look_for_doubles(
        &self,
        table: &StarTable,
        key: &str,
        columns: &TableColumns,
        faults: &mut Faults,
    ) -> Result<()> {
        let Some(identity) = self.identity(table) else {
            return Ok(());
        };
        let (mut seen, mut doubled) = (HashSet::new(), 0);
        columns.each_row(&identity, |row| doubled += u64::from(!seen.insert(row)))?;
        if doubled > 0 {
            let what = format!(
                "rows with the same {}; what the packet has twice is loaded twice: see to its source",
                identity.join(", ")
            );
            faults.add(FaultKind::KeyDoubled, key, doubled, what);
        }
        Ok(())
    }

    /// What stands once in a file: a dimension's key, a version of a fact's. None where versions
    /// cannot be told apart.
    fn identity<'t>(&self, table: &'t StarTable) -> Option<Vec<&'t str>> {
        let key = table.columns.first()?;
        let mut identity = vec![key.name.as_str()];
        if let TableKind::Fact { .. } = table.kind {
            let columns = table.columns.iter();
            let versions = columns.filter(|column| self.star.is_version(column));
            identity.extend(versions.map(|column| column.name.as_str()));
            return (identity.len() > 1).then_some(identity);
        }
        Some(identity)
    }

    fn look_for_orphans(
        &self,
        table: &'a StarTable,
        columns: &TableColumns,
        orphans: &mut BTreeMap<&'a str, Orphans>,
    ) -> Result<()> {
        // A file may be older than a column.
        let there = table
            .columns
            .iter()
            .filter(|column| columns.has(&column.name));
        for column in there {
            let dimension = column.refers_to.as_deref();
            let Some(keys) = dimension.and_then(|name| self.keys.get(name)) else {
                continue;
            };
            let found = orphans.entry(&column.name).or_default();
            columns.each(&column.name, |value| {
                if let Some(value) = value.filter(|value| !keys.contains(value)) {
                    found.rows += 1;
                    if found.first.len() < NAMED_MAX {
                        found.first.insert(value);
                    }
                }
            })?;
        }
        Ok(())
    }
}

fn refers(table: &StarTable) -> bool {
    table
        .columns
        .iter()
        .any(|column| column.refers_to.is_some())
}

/// A calendar's file has each day of its year.
fn look_for_days(table: &StarTable, key: &str, rows: u64, faults: &mut Faults) {
    let year = number_of(&table.name, key).and_then(|year| i32::try_from(year).ok());
    let first = |year| NaiveDate::from_ymd_opt(year, 1, 1);
    let Some((begin, end)) = year.and_then(|year| Some((first(year)?, first(year + 1)?))) else {
        return;
    };
    let days = (end - begin).num_days().unsigned_abs();
    if rows != days {
        let what = format!(
            "the file has {rows} of the year's {days} days; restore it, or remove it \
                            and the receipts of that year"
        );
        faults.add(FaultKind::DateMissing, key, rows.abs_diff(days), what);
    }
}

fn tell_orphans(table: &StarTable, orphans: &BTreeMap<&str, Orphans>, faults: &mut Faults) {
    for column in &table.columns {
        let Some(Orphans { rows, first }) = orphans.get(column.name.as_str()) else {
            continue;
        };
        let Some(dimension) = column.refers_to.as_deref().filter(|_| *rows > 0) else {
            continue;
        };
        let is_date = column.kind == ColumnType::Date;
        let (kind, advice) = if is_date {
            (FaultKind::DateMissing, "restore the calendar's file")
        } else {
            (
                FaultKind::Orphan,
                "they heal when the packet comes that has them",
            )
        };
        let named = named(column, first);
        let what = format!("rows refer to what {dimension} has not{named}; {advice}");
        faults.add(
            kind,
            &format!("{}.{}", table.name, column.name),
            *rows,
            what,
        );
    }
}

/// The first of the keys that are missing, where they are numbers or dates.
fn named(column: &StarColumn, first: &BTreeSet<u64>) -> String {
    let keys = first.iter().filter_map(|key| match column.kind {
        ColumnType::Int => Some(key.cast_signed().to_string()),
        ColumnType::Date => {
            let days = i32::try_from(key.cast_signed()).ok()?;
            Some(NaiveDate::from_epoch_days(days)?.to_string())
        }
        ColumnType::Text | ColumnType::Bool | ColumnType::Decimal { .. } | ColumnType::Time => None,
    });
    let keys: Vec<_> = keys.collect();
    if keys.is_empty() {
        String::new()
    } else {
        format!(
            " ({}{})",
            keys.join(", "),
            if keys.len() < NAMED_MAX { "" } else { ", …" }
        )
    }
}
