//! A run's summary, for a person or for a program.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Result;
use indicatif::{DecimalBytes, HumanCount};
use serde_json::{Value, json};

use crate::{
    local::{
        firehose::summary::{PARTITIONS_MAX, Summary},
        input::Source,
        shell::quoted,
    },
    tool::{
        counts::{CountTable, Pace, place},
        settings::SettingsOptions,
        table::Table,
        terminal::{BOLD, GREEN, PLAIN, RED, YELLOW, print_json},
    },
};

/// A summary and where to look.
pub(super) struct RunReport<'a> {
    pub(super) summary: &'a Summary,
    pub(super) is_complete: bool,
    pub(super) lake: PathBuf,
    pub(super) errors: PathBuf,
    pub(super) function: &'a SettingsOptions,
}

/// Records that became error objects without being refused.
pub(super) struct FailedRecords {
    label: &'static str,
    pub(super) records: u64,
    pub(super) what: &'static str,
}

/// Those there were.
pub(super) fn failures(summary: &Summary) -> Vec<FailedRecords> {
    let failures = [
        ("overflow", summary.overflow, "did not fit into an answer"),
        (
            "differing",
            summary.failed_differing,
            "were duplicates with other bytes, failed as asked",
        ),
        (
            "misplaced",
            summary.failed_partitioning,
            "had partition keys that fit no prefix",
        ),
        (
            "unanswered",
            summary.failed_answer,
            "were left out of an answer, twice in it, or without data",
        ),
        (
            "failed",
            summary.failed_function,
            "were in batches that the function failed on",
        ),
    ];
    let some = failures.into_iter().filter(|(_, records, _)| *records > 0);
    some.map(|(label, records, what)| FailedRecords {
        label,
        records,
        what,
    })
    .collect()
}

impl RunReport<'_> {
    pub(super) fn print_human(&self) -> Result<()> {
        self.counts().print()?;
        let summary = self.summary;
        let (read, written) = (
            DecimalBytes(summary.bytes_in),
            DecimalBytes(summary.bytes_out),
        );
        let mut places = Table::of_values(LABEL_WIDTH);
        places.row(["bytes".into(), format!("{read} in, {written} out").into()]);
        places.row(place("lake", &self.lake));
        if summary.error_objects > 0 {
            places.row(place("errors", &self.errors));
        }
        if let Some(command) = self.explaining() {
            places.row(["why".into(), command.into()]);
        }
        places.print()
    }

    /// Where the page is, below what [`Self::print_human`] has said.
    pub(super) fn print_page(path: &Path) -> Result<()> {
        let mut table = Table::of_values(LABEL_WIDTH);
        table.row(place("report", path));
        table.print()
    }

    /// Always the same first rows; what seldom happens, only when it has.
    fn counts(&self) -> Table {
        let summary = self.summary;
        let mut counts = CountTable::new(LABEL_WIDTH);
        counts.add("records", BOLD, summary.records, self.pace().to_string());
        counts.add("delivered", GREEN, summary.delivered, "");
        counts.add("duplicates", PLAIN, summary.duplicates, differing(summary));
        let refused = summary.refused_records();
        counts.add("refused", YELLOW, refused, self.accepted(refused));
        let mut by_reason: Vec<_> = summary.refused.iter().collect();
        by_reason.sort_by_key(|(_, refused)| Reverse(refused.records));
        for (reason, refused) in by_reason {
            let example = format!("first at {}", refused.example);
            counts.add(&format!("  {reason}"), PLAIN, refused.records, example);
        }
        for failure in failures(summary) {
            counts.add(failure.label, RED, failure.records, failure.what);
        }
        if let Some(error) = &summary.function_error {
            counts.remark(format!("the function said last: {error}"));
        }
        let partitions = summary.partitions.len();
        let more = if partitions < PARTITIONS_MAX {
            ""
        } else {
            "or more"
        };
        counts.add("partitions", PLAIN, partitions as u64, more);
        counts.add("files", PLAIN, summary.files, "");
        counts.table()
    }

    /// What may be a reason stands beside refusals, and what may be missed where there are none.
    fn accepted(&self, refused: u64) -> String {
        match self.function.accepted_in_words() {
            Some(accepted) if refused > 0 => accepted,
            None if refused == 0 && self.summary.records > 0 => ANY_ACCEPTED.to_owned(),
            _ => String::new(),
        }
    }

    fn pace(&self) -> Pace {
        let summary = self.summary;
        Pace {
            records: summary.records,
            seconds: summary.seconds,
            resumed_records: summary.resumed_records,
        }
    }

    /// What to type for the most frequent refusal that the options which can be shown explain, and
    /// that can be read again.
    fn explaining(&self) -> Option<String> {
        let standard_input = format!("{}:", Source::StandardInput.name());
        let refused = self.summary.refused.iter();
        let again = refused.filter(|(_, refused)| !refused.example.starts_with(&standard_input));
        let (_, refused) = again.min_by_key(|(reason, refused)| {
            (self.function.leaves_out(reason), Reverse(refused.records))
        })?;
        let (place, options) = (quoted(&refused.example), self.function.judging());
        Some(format!("nozzle explain {place}{options}"))
    }

    /// The summary as one object. Names are for ever.
    pub(super) fn print_json(&self) -> Result<()> {
        print_json(&self.json())
    }

    fn json(&self) -> Value {
        let summary = self.summary;
        let refused = summary.refused.iter();
        let records = refused
            .clone()
            .map(|(reason, refused)| (reason, refused.records));
        let examples = refused.map(|(reason, refused)| (reason, &refused.example));
        json!({
            "records": summary.records,
            "delivered": summary.delivered,
            "duplicates": summary.duplicates,
            "duplicates_differing": summary.duplicates_differing,
            "refused": records.collect::<BTreeMap<_, _>>(),
            "refused_examples": examples.collect::<BTreeMap<_, _>>(),
            "overflow": summary.overflow,
            "failed_differing": summary.failed_differing,
            "failed_partitioning": summary.failed_partitioning,
            "failed_answer": summary.failed_answer,
            "failed_function": summary.failed_function,
            "function_error": summary.function_error,
            "error_objects": summary.error_objects,
            "partitions": summary.partitions.len(),
            "files": summary.files,
            "error_files": summary.error_files,
            "bytes_in": summary.bytes_in,
            "bytes_out": summary.bytes_out,
            "seconds": summary.seconds,
            "records_per_second": self.pace().records_per_second(),
            "resumed_records": summary.resumed_records,
            "complete": self.is_complete,
            "lake": self.lake.display().to_string(),
            "errors": self.errors.display().to_string(),
        })
    }
}

const LABEL_WIDTH: usize = 11;

const ANY_ACCEPTED: &str =
    "any year and type is accepted; --event-years and --event-types refuse more";

fn differing(summary: &Summary) -> String {
    match summary.duplicates_differing {
        0 => String::new(),
        differing => format!("{} with other bytes", HumanCount(differing)),
    }
}
