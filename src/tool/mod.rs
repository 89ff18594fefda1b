//! The tool: what a person types, one file a command.

pub mod explain;
mod settings;

use clap::{Parser, Subcommand};

/// Puts an event stream into a lake, on one machine.
#[derive(Debug, Parser)]
#[command(name = "nozzle", version)]
pub struct Tool {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Explain(explain::Explain),
}

impl Tool {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Explain(explain) => explain.run(),
        }
    }
}
