//! The page's file: known to be writable before any work, and whole or not there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::local::input::{Input, Source};

pub(in crate::tool) struct PageFile {
    /// Absolute, and no link.
    path: PathBuf,
    temporary: PathBuf,
}

impl PageFile {
    /// Checks that a page can be written to `path`, and that it is not of the input.
    pub(in crate::tool) fn prepare(path: &Path, input: &Input) -> Result<Self> {
        let page = Self::find(path)?;
        let is_page = |source: &Source| match source {
            Source::File(file) => fs::canonicalize(file).is_ok_and(|file| file == page.path),
            Source::StandardInput => false,
        };
        ensure!(
            !input.sources.iter().any(is_page),
            "--report {} is also input; give the page another place",
            path.display()
        );
        File::create(&page.temporary)
            .and_then(|_| fs::remove_file(&page.temporary))
            .with_context(|| format!("--report {} cannot be written", path.display()))?;
        Ok(page)
    }

    pub(in crate::tool) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::tool) fn write(&self, page: &str) -> Result<()> {
        let written = self.write_temporary(page);
        let published = written.and_then(|()| fs::rename(&self.temporary, &self.path));
        if published.is_err() {
            // It may not be there.
            let _ = fs::remove_file(&self.temporary);
        }
        published.with_context(|| {
            format!(
                "the report `{}` cannot be written; all else is done, and the same command given \
                 again writes it",
                self.path.display()
            )
        })
    }

    fn write_temporary(&self, page: &str) -> io::Result<()> {
        let mut file = File::create(&self.temporary)?;
        file.write_all(page.as_bytes())?;
        file.sync_all()
    }

    fn find(path: &Path) -> Result<Self> {
        let shown = path.display();
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(_) => new_file(path)?,
        };
        if path.is_dir() {
            bail!("--report {shown} is a folder; name a file in it, such as report.html");
        }
        ensure!(
            !path.exists() || path.is_file(),
            "--report {shown} is no file; the page is put in place by renaming, so it needs one"
        );
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = format!(".{name}.{}.part", std::process::id());
        Ok(Self {
            temporary: path.with_file_name(temporary),
            path,
        })
    }
}

/// A file in a folder that is there.
fn new_file(path: &Path) -> Result<PathBuf> {
    let shown = path.display();
    let Some(name) = path.file_name() else {
        bail!("--report {shown} names no file");
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).with_context(|| {
        format!(
            "--report {shown} cannot be written: the folder `{}` cannot be found; make it first",
            folder.display()
        )
    })?;
    Ok(folder.join(name))
}
