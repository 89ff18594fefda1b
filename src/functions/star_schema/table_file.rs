//! A star table's Parquet file, written into anything while rows come. It holds one row group, which
//! has a bound of rows and of bytes, and no more.

mod buffer;
mod days;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};

use super::{
    columns::{DecimalWidth, StarCell},
    description::{Absence, ColumnType, StarColumn, StarTable},
};
use buffer::ColumnBuffer;
use days::Days;

const ROW_GROUP_ROWS: usize = 131_072;

/// Rows with long texts make a group of fewer.
const ROW_GROUP_BYTES_MAX: usize = 16 << 20;

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

/// A file that is being written, row by row: a cell for each column in turn, then whether the row
/// stays.
pub struct TableFile<W: io::Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<FileColumn>,
    rows: u64,
    stand_ins: u64,
    held: Held,
}

/// What is not written yet.
#[derive(Debug, Default)]
struct Held {
    rows: usize,
    /// In columns of any width.
    text_bytes: usize,
    /// Of the row that has not been decided on.
    stand_ins: u64,
}

struct FileColumn {
    buffer: ColumnBuffer,
    calendar: Option<(String, Days)>,
}

impl<W: io::Write + Send> TableFile<W> {
    /// Begins a file; dates that refer to calendars are looked at.
    pub fn new(table: &StarTable, is_calendar: impl Fn(&str) -> bool, sink: W) -> io::Result<Self> {
        let schema = parse_message_type(&schema(table)).map_err(io_error)?;
        let properties = Arc::new(properties(table));
        let writer = SerializedFileWriter::new(sink, Arc::new(schema), properties);
        let column = |column: &StarColumn| {
            let calendar = column.refers_to.as_ref().filter(|name| is_calendar(name));
            FileColumn {
                buffer: ColumnBuffer::new(column),
                calendar: calendar.map(|name| (name.clone(), Days::default())),
            }
        };
        Ok(Self {
            writer: writer.map_err(io_error)?,
            columns: table.columns.iter().map(column).collect(),
            rows: 0,
            stand_ins: 0,
            held: Held::default(),
        })
    }

    /// Adds a cell of the row that comes next. It is of the column's type: a file that was given
    /// another cannot be finished.
    #[inline]
    pub fn push(&mut self, column: usize, cell: StarCell<'_>) {
        self.held.stand_ins += u64::from(matches!(cell, StarCell::StandIn(_)));
        if let Some(column) = self.columns.get_mut(column) {
            self.held.text_bytes += column.buffer.push(cell);
        }
    }

    /// The row's cells stay.
    #[inline]
    pub fn keep_row(&mut self) -> io::Result<()> {
        self.stand_ins += std::mem::take(&mut self.held.stand_ins);
        self.held.rows += 1;
        for column in &mut self.columns {
            column.buffer.keep();
        }
        if self.held.rows == ROW_GROUP_ROWS || self.held_bytes() > ROW_GROUP_BYTES_MAX {
            self.write_group()?;
        }
        Ok(())
    }

    /// The row's cells, as many as there are, go.
    pub fn drop_row(&mut self) {
        self.held.stand_ins = 0;
        for column in &mut self.columns {
            column.buffer.drop_rest(self.held.rows);
        }
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<TableWritten<W>> {
        if self.held.rows > 0 {
            self.write_group()?;
        }
        let mut years: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (calendar, days) in self
            .columns
            .into_iter()
            .filter_map(|column| column.calendar)
        {
            years.entry(calendar).or_default().extend(days.years());
        }
        Ok(TableWritten {
            sink: self.writer.into_inner().map_err(io_error)?,
            rows: self.rows,
            stand_ins: self.stand_ins,
            years,
        })
    }

    #[inline]
    fn held_bytes(&self) -> usize {
        self.held.text_bytes + self.held.rows * self.columns.len() * size_of::<i64>()
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(io_error)?;
        for column in &mut self.columns {
            if let Some((_, days)) = &mut column.calendar {
                days.touch(column.buffer.ints());
            }
            let writer = group.next_column().map_err(io_error)?;
            let mut writer = writer.ok_or_else(|| io::Error::other("a column too many"))?;
            column.buffer.write(writer.untyped()).map_err(io_error)?;
            writer.close().map_err(io_error)?;
        }
        group.close().map_err(io_error)?;
        self.rows += self.held.rows as u64;
        self.held = Held::default();
        Ok(())
    }
}

/// As Parquet's own words have it.
fn schema(table: &StarTable) -> String {
    let columns: Vec<_> = table.columns.iter().map(schema_line).collect();
    format!("message {} {{ {} }}", table.name, columns.join(" "))
}

fn schema_line(column: &StarColumn) -> String {
    let repetition = match column.absence {
        Absence::Null => "OPTIONAL",
        Absence::Refused | Absence::Text(_) => "REQUIRED",
    };
    let (physical, logical) = match column.kind {
        ColumnType::Int => ("INT32".to_owned(), String::new()),
        ColumnType::Text => ("BYTE_ARRAY".to_owned(), "(STRING)".to_owned()),
        ColumnType::Bool => ("BOOLEAN".to_owned(), String::new()),
        ColumnType::Date => ("INT32".to_owned(), "(DATE)".to_owned()),
        ColumnType::Time => ("INT64".to_owned(), "(TIME(MICROS,false))".to_owned()),
        ColumnType::Decimal { precision, scale } => {
            let physical = match DecimalWidth::of(precision) {
                DecimalWidth::Int => "INT32".to_owned(),
                DecimalWidth::Long => "INT64".to_owned(),
                DecimalWidth::Wide => {
                    format!("FIXED_LEN_BYTE_ARRAY({})", buffer::wide_bytes(precision))
                }
            };
            (physical, format!("(DECIMAL({precision},{scale}))"))
        }
    };
    format!("{repetition} {physical} {} {logical};", column.name)
}

/// Dictionaries where values come again: on every column they cost half as much again.
fn properties(table: &StarTable) -> WriterProperties {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    let with_column = |properties, column: &StarColumn| {
        let repeats = match column.kind {
            ColumnType::Text | ColumnType::Date | ColumnType::Decimal { .. } | ColumnType::Bool => {
                true
            }
            ColumnType::Int | ColumnType::Time => column.refers_to.is_some(),
        };
        let path = ColumnPath::from(column.name.as_str());
        parquet::file::properties::WriterPropertiesBuilder::set_column_dictionary_enabled(
            properties, path, repeats,
        )
    };
    table.columns.iter().fold(properties, with_column).build()
}

/// What the sink said, where it is its error.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
pub(super) use tests::{group_rows, read_back};

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write};

    use parquet::{
        file::{
            metadata::RowGroupMetaData, reader::FileReader, serialized_reader::SerializedFileReader,
        },
        record::{Field, Row},
        schema::printer::print_schema,
    };

    use super::*;
    use crate::functions::star_schema::description::Star;

    fn reader(file: &[u8]) -> SerializedFileReader<File> {
        let mut place = tempfile::tempfile().unwrap();
        place.write_all(file).unwrap();
        SerializedFileReader::new(place).unwrap()
    }

    /// A file's rows, each as one text.
    pub(crate) fn read_back(file: &[u8]) -> Vec<String> {
        let text = |row: Row| {
            let cells = row.get_column_iter().map(|(name, field)| match field {
                Field::TimeMicros(time) => format!("{name}: {time}"),
                field => format!("{name}: {field}"),
            });
            cells.collect::<Vec<_>>().join(", ")
        };
        let reader = reader(file);
        let rows = reader.get_row_iter(None).unwrap();
        rows.map(|row| text(row.unwrap())).collect()
    }

    /// How many rows each row group has.
    pub(crate) fn group_rows(file: &[u8]) -> Vec<i64> {
        let groups = reader(file);
        let groups = groups.metadata().row_groups().iter();
        groups.map(RowGroupMetaData::num_rows).collect()
    }

    const STAR: &str = r#"
        [fact_all]
        from = "all"
        columns = [
            "a int",
            "b text?",
            "c bool",
            "d decimal(9,2)",
            "e decimal(18,2)?",
            "f decimal(38,2)",
            "g date",
            "h time",
            "i int -> dim_i",
        ]
        [dim_i]
        from = "i"
        columns = ["i int"]
    "#;

    fn file<W: io::Write + Send>(sink: W) -> TableFile<W> {
        let star = Star::parse(STAR).unwrap();
        TableFile::new(star.table("fact_all").unwrap(), |_| false, sink).unwrap()
    }

    fn push_row<W: io::Write + Send>(file: &mut TableFile<W>, number: i32, is_null: bool) {
        let or_null = |cell: StarCell<'static>| if is_null { StarCell::Null } else { cell };
        let cells = [
            StarCell::Int(number),
            or_null(StarCell::Text("é".into())),
            StarCell::Bool(true),
            StarCell::Int(-number),
            or_null(StarCell::Long(-1)),
            StarCell::Wide(-10_i128.pow(37)),
            StarCell::Int(-1),
            StarCell::Long(86_399_999_999),
            StarCell::Int(1),
        ];
        for (column, cell) in cells.into_iter().enumerate() {
            file.push(column, cell);
        }
    }

    #[test]
    fn types_are_those_of_an_engine() {
        let mut schema = Vec::new();
        let written = file(Vec::new()).finish().unwrap();
        let reader = reader(&written.sink);
        print_schema(&mut schema, reader.metadata().file_metadata().schema());
        let expected = "message fact_all {
  REQUIRED INT32 a;
  OPTIONAL BYTE_ARRAY b (STRING);
  REQUIRED BOOLEAN c;
  REQUIRED INT32 d (DECIMAL(9,2));
  OPTIONAL INT64 e (DECIMAL(18,2));
  REQUIRED FIXED_LEN_BYTE_ARRAY (16) f (DECIMAL(38,2));
  REQUIRED INT32 g (DATE);
  REQUIRED INT64 h (TIME(MICROS,false));
  REQUIRED INT32 i;
}
";
        assert_eq!(String::from_utf8(schema).unwrap(), expected);
        assert_eq!(written.rows, 0);
    }

    #[test]
    fn a_row_is_kept_or_dropped_whole() {
        let mut file = file(Vec::new());
        for (number, is_null) in [(1, true), (2, false), (3, true), (4, false), (5, true)] {
            push_row(&mut file, number, is_null);
            if number % 2 == 0 {
                file.drop_row();
            } else {
                file.keep_row().unwrap();
            }
        }
        push_row(&mut file, 7, false);
        file.keep_row().unwrap();
        let rows = read_back(&file.finish().unwrap().sink);
        let rest = "g: 1969-12-31, h: 86399999999, i: 1";
        let wide = "f: -100000000000000000000000000000000000.00";
        let with = |a, b, d, e| format!("a: {a}, b: {b}, c: true, d: {d}, e: {e}, {wide}, {rest}");
        assert_eq!(
            rows,
            [
                with(1, "null", "-0.01", "null"),
                with(3, "null", "-0.03", "null"),
                with(5, "null", "-0.05", "null"),
                with(7, "\"é\"", "-0.07", "-0.01"),
            ]
        );
    }

    #[test]
    fn a_group_has_a_bound_in_rows() {
        let mut file = file(Vec::new());
        for number in 0..131_073 {
            push_row(&mut file, number, false);
            file.keep_row().unwrap();
        }
        assert_eq!(group_rows(&file.finish().unwrap().sink), [131_072, 1]);
    }

    #[test]
    fn only_what_comes_again_has_a_dictionary() {
        let star = Star::parse(STAR).unwrap();
        let properties = properties(star.table("fact_all").unwrap());
        for (column, expected) in [
            ("a", false),
            ("b", true),
            ("c", true),
            ("d", true),
            ("e", true),
            ("f", true),
            ("g", true),
            ("h", false),
            ("i", true),
        ] {
            let path = ColumnPath::from(column);
            assert_eq!(properties.dictionary_enabled(&path), expected, "{column}");
        }
    }

    #[test]
    fn a_sink_that_is_full_says_so() {
        #[derive(Debug)]
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut file = file(Full);
        for number in 0..10_000 {
            push_row(&mut file, number, false);
            file.keep_row().unwrap();
        }
        let error = file.finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
