//! `nozzle completions` and `nozzle man`: what the command line says of itself, for a shell and for
//! `man`.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::{Man, generate_to};

use super::terminal::print;

/// Write completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle completions bash > ~/.local/share/bash-completion/completions/nozzle
  nozzle completions zsh > \"${fpath[1]}/_nozzle\"
  nozzle completions fish > ~/.config/fish/completions/nozzle.fish")]
pub(super) struct Completions {
    shell: Shell,
}

/// Write the manual
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle man | man -l -
  nozzle man redrive | man -l -
  nozzle man --into ~/.local/share/man/man1    then: man nozzle-redrive")]
pub(super) struct Manual {
    /// Which command's page; without one, that of nozzle
    command: Vec<String>,

    /// Write every page into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    into: Option<PathBuf>,
}

impl Completions {
    /// `nozzle` is the whole command.
    pub(super) fn run(&self, mut nozzle: Command) -> Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut nozzle, "nozzle", &mut script);
        print(String::from_utf8(script)?)
    }
}

impl Manual {
    /// `nozzle` is the whole command.
    pub(super) fn run(&self, mut nozzle: Command) -> Result<()> {
        if let Some(folder) = &self.into {
            let written = fs::create_dir_all(folder).and_then(|()| generate_to(nozzle, folder));
            return written.with_context(|| format!("`{}` cannot be written", folder.display()));
        }
        // Each page has the options that hold for all, and its whole name.
        nozzle.build();
        let page = self.command.iter().try_fold(nozzle, |command, name| {
            let below = command.find_subcommand(name).cloned();
            below.with_context(|| format!("{} has no command `{name}`", command.get_name()))
        })?;
        let mut roff = Vec::new();
        Man::new(page).render(&mut roff)?;
        print(String::from_utf8(roff)?)
    }
}
