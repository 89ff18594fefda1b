//! What a summary has of numbers: how many, how fast, and where to look.

use std::{fmt, path::Path};

use anstyle::Style;
use indicatif::HumanCount;

use super::{
    table::{Cell, Column, Table},
    terminal::{DIM, PLAIN},
};

/// Numbers with remarks.
pub(super) struct CountTable(Table);

impl CountTable {
    pub(super) fn new(label_width: usize) -> Self {
        Self(Table::new([
            Column::left("").at_least(label_width),
            Column::right(""),
            Column::prose(""),
        ]))
    }

    /// What there is none of has no colour.
    pub(super) fn add(&mut self, label: &str, style: Style, count: u64, remark: impl Into<String>) {
        let style = if count > 0 { style } else { PLAIN };
        self.0.row([
            label.into(),
            Cell::styled(style, HumanCount(count).to_string()),
            Cell::styled(DIM, remark),
        ]);
    }

    pub(super) fn remark(&mut self, remark: String) {
        self.0
            .row(["".into(), "".into(), Cell::styled(DIM, remark)]);
    }

    pub(super) fn table(self) -> Table {
        self.0
    }
}

/// A row that says where something is.
pub(super) fn place(label: &str, path: &Path) -> [Cell; 2] {
    [label.into(), path.display().to_string().into()]
}

/// How fast records were taken in, with those before an interruption.
pub(super) struct Pace {
    pub(super) records: u64,
    pub(super) seconds: f64,
    pub(super) resumed_records: u64,
}

impl Pace {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rate is rounded anyway"
    )]
    pub(super) fn records_per_second(&self) -> u64 {
        (self.records as f64 / self.seconds.max(0.001)) as u64
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = HumanCount(self.records_per_second());
        write!(f, "in {:.1} s, {rate} a second", self.seconds)?;
        match self.resumed_records {
            0 => Ok(()),
            resumed => write!(f, "; {} before the interruption", HumanCount(resumed)),
        }
    }
}
