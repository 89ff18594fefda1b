//! A redrive's table and summary, for a person or for a program.

use std::collections::BTreeMap;

use anstyle::Style;
use anyhow::Result;
use chrono::{DateTime, SecondsFormat};
use indicatif::{DecimalBytes, HumanCount};
use serde_json::{Value, json};

use super::{
    history::{Run, State},
    tally::{RecordGroup, RecordOutcome, RedriveTally},
};
use crate::tool::{
    plain::Plain,
    table::{Cell, Column, Table},
    terminal::{DIM, GREEN, PLAIN, RED, YELLOW, print, print_json},
};

pub(super) struct RedriveReport<'a> {
    pub(super) tally: &'a RedriveTally,
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

impl RedriveReport<'_> {
    pub(super) fn print_human(&self) -> Result<()> {
        let tally = self.tally;
        let codes = tally.codes.iter();
        print_rows("error code", codes.map(|(code, row)| (code.as_str(), row)))?;
        let reasons = tally.reasons.iter();
        print_rows("would be", reasons.map(|(reason, row)| (*reason, row)))?;
        self.outcomes().print()?;
        self.print_lines()?;
        self.print_runs()?;
        if self.mode == Mode::DryRun {
            print("\nNothing was changed: this was a dry run. --execute sends.\n")?;
        }
        Ok(())
    }

    /// The summary as one object. Names are for ever.
    pub(super) fn print_json(&self) -> Result<()> {
        print_json(&self.json())
    }

    fn json(&self) -> Value {
        let tally = self.tally;
        let count = |wanted: RecordOutcome| tally.of(|outcome| outcome == wanted);
        let unknown = tally.outcomes.iter();
        let unknown = unknown.filter_map(|(outcome, row)| match outcome {
            RecordOutcome::Unknown(why) => Some((why.as_str(), row)),
            _ => None,
        });
        let lines = tally.not_error_objects.iter();
        let positions = lines.clone().map(|(why, lines)| (why, &lines.positions));
        json!({
            "dry_run": self.mode == Mode::DryRun,
            "complete": self.is_complete,
            "left": tally.is_left(),
            "objects": tally.objects,
            "records": tally.records,
            // In a dry run: what would be.
            "sent": count(RecordOutcome::Sent),
            "sent_before": count(RecordOutcome::SentBefore),
            "held_back": count(RecordOutcome::HeldBack),
            "unknown": tally.counts().unknown,
            "refused": count(RecordOutcome::Refused),
            "too_large": count(RecordOutcome::TooLarge),
            "too_often": count(RecordOutcome::TooOften),
            "copies": count(RecordOutcome::Copy),
            "failed": count(RecordOutcome::Failed),
            "beyond_limit": count(RecordOutcome::BeyondLimit),
            "excluded": count(RecordOutcome::Excluded),
            "released": tally.released,
            "redriven_before": tally.redriven.iter().sum::<u64>(),
            "not_error_objects": lines.map(|(_, lines)| lines.lines).sum::<u64>(),
            "not_error_object_lines": positions.collect::<BTreeMap<_, _>>(),
            "unreadable": tally.unreadable,
            "failure": tally.failure,
            "unknown_because": unknown.collect::<BTreeMap<_, _>>(),
            "codes": tally.codes,
            "reasons": tally.reasons,
        })
    }
    fn outcomes(&self) -> Table {
        let mut table = Table::new([
            Column::left("").at_least(14),
            Column::right(""),
            Column::right(""),
            Column::prose(""),
        ]);
        for (outcome, row) in &self.tally.outcomes {
            let (label, style, mut remark) = self.words(*outcome);
            if outcome.is_left() {
                remark.push_str("; first at ");
                remark.push_str(&row.example);
            }
            table.row([
                label.into(),
                Cell::styled(style, HumanCount(row.records).to_string()),
                DecimalBytes(row.bytes).to_string().into(),
                Cell::styled(DIM, remark),
            ]);
        }
        if self.tally.released > 0 {
            let count = HumanCount(self.tally.released).to_string();
            let remark = Cell::styled(DIM, "of their own, given back first");
            table.row(["claims".into(), count.into(), "".into(), remark]);
        }
        table
    }

    fn words(&self, outcome: RecordOutcome) -> (&'static str, Style, String) {
        let is_dry = self.mode == Mode::DryRun;
        let (label, style, remark) = match outcome {
            RecordOutcome::Sent if is_dry => ("would be sent", GREEN, ""),
            RecordOutcome::Sent => ("sent", GREEN, ""),
            RecordOutcome::SentBefore => (
                "sent before",
                GREEN,
                "by this redrive, before it was interrupted",
            ),
            RecordOutcome::Copy => ("copies", PLAIN, "the same record once more; one is enough"),
            RecordOutcome::HeldBack => (
                "held back",
                PLAIN,
                "another record has their event's claim: it was delivered",
            ),
            RecordOutcome::Unknown(why) => {
                let remark = format!("{}; --assume-undelivered sends them", why.as_str());
                return ("unknown", YELLOW, remark);
            }
            RecordOutcome::Refused => (
                "left out",
                YELLOW,
                "would be refused again: --export DIR for repair, --all sends them",
            ),
            RecordOutcome::TooLarge => ("too large", YELLOW, "no stream takes more than 1,000 KiB"),
            RecordOutcome::TooOften => (
                "too often",
                YELLOW,
                "sent three times already: find out why, or --again",
            ),
            RecordOutcome::Failed => {
                let why = self.tally.failure.as_deref();
                let why = why.unwrap_or("not taken; give the same command again");
                ("failed", RED, why)
            }
            RecordOutcome::BeyondLimit => (
                "beyond --limit",
                PLAIN,
                "the same command goes on with them",
            ),
            RecordOutcome::Excluded => ("not asked for", PLAIN, ""),
        };
        (label, style, remark.to_owned())
    }

    fn print_lines(&self) -> Result<()> {
        for (why, lines) in &self.tally.not_error_objects {
            let count = HumanCount(lines.lines);
            print(format!("\n{count} lines are no error objects: {why}\n"))?;
            for position in &lines.positions {
                print(format!("  {position}\n"))?;
            }
            let more = lines.lines - lines.positions.len() as u64;
            if more > 0 {
                print(format!("  and {more} more; --export DIR names them all\n"))?;
            }
        }
        let mut sentences = self.tally.unreadable.iter();
        sentences.try_for_each(|sentence| print(format!("{RED}{sentence}{RED:#}\n")))
    }

    fn print_runs(&self) -> Result<()> {
        let [once, twice, more] = self.tally.redriven;
        if once + twice + more > 0 {
            let [once, twice, more] = [once, twice, more].map(HumanCount);
            print(format!(
                "\nredriven before  {once} once, {twice} twice, {more} three times or more\n"
            ))?;
        }
        let mut table = Table::of_values(0);
        for run in self.runs.iter().rev().take(RUNS_SHOWN) {
            let state = match run.state {
                State::Running => "not ended",
                State::Interrupted => "interrupted",
                State::Complete => "complete",
            };
            let sent = HumanCount(run.counts.sent);
            let line = format!("{} sent {sent} to {} ({state})", run.by, run.target);
            let started = format!("  {}", time(Some(run.started_milliseconds)));
            table.row([Cell::styled(DIM, started), Cell::styled(DIM, line)]);
        }
        table.print()
    }
}

fn print_rows<'a>(
    title: &str,
    rows: impl Iterator<Item = (&'a str, &'a RecordGroup)>,
) -> Result<()> {
    let mut table = Table::new([
        Column::left(title),
        Column::right("records"),
        Column::right("bytes"),
        Column::left("first arrived"),
        Column::left("last arrived"),
        Column::value("first stands at"),
    ]);
    for (name, row) in rows {
        table.row([
            Plain(name).to_string().into(),
            HumanCount(row.records).to_string().into(),
            DecimalBytes(row.bytes).to_string().into(),
            time(row.first).into(),
            time(row.last).into(),
            Cell::styled(DIM, &row.example),
        ]);
    }
    table.print()?;
    print("\n")
}

fn time(milliseconds: Option<i64>) -> String {
    milliseconds
        .and_then(DateTime::from_timestamp_millis)
        .map_or_else(
            || "not known".to_owned(),
            |time| time.to_rfc3339_opts(SecondsFormat::Millis, true),
        )
}
