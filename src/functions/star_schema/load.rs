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
    reference::newest::{Reference, RowAge},
    refusal::{RefusedColumns, RefusedRows, RowRefusal},
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
    pub refused_columns: RefusedColumns,
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
    /// By the column's place among the names.
    refused_fields: BTreeSet<(RowRefusal, usize)>,
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
            refused_fields: BTreeSet::new(),
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
        let names = packet.rows.names.names();
        let column =
            |(reason, field): (RowRefusal, usize)| Some((reason, names.get(field)?.clone()));
        let refused_columns = packet.refused_fields.into_iter();
        let refused_columns = refused_columns.filter_map(column).collect();
        Ok(Loaded {
            rows: packet.loaded,
            refused: packet.refused,
            refused_columns,
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
        self.refused_fields
            .extend(refused.field.map(|field| (refused.reason, field)));
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
            let kept = values.get(..names.len()).unwrap_or_default();
            reference.take(column, key, age, (names, kept));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::functions::star_schema::table_file::{group_rows, read_back};

    const STAR: &str = r#"
        [fact_order]
        from = "order"
        columns = [
            "order_id int",
            "day date = date(made_at) -> dim_date",
            "at time = time(made_at)",
            "price decimal(6,2)",
            "paid bool?",
            "note text or 'none'",
            "due date? -> dim_date",
        ]
        [dim_date]
        calendar = "iso"
        [dim_person]
        from = "person"
        columns = ["person_id int", "name text"]
    "#;

    fn load_pieces(source: &str, pieces: &[&[u8]]) -> Result<Loaded<Vec<u8>>, LoadError> {
        let star = Star::parse(STAR).unwrap();
        let mut load = Load::new(&star, source, 1, |_| Vec::new())?;
        for piece in pieces {
            load.feed(piece)?;
        }
        load.finish()
    }

    fn load(source: &str, packet: &str) -> Loaded<Vec<u8>> {
        load_pieces(source, &[packet.as_bytes()]).unwrap()
    }

    fn refused(loaded: &Loaded<Vec<u8>>) -> &str {
        str::from_utf8(&loaded.refused_lines).unwrap()
    }

    const ORDER: &str = r#"{"order_id":1,"made_at":"2024-02-29T10:00:00","price":1.5,"paid":true,"note":"a, \"b\" é","due":"2025-01-01","last_updated":"2024-03-01 00:00:00.5"}"#;

    #[test]
    fn a_row_becomes_typed_cells() {
        let loaded = load("order", ORDER);
        let fact = &loaded.facts["fact_order"];
        assert_eq!(
            read_back(&fact.sink),
            [
                r#"order_id: 1, day: 2024-02-29, at: 36000000000, price: 1.50, paid: true, note: "a, "b" é", due: 2025-01-01"#
            ]
        );
        assert_eq!((loaded.rows, fact.rows, fact.stand_ins), (1, 1, 0));
        assert_eq!(fact.years["dim_date"], BTreeSet::from([2024, 2025]));
        assert_eq!(
            loaded.newest.unwrap().in_file_name(),
            "20240301T000000500000"
        );
        assert_eq!(loaded.reference, Reference::default());
    }

    #[test]
    fn every_spelling_gives_the_same_bytes() {
        let second = ORDER.replace("\"order_id\":1", "\"order_id\":2.0");
        let lines = load("order", &format!("{ORDER}\n{second}\n"));
        assert_eq!(lines.rows, 2);
        let values = |row: &str| {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            let values = row.as_object().unwrap().values();
            values.cloned().collect::<serde_json::Value>()
        };
        let row: serde_json::Value = serde_json::from_str(ORDER).unwrap();
        let names: Vec<_> = row.as_object().unwrap().keys().collect();
        for packet in [
            format!("[{ORDER},\n{second}]"),
            format!(
                "[\n  {},\n  {}\n]",
                ORDER.replace(",\"", ",\n    \""),
                second
            ),
            format!("{{\"order\": [{ORDER}, {second}]}}"),
            format!(
                "{{\"column_names\": {names:?}, \"data\": [{}, {}]}}",
                values(ORDER),
                values(&second)
            ),
        ] {
            let loaded = load("order", &packet);
            assert_eq!(
                loaded.facts["fact_order"].sink, lines.facts["fact_order"].sink,
                "{packet}"
            );
            assert_eq!(loaded.newest, lines.newest);
        }
    }

    #[test]
    fn a_bad_row_is_set_aside_and_the_others_are_loaded() {
        let packet = format!(
            "{ORDER}\nx\n{}\n{}\n\n{ORDER}",
            ORDER.replace("1.5", "1.555"),
            ORDER
                .replace("2024-03-01", "2025-03-01")
                .replace("\"order_id\":1,", ""),
        );
        let loaded = load("order", &packet);
        assert_eq!((loaded.rows, loaded.facts["fact_order"].rows), (2, 2));
        let lines: Vec<_> = refused(&loaded).lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[0],
            r#"{"reason":"not_json","column":null,"line":2,"row":"x"}"#
        );
        assert!(lines[1].starts_with(r#"{"reason":"decimal_inexact","column":"price","line":3,"#));
        assert!(
            lines[2].starts_with(r#"{"reason":"column_missing","column":"order_id","line":4,"#)
        );
        assert_eq!(loaded.refused[&RowRefusal::NotJson], 1);
        assert_eq!(
            loaded.newest.unwrap().in_file_name(),
            "20250301T000000500000"
        );
    }

    #[test]
    fn what_a_refused_row_began_is_taken_back() {
        let cut = ORDER
            .replace("2024-02-29", "2030-02-28")
            .replace("2025-01-01", "x");
        let nulls = r#"{"order_id":3,"made_at":0,"price":"0.1","last_updated":0}"#;
        let loaded = load("order", &format!("{nulls}\n{cut}\n{nulls}\n{ORDER}"));
        let fact = &loaded.facts["fact_order"];
        let rows = read_back(&fact.sink);
        assert_eq!(
            rows[..2],
            [r#"order_id: 3, day: 1970-01-01, at: 0, price: 0.10, paid: null, note: "none", due: null"#;
                2]
        );
        assert!(
            rows[2].contains("due: 2025-01-01") && rows.len() == 3,
            "{rows:?}"
        );
        assert_eq!(fact.stand_ins, 2);
        assert_eq!(fact.years["dim_date"], BTreeSet::from([1970, 2024, 2025]));
    }

    #[test]
    fn what_is_not_described_is_named_and_left_out() {
        let packet = r#"{"person_id":1,"name":"","mood":"x","last_updated":0}"#;
        let loaded = load("person", packet);
        assert_eq!(loaded.unknown_columns, BTreeSet::from(["mood".to_owned()]));
        assert_eq!(loaded.rows, 1);
        assert!(loaded.facts.is_empty());
    }

    #[test]
    fn a_row_without_a_version_is_refused() {
        for (version, expected) in [
            ("", r#""column_missing","column":"last_updated""#),
            (
                r#","last_updated":null"#,
                r#""column_null","column":"last_updated""#,
            ),
            (
                r#","last_updated":"x""#,
                r#""timestamp_unreadable","column":"last_updated""#,
            ),
        ] {
            let loaded = load(
                "person",
                &format!(r#"{{"person_id":1,"name":"a"{version}}}"#),
            );
            assert!(refused(&loaded).contains(expected), "{version}");
            assert_eq!((loaded.rows, loaded.newest), (0, None));
        }
    }

    #[test]
    fn an_empty_packet_has_no_rows() {
        for packet in ["", "\n", "[]", r#"{"order":[]}"#] {
            let loaded = load("order", packet);
            assert_eq!(
                (loaded.rows, loaded.facts["fact_order"].rows),
                (0, 0),
                "{packet}"
            );
            assert!(loaded.refused.is_empty() && loaded.newest.is_none());
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_alone() {
        let packet = [
            ORDER.as_bytes(),
            b"\n{\"order_id\":\xff}\n",
            ORDER.as_bytes(),
        ]
        .concat();
        let loaded = load_pieces("order", &[&packet]).unwrap();
        assert_eq!(loaded.rows, 2);
        assert_eq!(
            refused(&loaded),
            "{\"reason\":\"not_json\",\"column\":null,\"line\":2,\"row\":\"{\\\"order_id\\\":\u{fffd}}\"}\n"
        );
    }

    #[test]
    fn a_packet_that_does_not_end_is_unreadable() {
        let outcome = load_pieces("order", &[b"[", ORDER.as_bytes()]);
        assert!(matches!(
            outcome,
            Err(LoadError::Unreadable(PacketUnreadable::Unfinished))
        ));
    }

    #[test]
    fn a_group_has_a_bound_in_bytes() {
        let long = "x".repeat(100_000);
        let row = ORDER.replace("a, ", &long);
        let piece = format!("{row}\n");
        let loaded = load_pieces("order", &[piece.as_bytes(); 200]).unwrap();
        let groups = group_rows(&loaded.facts["fact_order"].sink);
        assert_eq!(groups, [168, 32]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_accounted_for(
            lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
            size in 1..50_usize,
        ) {
            let mut packet = vec![b'x'];
            for line in &lines {
                packet.push(b'\n');
                packet.extend(line.iter().filter(|byte| **byte != b'\n'));
                packet.extend(b"\n");
                packet.extend(ORDER.as_bytes());
            }
            let pieces: Vec<_> = packet.chunks(size).collect();
            let loaded = load_pieces("order", &pieces).unwrap();
            let is_row = |line: &&[u8]| !line.trim_ascii().is_empty();
            let rows = packet.split(|byte| *byte == b'\n').filter(is_row).count() as u64;
            prop_assert_eq!(loaded.rows, lines.len() as u64);
            prop_assert_eq!(loaded.rows + loaded.refused.values().sum::<u64>(), rows);
        }

        #[test]
        fn a_row_cut_anywhere_is_refused(at in 0..ORDER.len()) {
            prop_assume!(ORDER.is_char_boundary(at));
            let loaded = load("order", &format!("{}\n{ORDER}", &ORDER[..at]));
            prop_assert_eq!(loaded.rows, 1);
        }
    }
}
