//! What the probes have found, for a person as they go, or for a program at the end.

use std::io::{self, Stdout, Write};

use anyhow::Result;
use serde::Serialize;

use super::probe::{Probe, Verdict, Words};
use crate::tool::terminal::{Colour, Palette, heard, width, wrap};

const NAME_WIDTH: usize = 16;
const INDENT: usize = NAME_WIDTH + 10;
const INDENT_LISTED: usize = 12;

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
    out: Stdout,
    palette: Palette,
}

impl Report {
    pub(super) fn begin(function: String, format: Format) -> Self {
        let out = io::stdout();
        let palette = Palette::of(&out);
        Self {
            function,
            format,
            probed: Vec::new(),
            out,
            palette,
        }
    }

    /// Shows a person at a terminal what is going on.
    pub(super) fn announce(&mut self, probe: Probe) -> Result<()> {
        if self.format == Format::Json || !self.palette.is_live() {
            return Ok(());
        }
        let name = probe.name();
        heard(write!(self.out, "…       {name}\r").and_then(|()| self.out.flush()))
    }

    pub(super) fn add(&mut self, probed: Probed) -> Result<()> {
        if self.format == Format::Human {
            heard(self.write(&probed))?;
        }
        self.probed.push(probed);
        Ok(())
    }

    /// Whether a probe has failed.
    pub(super) fn end(mut self) -> Result<bool> {
        heard(match self.format {
            Format::Human => self.write_counts(),
            Format::Json => {
                let json = serde_json::to_string(&Json::of(&self))?;
                writeln!(self.out, "{json}")
            }
        })?;
        Ok(self.count(Mark::Fail) > 0)
    }

    fn write(&mut self, probed: &Probed) -> io::Result<()> {
        let Probed { probe, verdict } = probed;
        let Words {
            expects,
            why,
            otherwise,
        } = probe.words();
        let mark = Mark::of(verdict);
        let painted = self
            .palette
            .paint(mark.colour(), format!("{:<7}", mark.as_str()));
        write!(self.out, "{painted} {:<NAME_WIDTH$}  ", probe.name())?;
        if let Verdict::Skipped(reason) = verdict {
            return self.write_wrapped(Colour::Dim, "", reason);
        }
        self.write_wrapped(Colour::Plain, "", expects)?;
        match verdict {
            Verdict::Passed(said) | Verdict::Skipped(said) => self.write_row(Colour::Dim, "", said),
            Verdict::Warning(said) | Verdict::Failed(said) => {
                self.write_row(mark.colour(), "found     ", said)?;
                self.write_row(Colour::Plain, "why       ", why)?;
                self.write_row(Colour::Plain, "Firehose  ", otherwise)
            }
        }
    }

    /// Nothing where there is no text.
    fn write_row(&mut self, colour: Colour, label: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        write!(self.out, "{:INDENT$}{label}", "")?;
        self.write_wrapped(colour, label, text)
    }

    /// Goes on where the row has come to.
    fn write_wrapped(&mut self, colour: Colour, label: &str, text: &str) -> io::Result<()> {
        let indent = INDENT + label.len();
        let lines = wrap(text, width(&self.out).saturating_sub(indent));
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                write!(self.out, "{:indent$}", "")?;
            }
            writeln!(self.out, "{}", self.palette.paint(colour, line))?;
        }
        Ok(())
    }

    fn write_counts(&mut self) -> io::Result<()> {
        let [passed, warnings, failed, skipped] =
            [Mark::Pass, Mark::Warn, Mark::Fail, Mark::Skip].map(|mark| self.count(mark));
        writeln!(
            self.out,
            "{passed} passed, {warnings} warnings, {failed} failed, {skipped} skipped: {}",
            self.function
        )
    }

    fn count(&self, mark: Mark) -> usize {
        let marks = self.probed.iter().map(|probed| Mark::of(&probed.verdict));
        marks.filter(|other| *other == mark).count()
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

    fn colour(self) -> Colour {
        match self {
            Self::Pass => Colour::Green,
            Self::Warn => Colour::Yellow,
            Self::Fail => Colour::Red,
            Self::Skip => Colour::Dim,
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
    let mut out = io::stdout();
    if format == Format::Json {
        let probes = Probe::all().iter();
        let probes: Vec<_> = probes.map(|probe| JsonProbe::of(*probe, None)).collect();
        return heard(writeln!(out, "{}", serde_json::to_string(&probes)?));
    }
    let palette = Palette::of(&out);
    let text = Probe::all()
        .iter()
        .map(|probe| describe(*probe, palette, width(&out)));
    heard(write!(out, "{}", text.collect::<String>()))
}

fn describe(probe: Probe, palette: Palette, width: usize) -> String {
    let words = probe.words();
    let row = |label: &str, said: &str| {
        let lines = wrap(said, width.saturating_sub(INDENT_LISTED));
        let said = lines.join(&format!("\n{:INDENT_LISTED$}", ""));
        format!("  {}{said}\n", palette.paint(Colour::Dim, label))
    };
    [
        format!("{}\n", palette.paint(Colour::Bold, probe.name())),
        row("expects   ", words.expects),
        row("why       ", words.why),
        row("Firehose  ", words.otherwise),
    ]
    .concat()
}
