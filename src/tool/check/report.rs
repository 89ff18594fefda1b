//! What the probes have found, for a person as they go, or for a program at the end.

use std::io::{IsTerminal, stdout};

use anstyle::Style;
use anyhow::Result;
use serde::Serialize;

use super::probe::{Probe, Verdict, Words};
use crate::tool::{
    table::{Cell, Column, Table},
    terminal::{DIM, GREEN, PLAIN, RED, YELLOW, print, print_json},
};

const NAME_WIDTH: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Human,
    Json,
}

/// A probe, and what it has found.
pub(super) struct Probed {
    pub(super) probe: Probe,
    pub(super) verdict: Verdict,
}

pub(super) struct Report {
    function: String,
    format: Format,
    probed: Vec<Probed>,
}

impl Report {
    pub(super) fn begin(function: String, format: Format) -> Self {
        Self {
            function,
            format,
            probed: Vec::new(),
        }
    }

    /// Shows a person at a terminal what is going on.
    pub(super) fn announce(&self, probe: Probe) -> Result<()> {
        match self.format {
            Format::Human if stdout().is_terminal() => print(format!("…     {}\r", probe.name())),
            Format::Human | Format::Json => Ok(()),
        }
    }

    pub(super) fn add(&mut self, probed: Probed) -> Result<()> {
        if self.format == Format::Human {
            probed.table().print()?;
        }
        self.probed.push(probed);
        Ok(())
    }

    /// Whether a probe has failed.
    pub(super) fn end(self) -> Result<bool> {
        match self.format {
            Format::Human => print(self.counts())?,
            Format::Json => print_json(&Json::of(&self))?,
        }
        Ok(self.count(Mark::Fail) > 0)
    }

    fn counts(&self) -> String {
        let [passed, warnings, failed, skipped] =
            [Mark::Pass, Mark::Warn, Mark::Fail, Mark::Skip].map(|mark| self.count(mark));
        let function = &self.function;
        format!(
            "{passed} passed, {warnings} warnings, {failed} failed, {skipped} skipped: {function}\n"
        )
    }

    fn count(&self, mark: Mark) -> usize {
        let marks = self.probed.iter().map(|probed| Mark::of(&probed.verdict));
        marks.filter(|other| *other == mark).count()
    }
}

impl Probed {
    fn table(&self) -> Table {
        let Words {
            expects,
            why,
            otherwise,
        } = self.probe.words();
        let mark = Mark::of(&self.verdict);
        let mut table = Table::new([
            Column::left(""),
            Column::left("").at_least(NAME_WIDTH),
            Column::prose(""),
        ]);
        let said = match &self.verdict {
            Verdict::Skipped(reason) => vec![(DIM, reason.clone())],
            Verdict::Passed(said) => vec![(PLAIN, expects.to_owned()), (DIM, said.clone())],
            Verdict::Warning(said) | Verdict::Failed(said) => vec![
                (PLAIN, expects.to_owned()),
                (mark.style(), format!("found: {said}")),
                (PLAIN, format!("why: {why}")),
                (PLAIN, format!("Firehose: {otherwise}")),
            ],
        };
        let mut head = [
            Cell::styled(mark.style(), mark.as_str()),
            self.probe.name().into(),
        ];
        for (style, text) in said {
            let [mark, name] = std::mem::replace(&mut head, ["".into(), "".into()]);
            table.row([mark, name, Cell::styled(style, text)]);
        }
        table
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Pass,
    Warn,
    Fail,
    Skip,
}

impl Mark {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Passed(_) => Self::Pass,
            Verdict::Warning(_) => Self::Warn,
            Verdict::Failed(_) => Self::Fail,
            Verdict::Skipped(_) => Self::Skip,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skip => "skip",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Pass => GREEN,
            Self::Warn => YELLOW,
            Self::Fail => RED,
            Self::Skip => DIM,
        }
    }
}

/// The report as one object. Names are for ever.
#[derive(Serialize)]
struct Json<'a> {
    function: &'a str,
    passed: usize,
    warnings: usize,
    failed: usize,
    skipped: usize,
    probes: Vec<JsonProbe<'a>>,
}

#[derive(Serialize)]
struct JsonProbe<'a> {
    name: String,
    verdict: Option<Mark>,
    found: &'a str,
    expects: &'a str,
    why: &'a str,
    firehose: &'a str,
}

impl<'a> Json<'a> {
    fn of(report: &'a Report) -> Self {
        let probes = report.probed.iter();
        Self {
            function: &report.function,
            passed: report.count(Mark::Pass),
            warnings: report.count(Mark::Warn),
            failed: report.count(Mark::Fail),
            skipped: report.count(Mark::Skip),
            probes: probes
                .map(|probed| JsonProbe::of(probed.probe, Some(&probed.verdict)))
                .collect(),
        }
    }
}

impl<'a> JsonProbe<'a> {
    fn of(probe: Probe, verdict: Option<&'a Verdict>) -> Self {
        let words = probe.words();
        Self {
            name: probe.name(),
            verdict: verdict.map(Mark::of),
            found: verdict.map_or("", Verdict::said),
            expects: words.expects,
            why: words.why,
            firehose: words.otherwise,
        }
    }
}

/// The probes there are.
pub(super) fn list(format: Format) -> Result<()> {
    if format == Format::Json {
        let probes = Probe::all().iter();
        let probes: Vec<_> = probes.map(|probe| JsonProbe::of(*probe, None)).collect();
        return print_json(&probes);
    }
    let mut table = Table::new([Column::left(""), Column::prose("")]);
    for probe in Probe::all() {
        let words = probe.words();
        table.heading(probe.name());
        for (label, said) in [
            ("  expects", words.expects),
            ("  why", words.why),
            ("  Firehose", words.otherwise),
        ] {
            table.row([Cell::styled(DIM, label), said.into()]);
        }
    }
    table.print()
}
