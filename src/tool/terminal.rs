//! Colours, where somebody sees them and wants them.

use std::{
    fmt::{self, Display},
    io::IsTerminal,
};

use crate::config::environment;

/// How text may be set off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    is_coloured: bool,
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
        Self {
            is_coloured: stream.is_terminal() && !unwanted,
        }
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
