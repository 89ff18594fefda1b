//! The folders of a lake on this machine, and of its claims.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    dedup::embedded::EmbeddedStore,
    local::{journal::Journal, lake},
};

/// They exist and are absolute.
pub(super) struct Places {
    pub(super) lake: PathBuf,
    pub(super) claims: PathBuf,
}

/// Where claims lie unless they are said to lie elsewhere.
pub(super) fn claims_folder(lake: &Path, claims: Option<&Path>) -> PathBuf {
    claims.map_or_else(|| lake.join(".nozzle/claims"), Path::to_owned)
}

impl Places {
    /// Makes what is not there yet. `named` is how the lake was asked for.
    pub(super) fn prepare(named: &str, lake: &Path, claims: Option<&Path>) -> Result<Self> {
        let lake = no_file(lake)
            .and_then(|()| Ok(lake::prepare(lake)?))
            .with_context(|| format!("{named} cannot be used"))?;
        let claims = claims_folder(&lake, claims);
        no_file(&claims)
            .and_then(|()| Ok(fs::create_dir_all(&claims)?))
            .and_then(|()| Ok(fs::canonicalize(&claims)?))
            .map(|claims| Self { lake, claims })
            .with_context(|| format!("--claims {} cannot be used", claims.display()))
    }

    pub(super) fn journal<'a>(&self, store: &'a EmbeddedStore) -> Journal<'a> {
        Journal::new(store, &self.claims, &self.lake)
    }
}

/// Neither a folder nor one above it is a file.
fn no_file(folder: &Path) -> Result<()> {
    match folder.ancestors().find(|above| above.exists()) {
        Some(above) if !above.is_dir() => {
            bail!("`{}` is a file, not a folder", above.display())
        }
        _ => Ok(()),
    }
}
