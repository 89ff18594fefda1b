//! What is read of a source table's rows: the fields, what each is to be, and what dimensions keep.

use super::{
    columns::{Conversion, RowKey},
    description::{Expression, Star, StarColumn, StarTable},
    fields::{FieldNames, FieldValue, RefusedRow},
    refusal::RowRefusal,
};

/// What a row of a source has to be.
#[derive(Debug)]
pub(super) struct SourceRows<'s> {
    /// Each fact, and its columns in order.
    pub(super) facts: Vec<(&'s StarTable, Vec<Conversion<'s>>)>,
    /// The columns of dimensions, which are made later.
    pub(super) dimensions: Vec<Conversion<'s>>,
    /// What joins find other rows by.
    joins: Vec<usize>,
    /// What a row's dimensions find it by.
    pub(super) keys: Vec<usize>,
    pub(super) version: usize,
    /// How many of the fields, the first ones, dimensions need.
    pub(super) kept: usize,
}

/// Gives each field its place.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<String>);

impl Places {
    pub(super) fn of(&mut self, name: &str) -> usize {
        let known = self.0.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    pub(super) fn names(self) -> FieldNames {
        FieldNames::new(self.0)
    }

    /// A column that is made of the table's own row.
    pub(super) fn own<'s>(
        &mut self,
        star: &'s Star,
        column: &'s StarColumn,
    ) -> Option<Conversion<'s>> {
        match &column.source {
            Expression::Own(name)
            | Expression::DateOf(name)
            | Expression::TimeOf(name)
            | Expression::CurrencyName(name) => {
                Some(Conversion::new(column, self.of(name), &star.names))
            }
            Expression::Joined { .. } => None,
        }
    }

    /// A column that is made of this joined table's row.
    pub(super) fn joined<'s>(
        &mut self,
        star: &'s Star,
        column: &'s StarColumn,
        source: &str,
    ) -> Option<Conversion<'s>> {
        match &column.source {
            Expression::Joined {
                table,
                column: name,
            } if table == source => Some(Conversion::new(column, self.of(name), &star.names)),
            _ => None,
        }
    }
}

impl<'s> SourceRows<'s> {
    /// What a source's rows have to be, and the names that are read of them.
    pub(super) fn new(star: &'s Star, source: &str) -> (Self, FieldNames) {
        let mut places = Places::default();
        let (mut dimensions, mut joins, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let version = places.of(&star.version_by);
        for table in star.dimensions(source) {
            let columns = || table.columns.iter();
            if table.source() == Some(source) {
                keys.extend(table.key().map(|key| places.of(key)));
                dimensions.extend(columns().filter_map(|column| places.own(star, column)));
                joins.extend(table.joins().iter().map(|join| places.of(&join.column)));
            }
            for join in table.joins().iter().filter(|join| join.table == source) {
                keys.push(places.of(&join.key()));
                let joined = |column| places.joined(star, column, source);
                dimensions.extend(columns().filter_map(joined));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let kept = if keys.is_empty() { 0 } else { places.0.len() };
        let facts = star.facts(source).map(|table| {
            let columns = table.columns.iter();
            (
                table,
                columns
                    .filter_map(|column| places.own(star, column))
                    .collect(),
            )
        });
        let facts = facts.collect();
        let rows = Self {
            facts,
            dimensions,
            joins,
            keys,
            version,
            kept,
        };
        (rows, places.names())
    }

    /// Whether what joins use can be used: what a row is found by is there.
    pub(super) fn check_keys(&self, values: &[FieldValue<'_>]) -> Result<(), RefusedRow> {
        for field in &self.joins {
            key(values, *field)?;
        }
        for field in &self.keys {
            if key(values, *field)?.is_none() {
                let reason = match values.get(*field) {
                    Some(FieldValue::Null) => RowRefusal::ColumnNull,
                    _ => RowRefusal::ColumnMissing,
                };
                return Err(RefusedRow::at(*field, reason));
            }
        }
        Ok(())
    }
}

/// What stands in a field to find a row by.
pub(super) fn key(values: &[FieldValue<'_>], field: usize) -> Result<Option<RowKey>, RefusedRow> {
    let value = values.get(field).copied().unwrap_or(FieldValue::Missing);
    RowKey::of(value).map_err(|reason| RefusedRow::at(field, reason))
}
