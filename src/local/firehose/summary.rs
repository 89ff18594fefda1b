//! What became of a run's records, in numbers that can be gone on from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{lake::Written, name_forms::NameForms, picture::course::Tally};
use crate::local::field_names::FieldNames;

/// Partitions are told apart up to this many, so that no input makes the summary large.
pub const PARTITIONS_MAX: usize = 100_000;

/// The reason of what is too long for Firehose.
pub const RECORD_TOO_LARGE: &str = "record_too_large";

/// Records by what became of them, and what was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub records: u64,
    pub delivered: u64,
    /// Answered as dropped.
    pub duplicates: u64,
    /// Duplicates with other bytes, dropped or failed.
    pub duplicates_differing: u64,
    pub refused: BTreeMap<String, Refused>,
    /// What the first record has that lacks a field which it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacking: Option<FieldNames>,
    pub overflow: u64,
    /// Duplicates with other bytes that failed, because they are to.
    pub failed_differing: u64,
    /// Records whose partition keys were not the prefix's.
    pub failed_partitioning: u64,
    /// Records that the answer left out or doubled, or has no data of.
    pub failed_answer: u64,
    /// Records of batches that the function failed on.
    pub failed_function: u64,
    /// What the function said when it last failed.
    pub function_error: Option<String>,
    pub error_objects: u64,
    /// Hashes of the partitions.
    pub partitions: BTreeSet<u64>,
    #[serde(default)]
    pub name_forms: NameForms,
    pub files: u64,
    pub error_files: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub seconds: f64,
    /// Records that an interrupted run had finished before.
    pub resumed_records: u64,
}

/// Records refused for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub records: u64,
    /// Where the first of them stands.
    pub example: String,
}

/// Records were lost or made up: there is a mistake in this program.
#[derive(Debug, thiserror::Error)]
#[error(
    "{delivered} delivered, {duplicates} duplicates and {error_objects} error objects are not \
     {records} records: this is a mistake in nozzle"
)]
pub struct NotConserved {
    records: u64,
    delivered: u64,
    duplicates: u64,
    error_objects: u64,
}

impl Summary {
    pub fn add_refused(&mut self, reason: &str, place: impl FnOnce() -> String) {
        if let Some(refused) = self.refused.get_mut(reason) {
            refused.records += 1;
            return;
        }
        let refused = Refused {
            records: 1,
            example: place(),
        };
        self.refused.insert(reason.to_owned(), refused);
    }

    pub fn add_window(&mut self, window: &Written) {
        self.files += window.files;
        self.error_files += window.error_files;
        self.bytes_out += window.bytes;
        let room = PARTITIONS_MAX.saturating_sub(self.partitions.len());
        let new = window.partitions.difference(&self.partitions).take(room);
        let new: Vec<u64> = new.copied().collect();
        self.partitions.extend(new);
        self.name_forms.join(window.name_forms);
    }

    #[must_use]
    pub fn refused_records(&self) -> u64 {
        self.refused.values().map(|refused| refused.records).sum()
    }

    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally {
            delivered: self.delivered,
            duplicates: self.duplicates,
            error_objects: self.error_objects,
        }
    }

    /// Every record has become exactly one thing.
    pub fn check_conserved(&self) -> Result<(), NotConserved> {
        if self.delivered + self.duplicates + self.error_objects == self.records {
            Ok(())
        } else {
            Err(NotConserved {
                records: self.records,
                delivered: self.delivered,
                duplicates: self.duplicates,
                error_objects: self.error_objects,
            })
        }
    }
}
