//! What a run has come to and what was counted, for a person or for a program.

use std::path::Path;

use anyhow::Result;
use indicatif::{DecimalBytes, HumanCount};
use serde_json::{Map, Value};

use super::{sum::ProcessSum, variants::Variants};
use crate::{
    functions::event_processor::event::{Field, Refusal},
    local::kinesis::feed::Ending,
    tool::{
        counts::{CountTable, place},
        intake::{Summary, members},
        other_names,
        table::Table,
        terminal::{BOLD, Format, GREEN, PLAIN, RED, YELLOW, print, print_json, tell},
    },
};

const LABEL_WIDTH: usize = 12;

pub(super) struct ProcessReport<'a> {
    pub(super) summary: &'a Summary<ProcessSum>,
    pub(super) ending: &'a Ending,
    pub(super) variants: &'a Variants<'a>,
    pub(super) folder: &'a Path,
}

impl ProcessReport<'_> {
    pub(super) fn print(&self, format: Format) -> Result<()> {
        if let Some(remark) = self.variants.conversion_missed() {
            tell(&remark);
        }
        if format == Format::Json {
            return print_json(&self.json()?);
        }
        self.counts().print()?;
        self.places().print()?;
        let table = self.variants.table();
        if table.is_empty() {
            return Ok(());
        }
        print("\n")?;
        table.print()
    }

    /// Where the page is, below what [`Self::print`] has said.
    pub(super) fn print_page(path: &Path) -> Result<()> {
        let mut table = Table::of_values(LABEL_WIDTH);
        table.row(place("report", path));
        table.print()
    }

    fn counts(&self) -> Table {
        let Summary {
            taken,
            of_function: sum,
        } = self.summary;
        let mut counts = CountTable::new(LABEL_WIDTH);
        counts.add("records", BOLD, taken.records, taken.pace().to_string());
        counts.add("archived", GREEN, sum.archived, "");
        counts.add("dead letters", YELLOW, sum.dead_letters, reasons(sum));
        let seldom = [
            (
                "not counted",
                sum.uncounted,
                "have no experiment or no variant, and are archived",
            ),
            ("duplicates", sum.duplicates, "came before, and are dropped"),
            ("done before", sum.done_before, "by a run that was killed"),
            (
                "unassigned",
                sum.assignments_missing,
                "have no assignment in the file",
            ),
        ];
        for (label, count, what) in seldom.into_iter().filter(|(_, count, _)| *count > 0) {
            counts.add(label, PLAIN, count, what);
        }
        if let Some(example) = &taken.not_taken_example {
            let first = format!("first {example}");
            counts.add("not taken", RED, taken.not_taken, first);
        }
        counts.table()
    }

    fn places(&self) -> Table {
        let Summary {
            taken,
            of_function: sum,
        } = self.summary;
        let mut places = Table::of_values(LABEL_WIDTH);
        let bytes = format!(
            "{} in, {} out in {} objects",
            DecimalBytes(taken.bytes_in),
            DecimalBytes(sum.archive_bytes),
            HumanCount(sum.archive_objects)
        );
        places.row(["bytes".into(), bytes.into()]);
        places.row(place("folder", self.folder));
        places
    }

    /// One object. Names are for ever.
    fn json(&self) -> Result<Map<String, Value>> {
        let Summary { taken, of_function } = self.summary;
        let mut out = taken.json(self.ending)?;
        out.extend(members(of_function)?);
        out.insert("variants".to_owned(), self.variants.json());
        let folder = self.folder.display().to_string();
        out.insert("folder".to_owned(), folder.into());
        Ok(out)
    }
}

/// What most of the records have not that each must have.
pub(super) fn lacking(summary: &Summary<ProcessSum>) -> Option<String> {
    let refused = &summary.of_function.refused;
    let required = [Field::EventId, Field::EventType, Field::UserId];
    let by_field = required.into_iter().filter_map(|field| {
        let records = refused.get(&Refusal::Missing(field).to_string())?;
        Some((field, *records))
    });
    other_names::lacking(summary.taken.records, by_field)
}

/// `2 not_json, 1 user_id_missing`
fn reasons(sum: &ProcessSum) -> String {
    let reasons = sum.refused.iter();
    let reasons: Vec<_> = reasons
        .map(|(reason, number)| format!("{} {reason}", HumanCount(*number)))
        .collect();
    reasons.join(", ")
}
