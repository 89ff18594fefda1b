//! What is wrong with a star.

use serde::Serialize;

/// In the order in which they are told. Names are for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultKind {
    Unreadable,
    FileMissing,
    NoReceipt,
    Gap,
    RowsDiffer,
    RefusedDiffer,
    KeyDoubled,
    DateMissing,
    Orphan,
}

impl FaultKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::FileMissing => "file_missing",
            Self::NoReceipt => "no_receipt",
            Self::Gap => "gap",
            Self::RowsDiffer => "rows_differ",
            Self::RefusedDiffer => "refused_differ",
            Self::KeyDoubled => "key_doubled",
            Self::DateMissing => "date_missing",
            Self::Orphan => "orphan",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Fault {
    #[serde(rename = "fault")]
    pub(super) kind: FaultKind,
    /// A column, a file or a source table.
    pub(super) place: String,
    /// Rows, packets or days.
    pub(super) count: u64,
    /// What it is, and what to do.
    pub(super) what: String,
}

/// All that is.
#[derive(Debug, Default, Serialize)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, kind: FaultKind, place: &str, count: u64, what: String) {
        self.0.push(Fault {
            kind,
            place: place.to_owned(),
            count,
            what,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Kind by kind.
    pub(super) fn sorted(&self) -> Vec<&Fault> {
        let mut faults: Vec<_> = self.0.iter().collect();
        faults.sort();
        faults
    }
}
