//! How a command ends, for a shell: what each exit code tells, and what is said when one fails.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde_json::json;

use super::{
    interrupt::INTERRUPTED,
    terminal::{Format, tell_person},
};

/// It could not be done, as it was asked for or as the world is.
pub(super) const FAILED: u8 = 2;

/// What each tells, whatever the command.
const CODES: [(u8, &str); 4] = [
    (0, "done, or what was looked for is there"),
    (
        1,
        "something is wrong, missing or left undone: see the command's help",
    ),
    (
        FAILED,
        "wrong use, a setting or input that cannot be read, a place out of reach",
    ),
    (
        INTERRUPTED,
        "interrupted; the same command goes on from there",
    ),
];

/// Why a command was not done.
pub(super) enum Failure {
    /// A wish for help comes this way too.
    Usage(clap::Error),
    Trouble(anyhow::Error),
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Trouble(error)
    }
}

impl Failure {
    /// Says it. Where nobody listens there is nobody to tell.
    pub(super) fn tell(&self, format: Format) -> ExitCode {
        match (self, format) {
            (Self::Usage(error), Format::Human) => drop(error.print()),
            (Self::Usage(help), Format::Json) if !help.use_stderr() => drop(help.print()),
            (Self::Trouble(_), Format::Human) => drop(tell_person(&self.sentence())),
            (_, Format::Json) => {
                let said = json!({ "error": self.sentence(), "exit_code": FAILED });
                let _ = writeln!(io::stderr(), "{said}");
            }
        }
        match self {
            Self::Usage(help) if !help.use_stderr() => ExitCode::SUCCESS,
            _ => FAILED.into(),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Trouble(error) => chain(error),
            Self::Usage(error) => {
                let text = error.render().to_string();
                let text = text.trim_start_matches("error: ");
                let end = ["\n\nUsage:", "\n\nFor more"].map(|mark| text.find(mark));
                let end = end.into_iter().flatten().min().unwrap_or(text.len());
                let words = text.split_at(end).0.split_whitespace();
                words.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// An error and what is behind it, each said once: some say their source themselves.
fn chain(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |said, more| {
            if said.is_empty() {
                more
            } else if said.contains(&more) {
                said
            } else {
                format!("{said}: {more}")
            }
        })
}

/// For the end of the help.
pub(super) fn codes() -> String {
    let lines = CODES.map(|(code, what)| format!("  {code:<4} {what}\n"));
    format!("Exit codes:\n{}", lines.concat())
}
