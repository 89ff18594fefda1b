//! What a person or a program is shown. Colours are for those who see them and want them: anstream
//! asks the terminal, `NO_COLOR` and the like.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
};

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::ValueEnum;
use rustix::termios::tcgetwinsize;
use serde::Serialize;

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

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();

/// Below it nothing is readable.
const WIDTH_MIN: usize = 24;

/// Writes to standard output. A reader who has gone away has seen enough.
pub(super) fn print(text: impl Display) -> Result<()> {
    let mut out = anstream::stdout();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
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
            written => written?,
        }
    }
    match out.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(count),
        flushed => Ok(flushed.map(|()| count)?),
    }
}

/// Says something beside what was asked for.
pub(super) fn tell(sentence: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr(), "nozzle: {sentence}");
}

/// How many columns standard output has, if it is a terminal.
pub(super) fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col).max(WIDTH_MIN))
}
