//! What mended records were made of: noted as sent beside what they were exported from, so that nobody
//! takes it for open.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::{Error, Result, bail};
use tokio::runtime::Runtime;

use crate::{
    local::firehose::error_object::read::Original,
    tool::{
        aws::Aws,
        objects::{ErrorSource, Folder, Objects},
        redriven::{MENDED_FILE, RecordMark, mark_lines},
        terminal::tell,
    },
};

/// Tells sources, in the name of a redrive.
pub(super) struct SourceTelling<'a> {
    pub(super) run: &'a str,
    pub(super) aws: Option<&'a Aws>,
    pub(super) runtime: &'a Rc<Runtime>,
}

impl SourceTelling<'_> {
    /// Where one cannot be told, the records are sent all the same.
    pub(super) fn tell_all(&self, originals: &[Original]) {
        let mut marks: BTreeMap<&str, Vec<RecordMark>> = BTreeMap::new();
        for original in originals {
            let mark = RecordMark::parse(&original.mark);
            marks.entry(&original.source).or_default().extend(mark);
        }
        for (source, marks) in marks {
            if let Err(error) = self.tell_one(source, &marks) {
                tell(&format!(
                    "what was mended is sent, but goes on being shown as open in {source}: {error:#}"
                ));
            }
        }
    }

    fn tell_one(&self, source: &str, marks: &[RecordMark]) -> Result<()> {
        let source: ErrorSource = source.parse().map_err(Error::msg)?;
        let connected = match (&source, self.aws) {
            (ErrorSource::Folder(_), _) | (_, Some(_)) => None,
            (_, None) => Some(Aws::connect(Rc::clone(self.runtime))?),
        };
        let objects = open_objects(&source, connected.as_ref().or(self.aws))?;
        objects.write_redriven(&format!("{}/{MENDED_FILE}", self.run), mark_lines(marks))
    }
}

/// Nobody can tell which records are settled by them.
pub(super) fn tell_of_unmarked(records: u64) {
    if records > 0 {
        tell(&format!(
            "mended records without their `source` and `mark`: {records}; what they were made of goes \
             on being shown as open"
        ));
    }
}

pub(super) fn open_objects(source: &ErrorSource, aws: Option<&Aws>) -> Result<Box<dyn Objects>> {
    match (source, aws) {
        (ErrorSource::Folder(path), _) => Ok(Box::new(Folder::find(path)?)),
        (ErrorSource::Bucket { bucket, prefix }, Some(aws)) => aws.bucket(bucket, prefix),
        (ErrorSource::Queue(url), Some(aws)) => Ok(aws.queue(url)),
        (ErrorSource::Bucket { .. } | ErrorSource::Queue(_), None) => {
            bail!("{source} is not on this machine")
        }
    }
}
