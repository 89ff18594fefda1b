//! What mended records were made of: noted as sent beside what they were exported from, so that nobody
//! takes it for open.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use anyhow::{Error, Result, bail};
use tokio::runtime::Runtime;

use crate::{
    local::{firehose::error_object::read::Original, shell::quoted},
    tool::{
        aws::Aws,
        objects::{ErrorSource, Folder, Objects},
        redriven::{History, MENDED_FILE, RecordMark, mark_lines},
        terminal::tell,
    },
};

/// So many are enough to see what is meant.
const FIELDS_SHOWN: usize = 8;

/// What the sources know, and are told in the name of a redrive.
pub(super) struct Originals<'a> {
    run: String,
    aws: Option<&'a Aws>,
    runtime: Rc<Runtime>,
    /// What was redriven of each that was asked, but for this redrive.
    histories: HashMap<String, History>,
}

impl<'a> Originals<'a> {
    pub(super) fn new(run: String, aws: Option<&'a Aws>, runtime: Rc<Runtime>) -> Self {
        Self {
            run,
            aws,
            runtime,
            histories: HashMap::new(),
        }
    }

    /// Whether another redrive has sent it mended. A source that cannot say so holds nothing back.
    pub(super) fn has_mended(&mut self, original: &Original) -> bool {
        let Some(mark) = RecordMark::parse(&original.mark) else {
            return false;
        };
        let source = &original.source;
        if !self.histories.contains_key(source) {
            let history = self.read(source).unwrap_or_else(|error| {
                tell(&format!(
                    "whether what was exported from {source} was sent mended before is not known: {error:#}"
                ));
                History::default()
            });
            self.histories.insert(source.clone(), history);
        }
        let history = self.histories.get(source);
        history.is_some_and(|history| history.has_mended(mark))
    }

    fn read(&self, source: &str) -> Result<History> {
        History::read(&*self.open(source)?, &self.run)
    }

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
        let name = format!("{}/{MENDED_FILE}", self.run);
        self.open(source)?.write_redriven(&name, mark_lines(marks))
    }

    fn open(&self, source: &str) -> Result<Box<dyn Objects>> {
        let source: ErrorSource = source.parse().map_err(Error::msg)?;
        let connected = match (&source, self.aws) {
            (ErrorSource::Folder(_), _) | (_, Some(_)) => None,
            (_, None) => Some(Aws::connect(Rc::clone(&self.runtime))?),
        };
        open_objects(&source, connected.as_ref().or(self.aws))
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

/// Who mends at the top of the line has mended nothing.
pub(super) fn tell_of_beside(fields: &BTreeSet<String>) {
    if !fields.is_empty() {
        let fields: Vec<_> = fields
            .iter()
            .take(FIELDS_SHOWN)
            .map(|name| quoted(name))
            .collect();
        tell(&format!(
            "mended lines have fields beside their `event`, where they change nothing ({}): the event \
             itself is to be mended, such as .event.created_at",
            fields.join(", ")
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
