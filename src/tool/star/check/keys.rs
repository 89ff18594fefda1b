//! The columns of one Parquet file, read group by group: a number for each value, which is the value
//! itself where it is a whole number or a date.

use std::{collections::HashMap, fs::File};

use anyhow::{Context, Result, bail};
use parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{AsBytes, DataType},
    file::reader::{FileReader, RowGroupReader, SerializedFileReader},
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// So many values are in memory at once.
const BATCH: usize = 8192;

/// A file, opened.
pub(super) struct TableColumns {
    reader: SerializedFileReader<File>,
    places: HashMap<String, usize>,
}

impl TableColumns {
    pub(super) fn open(file: File) -> Result<Self> {
        let reader = SerializedFileReader::new(file)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let columns = schema.columns().iter().enumerate();
        let places = columns.map(|(place, column)| (column.name().to_owned(), place));
        let places = places.collect();
        Ok(Self { reader, places })
    }

    pub(super) fn rows(&self) -> Result<u64> {
        let rows = self.reader.metadata().file_metadata().num_rows();
        Ok(rows.try_into()?)
    }

    /// Visits each value of a column; null is none.
    pub(super) fn each(&self, column: &str, mut visit: impl FnMut(Option<u64>)) -> Result<()> {
        let place = self.place(column)?;
        for group in 0..self.reader.num_row_groups() {
            read(&*self.reader.get_row_group(group)?, place, &mut visit)?;
        }
        Ok(())
    }

    /// Visits each row's values of some columns, as one number.
    pub(super) fn each_row(&self, columns: &[&str], mut visit: impl FnMut(u64)) -> Result<()> {
        let places = columns.iter().map(|column| self.place(column));
        let places = places.collect::<Result<Vec<_>>>()?;
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group)?;
            let mut rows: Vec<u64> = Vec::new();
            for (nth, place) in places.iter().enumerate() {
                let mut row = 0;
                read(&*group, *place, &mut |value| {
                    match rows.get_mut(row) {
                        Some(before) if nth > 0 => *before = both(*before, value),
                        _ => rows.push(value.unwrap_or_default()),
                    }
                    row += 1;
                })?;
            }
            rows.into_iter().for_each(&mut visit);
        }
        Ok(())
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.places.contains_key(column)
    }

    fn place(&self, column: &str) -> Result<usize> {
        let place = self.places.get(column).copied();
        place.with_context(|| format!("it has no column `{column}`"))
    }
}

/// One number for a row so far and its next value.
fn both(before: u64, value: Option<u64>) -> u64 {
    match value {
        Some(value) => xxh3_64_with_seed(&value.to_le_bytes(), before),
        None => xxh3_64_with_seed(&[], before),
    }
}

fn read(
    group: &dyn RowGroupReader,
    place: usize,
    visit: &mut dyn FnMut(Option<u64>),
) -> Result<()> {
    let widened = |value: &i32| i64::from(*value).cast_unsigned();
    match group.get_column_reader(place)? {
        ColumnReader::Int32ColumnReader(column) => read_all(column, widened, visit),
        ColumnReader::Int64ColumnReader(column) => {
            read_all(column, |value| value.cast_unsigned(), visit)
        }
        ColumnReader::BoolColumnReader(column) => {
            read_all(column, |value| u64::from(*value), visit)
        }
        ColumnReader::ByteArrayColumnReader(column) => {
            read_all(column, |value| xxh3_64(value.as_bytes()), visit)
        }
        ColumnReader::FixedLenByteArrayColumnReader(column) => {
            read_all(column, |value| xxh3_64(value.as_bytes()), visit)
        }
        ColumnReader::Int96ColumnReader(_)
        | ColumnReader::FloatColumnReader(_)
        | ColumnReader::DoubleColumnReader(_) => bail!("a column has a type that no star has"),
    }
}

fn read_all<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    number: impl Fn(&T::T) -> u64,
    visit: &mut dyn FnMut(Option<u64>),
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        values.clear();
        let (records, _, _) = column.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(());
        }
        let mut found = values.iter().map(&number);
        if levels.is_empty() {
            found.for_each(|value| visit(Some(value)));
        } else {
            for level in &levels {
                visit(if *level > 0 { found.next() } else { None });
            }
        }
    }
}
