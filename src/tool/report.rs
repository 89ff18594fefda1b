//! A run's summary, for a person or for a program.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use indicatif::{DecimalBytes, HumanCount};
use serde::Serialize;

use super::terminal::{Colour, Palette, heard};
use crate::local::firehose::summary::{PARTITIONS_MAX, Summary};

/// A summary and where to look.
pub(super) struct Report<'a> {
    pub(super) summary: &'a Summary,
    pub(super) is_complete: bool,
    pub(super) lake: PathBuf,
    pub(super) errors: PathBuf,
}

/// A number for a person.
struct Row {
    label: &'static str,
    count: u64,
    colour: Colour,
    remark: String,
}

impl Report<'_> {
    pub(super) fn print_human(&self) -> Result<()> {
        let stdout = io::stdout();
        let palette = Palette::of(&stdout);
        heard(self.write_human(&mut stdout.lock(), palette))
    }

    /// Where the page is, below what [`Self::print_human`] has said.
    pub(super) fn print_page(path: &Path) -> Result<()> {
        heard(writeln!(io::stdout(), "report       {}", path.display()))
    }

    pub(super) fn print_json(&self) -> Result<()> {
        let json = serde_json::to_string(&Json::of(self))?;
        heard(writeln!(io::stdout(), "{json}"))
    }

    fn write_human(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        for row in self.rows() {
            row.write(out, palette)?;
            if row.label == "refused" {
                self.write_reasons(out, palette)?;
            }
        }
        let Summary {
            bytes_in,
            bytes_out,
            ..
        } = *self.summary;
        let (read, written) = (DecimalBytes(bytes_in), DecimalBytes(bytes_out));
        writeln!(out, "bytes        {read} in, {written} out")?;
        writeln!(out, "lake         {}", self.lake.display())?;
        if self.summary.error_objects > 0 {
            writeln!(out, "errors       {}", self.errors.display())?;
        }
        Ok(())
    }

    fn write_reasons(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        for (reason, refused) in &self.summary.refused {
            let count = HumanCount(refused.records).to_string();
            let example = format!("first at {}", refused.example);
            let example = palette.paint(Colour::Dim, example);
            writeln!(out, "  {reason:<29}{count:>13}  {example}")?;
        }
        Ok(())
    }

    /// Always the same first rows; what seldom happens, only when it has.
    fn rows(&self) -> Vec<Row> {
        let summary = self.summary;
        let mut rows = vec![
            Row::new("records", summary.records, Colour::Bold, self.pace()),
            Row::new("delivered", summary.delivered, Colour::Green, String::new()),
            Row::new(
                "duplicates",
                summary.duplicates,
                Colour::Plain,
                differing(summary),
            ),
            Row::new(
                "refused",
                self.summary.refused_records(),
                Colour::Yellow,
                String::new(),
            ),
        ];
        let seldom = [
            ("overflow", summary.overflow, "did not fit into an answer"),
            (
                "differing",
                summary.failed_differing,
                "duplicates with other bytes, failed as asked",
            ),
            (
                "misplaced",
                summary.failed_partitioning,
                "partition keys that fit no prefix",
            ),
            (
                "unanswered",
                summary.failed_answer,
                "left out of an answer, twice in it, or without data",
            ),
        ];
        let seldom = seldom
            .map(|(label, count, remark)| Row::new(label, count, Colour::Red, remark.to_owned()));
        rows.extend(seldom.into_iter().filter(|row| row.count > 0));
        if let Some(error) = &summary.function_error {
            let remark = format!("the function failed: {error}");
            rows.push(Row::new(
                "failed",
                summary.failed_function,
                Colour::Red,
                remark,
            ));
        }
        let partitions = summary.partitions.len();
        let more = if partitions < PARTITIONS_MAX {
            ""
        } else {
            "or more"
        };
        rows.push(Row::new(
            "partitions",
            partitions as u64,
            Colour::Plain,
            more.to_owned(),
        ));
        rows.push(Row::new(
            "files",
            summary.files,
            Colour::Plain,
            String::new(),
        ));
        rows
    }

    fn pace(&self) -> String {
        let rate = HumanCount(self.records_per_second());
        let seconds = self.summary.seconds;
        let resumed = HumanCount(self.summary.resumed_records);
        match self.summary.resumed_records {
            0 => format!("in {seconds:.1} s, {rate} a second"),
            _ => format!("in {seconds:.1} s, {rate} a second; {resumed} before the interruption"),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rate is rounded anyway"
    )]
    fn records_per_second(&self) -> u64 {
        (self.summary.records as f64 / self.summary.seconds.max(0.001)) as u64
    }
}

impl Row {
    fn new(label: &'static str, count: u64, colour: Colour, remark: String) -> Self {
        Self {
            label,
            count,
            colour: if count > 0 { colour } else { Colour::Plain },
            remark,
        }
    }

    fn write(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        let count = format!("{:>15}", HumanCount(self.count).to_string());
        let count = palette.paint(self.colour, count);
        write!(out, "{:<12}{count}", self.label)?;
        if !self.remark.is_empty() {
            write!(out, "  {}", palette.paint(Colour::Dim, &self.remark))?;
        }
        writeln!(out)
    }
}

fn differing(summary: &Summary) -> String {
    match summary.duplicates_differing {
        0 => String::new(),
        differing => format!("{} with other bytes", HumanCount(differing)),
    }
}

/// The summary as one object. Names are for ever.
#[derive(Serialize)]
struct Json<'a> {
    records: u64,
    delivered: u64,
    duplicates: u64,
    duplicates_differing: u64,
    refused: BTreeMap<&'a str, u64>,
    refused_examples: BTreeMap<&'a str, &'a str>,
    overflow: u64,
    failed_differing: u64,
    failed_partitioning: u64,
    failed_answer: u64,
    failed_function: u64,
    function_error: Option<&'a str>,
    error_objects: u64,
    partitions: usize,
    files: u64,
    error_files: u64,
    bytes_in: u64,
    bytes_out: u64,
    seconds: f64,
    records_per_second: u64,
    resumed_records: u64,
    complete: bool,
    lake: String,
    errors: String,
}

impl<'a> Json<'a> {
    fn of(report: &'a Report<'_>) -> Self {
        let summary = report.summary;
        let refused = summary.refused.iter();
        Self {
            records: summary.records,
            delivered: summary.delivered,
            duplicates: summary.duplicates,
            duplicates_differing: summary.duplicates_differing,
            refused: refused
                .clone()
                .map(|(reason, refused)| (reason.as_str(), refused.records))
                .collect(),
            refused_examples: refused
                .map(|(reason, refused)| (reason.as_str(), refused.example.as_str()))
                .collect(),
            overflow: summary.overflow,
            failed_differing: summary.failed_differing,
            failed_partitioning: summary.failed_partitioning,
            failed_answer: summary.failed_answer,
            failed_function: summary.failed_function,
            function_error: summary.function_error.as_deref(),
            error_objects: summary.error_objects,
            partitions: summary.partitions.len(),
            files: summary.files,
            error_files: summary.error_files,
            bytes_in: summary.bytes_in,
            bytes_out: summary.bytes_out,
            seconds: summary.seconds,
            records_per_second: report.records_per_second(),
            resumed_records: summary.resumed_records,
            complete: report.is_complete,
            lake: report.lake.display().to_string(),
            errors: report.errors.display().to_string(),
        }
    }
}
