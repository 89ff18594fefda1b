//! A column's cells until their row group is written.

use parquet::{
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::{ParquetError, Result},
};

use crate::functions::star_schema::{
    columns::{DecimalWidth, StarCell},
    description::{Absence, ColumnType, StarColumn},
};

#[derive(Debug)]
pub(super) struct ColumnBuffer {
    cells: Cells,
    /// Where null is allowed.
    nulls: Option<Nulls>,
}

/// Cells that are not null.
#[derive(Debug)]
enum Cells {
    Int(Vec<i32>),
    Long(Vec<i64>),
    Wide {
        cells: Vec<i128>,
        bytes: usize,
    },
    Bool(Vec<bool>),
    /// One behind the other, and where each ends.
    Text {
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
}

#[derive(Debug, Default)]
struct Nulls {
    /// 1 for each cell that is there, 0 for each that is not.
    levels: Vec<i16>,
    /// How many cells that are there belong to rows that stay.
    kept: usize,
}

impl ColumnBuffer {
    pub(super) fn new(column: &StarColumn) -> Self {
        let cells = match column.kind {
            ColumnType::Int | ColumnType::Date => Cells::Int(Vec::new()),
            ColumnType::Time => Cells::Long(Vec::new()),
            ColumnType::Bool => Cells::Bool(Vec::new()),
            ColumnType::Text => Cells::Text {
                bytes: Vec::new(),
                ends: Vec::new(),
            },
            ColumnType::Decimal { precision, .. } => match DecimalWidth::of(precision) {
                DecimalWidth::Int => Cells::Int(Vec::new()),
                DecimalWidth::Long => Cells::Long(Vec::new()),
                DecimalWidth::Wide => Cells::Wide {
                    cells: Vec::new(),
                    bytes: wide_bytes(precision),
                },
            },
        };
        let nulls = (column.absence == Absence::Null).then(Nulls::default);
        Self { cells, nulls }
    }

    /// Adds a cell; how many bytes it takes beyond a place of its own.
    #[inline]
    pub(super) fn push(&mut self, cell: StarCell<'_>) -> usize {
        if let Some(nulls) = &mut self.nulls {
            nulls.levels.push(i16::from(cell != StarCell::Null));
        }
        match (&mut self.cells, cell) {
            (Cells::Int(cells), StarCell::Int(cell)) => cells.push(cell),
            (Cells::Long(cells), StarCell::Long(cell)) => cells.push(cell),
            (Cells::Wide { cells, .. }, StarCell::Wide(cell)) => cells.push(cell),
            (Cells::Bool(cells), StarCell::Bool(cell)) => cells.push(cell),
            (text @ Cells::Text { .. }, StarCell::Text(cell)) => return text.push_text(&cell),
            (text @ Cells::Text { .. }, StarCell::StandIn(cell)) => return text.push_text(cell),
            _ => {}
        }
        0
    }

    /// The last row stays.
    #[inline]
    pub(super) fn keep(&mut self) {
        if let Some(nulls) = &mut self.nulls {
            nulls.kept = self.cells.len();
        }
    }

    /// What stands behind the rows that stay goes.
    pub(super) fn drop_rest(&mut self, rows: usize) {
        let kept = match &mut self.nulls {
            Some(nulls) => {
                nulls.levels.truncate(rows);
                nulls.kept
            }
            None => rows,
        };
        self.cells.truncate(kept);
    }

    /// Whole numbers and dates; none of a column of another type.
    pub(super) fn ints(&self) -> &[i32] {
        match &self.cells {
            Cells::Int(cells) => cells,
            _ => &[],
        }
    }

    /// Writes all cells, and has none then.
    pub(super) fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<()> {
        let levels = self.nulls.as_ref().map(|nulls| nulls.levels.as_slice());
        match (&self.cells, writer) {
            (Cells::Int(cells), ColumnWriter::Int32ColumnWriter(writer)) => {
                writer.write_batch(cells, levels, None)?;
            }
            (Cells::Long(cells), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(cells, levels, None)?;
            }
            (Cells::Bool(cells), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(cells, levels, None)?;
            }
            (Cells::Wide { cells, bytes }, ColumnWriter::FixedLenByteArrayColumnWriter(writer)) => {
                let cells: Vec<_> = cells.iter().map(|cell| fixed(*cell, *bytes)).collect();
                writer.write_batch(&cells, levels, None)?;
            }
            (Cells::Text { bytes, ends }, ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let all = ByteArray::from(bytes.clone());
                let mut start = 0;
                let cells = ends.iter().map(|end| {
                    let cell = all.slice(start, end - start);
                    start = *end;
                    cell
                });
                let cells: Vec<_> = cells.collect();
                writer.write_batch(&cells, levels, None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        self.cells.truncate(0);
        if let Some(nulls) = &mut self.nulls {
            nulls.levels.clear();
            nulls.kept = 0;
        }
        Ok(())
    }
}

impl Cells {
    fn push_text(&mut self, cell: &str) -> usize {
        if let Self::Text { bytes, ends } = self {
            bytes.extend_from_slice(cell.as_bytes());
            ends.push(bytes.len());
        }
        cell.len()
    }

    fn len(&self) -> usize {
        match self {
            Self::Int(cells) => cells.len(),
            Self::Long(cells) => cells.len(),
            Self::Wide { cells, .. } => cells.len(),
            Self::Bool(cells) => cells.len(),
            Self::Text { ends, .. } => ends.len(),
        }
    }

    fn truncate(&mut self, length: usize) {
        match self {
            Self::Int(cells) => cells.truncate(length),
            Self::Long(cells) => cells.truncate(length),
            Self::Wide { cells, .. } => cells.truncate(length),
            Self::Bool(cells) => cells.truncate(length),
            Self::Text { bytes, ends } => {
                ends.truncate(length);
                bytes.truncate(ends.last().copied().unwrap_or_default());
            }
        }
    }
}

/// How many bytes a number of so many digits takes, with its sign.
pub(super) fn wide_bytes(precision: u8) -> usize {
    let largest = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
    let bits = i128::BITS - largest.leading_zeros() + 1;
    bits.div_ceil(u8::BITS) as usize
}

/// The last bytes of a number, the highest first.
fn fixed(number: i128, bytes: usize) -> FixedLenByteArray {
    let all = number.to_be_bytes();
    let start = all.len().saturating_sub(bytes);
    all.get(start..).unwrap_or_default().to_vec().into()
}
