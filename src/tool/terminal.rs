//! What a person or a program is shown. Colours are for those who see them and want them: anstream
//! asks the terminal, `NO_COLOR` and the like.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal, Write},
    os::fd::AsFd,
    sync::OnceLock,
};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use rustix::termios::tcgetwinsize;
use serde::Serialize;
use serde_json::json;

use super::line_breaks::wrap;
use crate::config::environment;

/// For whom a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Human,
    /// One JSON object
    Json,
}

impl Format {
    /// As `--json` asks for it.
    pub(super) fn of_flag(is_json: bool) -> Self {
        if is_json { Self::Json } else { Self::Human }
    }
}

/// For whom a summary is.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct FormatOptions {
    /// One JSON object, in place of what a person reads
    #[arg(long)]
    json: bool,

    /// The older way to say it
    #[arg(long, value_name = "HOW", hide = true, conflicts_with = "json")]
    summary: Option<Format>,
}

impl FormatOptions {
    pub(super) fn format(self) -> Format {
        self.summary.unwrap_or(Format::of_flag(self.json))
    }
}

/// How things are said beside what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// To a person.
    Plain,
    /// To a program, each as one JSON object.
    Json,
    Quiet,
}

/// It is the same for all of the process, as colours are.
static MANNER: OnceLock<Manner> = OnceLock::new();

/// From now on.
pub(super) fn speak(manner: Manner) {
    MANNER.get_or_init(|| manner);
}

fn manner() -> Manner {
    MANNER.get().copied().unwrap_or(Manner::Plain)
}

/// Whether a person wants to see a summary.
pub(super) fn is_quiet() -> bool {
    manner() == Manner::Quiet
}

/// How it is shown how far a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgressForm {
    Bar,
    Lines,
    Nothing,
}

impl ProgressForm {
    /// On standard error. A bar is drawn by moving the cursor, which not every terminal can.
    pub(super) fn of_terminal() -> Self {
        let can_move = || environment("TERM").is_none_or(|term| term != "dumb");
        match manner() {
            Manner::Plain | Manner::Json if io::stderr().is_terminal() && can_move() => Self::Bar,
            Manner::Plain => Self::Lines,
            Manner::Quiet | Manner::Json => Self::Nothing,
        }
    }
}

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();

/// Below it nothing is readable.
const WIDTH_MIN: usize = 24;

const UNWRITABLE: &str = "standard output cannot be written";

/// Writes to standard output. A reader who has gone away has seen enough.
pub(super) fn print(text: impl Display) -> Result<()> {
    let mut out = anstream::stdout();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context(UNWRITABLE),
    }
}

/// One object in one line.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    print(serde_json::to_string(value)? + "\n")
}

/// Writes each to standard output, as a line; says how many there were.
pub(super) fn print_lines(lines: impl Iterator<Item = Result<String>>) -> Result<usize> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut count = 0;
    for line in lines {
        count += 1;
        match writeln!(out, "{}", line?) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(count),
            written => written.context(UNWRITABLE)?,
        }
    }
    match out.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(count),
        flushed => flushed.map(|()| count).context(UNWRITABLE),
    }
}

/// Says something beside what was asked for.
pub(super) fn tell(sentence: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = match manner() {
        Manner::Plain => tell_person(sentence),
        Manner::Json => writeln!(io::stderr(), "{}", json!({ "remark": sentence })),
        Manner::Quiet => Ok(()),
    };
}

/// A sentence on standard error; a terminal would break it within its words.
pub(super) fn tell_person(sentence: &str) -> io::Result<()> {
    let said = format!("nozzle: {sentence}");
    match columns_of(io::stderr()) {
        Some(width) if !said.contains('\n') => {
            writeln!(io::stderr(), "{}", wrap(&said, width).join("\n"))
        }
        _ => writeln!(io::stderr(), "{said}"),
    }
}

/// How many columns standard output has, if it is a terminal.
pub(super) fn width() -> Option<usize> {
    columns_of(io::stdout())
}

fn columns_of(stream: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col).max(WIDTH_MIN))
}
