//! The complete rows of a dimension's keys that a packet touches, its joins looked up.

use std::{collections::BTreeMap, io};

use super::{
    columns::{Conversion, LastTimestamp, RowKey},
    description::{Join, Star, StarTable},
    fields::{FieldNames, FieldValue, RefusedRow},
    reference::newest::{KeyedRows, NewestRow, Reference},
    rows::Row,
    source::{self, Places},
    table_file::{TableFile, TableWritten},
};

/// What a packet brought: the rows of its own source table.
#[derive(Debug, Clone, Copy)]
pub struct Touching<'r> {
    pub source: &'r str,
    pub rows: &'r Reference,
}

/// Writes a row for each key that the packet touches, in the order of the keys: as its own, or
/// through what is joined.
///
/// `state` has for each source of the table all that is known, this packet's rows merged in. Where
/// the table has no joins, that is the packet's own rows.
pub fn write_touched<W: io::Write + Send>(
    star: &Star,
    table: &StarTable,
    packet: Touching<'_>,
    state: &BTreeMap<&str, &Reference>,
    sink: W,
) -> io::Result<TableWritten<W>> {
    let mut file = TableFile::new(table, |name| star.is_calendar(name), sink)?;
    let mut making = Making::new(star, table, packet, state);
    for (key, row) in making.own.into_iter().flatten() {
        making.write(key, row, &mut file)?;
    }
    file.finish()
}

/// A row that was folded and is none any more.
fn broken(_: RefusedRow) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a row that was folded is of another description",
    )
}

/// A dimension's rows being made.
struct Making<'s, 'r> {
    own: Option<&'r KeyedRows>,
    names: FieldNames,
    /// What the packet has of the dimension's own source.
    touched: Option<&'r KeyedRows>,
    joined: Vec<Joined<'r>>,
    columns: Vec<(Origin, Conversion<'s>)>,
}

/// A joined table.
struct Joined<'r> {
    /// Where the own row says which row it is.
    field: usize,
    rows: Option<&'r KeyedRows>,
    touched: Option<&'r KeyedRows>,
    names: FieldNames,
}

/// Whose row a column is made of.
#[derive(Clone, Copy)]
enum Origin {
    Own,
    /// Of the joined tables, the one at this place.
    Joined(usize),
}

impl<'s, 'r> Making<'s, 'r> {
    fn new(
        star: &'s Star,
        table: &'s StarTable,
        packet: Touching<'r>,
        state: &BTreeMap<&str, &'r Reference>,
    ) -> Self {
        let rows = |source: &str, column: &str| state.get(source).and_then(|of| of.by(column));
        let touched = |source: &str, column: &str| {
            (packet.source == source)
                .then(|| packet.rows.by(column))
                .flatten()
        };
        let (source, key) = (
            table.source().unwrap_or_default(),
            table.key().unwrap_or_default(),
        );
        let mut own = Places::default();
        let mut others: Vec<_> = table.joins().iter().map(|_| Places::default()).collect();
        let columns = table.columns.iter().filter_map(|column| {
            let of_own = own.own(star, column).map(|column| (Origin::Own, column));
            of_own.or_else(|| {
                let mut joins = table.joins().iter().zip(&mut others).enumerate();
                joins.find_map(|(index, (join, places))| {
                    let column = places.joined(star, column, &join.table)?;
                    Some((Origin::Joined(index), column))
                })
            })
        });
        let columns = columns.collect();
        let joined = |(join, places): (&Join, Places)| Joined {
            field: own.of(&join.column),
            rows: rows(&join.table, &join.key()),
            touched: touched(&join.table, &join.key()),
            names: places.names(),
        };
        let joined = table.joins().iter().zip(others).map(joined).collect();
        Self {
            own: rows(source, key),
            touched: touched(source, key),
            names: own.names(),
            joined,
            columns,
        }
    }

    /// Writes one row, if the packet touches it.
    fn write<W: io::Write + Send>(
        &mut self,
        key: &RowKey,
        row: &'r NewestRow,
        file: &mut TableFile<W>,
    ) -> io::Result<()> {
        let mut is_touched = self.touched.is_some_and(|rows| rows.contains_key(key));
        if !is_touched && self.joined.iter().all(|joined| joined.touched.is_none()) {
            return Ok(());
        }
        let own = read(&mut self.names, row).map_err(broken)?;
        let mut others = Vec::with_capacity(self.joined.len());
        for joined in &mut self.joined {
            let key = source::key(&own, joined.field).map_err(broken)?;
            is_touched |= find(joined.touched, key.as_ref()).is_some();
            let row = find(joined.rows, key.as_ref());
            let values = row.map(|row| read(&mut joined.names, row)).transpose();
            others.push(values.map_err(broken)?.unwrap_or_default());
        }
        if is_touched {
            self.push(&own, &others, file).map_err(broken)?;
            file.keep_row()?;
        }
        Ok(())
    }

    fn push<W: io::Write + Send>(
        &self,
        own: &[FieldValue<'_>],
        others: &[Vec<FieldValue<'_>>],
        file: &mut TableFile<W>,
    ) -> Result<(), RefusedRow> {
        let mut last = LastTimestamp::default();
        for (index, (origin, column)) in self.columns.iter().enumerate() {
            let cell = match origin {
                Origin::Own => column.cell(own, &mut last)?,
                Origin::Joined(join) => {
                    let values = others.get(*join).map_or(&[][..], Vec::as_slice);
                    column.cell(values, &mut LastTimestamp::default())?
                }
            };
            file.push(index, cell);
        }
        Ok(())
    }
}

fn read<'r>(names: &mut FieldNames, row: &'r NewestRow) -> Result<Vec<FieldValue<'r>>, RefusedRow> {
    let mut values = Vec::new();
    let row = Row {
        number: 1,
        text: Ok(&row.row),
        names: None,
    };
    names.read(&row, &mut values)?;
    Ok(values)
}

fn find<'r>(rows: Option<&'r KeyedRows>, key: Option<&RowKey>) -> Option<&'r NewestRow> {
    rows?.get(key?)
}
