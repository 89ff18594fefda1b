//! Why a row is not loaded.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A pure function of the row and the description. In the order in which they are looked for: first
/// those of the row, then those of each column in turn; the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowRefusal {
    NotJson,
    NotAnObject,
    FieldDoubled,
    ColumnMissing,
    ColumnNull,
    WrongType,
    OutOfRange,
    TimestampUnreadable,
    DateUnreadable,
    DecimalInexact,
}

impl RowRefusal {
    /// Its name in refused rows, metrics and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::FieldDoubled => "field_doubled",
            Self::ColumnMissing => "column_missing",
            Self::ColumnNull => "column_null",
            Self::WrongType => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::TimestampUnreadable => "timestamp_unreadable",
            Self::DateUnreadable => "date_unreadable",
            Self::DecimalInexact => "decimal_inexact",
        }
    }
}

impl fmt::Display for RowRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many rows were refused, by reason.
pub type RefusedRows = BTreeMap<RowRefusal, u64>;

/// For which columns rows were refused, as the source calls them.
pub type RefusedColumns = BTreeSet<(RowRefusal, String)>;
