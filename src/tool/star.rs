//! `nozzle star`: packets into a star, and the star as SQL.

mod description;
mod sql;

use anyhow::Result;
use clap::{Args, Subcommand};

use sql::SqlOptions;

/// A star schema of packets: what the function `star-schema` does, on one machine
#[derive(Debug, Args)]
pub(super) struct StarOptions {
    #[command(subcommand)]
    command: StarCommand,
}

#[derive(Debug, Subcommand)]
enum StarCommand {
    Sql(SqlOptions),
}

pub(super) fn run(options: &StarOptions) -> Result<()> {
    match &options.command {
        StarCommand::Sql(options) => options.run(),
    }
}
