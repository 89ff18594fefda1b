//! `nozzle star sql`: the description as SQL for an engine, over the function's files or over raw
//! packets.
//!
//! ```text
//! description ─┬─> files ─────────┬─> relations ─> script, dbt, glue
//!              ├─> rows, packets ─┘
//!              └─> markdown
//! ```

mod dbt;
mod dialect;
mod dictionary;
mod files;
mod glue;
mod layout;
mod markdown;
mod packets;
mod place;
mod relation;
mod rows;
mod script;
mod views;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::description::read;
use crate::{functions::star_schema::description::Star, tool::terminal::print};
use dialect::Dialect;
use glue::Catalog;
use place::SqlPlace;
use script::{SqlSource, script};

/// Write the star as SQL: over the function's files, or the whole transformation of raw packets
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle star sql --engine duckdb --files star | duckdb star.duckdb
  nozzle star sql --engine duckdb --packets packets > star.sql
  nozzle star sql --engine athena --files s3://processed
  nozzle star sql --engine spark --packets s3://ingestion
  nozzle star sql --engine dbt --packets packets --into project
  nozzle star sql --engine glue > tables.json    for Terraform
  nozzle star sql --engine markdown > tables.md  for people")]
pub(super) struct SqlOptions {
    /// For whom it is
    #[arg(long, value_enum)]
    engine: SqlEngine,
    /// The star's description [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    star: Option<PathBuf>,
    /// Where the function's files lie, a folder or a prefix of a bucket
    #[arg(long, value_name = "DIR|s3://…", conflicts_with = "packets")]
    files: Option<SqlPlace>,
    /// Where raw packets of JSON Lines lie, however deep
    #[arg(long, value_name = "DIR|s3://…")]
    packets: Option<SqlPlace>,
    /// The folder of dbt's project
    #[arg(long, value_name = "DIR", required_if_eq("engine", "dbt"))]
    into: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SqlEngine {
    /// Athena, engine version 3
    Athena,
    /// Spark from 4.0 on
    Spark,
    Duckdb,
    /// A project for dbt-duckdb
    Dbt,
    /// The tables and views over the files, as JSON for Terraform
    Glue,
    /// The documentation of the tables
    Markdown,
}

impl SqlOptions {
    pub(super) fn run(&self) -> Result<()> {
        let star = read(self.star.as_deref())?;
        let dialect = match self.engine {
            SqlEngine::Athena => Dialect::Athena,
            SqlEngine::Spark => Dialect::Spark,
            SqlEngine::Duckdb => Dialect::Duckdb,
            SqlEngine::Dbt => return self.write_project(&star),
            SqlEngine::Glue => {
                let catalog = serde_json::to_string_pretty(&Catalog::new(&star))?;
                return print(catalog + "\n");
            }
            SqlEngine::Markdown => return print(markdown::page(&star)),
        };
        print(script(&star, dialect, &self.source()?))
    }

    fn write_project(&self, star: &Star) -> Result<()> {
        let into = self
            .into
            .as_deref()
            .context("--into names the project's folder")?;
        let written = dbt::write(star, &self.source()?, into);
        written.with_context(|| format!("{} cannot be written", into.display()))
    }

    fn source(&self) -> Result<SqlSource> {
        let source = match (&self.files, &self.packets) {
            (Some(files), _) => SqlSource::Files(files.absolute()?),
            (None, Some(packets)) => SqlSource::Packets(packets.absolute()?),
            (None, None) => bail!(
                "what is the star read from? --files DIR for the function's files, \
                 --packets DIR for raw packets"
            ),
        };
        if self.engine == SqlEngine::Athena && !source.is_bucket() {
            bail!("Athena reads S3 alone: name a bucket, s3://BUCKET/PREFIX");
        }
        self.check(source.place())?;
        Ok(source)
    }

    fn check(&self, place: &SqlPlace) -> Result<()> {
        let SqlPlace::Folder(folder) = place else {
            return Ok(());
        };
        if !folder.is_dir() {
            bail!(
                "{} is no folder: what is the star read from?",
                folder.display()
            );
        }
        let is_duckdb = matches!(self.engine, SqlEngine::Duckdb | SqlEngine::Dbt);
        if is_duckdb && folder.to_string_lossy().contains(GLOB) {
            bail!(
                "DuckDB takes {} for a pattern: name a folder without any of {}",
                folder.display(),
                GLOB.map(String::from).join(" ")
            );
        }
        Ok(())
    }
}

/// What stands for other text in `DuckDB`'s names of files, and cannot be escaped there.
const GLOB: [char; 4] = ['*', '?', '[', '\\'];
