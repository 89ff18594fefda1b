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
    columns::{INT_PRECISION_MAX, LONG_PRECISION_MAX, StarCell},
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
            let physical = match precision {
                ..=INT_PRECISION_MAX => "INT32".to_owned(),
                ..=LONG_PRECISION_MAX => "INT64".to_owned(),
                _ => format!("FIXED_LEN_BYTE_ARRAY({})", buffer::wide_bytes(precision)),
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
