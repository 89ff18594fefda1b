//! What a person gives commands to: one file a command. Errors are sentences here.

#[cfg(feature = "aws")]
mod aws;
#[cfg(not(feature = "aws"))]
#[path = "no_aws.rs"]
mod aws;
mod explain;
mod interrupt;
mod layout;
mod progress;
mod redrive;
mod report;
mod run;
mod settings;
mod terminal;

use std::{process::ExitCode, time::SystemTime};

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Puts an event stream into a lake: what Amazon Data Firehose and its function do, on one machine
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Options),
    Explain(explain::Explain),
    Redrive(Box<redrive::Options>),
}

/// Does what the arguments say. What the exit code tells is for the command to say.
pub fn run() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Explain(explain) => explain.run().map(|()| ExitCode::SUCCESS),
        Command::Redrive(options) => redrive::run(&options),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the tool reads the clock"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
