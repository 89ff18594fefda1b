//! `nozzle find`: where an event is: in a lake, among error objects and dead letters, its claim, in an
//! event log. A line a finding; nothing is written.

mod claims;
mod days;
mod log;
mod options;
mod search;
mod sighting;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::runtime::{Builder, Runtime};

use super::{
    aws::Aws,
    objects::{ErrorSource, Folder},
    places::{claims_folder, table_folder},
};
use crate::dedup::embedded::EmbeddedStore;
use claims::{find_here, find_in_table};
pub(super) use options::FindOptions;
use search::EventSearch;

/// Where a lake is, unless it is said.
const LAKE: &str = "lake";

const WHICH_CLAIMS: &str =
    "--claims is what `nozzle run --claims` was given, or .nozzle/claims in a lake";

/// Finds. Nothing found is a failure.
pub(super) fn run(options: &FindOptions) -> Result<ExitCode> {
    check_places(options)?;
    let settings = options.settings()?;
    let search = EventSearch::new(options, &settings);
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let sources = sources(options);
    let aws = connect(options, &sources, &runtime)?;
    for source in &sources {
        match (source, &aws) {
            (ErrorSource::Folder(path), _) => search.folder(&folder(options, path)?, source)?,
            (ErrorSource::Bucket { bucket, prefix }, Some(aws)) => {
                search.asked(search.objects(&*aws.bucket(bucket, prefix)?, source));
            }
            _ => bail!("{source} cannot be searched: name a folder or s3://BUCKET/PREFIX"),
        }
    }
    if let Some(log) = &options.log {
        search.asked(log::find_here(&search, log));
    }
    if let (Some(table), Some(aws)) = (&options.log_table, &aws) {
        search.asked(log::find_in_table(&search, &aws.log(table), table));
    }
    for claims in claims_folders(options, &sources) {
        search.asked(find_here(&search, &claims, &runtime));
    }
    if let (Some(table), Some(aws)) = (&options.table, &aws) {
        search.asked(find_in_table(&search, table, &aws.table(table), &runtime));
    }
    search.end()
}

/// Says what is wrong with the options, before any of it is touched.
pub(super) fn understand(options: &FindOptions) -> Result<()> {
    options.settings().map(drop)
}

/// Before all of a lake is read.
fn check_places(options: &FindOptions) -> Result<()> {
    if let Some(claims) = &options.claims {
        let claims_in = claims.display();
        ensure!(
            claims.is_dir(),
            "there is no folder `{claims_in}`: {WHICH_CLAIMS}"
        );
        ensure!(
            EmbeddedStore::lies_in(claims),
            "there are no claims in `{claims_in}`: {WHICH_CLAIMS}"
        );
    }
    if let Some(log) = &options.log {
        let log_in = log.display();
        let is_there = table_folder(log).is_dir();
        ensure!(is_there, "there is no event log in `{log_in}`");
    }
    Ok(())
}

/// Who has named no lake is told how.
fn folder(options: &FindOptions, path: &Path) -> Result<Folder> {
    let found = Folder::find(path);
    if !options.lake.is_empty() {
        return found;
    }
    found.context("name the lake with --lake")
}

/// The usual lake, where there is one and nothing else is named.
fn sources(options: &FindOptions) -> Vec<ErrorSource> {
    let lake = PathBuf::from(LAKE);
    let names_another =
        options.table.is_some() || options.log.is_some() || options.log_table.is_some();
    match options.lake.as_slice() {
        [] if names_another && !lake.exists() => Vec::new(),
        [] => vec![ErrorSource::Folder(lake)],
        given => given.to_vec(),
    }
}

fn connect(
    options: &FindOptions,
    sources: &[ErrorSource],
    runtime: &Rc<Runtime>,
) -> Result<Option<Aws>> {
    let is_away = |source: &ErrorSource| !matches!(source, ErrorSource::Folder(_));
    let has_table = options.table.is_some() || options.log_table.is_some();
    if !has_table && !sources.iter().any(is_away) {
        return Ok(None);
    }
    Aws::connect(Rc::clone(runtime)).map(Some)
}

fn claims_folders(options: &FindOptions, sources: &[ErrorSource]) -> Vec<PathBuf> {
    if let Some(claims) = &options.claims {
        return vec![claims.clone()];
    }
    let folders = sources.iter().filter_map(|source| match source {
        ErrorSource::Folder(path) => Some(claims_folder(path, None)),
        _ => None,
    });
    folders.collect()
}
