//! A redrive's table and summary, for a person or for a program.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use anyhow::Result;
use chrono::{DateTime, SecondsFormat};
use indicatif::{DecimalBytes, HumanCount};
use serde::Serialize;

use super::{
    decision::Why,
    history::{Run, State},
    tally::{Outcome, Row, Tally},
};
use crate::tool::{
    plain::Plain,
    terminal::{Colour, Palette},
};

pub(super) struct Report<'a> {
    pub(super) tally: &'a Tally,
    pub(super) runs: &'a [Run],
    pub(super) mode: Mode,
    pub(super) is_complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    DryRun,
    Executed,
}

/// How many earlier redrives are shown.
const RUNS_SHOWN: usize = 5;

impl Report<'_> {
    pub(super) fn print_human(&self) -> Result<()> {
        let stdout = io::stdout();
        let palette = Palette::of(&stdout);
        heard(self.write_human(&mut stdout.lock(), palette))
    }

    pub(super) fn print_json(&self) -> Result<()> {
        let json = serde_json::to_string(&Json::of(self))?;
        heard(writeln!(io::stdout(), "{json}"))
    }

    fn write_human(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        let codes = self
            .tally
            .codes
            .iter()
            .map(|(code, row)| (code.as_str(), row));
        write_table(out, palette, "error code", codes)?;
        let reasons = self
            .tally
            .reasons
            .iter()
            .map(|(reason, row)| (*reason, row));
        write_table(out, palette, "would be", reasons)?;
        self.write_outcomes(out, palette)?;
        self.write_lines(out, palette)?;
        self.write_runs(out, palette)?;
        if self.mode == Mode::DryRun {
            writeln!(
                out,
                "\nNothing was changed: this was a dry run. --execute sends."
            )?;
        }
        Ok(())
    }

    fn write_outcomes(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        for (outcome, row) in &self.tally.outcomes {
            let (label, colour, mut remark) = self.words(*outcome);
            if outcome.is_left() {
                remark.push_str("; first at ");
                remark.push_str(&row.example);
            }
            let count = format!("{:>13}", HumanCount(row.records).to_string());
            let count = palette.paint(colour, count);
            let bytes = DecimalBytes(row.bytes).to_string();
            let remark = palette.paint(Colour::Dim, remark);
            writeln!(out, "{label:<16}{count}  {bytes:>11}  {remark}")?;
        }
        if self.tally.released > 0 {
            let count = HumanCount(self.tally.released).to_string();
            let remark = "of their own, given back first";
            writeln!(out, "{:<16}{count:>13}  {:>11}  {remark}", "claims", ' ')?;
        }
        Ok(())
    }

    fn words(&self, outcome: Outcome) -> (&'static str, Colour, String) {
        let is_dry = self.mode == Mode::DryRun;
        let (label, colour, remark) = match outcome {
            Outcome::Sent if is_dry => ("would be sent", Colour::Green, ""),
            Outcome::Sent => ("sent", Colour::Green, ""),
            Outcome::SentBefore => (
                "sent before",
                Colour::Green,
                "by this redrive, before it was interrupted",
            ),
            Outcome::Copy => (
                "copies",
                Colour::Plain,
                "the same record once more; one is enough",
            ),
            Outcome::HeldBack => (
                "held back",
                Colour::Plain,
                "another record has their event's claim: it was delivered",
            ),
            Outcome::Unknown(why) => return ("unknown", Colour::Yellow, unknown(why)),
            Outcome::Refused => (
                "left out",
                Colour::Yellow,
                "would be refused again: --export DIR for repair, --all sends them",
            ),
            Outcome::TooLarge => (
                "too large",
                Colour::Yellow,
                "no stream takes more than 1,000 KiB",
            ),
            Outcome::TooOften => (
                "too often",
                Colour::Yellow,
                "sent three times already: find out why, or --again",
            ),
            Outcome::Failed => (
                "failed",
                Colour::Red,
                self.tally
                    .failure
                    .as_deref()
                    .unwrap_or("not taken; give the same command again"),
            ),
            Outcome::BeyondLimit => (
                "beyond --limit",
                Colour::Plain,
                "the same command goes on with them",
            ),
            Outcome::Excluded => ("not asked for", Colour::Plain, ""),
        };
        (label, colour, remark.to_owned())
    }

    fn write_lines(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        for (why, lines) in &self.tally.not_error_objects {
            let count = HumanCount(lines.lines);
            writeln!(out, "\n{count} lines are no error objects: {why}")?;
            for position in &lines.positions {
                writeln!(out, "  {position}")?;
            }
            let more = lines.lines - lines.positions.len() as u64;
            if more > 0 {
                writeln!(out, "  and {more} more; --export DIR names them all")?;
            }
        }
        for sentence in &self.tally.unreadable {
            writeln!(out, "{}", palette.paint(Colour::Red, sentence))?;
        }
        Ok(())
    }

    fn write_runs(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        let [once, twice, more] = self.tally.redriven;
        if once + twice + more > 0 {
            let [once, twice, more] = [once, twice, more].map(HumanCount);
            writeln!(
                out,
                "\nredriven before  {once} once, {twice} twice, {more} three times or more"
            )?;
        }
        for run in self.runs.iter().rev().take(RUNS_SHOWN) {
            let state = match run.state {
                State::Running => "not ended",
                State::Interrupted => "interrupted",
                State::Complete => "complete",
            };
            let sent = HumanCount(run.counts.sent);
            let line = format!(
                "{}  {} sent {sent} to {} ({state})",
                time(Some(run.started_milliseconds)),
                run.by,
                run.target,
            );
            writeln!(out, "  {}", palette.paint(Colour::Dim, line))?;
        }
        Ok(())
    }
}

fn unknown(why: Why) -> String {
    format!("{}; --assume-undelivered sends them", why.as_str())
}

fn write_table<'a>(
    out: &mut impl Write,
    palette: Palette,
    title: &str,
    rows: impl Iterator<Item = (&'a str, &'a Row)> + Clone,
) -> io::Result<()> {
    let width = rows.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    let width = width.max(title.len()).min(60);
    let head = format!(
        "{title:width$}  {:>13}  {:>11}  {:<24}  {:<24}  first stands at",
        "records", "bytes", "first arrived", "last arrived",
    );
    writeln!(out, "{}", palette.paint(Colour::Bold, head))?;
    for (name, row) in rows {
        let records = HumanCount(row.records).to_string();
        let bytes = DecimalBytes(row.bytes).to_string();
        let name = Plain(name).to_string();
        let (first, last) = (time(row.first), time(row.last));
        let example = palette.paint(Colour::Dim, &row.example);
        writeln!(
            out,
            "{name:width$}  {records:>13}  {bytes:>11}  {first:<24}  {last:<24}  {example}"
        )?;
    }
    writeln!(out)
}

fn time(milliseconds: Option<i64>) -> String {
    milliseconds
        .and_then(DateTime::from_timestamp_millis)
        .map_or_else(
            || "not known".to_owned(),
            |time| time.to_rfc3339_opts(SecondsFormat::Millis, true),
        )
}

/// A reader who has gone away has seen enough.
fn heard(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// The summary as one object. Names are for ever.
#[derive(Serialize)]
struct Json<'a> {
    dry_run: bool,
    complete: bool,
    left: bool,
    objects: u64,
    records: u64,
    /// In a dry run: what would be.
    sent: u64,
    sent_before: u64,
    held_back: u64,
    unknown: u64,
    refused: u64,
    too_large: u64,
    too_often: u64,
    copies: u64,
    failed: u64,
    beyond_limit: u64,
    excluded: u64,
    released: u64,
    redriven_before: u64,
    not_error_objects: u64,
    not_error_object_lines: BTreeMap<&'a str, &'a [String]>,
    unreadable: &'a [String],
    failure: Option<&'a str>,
    unknown_because: BTreeMap<&'static str, JsonRow<'a>>,
    codes: BTreeMap<&'a str, JsonRow<'a>>,
    reasons: BTreeMap<&'a str, JsonRow<'a>>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    records: u64,
    bytes: u64,
    first: Option<i64>,
    last: Option<i64>,
    example: &'a str,
}

impl<'a> From<&'a Row> for JsonRow<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            records: row.records,
            bytes: row.bytes,
            first: row.first,
            last: row.last,
            example: &row.example,
        }
    }
}

impl<'a> Json<'a> {
    fn of(report: &'a Report<'_>) -> Self {
        let tally = report.tally;
        let count = |wanted: Outcome| tally.of(|outcome| outcome == wanted);
        let unknown = tally
            .outcomes
            .iter()
            .filter_map(|(outcome, row)| match outcome {
                Outcome::Unknown(why) => Some((why.as_str(), row.into())),
                _ => None,
            });
        let lines = tally.not_error_objects.iter();
        Self {
            dry_run: report.mode == Mode::DryRun,
            complete: report.is_complete,
            left: tally.is_left(),
            objects: tally.objects,
            records: tally.records,
            sent: count(Outcome::Sent),
            sent_before: count(Outcome::SentBefore),
            held_back: count(Outcome::HeldBack),
            unknown: tally.counts().unknown,
            refused: count(Outcome::Refused),
            too_large: count(Outcome::TooLarge),
            too_often: count(Outcome::TooOften),
            copies: count(Outcome::Copy),
            failed: count(Outcome::Failed),
            beyond_limit: count(Outcome::BeyondLimit),
            excluded: count(Outcome::Excluded),
            released: tally.released,
            redriven_before: tally.redriven.iter().sum(),
            not_error_objects: lines.clone().map(|(_, lines)| lines.lines).sum(),
            not_error_object_lines: lines
                .map(|(why, lines)| (why.as_str(), lines.positions.as_slice()))
                .collect(),
            unreadable: &tally.unreadable,
            failure: tally.failure.as_deref(),
            unknown_because: unknown.collect(),
            codes: tally
                .codes
                .iter()
                .map(|(code, row)| (code.as_str(), row.into()))
                .collect(),
            reasons: tally
                .reasons
                .iter()
                .map(|(reason, row)| (*reason, row.into()))
                .collect(),
        }
    }
}
