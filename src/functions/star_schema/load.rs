//! One packet of a source table into its facts' Parquet, written while it is read, and the rows that
//! dimensions are made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde::Serialize;

use super::{
    columns::{Conversion, LastTimestamp},
    description::{Star, StarTable},
    fields::{FieldNames, FieldValue, RefusedRow, recycle},
    reference::newest::{Reference, RowAge, spelled_row},
    refusal::{RefusedRows, RowRefusal},
    rows::{PacketUnreadable, Row, Splitter},
    source::{SourceRows, key},
    table_file::{TableFile, TableWritten},
    timestamp::Timestamp,
};

/// What a packet came to.
#[derive(Debug)]
pub struct Loaded<W> {
    /// Rows that were loaded.
    pub rows: u64,
    pub refused: RefusedRows,
    /// The newest version of all rows whose version can be read, refused ones too.
    pub newest: Option<Timestamp>,
    /// Of each fact, by the star table's name.
    pub facts: BTreeMap<String, TableWritten<W>>,
    /// What the source's dimensions are made of.
    pub reference: Reference,
    /// Columns that the description does not name; no more than the first hundred.
    pub unknown_columns: BTreeSet<String>,
    /// Where the lines of refused rows were written.
    pub refused_lines: W,
}

/// Why a packet could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Unreadable(#[from] PacketUnreadable),
    #[error("cannot write what the packet becomes: {0}")]
    Write(#[from] io::Error),
}

/// A packet that is being loaded.
pub struct Load<'s, W: io::Write + Send> {
    splitter: Splitter,
    packet: Packet<'s, W>,
}

/// What has become of a packet so far.
struct Packet<'s, W: io::Write + Send> {
    id: u64,
    rows: Rows<'s>,
    files: Vec<(String, TableFile<W>)>,
    /// Kept for the memory it has.
    values: Vec<FieldValue<'static>>,
    loaded: u64,
    refused: RefusedRows,
    newest: Option<Timestamp>,
    reference: Reference,
    refused_lines: W,
}

/// How the rows of a source are read, and what each has to be.
#[derive(Debug)]
pub(super) struct Rows<'s> {
    names: FieldNames,
    wanted: SourceRows<'s>,
}

/// A line of refused rows.
#[derive(Serialize)]
struct RefusedLine<'a> {
    reason: &'a str,
    column: Option<&'a str>,
    line: u64,
    row: &'a str,
}

impl<'s, W: io::Write + Send> Load<'s, W> {
    /// Of a packet with this id; `sink` gives a place to write to for each fact and for refused rows
    /// (none: the refused rows).
    pub fn new(
        star: &'s Star,
        source: &str,
        packet: u64,
        mut sink: impl FnMut(Option<&StarTable>) -> W,
    ) -> Result<Self, LoadError> {
        let rows = Rows::new(star, source);
        let mut files = Vec::new();
        for (table, _) in &rows.wanted.facts {
            let is_calendar = |name: &str| star.is_calendar(name);
            let file = TableFile::new(table, is_calendar, sink(Some(table)))?;
            files.push((table.name.clone(), file));
        }
        Ok(Self::with(source, packet, rows, files, sink(None)))
    }

    fn with(
        source: &str,
        id: u64,
        rows: Rows<'s>,
        files: Vec<(String, TableFile<W>)>,
        refused_lines: W,
    ) -> Self {
        let packet = Packet {
            id,
            rows,
            files,
            values: Vec::new(),
            loaded: 0,
            refused: RefusedRows::new(),
            newest: None,
            reference: Reference::default(),
            refused_lines,
        };
        let splitter = Splitter::new(source);
        Self { splitter, packet }
    }

    /// Takes the next bytes of the packet, any number of them.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), LoadError> {
        let packet = &mut self.packet;
        self.splitter.feed(piece, &mut |row| packet.take(&row))
    }

    /// Ends what is written. Where a table has no rows, what its sink got is of no use.
    pub fn finish(mut self) -> Result<Loaded<W>, LoadError> {
        let packet = &mut self.packet;
        self.splitter.finish(&mut |row| packet.take(&row))?;
        let packet = self.packet;
        let mut facts = BTreeMap::new();
        for (name, file) in packet.files {
            facts.insert(name, file.finish()?);
        }
        Ok(Loaded {
            rows: packet.loaded,
            refused: packet.refused,
            newest: packet.newest,
            facts,
            reference: packet.reference,
            unknown_columns: packet.rows.names.into_unknown(),
            refused_lines: packet.refused_lines,
        })
    }
}

impl<'s> Load<'s, io::Sink> {
    /// For the rows alone that dimensions are made of.
    pub(super) fn without_files(star: &'s Star, source: &str, packet: u64) -> Self {
        let rows = Rows::new(star, source);
        Self::with(source, packet, rows, Vec::new(), io::sink())
    }
}

impl<W: io::Write + Send> Packet<'_, W> {
    fn take(&mut self, row: &Row<'_>) -> Result<(), LoadError> {
        let mut values = recycle(std::mem::take(&mut self.values));
        let mut last = LastTimestamp::default();
        let outcome = self.cells(row, &mut values, &mut last);
        match outcome {
            Ok(version) => {
                self.newest = self.newest.max(Some(version));
                self.loaded += 1;
                for (_, file) in &mut self.files {
                    file.keep_row()?;
                }
                self.remember(row, &values, version);
            }
            Err(refused) => {
                if refused.reason != RowRefusal::NotJson {
                    let version = self.rows.version(&values, &mut last);
                    self.newest = self.newest.max(version.ok());
                }
                self.refuse(row, refused)?;
            }
        }
        self.values = recycle(values);
        Ok(())
    }

    /// Gives the row's cells to the facts, and tells how new it is.
    fn cells<'a>(
        &mut self,
        row: &Row<'a>,
        values: &mut Vec<FieldValue<'a>>,
        last: &mut LastTimestamp,
    ) -> Result<Timestamp, RefusedRow> {
        self.rows.names.read(row, values)?;
        let wanted = &self.rows.wanted;
        let mut files = self.files.iter_mut();
        for (_, columns) in &wanted.facts {
            match files.next() {
                Some((_, file)) => {
                    for (index, column) in columns.iter().enumerate() {
                        file.push(index, column.cell(values, last)?);
                    }
                }
                None => check(columns, values, last)?,
            }
        }
        wanted.check_dimensions(values, last)?;
        self.rows.version(values, last)
    }

    /// Keeps the row for dimensions, where there are any.
    fn remember(&mut self, row: &Row<'_>, values: &[FieldValue<'_>], version: Timestamp) {
        let age = RowAge {
            version,
            packet: self.id,
            line: row.number,
        };
        for field in &self.rows.wanted.keys {
            self.rows.keep(*field, values, age, &mut self.reference);
        }
    }

    fn refuse(&mut self, row: &Row<'_>, refused: RefusedRow) -> Result<(), LoadError> {
        for (_, file) in &mut self.files {
            file.drop_row();
        }
        *self.refused.entry(refused.reason).or_default() += 1;
        let text = row.text.map_or_else(String::from_utf8_lossy, Into::into);
        let names = self.rows.names.names();
        let column = refused.field.and_then(|field| names.get(field));
        let line = RefusedLine {
            reason: refused.reason.as_str(),
            column: column.map(String::as_str),
            line: row.number,
            row: &text,
        };
        serde_json::to_writer(&mut self.refused_lines, &line).map_err(io::Error::from)?;
        self.refused_lines.write_all(b"\n")?;
        Ok(())
    }
}

fn check(
    columns: &[Conversion<'_>],
    values: &[FieldValue<'_>],
    last: &mut LastTimestamp,
) -> Result<(), RefusedRow> {
    columns
        .iter()
        .try_for_each(|column| column.cell(values, last).map(drop))
}

impl SourceRows<'_> {
    fn check_dimensions(
        &self,
        values: &[FieldValue<'_>],
        last: &mut LastTimestamp,
    ) -> Result<(), RefusedRow> {
        check(&self.dimensions, values, last)?;
        self.check_keys(values)
    }
}

impl<'s> Rows<'s> {
    pub(super) fn new(star: &'s Star, source: &str) -> Self {
        let (wanted, names) = SourceRows::new(star, source);
        Self { names, wanted }
    }

    /// The columns that find rows.
    pub(super) fn key_names(&self) -> impl Iterator<Item = &str> {
        let names = self.names.names();
        let fields = self.wanted.keys.iter();
        fields.filter_map(|field| names.get(*field).map(String::as_str))
    }

    fn version(
        &self,
        values: &[FieldValue<'_>],
        last: &mut LastTimestamp,
    ) -> Result<Timestamp, RefusedRow> {
        let field = self.wanted.version;
        let value = values.get(field).copied().unwrap_or(FieldValue::Missing);
        last.read(field, value)
            .map_err(|reason| RefusedRow::at(field, reason))
    }

    /// Adds a row as this field finds it.
    fn keep(
        &self,
        field: usize,
        values: &[FieldValue<'_>],
        age: RowAge,
        reference: &mut Reference,
    ) {
        let names = self
            .names
            .names()
            .get(..self.wanted.kept)
            .unwrap_or_default();
        if let (Some(column), Ok(Some(key))) = (names.get(field), key(values, field)) {
            reference.take(column, key, age, || spelled_row(names, values));
        }
    }

    /// Adds a row of a checkpoint; none where it is not one of these.
    pub(super) fn recall(
        &mut self,
        row: &Row<'_>,
        packet: u64,
        by: &str,
        reference: &mut Reference,
    ) -> Option<()> {
        let mut values = Vec::new();
        let mut last = LastTimestamp::default();
        self.names.read(row, &mut values).ok()?;
        let kept = values.get(..self.wanted.kept)?;
        let is_whole = !kept.contains(&FieldValue::Missing);
        self.wanted.check_dimensions(&values, &mut last).ok()?;
        let version = self.version(&values, &mut last).ok()?;
        let names = self.names.names();
        let mut keys = self.wanted.keys.iter().copied();
        let field = keys.find(|field| names.get(*field).is_some_and(|name| name == by))?;
        let age = RowAge {
            version,
            packet,
            line: row.number,
        };
        self.keep(field, &values, age, reference);
        is_whole.then_some(())
    }
}
