//! Which star is meant.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::functions::star_schema::description::Star;

/// The description in a file, or the built-in one.
pub(super) fn read(file: Option<&Path>) -> Result<Star> {
    let Some(file) = file else {
        return Ok(Star::built_in()?);
    };
    let text = fs::read_to_string(file);
    let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
    Star::parse(&text).with_context(|| format!("{} describes no star", file.display()))
}
