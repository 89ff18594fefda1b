//! What a terminal shows: colours, where somebody sees them and wants them, and lines of its width.

use std::{
    fmt::{self, Display},
    io::{self, IsTerminal},
    os::fd::AsFd,
};

use anyhow::Result;
use rustix::termios::tcgetwinsize;

use crate::config::environment;

/// Where it is not known, as in a pipe, and the most that is read with ease.
const WIDTH_MAX: usize = 100;
const WIDTH_MIN: usize = 40;

/// How text may be set off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    is_coloured: bool,
    is_terminal: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Colour {
    Plain,
    Bold,
    Green,
    Yellow,
    Red,
    Dim,
}

impl Palette {
    pub(super) fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = stream.is_terminal();
        Self {
            is_coloured: is_terminal && !unwanted,
            is_terminal,
        }
    }

    /// Whether a line can be written over.
    pub(super) fn is_live(self) -> bool {
        self.is_terminal
    }

    pub(super) fn paint<T: Display>(self, colour: Colour, text: T) -> Painted<T> {
        Painted {
            colour: self.is_coloured.then_some(colour),
            text,
        }
    }
}

pub(super) struct Painted<T> {
    colour: Option<Colour>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.colour {
            None | Some(Colour::Plain) => return self.text.fmt(f),
            Some(Colour::Bold) => 1,
            Some(Colour::Dim) => 2,
            Some(Colour::Red) => 31,
            Some(Colour::Green) => 32,
            Some(Colour::Yellow) => 33,
        };
        write!(f, "\x1b[{code}m")?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
    }
}

/// How many columns a line may have.
pub(super) fn width(stream: &impl AsFd) -> usize {
    let size = tcgetwinsize(stream);
    size.map_or(WIDTH_MAX, |size| {
        usize::from(size.ws_col).clamp(WIDTH_MIN, WIDTH_MAX)
    })
}

/// The lines that a text has in so many columns: its own, broken between words.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let length = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && length > columns {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// A reader who has gone away has seen enough.
pub(super) fn heard(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one\ntwo", 7), ["one", "two"]);
        assert_eq!(wrap("much-too-long a", 7), ["much-too-long", "a"]);
        assert_eq!(wrap("", 7), [""; 0]);
    }
}
