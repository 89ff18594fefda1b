//! What the probes have found in the XML that CI systems show: a test for each probe. A warning fails none.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use maud::{Markup, PreEscaped, html};

use super::{
    finding::Grade,
    report::{CheckReport, Probed},
};
use crate::tool::plain::Plain;

/// A file that can be written, as is known before the first probe.
pub(super) struct JunitFile {
    path: PathBuf,
    file: File,
}

impl JunitFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("--junit `{}` cannot be written", path.display()))?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    pub(super) fn write(mut self, report: &CheckReport) -> Result<()> {
        let written = self.file.write_all(suites(report).into_string().as_bytes());
        written.with_context(|| format!("--junit `{}` cannot be written", self.path.display()))
    }
}

fn suites(report: &CheckReport) -> Markup {
    let function = Plain(&report.function).to_string();
    html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        testsuites {
            testsuite name={ "nozzle check: " (function) } tests=(report.probed.len()) failures=(report.count(Grade::Fail)) errors="0" skipped=(report.count(Grade::Skip)) {
                @for probed in &report.probed { (test(probed)) }
            }
        }
        "\n"
    }
}

fn test(probed: &Probed) -> Markup {
    let said = probed.findings.said();
    let said = Plain(&said).to_string();
    html! {
        "\n"
        testcase classname="nozzle.check" name=(probed.probe.name) time=(format!("{:.3}", probed.took.as_secs_f64())) {
            @match probed.findings.grade() {
                Grade::Pass => {}
                Grade::Warn => system-out { "warning: " (details(probed)) }
                Grade::Fail => failure message=(said) { (details(probed)) }
                Grade::Skip => skipped message=(said) {}
            }
        }
    }
}

/// As a person is told them.
fn details(probed: &Probed) -> String {
    let probe = probed.probe;
    let mut lines = vec![format!("expected: {}", probe.expects)];
    for (firehose, said) in probed.findings.by_consequence(probe.firehose) {
        lines.push(format!("found: {said}"));
        lines.push(format!("Firehose {firehose}"));
    }
    lines.push(format!("why: {}", probe.why));
    lines.extend(probed.output.iter().map(|line| format!("output: {line}")));
    let lines = lines.iter().flat_map(|line| line.lines());
    lines.map(|line| Plain(line).to_string() + "\n").collect()
}
