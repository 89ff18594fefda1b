//! `nozzle process counters`: counters one by one, of a folder or of a table in DynamoDB.

use std::{process::ExitCode, rc::Rc};

use anyhow::Result;
use clap::{Args, ValueEnum};
use indicatif::HumanCount;
use serde_json::Value;
use tokio::runtime::Builder;

use super::counted::{Counted, Counter};
use crate::{
    functions::event_processor::{key::Subject, window::Span},
    tool::{
        counter_table::{CounterPlace, subject_cells, subject_columns, subject_members},
        table::{Column, Table},
        terminal::{Format, print_lines, tell},
        times::read_time,
    },
};

/// Show counters one by one
#[derive(Debug, Args)]
pub(super) struct Counters {
    #[command(flatten)]
    place: CounterPlace,

    /// Only of this experiment
    #[arg(long, value_name = "ID")]
    experiment: Option<String>,

    /// Only of this variant
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,

    /// Only windows that end later: 2026-11-20 or 2026-11-20T23:00:00Z
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    since: Option<i64>,

    /// Only windows that begin before then
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    until: Option<i64>,

    /// How long the windows are [default: day, or hour where no days are counted]
    #[arg(long, value_name = "HOW")]
    window: Option<WindowSpan>,

    /// One JSON object a counter, in place of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WindowSpan {
    Hour,
    Day,
}

impl From<WindowSpan> for Span {
    fn from(span: WindowSpan) -> Self {
        match span {
            WindowSpan::Hour => Self::Hour,
            WindowSpan::Day => Self::Day,
        }
    }
}

impl Counters {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
        let counted = Counted::read(self.place.look(&runtime)?.items())?;
        let span = self.window.map_or_else(|| counted.span(), Span::from);
        let asked = counted
            .0
            .iter()
            .filter(|(subject, _)| self.asks_for(subject, span));
        match Format::of_flag(self.json) {
            Format::Json => {
                print_lines(asked.map(|(subject, counter)| Ok(line(subject, counter))))?;
            }
            Format::Human => {
                let table = table(asked);
                if table.is_empty() {
                    tell("no counter is as asked for");
                }
                table.print()?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn asks_for(&self, subject: &Subject, span: Span) -> bool {
        let is =
            |asked: &Option<String>, text: &str| asked.as_deref().is_none_or(|asked| asked == text);
        let window = subject.window;
        window.span() == span
            && is(&self.experiment, &subject.experiment)
            && is(&self.variant, &subject.variant)
            && self
                .since
                .is_none_or(|since| milliseconds(window.end_seconds()) > since)
            && self
                .until
                .is_none_or(|until| milliseconds(window.begin_seconds()) < until)
    }
}

fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000)
}

/// Names are for ever.
fn line(subject: &Subject, counter: &Counter) -> String {
    let mut members = subject_members(subject);
    members.insert("events".to_owned(), counter.events.into());
    members.insert("users".to_owned(), counter.users.number().into());
    Value::from(members).to_string()
}

fn table<'a>(counters: impl Iterator<Item = (&'a Subject, &'a Counter)>) -> Table {
    let numbers = [Column::right("events"), Column::right("users")];
    let mut table = Table::new([&subject_columns()[..], &numbers].concat());
    for (subject, counter) in counters {
        let numbers = [counter.events, counter.users.number()];
        let numbers = numbers.map(|number| HumanCount(number).to_string().into());
        table.row([&subject_cells(subject)[..], &numbers].concat());
    }
    table
}
