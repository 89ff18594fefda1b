//! What a person gives commands to: one file a command. Errors are sentences here.

#[cfg(feature = "aws")]
mod aws;
#[cfg(not(feature = "aws"))]
#[path = "no_aws.rs"]
mod aws;
mod check;
mod clock;
mod counter_table;
mod counts;
mod criterion;
mod explain;
mod find;
mod intake;
mod interrupt;
mod item;
mod layout;
mod log;
mod numbers;
mod objects;
mod page;
mod places;
mod plain;
mod plan;
mod process;
mod progress;
mod recount;
mod redrive;
mod redriven;
mod run;
mod settings;
mod shell;
mod sink;
mod star;
mod table;
mod terminal;
mod times;
mod wrapped;

use std::{ffi::OsString, process::ExitCode};

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
    Run(run::RunOptions),
    Log(Box<log::LogOptions>),
    Process(Box<process::ProcessOptions>),
    Recount(recount::RecountOptions),
    Star(Box<star::StarOptions>),
    Explain(explain::Explain),
    Find(Box<find::FindOptions>),
    Plan(Box<plan::PlanOptions>),
    Check(check::Check),
    Redrive(Box<redrive::RedriveOptions>),
}

/// Does what the arguments say. What the exit code tells is for the command to say.
pub fn run() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Log(options) => log::run(&options),
        Command::Process(options) => process::run(&options),
        Command::Recount(options) => recount::run(&options),
        Command::Star(options) => star::run(&options),
        Command::Explain(explain) => explain.run().map(|()| ExitCode::SUCCESS),
        Command::Find(options) => find::run(&options),
        Command::Plan(plan) => plan.run().map(|()| ExitCode::SUCCESS),
        Command::Check(check) => check.run(),
        Command::Redrive(options) => redrive::run(&options),
    }
}

/// Says what is wrong with a command line, and does nothing of what it asks for.
pub fn understand(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<(), String> {
    let arguments = Arguments::try_parse_from(arguments).map_err(|error| error.to_string())?;
    let understood = match &arguments.command {
        Command::Run(options) => run::understand(options),
        Command::Log(options) => log::understand(options),
        Command::Process(options) => process::understand(options),
        Command::Star(options) => star::understand(options),
        Command::Redrive(options) => redrive::understand(options),
        Command::Find(options) => find::understand(options),
        Command::Explain(_) | Command::Plan(_) | Command::Check(_) | Command::Recount(_) => Ok(()),
    };
    understood.map_err(|error| format!("{error:#}"))
}
