//! What a run has come to, for a person or for a program.

use std::path::{Path, PathBuf};

use anstyle::Style;
use anyhow::Result;
use indicatif::{DecimalBytes, HumanCount, HumanFloatCount};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    functions::event_log::Counts,
    local::kinesis::feed::Ending,
    tool::{
        counts::{CountTable, place},
        intake::{Sum, Summary, members},
        table::Table,
        terminal::{BOLD, GREEN, PLAIN, RED, YELLOW, print_json},
    },
};

/// What the function says of its invocations, added up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LogSum {
    stored: u64,
    duplicates: u64,
    conflicts: u64,
    dead_letters: u64,
    unreadable: u64,
    raw: u64,
    text_numbers: u64,
    #[serde(default)]
    id_missing: u64,
    #[serde(default)]
    search_key_missing: u64,
    overflow: u64,
    /// What DynamoDB would have had to do.
    requests: u64,
    write_units: f64,
}

impl Sum for LogSum {
    type Counts = Counts;

    fn add(&mut self, counts: &Counts) -> u64 {
        for (sum, number) in [
            (&mut self.stored, counts.stored),
            (&mut self.duplicates, counts.duplicates),
            (&mut self.conflicts, counts.conflicts),
            (&mut self.dead_letters, counts.dead_letters),
            (&mut self.unreadable, counts.unreadable),
            (&mut self.raw, counts.raw),
            (&mut self.text_numbers, counts.text_numbers),
            (&mut self.id_missing, counts.id_missing),
            (&mut self.search_key_missing, counts.search_key_missing),
            (&mut self.overflow, counts.overflow),
            (&mut self.requests, counts.spent.requests),
        ] {
            *sum += number as u64;
        }
        self.write_units += counts.spent.write_units;
        counts.records as u64
    }

    fn files(&self) -> u64 {
        self.dead_letters + self.overflow
    }
}

const LABEL_WIDTH: usize = 12;

/// A summary and where to look.
pub(super) struct LogReport<'a> {
    pub(super) summary: &'a Summary<LogSum>,
    pub(super) ending: &'a Ending,
    pub(super) log: &'a Path,
    pub(super) dead_letters: PathBuf,
}

impl LogReport<'_> {
    pub(super) fn print_human(&self) -> Result<()> {
        self.counts().print()?;
        let mut places = Table::of_values(LABEL_WIDTH);
        let read = format!("{} in", DecimalBytes(self.summary.taken.bytes_in));
        places.row(["bytes".into(), read.into()]);
        places.row(["on AWS".into(), self.on_aws().into()]);
        places.row(place("log", self.log));
        if self.summary.of_function.dead_letters > 0 {
            places.row(place("dead letters", &self.dead_letters));
        }
        places.print()
    }

    /// Always the same first rows; what seldom happens, only when it has.
    fn counts(&self) -> Table {
        let Summary {
            taken,
            of_function: summary,
        } = self.summary;
        let mut counts = CountTable::new(LABEL_WIDTH);
        counts.add("records", BOLD, taken.records, taken.pace().to_string());
        counts.add("stored", GREEN, summary.stored, "");
        counts.add("duplicates", PLAIN, summary.duplicates, "");
        counts.add("dead letters", YELLOW, summary.dead_letters, "");
        for (label, style, count, what) in seldom(summary) {
            if count > 0 {
                counts.add(label, style, count, what);
            }
        }
        if let Some(example) = &taken.not_taken_example {
            counts.add(
                "not taken",
                RED,
                taken.not_taken,
                format!("first {example}"),
            );
        }
        counts.table()
    }

    /// What none of the events has that is asked for in each.
    pub(super) fn lacking(&self) -> Option<&'static str> {
        let Summary { taken, of_function } = self.summary;
        let none_has = |missing: u64| missing > 0 && missing == taken.records;
        match (
            none_has(of_function.id_missing),
            none_has(of_function.search_key_missing),
        ) {
            (true, true) => Some("what --event-id names, nor what --search-key does"),
            (true, false) => Some("what --event-id names"),
            (false, true) => Some("what --search-key names"),
            (false, false) => None,
        }
    }

    fn on_aws(&self) -> String {
        let Summary { taken, of_function } = self.summary;
        format!(
            "{} calls, {} requests, {} write units",
            HumanCount(taken.invocations),
            HumanCount(of_function.requests),
            HumanFloatCount(of_function.write_units)
        )
    }

    /// The summary as one object. Names are for ever.
    pub(super) fn print_json(&self) -> Result<()> {
        print_json(&self.json()?)
    }

    fn json(&self) -> Result<Value> {
        let Summary { taken, of_function } = self.summary;
        let mut out = taken.json(self.ending)?;
        out.extend(members(of_function)?);
        let places = json!({
            "log": self.log.display().to_string(),
            "dead_letter_folder": self.dead_letters.display().to_string(),
        });
        out.extend(members(&places)?);
        Ok(out.into())
    }
}

/// What is said only where there is any, and what it means.
fn seldom(summary: &LogSum) -> [(&'static str, Style, u64, &'static str); 7] {
    [
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
            "no id",
            PLAIN,
            summary.id_missing,
            "have nothing at --event-id, so copies of them are stored again",
        ),
        (
            "no key",
            PLAIN,
            summary.search_key_missing,
            "have nothing at --search-key, so no search finds them",
        ),
        (
            "overflow",
            PLAIN,
            summary.overflow,
            "are over 400 KB, and lie beside the table",
        ),
    ]
}
