//! `nozzle star`: packets into a star, whether the star holds together, and the star as SQL.

mod check;
mod description;
mod load;
mod sql;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use check::CheckOptions;
use load::LoadOptions;
use sql::SqlOptions;

const EXAMPLES: &str = "\
Examples:
  nozzle star packets --into star          each packet once, into Parquet
  nozzle star packets --into star --watch  and those that come, until Ctrl-C
  nozzle star packets --into star --star ours.toml --refused-rows-max 0.05
  nozzle star check star                   does the star hold together?
  nozzle star check s3://nozzle-prod-star
  nozzle star sql --engine duckdb --files star | duckdb star.duckdb

A packet is a file `{table}_{id}_{timestamp}.jsonl`, gzip or not, anywhere in the folder. The \
function star-schema of AWS loads them here, and writes what it writes there: a folder for each \
table of the star, refused/ (rows that cannot be loaded, each with its reason), packets/ \
(receipts: what is loaded) and parameters/ (how far each table is without a gap).

What has a receipt is loaded. So an interrupted run goes on where it stopped when the same \
command is given again, a killed one too, and a finished one finds nothing to do.

The exit code is 0 when every packet of the description's tables is loaded, also with rows \
refused (packets of other tables are left alone); 1 when one of them is not loaded; 130 after \
Ctrl-C with packets left.";

/// Load packets of tables into a star: Parquet files of facts and dimensions
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(super) struct StarOptions {
    #[command(subcommand)]
    command: Option<StarCommand>,

    #[command(flatten)]
    load: Option<LoadOptions>,
}

#[derive(Debug, Subcommand)]
enum StarCommand {
    Check(CheckOptions),
    Sql(SqlOptions),
}

/// Loads packets, or looks at what is loaded.
pub(super) fn run(options: &StarOptions) -> Result<ExitCode> {
    match &options.command {
        None => {
            let load = options.load.as_ref();
            load.context("name the folder of packets")?.run()
        }
        Some(StarCommand::Check(options)) => options.run(),
        Some(StarCommand::Sql(options)) => options.run().map(|()| ExitCode::SUCCESS),
    }
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &StarOptions) -> Result<()> {
    let load = options.load.as_ref();
    load.map_or(Ok(()), |load| load.settings().map(drop))
}
