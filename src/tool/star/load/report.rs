//! What a run has come to, for a person or for a program.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::Path,
};

use anstyle::Style;
use anyhow::Result;
use indicatif::{DecimalBytes, HumanCount};
use serde_json::{Value, json};

use super::{loading::LoadEnding, question, remark::remark, sum::LoadSum};
use crate::{
    functions::star_schema::{description::Star, refusal::RowRefusal},
    tool::{
        counts::{CountTable, Pace, place},
        table::Table,
        terminal::{BOLD, Format, GREEN, PLAIN, RED, YELLOW, print, print_json, tell},
    },
};

const LABEL_WIDTH: usize = 12;

/// A summary, where to look, and what to ask.
pub(super) struct LoadReport<'a> {
    pub(super) loaded: &'a LoadSum,
    pub(super) ending: &'a LoadEnding,
    pub(super) star: &'a Star,
    pub(super) folder: &'a Path,
    /// As a person knows it.
    pub(super) named: &'a Path,
    /// The folder that packets lie in, as a person knows it.
    pub(super) packets: &'a Path,
}

impl LoadReport<'_> {
    pub(super) fn print(&self, format: Format) -> Result<()> {
        self.loaded.left.iter().for_each(|why| tell(why));
        if let Some(remark) = remark(self.star, self.loaded, self.packets) {
            tell(&remark);
        }
        match format {
            Format::Human => self.print_human(),
            Format::Json => print_json(&self.json()),
        }
    }

    fn print_human(&self) -> Result<()> {
        self.counts().print()?;
        let mut places = Table::of_values(LABEL_WIDTH);
        let LoadSum {
            bytes_in,
            bytes_out,
            ..
        } = self.loaded;
        let bytes = format!(
            "{} in, {} out",
            DecimalBytes(*bytes_in),
            DecimalBytes(*bytes_out)
        );
        places.row(["bytes".into(), bytes.into()]);
        places.row(place("star", self.folder));
        if self.loaded.rows_refused() > 0 {
            places.row(place("refused rows", &self.folder.join("refused")));
        }
        places.print()?;
        match question::lines(self.star, self.folder, self.named) {
            Some(lines) if io::stdout().is_terminal() => {
                print(format!("\nAsk it:\n  {}\n", lines.join("\n  ")))
            }
            _ => Ok(()),
        }
    }

    /// Always the same first rows; what seldom happens, only when it has.
    fn counts(&self) -> Table {
        let sum = self.loaded;
        let mut counts = CountTable::new(LABEL_WIDTH);
        let before = match sum.done_before {
            0 => String::new(),
            before => format!("{} were loaded before", HumanCount(before)),
        };
        counts.add("packets", BOLD, sum.loaded, before);
        let pace = Pace {
            records: sum.rows,
            seconds: sum.seconds,
            resumed_records: 0,
        };
        counts.add("rows", GREEN, sum.rows, pace.to_string());
        counts.add("refused", YELLOW, sum.rows_refused(), refused(sum));
        counts.add("files", PLAIN, sum.files, "");
        for (label, style, count, what) in seldom(sum) {
            if count > 0 {
                counts.add(label, style, count, what);
            }
        }
        counts.table()
    }

    /// Names are for ever.
    fn json(&self) -> Value {
        let sum = self.loaded;
        let refused = sum
            .refused
            .iter()
            .map(|(reason, rows)| (reason.as_str(), *rows));
        json!({
            "packets": sum.loaded,
            "done_before": sum.done_before,
            "rows": sum.rows,
            "refused": sum.rows_refused(),
            "refused_by_reason": refused.collect::<BTreeMap<_, _>>(),
            "refused_columns": columns_refused(sum),
            "files": sum.files,
            "gaps": sum.gaps().collect::<BTreeMap<_, _>>(),
            "not_loaded": sum.left,
            "left_alone": sum.tables_left_alone(),
            "without_packets": sum.tables_missed(self.star),
            "no_packets": sum.no_packets,
            "columns_unknown": sum.columns_unknown,
            "stand_ins": sum.stand_ins,
            "bytes_in": sum.bytes_in,
            "bytes_out": sum.bytes_out,
            "seconds": sum.seconds,
            "star": self.folder.display().to_string(),
            "complete": matches!(self.ending, LoadEnding::Complete),
        })
    }
}

/// Labels, with how many there are of what.
fn seldom(sum: &LoadSum) -> [(&'static str, Style, u64, String); 6] {
    let missing = sum.gaps().map(|(_, missing)| *missing).sum();
    let gaps = format!(
        "ids below a loaded one are not loaded: {}",
        listed(sum.gaps())
    );
    let tables = sum.tables_left_alone().into_iter().collect::<Vec<_>>();
    let alone = format!(
        "packets of tables that the star does not read: {}",
        tables.join(", ")
    );
    let left = "packets, for the reasons above".to_owned();
    let unknown = "columns of packets are not described, and left out".to_owned();
    let stand_ins = "cells whose join found nothing".to_owned();
    let (left_alone, no_packets) = (sum.not_of_the_star.len(), sum.no_packets.len());
    [
        ("gaps", YELLOW, missing, gaps),
        ("not loaded", RED, sum.left.len() as u64, left),
        ("left alone", PLAIN, left_alone as u64, alone),
        ("no packets", YELLOW, no_packets as u64, named_as_none(sum)),
        ("unknown", PLAIN, sum.columns_unknown, unknown),
        ("stand-ins", PLAIN, sum.stand_ins, stand_ins),
    ]
}

/// By reason, each with its columns.
fn refused(sum: &LoadSum) -> String {
    let of_reason = |(reason, rows): (&RowRefusal, &u64)| {
        let columns: Vec<_> = sum.columns_refused(*reason).collect();
        let number = format!("{reason} {}", HumanCount(*rows));
        match columns.as_slice() {
            [] => number,
            columns => format!("{number} ({})", columns.join(", ")),
        }
    };
    let reasons: Vec<_> = sum.refused.iter().map(of_reason).collect();
    reasons.join(", ")
}

fn columns_refused(sum: &LoadSum) -> BTreeMap<&str, Vec<&str>> {
    let reasons = sum.refused.keys();
    let named = reasons.map(|reason| (reason.as_str(), sum.columns_refused(*reason).collect()));
    named.collect()
}

/// One file that is none, and how one is named.
fn named_as_none(sum: &LoadSum) -> String {
    let example = sum.no_packets.first().map_or("", String::as_str);
    format!("files, `{example}` is one: a packet is a file TABLE_ID_TIME.jsonl, ids to 99999999")
}

/// Names with their numbers.
fn listed<'a>(numbers: impl IntoIterator<Item = (impl ToString + 'a, &'a u64)>) -> String {
    let numbers = numbers.into_iter();
    let each =
        numbers.map(|(name, number)| format!("{} {}", name.to_string(), HumanCount(*number)));
    each.collect::<Vec<_>>().join(", ")
}
