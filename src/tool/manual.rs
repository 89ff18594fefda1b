//! `nozzle completions` and `nozzle man`: what the command line says of itself, for a shell and for
//! `man`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

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
    pub(super) fn run(&self, nozzle: Command) -> Result<()> {
        let mut nozzle = nozzle.disable_help_subcommand(true);
        // Each page has the options that hold for all.
        nozzle.build();
        let name = nozzle.get_name().to_owned();
        if let Some(folder) = &self.into {
            let written = fs::create_dir_all(folder).and_then(|()| write(nozzle, &name, folder));
            return written.with_context(|| format!("`{}` cannot be written", folder.display()));
        }
        let page = self.command.iter().try_fold(nozzle, |command, name| {
            let below = command.find_subcommand(name).cloned();
            below.with_context(|| format!("{} has no command `{name}`", command.get_name()))
        })?;
        let name = [&[name], self.command.as_slice()].concat().join("-");
        print(String::from_utf8(roff(page, &name)?)?)
    }
}

/// The command's page and those of the commands below it.
fn write(command: Command, name: &str, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        write(
            below.clone(),
            &format!("{name}-{}", below.get_name()),
            folder,
        )?;
    }
    fs::write(folder.join(format!("{name}.1")), roff(command, name)?)
}

/// A page has its whole name wherever it is named: `man` takes no other.
fn roff(command: Command, name: &str) -> io::Result<Vec<u8>> {
    let mut roff = Vec::new();
    let page = Man::new(command.display_name(name.to_owned()));
    let page = page.title(name.to_uppercase());
    page.source(concat!("nozzle ", env!("CARGO_PKG_VERSION")))
        .render(&mut roff)?;
    Ok(roff)
}
