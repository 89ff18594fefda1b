//! The folders of a lake on this machine, and of its claims.

use std::{
    fs,
    path::{self, Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    dedup::embedded::EmbeddedStore,
    local::{
        files::{self, OWN_FOLDER},
        journal::Journal,
    },
};

/// They exist and are absolute.
pub(super) struct Places {
    pub(super) lake: PathBuf,
    pub(super) claims: PathBuf,
}

/// Where claims lie unless they are said to lie elsewhere.
pub(super) fn claims_folder(lake: &Path, claims: Option<&Path>) -> PathBuf {
    claims.map_or_else(|| lake.join(OWN_FOLDER).join("claims"), Path::to_owned)
}

/// Where the table of an event log lies that is in a folder.
pub(super) fn table_folder(log: &Path) -> PathBuf {
    log.join(OWN_FOLDER).join("table")
}

impl Places {
    /// Makes what is not there yet. `named` is how the lake was asked for.
    pub(super) fn prepare(named: &str, lake: &Path, claims: Option<&Path>) -> Result<Self> {
        let lake = no_file(lake)
            .and_then(|()| Ok(files::prepare(lake)?))
            .with_context(|| format!("{named} cannot be used"))?;
        let claims = claims_folder(&lake, claims);
        no_file(&claims)
            .and_then(|()| not_among(&lake, &claims))
            .and_then(|()| Ok(fs::create_dir_all(&claims)?))
            .and_then(|()| Ok(fs::canonicalize(&claims)?))
            .map(|claims| Self { lake, claims })
            .with_context(|| format!("--claims {} cannot be used", claims.display()))
    }

    pub(super) fn journal<'a>(&self, store: &'a EmbeddedStore) -> Journal<'a> {
        Journal::new(store, &self.claims, &self.lake)
    }
}

/// Whoever reads the lake would take claims for data, but for what is the lake's own.
fn not_among(lake: &Path, claims: &Path) -> Result<()> {
    let claims = path::absolute(claims)?;
    // It may not be there yet, and what is above it may be known by another name.
    let above = claims.ancestors().find(|above| above.exists());
    let above = above.unwrap_or(&claims);
    let claims = fs::canonicalize(above)?.join(claims.strip_prefix(above)?);
    if claims.starts_with(lake) && !claims.starts_with(lake.join(OWN_FOLDER)) {
        bail!("it would lie among the lake's data; name a folder outside of the lake, or none")
    }
    Ok(())
}

/// Neither a folder nor one above it is a file.
pub(super) fn no_file(folder: &Path) -> Result<()> {
    if folder.starts_with("s3:") {
        bail!("it is a bucket's address: what is made here is a folder of this machine");
    }
    match folder.ancestors().find(|above| above.exists()) {
        Some(above) if !above.is_dir() => {
            bail!("`{}` is a file, not a folder", above.display())
        }
        _ => Ok(()),
    }
}
