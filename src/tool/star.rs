//! `nozzle star`: packets into a star, and the star as SQL.

mod sql;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::functions::star_schema::description::Star;
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

/// The description in a file, or the built-in one.
fn read_star(file: Option<&Path>) -> Result<Star> {
    let Some(file) = file else {
        return Ok(Star::built_in()?);
    };
    let text = fs::read_to_string(file);
    let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
    Star::parse(&text).with_context(|| format!("{} describes no star", file.display()))
}
