//! `nozzle star check`: does a star hold together? Its receipts against its files, and keys against
//! the dimensions that they refer to. Nothing is changed.

mod account;
mod fault;
mod files;
mod keys;
mod report;
mod table;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    sync::{Arc, atomic::AtomicU64},
};

use anyhow::{Result, bail, ensure};
use clap::Args;
use tokio::runtime::Builder;

use super::{description::read, load::STAR};
use crate::{
    functions::star_schema::description::Star,
    tool::{
        aws::Aws,
        objects::{ErrorSource, Folder, Objects},
        progress::ProgressDisplay,
        terminal::Format,
    },
};
use account::Account;
use fault::Faults;
use files::StarFiles;
use report::CheckedStar;
use table::Tables;

/// Check that a star holds together: keys, rows, packets and dates
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nozzle star check
  nozzle star check s3://nozzle-prod-star --json

What is looked for:
  orphan            a key that its dimension has not, until its packet comes
  key_doubled       a dimension's key twice in a file, or a fact's version
  date_missing      a date that the calendar has not
  gap               a packet that is not loaded, below the highest of its table
  rows_differ       a file with other rows than the packet's receipt says
  refused_differ    refused rows that are not as many as the receipt says
  file_missing      a file that a receipt names
  no_receipt        a file that no receipt names: a call died, or not ours
  unreadable        a file that is no Parquet of this table, or no receipt

The exit code is 0 when the star holds together, 1 when something is wrong, 2 when the description \
is not this star's.")]
pub(super) struct CheckOptions {
    /// The star: a folder of `nozzle star`, or the function's bucket, `s3://BUCKET`
    #[arg(value_name = "DIR|s3://…", default_value = STAR)]
    place: ErrorSource,

    /// The star's description [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    star: Option<PathBuf>,

    /// One JSON object in place of tables
    #[arg(long)]
    json: bool,
}

impl CheckOptions {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let star = read(self.star.as_deref())?;
        let files = self.files()?;
        let checked = check(&star, self.star.as_deref(), &files)?;
        checked.print(Format::of_flag(self.json))?;
        Ok(if checked.faults.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn files(&self) -> Result<StarFiles> {
        let objects: Box<dyn Objects> = match &self.place {
            ErrorSource::Folder(folder) if folder.is_dir() => Box::new(Folder::find(folder)?),
            ErrorSource::Folder(folder) => bail!("there is no folder `{}`", folder.display()),
            ErrorSource::Bucket { bucket, prefix } => {
                let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
                Aws::connect(runtime)?.bucket(bucket, prefix)?
            }
            ErrorSource::Queue(_) => {
                bail!("a star is in a folder or a bucket: name DIR or s3://BUCKET")
            }
        };
        StarFiles::find(objects, &self.place.to_string())
    }
}

/// Dimensions go before what refers to them. `named` is the description's file, if it has one.
fn check(star: &Star, named: Option<&Path>, files: &StarFiles) -> Result<CheckedStar> {
    let read_bytes = Arc::new(AtomicU64::new(0));
    let _progress = ProgressDisplay::show(Arc::clone(&read_bytes), Some(files.table_bytes()));
    let mut faults = Faults::default();
    let account = Account::read(star, files, &mut faults)?;
    let others = account.tables_of_another_star(files);
    ensure!(others.is_empty(), not_described(&others, named));
    let mut tables = Tables::new(star, files, &read_bytes);
    tables.read_all(&mut faults)?;
    account.compare(files, &tables.rows, &mut faults)?;
    Ok(CheckedStar {
        packets: account.packets(),
        tables: tables.read,
        faults,
    })
}

fn not_described(tables: &BTreeSet<&str>, named: Option<&Path>) -> String {
    let tables: Vec<_> = tables.iter().copied().collect();
    let description = named.map_or_else(
        || "the built-in description".to_owned(),
        |file| format!("{}", file.display()),
    );
    format!(
        "{description} does not describe {}, which lie here: name the description that the star was \
         loaded with, --star FILE",
        tables.join(", ")
    )
}
