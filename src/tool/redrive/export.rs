//! What would be refused again, written for a person to repair: lines that the same command reads
//! once they are mended. Beside them, which lines were no error objects.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

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
    events: BufWriter<File>,
    lines: BufWriter<File>,
}

const EVENTS: &str = "to-repair.jsonl";
const LINES: &str = "not-error-objects.txt";

impl Export {
    /// Overwrites nothing: somebody may have repaired it.
    pub(super) fn create(folder: &Path, source: &str) -> Result<Self> {
        let create = |name: &str| {
            let path = folder.join(name);
            File::create_new(&path)
                .map(BufWriter::new)
                .with_context(|| {
                    format!(
                        "`{}` cannot be written; name another folder with --export",
                        path.display()
                    )
                })
        };
        fs::create_dir_all(folder)
            .with_context(|| format!("--export {} cannot be used", folder.display()))?;
        Ok(Self {
            events: create(EVENTS)?,
            lines: create(LINES)?,
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
        self.events
            .write_all(line.as_bytes())
            .with_context(|| self.folder.display().to_string())
    }

    pub(super) fn name_line(&mut self, why: NotErrorObject, position: &str) -> Result<()> {
        writeln!(self.lines, "{position}: {why}").with_context(|| self.folder.display().to_string())
    }

    /// What has nothing in it is not left lying about.
    pub(super) fn finish(mut self) -> Result<Exported> {
        self.events.flush()?;
        self.lines.flush()?;
        for name in [EVENTS, LINES] {
            let path = self.folder.join(name);
            if fs::metadata(&path)?.len() == 0 {
                fs::remove_file(path)?;
            }
        }
        Ok(Exported {
            records: self.records,
            file: self.folder.join(EVENTS),
        })
    }
}

/// How many records there are to be mended, and where.
pub(super) struct Exported {
    pub(super) records: u64,
    pub(super) file: PathBuf,
}
