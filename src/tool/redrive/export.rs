//! What would be refused again, written for a person to repair: lines that the same command reads
//! once they are mended. Beside them, which lines were no error objects.

use std::{
    fs::{self, File, Permissions},
    io::{BufWriter, IntoInnerError, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tempfile::{Builder, TempPath};

use crate::{
    local::firehose::error_object::{
        read::{Failed, NotErrorObject, Original},
        repair,
    },
    tool::redriven::RecordMark,
};

pub(super) struct Export {
    /// What the records are read from.
    source: String,
    folder: PathBuf,
    records: u64,
    events: WholeFile,
    lines: WholeFile,
}

const EVENTS: &str = "to-repair.jsonl";
const LINES: &str = "not-error-objects.txt";

impl Export {
    /// Overwrites nothing: somebody may have repaired it.
    pub(super) fn create(folder: &Path, source: &str) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("--export {} cannot be used", folder.display()))?;
        Ok(Self {
            events: WholeFile::create(folder, EVENTS)?,
            lines: WholeFile::create(folder, LINES)?,
            folder: folder.to_owned(),
            records: 0,
            source: source.to_owned(),
        })
    }

    /// What was exported before and is not mended yet is still what it was at first.
    pub(super) fn write(
        &mut self,
        failed: &Failed,
        reason: &str,
        position: &str,
        mark: RecordMark,
    ) -> Result<()> {
        let original = failed.original.clone().unwrap_or_else(|| Original {
            source: self.source.clone(),
            mark: mark.to_string(),
        });
        let mut line = String::new();
        repair::write(&mut line, failed, reason, position, &original);
        self.records += 1;
        self.events.write(&line)
    }

    pub(super) fn name_line(&mut self, why: NotErrorObject, position: &str) -> Result<()> {
        self.lines.write(&format!("{position}: {why}\n"))
    }

    /// What has nothing in it is not left lying about.
    pub(super) fn finish(self) -> Result<Exported> {
        self.events.finish()?;
        self.lines.finish()?;
        Ok(Exported {
            records: self.records,
            file: self.folder.join(EVENTS),
        })
    }
}

/// A file that is there once it is whole.
struct WholeFile {
    path: PathBuf,
    half: BufWriter<File>,
    temporary: TempPath,
    is_empty: bool,
}

impl WholeFile {
    fn create(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let elsewhere = "name another folder with --export";
        if path.exists() {
            bail!("`{}` is there already; {elsewhere}", path.display());
        }
        let readable = Permissions::from_mode(0o666);
        let half = Builder::new().permissions(readable).tempfile_in(folder);
        let half = half.with_context(|| format!("{}; {elsewhere}", cannot_be_written(&path)))?;
        let (half, temporary) = half.into_parts();
        Ok(Self {
            path,
            half: BufWriter::new(half),
            temporary,
            is_empty: true,
        })
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.is_empty = false;
        let written = self.half.write_all(text.as_bytes());
        written.with_context(|| cannot_be_written(&self.path))
    }

    fn finish(self) -> Result<()> {
        let cannot = || cannot_be_written(&self.path);
        let half = self.half.into_inner().map_err(IntoInnerError::into_error);
        let half = half.with_context(cannot)?;
        if !self.is_empty {
            half.sync_all().with_context(cannot)?;
            let persisted = self.temporary.persist_noclobber(&self.path);
            persisted.with_context(cannot)?;
        }
        Ok(())
    }
}

fn cannot_be_written(path: &Path) -> String {
    format!("`{}` cannot be written", path.display())
}

/// How many records there are to be mended, and where.
pub(super) struct Exported {
    pub(super) records: u64,
    pub(super) file: PathBuf,
}
