//! What the probes have found, for a person as they go, or for a program at the end.

use std::{
    io::{IsTerminal, stdout},
    time::Duration,
};

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    finding::{Findings, Grade},
    probe::Probe,
    probes::ALL,
};
use crate::tool::{
    plain::Plain,
    table::{Cell, Column, Table},
    terminal::{DIM, Format, PLAIN, RED, print, print_json},
};

const MARK_WIDTH: usize = 6;
const NAME_WIDTH: usize = 16;
/// Details stand below what is expected.
const INDENT: usize = MARK_WIDTH + 2 + NAME_WIDTH;

/// A probe, and what it has found.
pub(super) struct Probed {
    pub(super) probe: &'static Probe,
    pub(super) findings: Findings,
    /// What the function wrote meanwhile, where that may tell something.
    pub(super) output: Vec<String>,
    pub(super) took: Duration,
}

pub(super) struct CheckReport {
    pub(super) function: String,
    format: Format,
    pub(super) probed: Vec<Probed>,
}

impl CheckReport {
    pub(super) fn begin(function: String, format: Format) -> Self {
        Self {
            function,
            format,
            probed: Vec::new(),
        }
    }

    /// Shows a person at a terminal what is going on.
    pub(super) fn announce(&self, probe: &Probe) -> Result<()> {
        match self.format {
            Format::Human if stdout().is_terminal() => print(format!("…       {}\r", probe.name)),
            Format::Human | Format::Json => Ok(()),
        }
    }

    pub(super) fn add(&mut self, probed: Probed) -> Result<()> {
        if self.format == Format::Human {
            probed.head().print()?;
            probed.details().print()?;
        }
        self.probed.push(probed);
        Ok(())
    }

    /// Whether a probe has failed.
    pub(super) fn end(self) -> Result<bool> {
        let counts =
            [Grade::Pass, Grade::Warn, Grade::Fail, Grade::Skip].map(|grade| self.count(grade));
        let [passed, warnings, failed, skipped] = counts;
        let function = &self.function;
        let noun = if warnings == 1 { "warning" } else { "warnings" };
        match self.format {
            Format::Human => {
                print(format!(
                    "{passed} passed, {warnings} {noun}, {failed} failed, {skipped} skipped: \
                     {function}\n"
                ))?;
                self.failed().print()?;
            }
            Format::Json => print_json(&json!({
                "function": function,
                "passed": passed,
                "warnings": warnings,
                "failed": failed,
                "skipped": skipped,
                "probes": self.probed.iter().map(Probed::json).collect::<Vec<_>>(),
            }))?,
        }
        Ok(failed > 0)
    }

    /// The names of the probes that have failed, for whoever sees the end alone.
    fn failed(&self) -> Table {
        let failed = self.probed.iter();
        let failed = failed.filter(|probed| probed.findings.grade() == Grade::Fail);
        let names: Vec<_> = failed.map(|probed| probed.probe.name).collect();
        let mut table = Table::new([Column::left(""), Column::prose("")]);
        if !names.is_empty() {
            table.row([Cell::styled(RED, "failed:"), names.join(", ").into()]);
        }
        table
    }

    pub(super) fn count(&self, grade: Grade) -> usize {
        let grades = self.probed.iter().map(|probed| probed.findings.grade());
        grades.filter(|other| *other == grade).count()
    }
}

impl Probed {
    pub(super) fn skipped(probe: &'static Probe, why: String) -> Self {
        Self {
            probe,
            findings: Findings::skipped(why),
            output: Vec::new(),
            took: Duration::ZERO,
        }
    }

    fn head(&self) -> Table {
        let grade = self.findings.grade();
        let mut table = Table::new([
            Column::left("").at_least(MARK_WIDTH),
            Column::left("").at_least(NAME_WIDTH),
            Column::prose(""),
        ]);
        let text = match grade {
            Grade::Skip => Cell::styled(DIM, self.findings.said()),
            Grade::Pass | Grade::Warn | Grade::Fail => self.probe.expects.into(),
        };
        let grade = Cell::styled(grade.style(), grade.as_str());
        table.row([grade, self.probe.name.into(), text]);
        if self.findings.grade() == Grade::Pass {
            let said = Cell::styled(DIM, self.findings.said());
            table.row(["".into(), "".into(), said]);
        }
        table
    }

    /// What was found with what Firehose does about it, and why it matters.
    fn details(&self) -> Table {
        let grade = self.findings.grade();
        let indent = Column::left("").at_least(INDENT);
        let mut table = Table::new([indent, Column::left(""), Column::prose("")]);
        if !matches!(grade, Grade::Warn | Grade::Fail) {
            return table;
        }
        let mut row = |label: &str, style, text: &str| {
            // What a function says steers no terminal.
            let lines = text.lines().map(|line| Plain(line).to_string());
            let text = lines.collect::<Vec<_>>().join("\n");
            table.row(["".into(), label.into(), Cell::styled(style, text)]);
        };
        for (firehose, said) in self.findings.by_consequence(self.probe.firehose) {
            row("found", grade.style(), &said);
            row("Firehose", PLAIN, firehose);
        }
        row("why", PLAIN, self.probe.why);
        if !self.output.is_empty() {
            row("output", DIM, &self.output.join("\n"));
        }
        table
    }

    /// Names are for ever.
    fn json(&self) -> Value {
        let grade = self.findings.grade();
        let groups = match grade {
            Grade::Warn | Grade::Fail => self.findings.by_consequence(self.probe.firehose),
            Grade::Pass | Grade::Skip => Vec::new(),
        };
        let findings = groups.iter();
        let findings =
            findings.map(|(firehose, said)| json!({ "found": said, "firehose": firehose }));
        json!({
            "name": self.probe.name,
            "verdict": grade,
            "found": self.findings.said(),
            "findings": findings.collect::<Vec<_>>(),
            "output": self.output,
            "expects": self.probe.expects,
            "why": self.probe.why,
            "firehose": self.probe.firehose,
        })
    }
}

/// The probes there are.
pub(super) fn list(format: Format) -> Result<()> {
    match format {
        Format::Json => print_json(&ALL.map(|probe| {
            json!({
                "name": probe.name,
                "expects": probe.expects,
                "why": probe.why,
                "firehose": probe.firehose,
            })
        })),
        Format::Human => table_of_all().print(),
    }
}

fn table_of_all() -> Table {
    let mut table = Table::new([Column::left(""), Column::prose("")]);
    for probe in ALL {
        table.heading(probe.name);
        for (label, said) in [
            ("  expects", probe.expects),
            ("  why", probe.why),
            ("  Firehose", probe.firehose),
        ] {
            table.row([Cell::styled(DIM, label), said.into()]);
        }
    }
    table
}
