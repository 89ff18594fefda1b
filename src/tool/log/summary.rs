//! What a run has come to, for a person or for a program.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use anyhow::Result;
use indicatif::DecimalBytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    functions::event_log::Counts,
    local::kinesis::mapping::Totals,
    tool::{
        counts::{CountTable, Pace, place},
        table::Table,
        terminal::{BOLD, GREEN, PLAIN, RED, YELLOW, print_json},
    },
};

/// With what an interrupted run did before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) records: u64,
    stored: u64,
    duplicates: u64,
    conflicts: u64,
    dead_letters: u64,
    unreadable: u64,
    raw: u64,
    text_numbers: u64,
    overflow: u64,
    /// What DynamoDB would have had to do.
    requests: u64,
    write_units: f64,
    invocations: u64,
    /// Lines that no stream takes.
    pub(super) not_taken: u64,
    pub(super) not_taken_example: Option<String>,
    pub(super) bytes_in: u64,
    pub(super) seconds: f64,
    pub(super) resumed_records: u64,
}

/// What invocations have said.
#[derive(Debug, Default)]
pub(super) struct Tally(RefCell<Vec<Counts>>);

impl Tally {
    pub(super) fn add(&self, counts: &Counts) {
        self.0.borrow_mut().push(counts.clone());
    }
}

impl Summary {
    pub(super) fn add(&mut self, tally: Tally, totals: Totals) {
        self.invocations += totals.invocations;
        for counts in tally.0.into_inner() {
            self.records += counts.records as u64;
            self.stored += counts.stored as u64;
            self.duplicates += counts.duplicates as u64;
            self.conflicts += counts.conflicts as u64;
            self.dead_letters += counts.dead_letters as u64;
            self.unreadable += counts.unreadable as u64;
            self.raw += counts.raw as u64;
            self.text_numbers += counts.text_numbers as u64;
            self.overflow += counts.overflow as u64;
            self.requests += counts.spent.requests as u64;
            self.write_units += counts.spent.write_units;
        }
    }

    fn pace(&self) -> Pace {
        Pace {
            records: self.records,
            seconds: self.seconds,
            resumed_records: self.resumed_records,
        }
    }
}

const LABEL_WIDTH: usize = 12;

/// A summary and where to look.
pub(super) struct LogReport<'a> {
    pub(super) summary: &'a Summary,
    pub(super) is_complete: bool,
    pub(super) log: &'a Path,
    pub(super) dead_letters: PathBuf,
}

impl LogReport<'_> {
    pub(super) fn print_human(&self) -> Result<()> {
        self.counts().print()?;
        let mut places = Table::of_values(LABEL_WIDTH);
        let read = format!("{} in", DecimalBytes(self.summary.bytes_in));
        places.row(["bytes".into(), read.into()]);
        places.row(["on AWS".into(), self.on_aws().into()]);
        places.row(place("log", self.log));
        if self.summary.dead_letters > 0 {
            places.row(place("dead letters", &self.dead_letters));
        }
        places.print()
    }

    /// Always the same first rows; what seldom happens, only when it has.
    fn counts(&self) -> Table {
        let summary = self.summary;
        let mut counts = CountTable::new(LABEL_WIDTH);
        counts.add("records", BOLD, summary.records, summary.pace().to_string());
        counts.add("stored", GREEN, summary.stored, "");
        counts.add("duplicates", PLAIN, summary.duplicates, "");
        counts.add("dead letters", YELLOW, summary.dead_letters, "");
        let seldom = [
            (
                "conflicts",
                PLAIN,
                summary.conflicts,
                "had other data under an id that is taken",
            ),
            ("unreadable", YELLOW, summary.unreadable, "are no JSON"),
            (
                "raw",
                PLAIN,
                summary.raw,
                "are kept as text, since no map can say them",
            ),
            (
                "text numbers",
                PLAIN,
                summary.text_numbers,
                "are kept as text, since DynamoDB cannot hold them",
            ),
            (
                "overflow",
                PLAIN,
                summary.overflow,
                "are over 400 KB, and lie beside the table",
            ),
        ];
        for (label, style, count, what) in seldom {
            if count > 0 {
                counts.add(label, style, count, what);
            }
        }
        if let Some(example) = &summary.not_taken_example {
            counts.add(
                "not taken",
                RED,
                summary.not_taken,
                format!("first {example}"),
            );
        }
        counts.table()
    }

    fn on_aws(&self) -> String {
        let Summary {
            invocations,
            requests,
            write_units,
            ..
        } = self.summary;
        format!("{invocations} calls, {requests} requests, {write_units} write units")
    }

    /// The summary as one object. Names are for ever.
    pub(super) fn print_json(&self) -> Result<()> {
        print_json(&self.json())
    }

    fn json(&self) -> Value {
        let summary = self.summary;
        json!({
            "records": summary.records,
            "stored": summary.stored,
            "duplicates": summary.duplicates,
            "conflicts": summary.conflicts,
            "dead_letters": summary.dead_letters,
            "unreadable": summary.unreadable,
            "raw": summary.raw,
            "text_numbers": summary.text_numbers,
            "overflow": summary.overflow,
            "not_taken": summary.not_taken,
            "not_taken_example": summary.not_taken_example,
            "invocations": summary.invocations,
            "requests": summary.requests,
            "write_units": summary.write_units,
            "bytes_in": summary.bytes_in,
            "seconds": summary.seconds,
            "records_per_second": summary.pace().records_per_second(),
            "resumed_records": summary.resumed_records,
            "complete": self.is_complete,
            "log": self.log.display().to_string(),
            "dead_letter_folder": self.dead_letters.display().to_string(),
        })
    }
}
