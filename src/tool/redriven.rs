//! What was redriven before, by whom, and how far: records under `redriven/` beside the source, so
//! that a colleague's redrive knows. A redrive has a folder there: `run.json` with its counts, and
//! files with the marks of what it sent and of what it sent mended.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::objects::{Objects, REDRIVEN};
use crate::{
    dedup::Owner,
    kinesis::dead_letter::{Data, DeadLetter},
    local::firehose::error_object::read::Failed,
};

/// One that has said nothing for so long has died.
const SILENCE_MILLISECONDS: i64 = 300_000;

/// Which record it is, by hashes: with its arrival, and by its bytes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordMark {
    pub(super) record: u128,
    pub(super) bytes: u128,
}

impl RecordMark {
    pub(super) fn of(arrival_milliseconds: Option<i64>, bytes_hash: u128) -> Self {
        let mut hash = Xxh3Default::new();
        hash.update(&bytes_hash.to_le_bytes());
        if let Some(milliseconds) = arrival_milliseconds {
            hash.update(&milliseconds.to_le_bytes());
        }
        Self {
            record: hash.digest128(),
            bytes: bytes_hash,
        }
    }

    /// Of an error object's record.
    pub(super) fn of_failed(failed: &Failed) -> Self {
        Self::of(failed.arrival_milliseconds, bytes_hash(&failed.bytes))
    }

    /// Two records may have the same bytes and arrival; a dead letter says which it is. None where its
    /// bytes are elsewhere.
    pub(super) fn of_letter(letter: &DeadLetter<'_>) -> Option<Self> {
        let Data::Here(bytes) = &letter.data else {
            return None;
        };
        Some(Self {
            record: xxh3_128(letter.key("").as_bytes()),
            bytes: bytes_hash(bytes),
        })
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (record, bytes) = text.split_once(' ')?;
        let hash = |text: &str| {
            u128::from_str_radix(text, 16)
                .ok()
                .filter(|_| text.len() == 32)
        };
        Some(Self {
            record: hash(record)?,
            bytes: hash(bytes)?,
        })
    }
}

/// As a claim's owner has it.
fn bytes_hash(bytes: &[u8]) -> u128 {
    Owner::of("", None, bytes).bytes_hash
}

/// Two hashes, as they stand in the journal.
impl fmt::Display for RecordMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x} {:032x}", self.record, self.bytes)
    }
}

/// A redrive as colleagues see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    #[serde(rename = "run")]
    pub(super) name: String,
    pub(super) by: String,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) state: State,
    pub(super) started_milliseconds: i64,
    pub(super) updated_milliseconds: i64,
    #[serde(flatten)]
    pub(super) counts: RunCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Running,
    Interrupted,
    Complete,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunCounts {
    pub(super) sent: u64,
    pub(super) sent_bytes: u64,
    pub(super) held_back: u64,
    pub(super) unknown: u64,
    pub(super) failed: u64,
}

impl Run {
    /// Whether it was about this source: it, something in it, or what it lies in.
    pub(super) fn is_about(&self, source: &str) -> bool {
        lies_in(&self.source, source) || lies_in(source, &self.source)
    }

    fn is_at_work(&self, now_milliseconds: i64) -> bool {
        self.state == State::Running
            && now_milliseconds - self.updated_milliseconds < SILENCE_MILLISECONDS
    }
}

/// A bucket's prefix may end within a name, a folder does not.
fn lies_in(source: &str, whole: &str) -> bool {
    if whole.starts_with("s3://") {
        source.starts_with(whole)
    } else {
        Path::new(source).starts_with(whole)
    }
}

/// Other redrives near this source.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) runs: Vec<Run>,
    /// How many redrives have sent these bytes.
    sendings: HashMap<u128, u8>,
    /// By target, which is empty where nobody has said it: records that were sent there as they lay,
    /// and when the last redrive that did so began.
    sent: BTreeMap<String, HashMap<u128, Option<i64>>>,
    /// Records that were sent once they were mended.
    mended: HashSet<u128>,
}

impl History {
    /// Reads what is recorded, but for the redrive called `own`.
    pub(super) fn read(objects: &dyn Objects, own: &str) -> Result<Self> {
        let mut history = Self::default();
        let mut by_run: BTreeMap<String, Vec<RecordMark>> = BTreeMap::new();
        let names: BTreeSet<_> = objects.list_redriven()?.into_iter().collect();
        for name in names {
            let Some((run, file)) = run_and_file(&name).filter(|(run, _)| *run != own) else {
                continue;
            };
            if file == RUN_FILE {
                history.runs.push(read_run(objects, &name)?);
            } else if file.starts_with(MARKS_FILE) {
                let marks = by_run.entry(run.to_owned()).or_default();
                for mark in read_marks(objects, &name)? {
                    marks.push(mark?);
                }
            } else if file == MENDED_FILE {
                for mark in read_marks(objects, &name)? {
                    history.mended.insert(mark?.record);
                }
            }
        }
        for (name, marks) in by_run {
            history.add_sent(&name, &marks);
        }
        history.runs.sort_by_key(|run| run.started_milliseconds);
        Ok(history)
    }

    fn add_sent(&mut self, name: &str, marks: &[RecordMark]) {
        let run = self.runs.iter().find(|run| run.name == name);
        let begun = run.map(|run| run.started_milliseconds);
        let target = run.map_or_else(String::new, |run| run.target.clone());
        let sent = self.sent.entry(target).or_default();
        for mark in marks {
            let last = sent.entry(mark.record).or_default();
            *last = begun.max(*last);
        }
        let bytes: HashSet<u128> = marks.iter().map(|mark| mark.bytes).collect();
        for bytes in bytes {
            let sendings = self.sendings.entry(bytes).or_default();
            *sendings = sendings.saturating_add(1);
        }
    }

    pub(super) fn sendings(&self, mark: RecordMark) -> u8 {
        self.sendings.get(&mark.bytes).copied().unwrap_or_default()
    }

    /// Whether this very record was sent, as it lay there.
    pub(super) fn has_sent(&self, mark: RecordMark) -> bool {
        self.sent
            .values()
            .any(|sent| sent.contains_key(&mark.record))
    }

    /// ... to this target.
    pub(super) fn has_sent_to(&self, mark: RecordMark, target: &str) -> bool {
        let sent = ["", target].map(|target| self.sent.get(target));
        let mut sent = sent.into_iter().flatten();
        sent.any(|sent| sent.contains_key(&mark.record))
    }

    /// When the last redrive began that sent this very record.
    pub(super) fn sent_at(&self, mark: RecordMark) -> Option<i64> {
        let sent = self.sent.values();
        sent.filter_map(|sent| sent.get(&mark.record).copied().flatten())
            .max()
    }

    /// Whether this very record was sent once it was mended.
    pub(super) fn has_mended(&self, mark: RecordMark) -> bool {
        self.mended.contains(&mark.record)
    }

    /// The redrives that are at work right now.
    pub(super) fn at_work(&self, now_milliseconds: i64) -> impl Iterator<Item = &Run> {
        let is_at_work = move |run: &&Run| run.is_at_work(now_milliseconds);
        self.runs.iter().filter(is_at_work)
    }
}

pub(super) const RUN_FILE: &str = "run.json";
pub(super) const MARKS_FILE: &str = "marks-";
/// Beside the source that the records were exported from.
pub(super) const MENDED_FILE: &str = "mended";

/// The last two parts of a name below `redriven`.
fn run_and_file(name: &str) -> Option<(&str, &str)> {
    let mut parts = name.rsplit(['/', std::path::MAIN_SEPARATOR]);
    let (file, run) = (parts.next()?, parts.next()?);
    (parts.next()? == REDRIVEN).then_some((run, file))
}

fn read_run(objects: &dyn Objects, name: &str) -> Result<Run> {
    let mut text = String::new();
    objects.open(name)?.read_to_string(&mut text)?;
    serde_json::from_str(&text)
        .with_context(|| format!("`{name}` is no record of a redrive; move it elsewhere"))
}

/// The marks in a file, as far as its lines are some.
fn read_marks<'a>(
    objects: &'a dyn Objects,
    name: &'a str,
) -> Result<impl Iterator<Item = Result<RecordMark>> + 'a> {
    let lines = BufReader::new(objects.open(name)?).lines();
    Ok(lines.filter_map(move |line| {
        let line = line.with_context(|| format!("`{name}` cannot be read"));
        line.map(|line| RecordMark::parse(&line)).transpose()
    }))
}

/// As a file of a redrive's record holds them.
pub(super) fn mark_lines(marks: &[RecordMark]) -> Vec<u8> {
    let lines = marks.iter().map(|mark| format!("{mark}\n"));
    lines.collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_source_is_told_by_its_name() {
        for (source, whole, expected) in [
            ("/lake/errors/a", "/lake/errors", true),
            ("/lake/errors", "/lake/errors", true),
            ("/lake/errors-2", "/lake/errors", false),
            ("s3://lake/errors/day=01", "s3://lake/errors/day=0", true),
            ("s3://lake/other", "s3://lake/errors/", false),
        ] {
            assert_eq!(lies_in(source, whole), expected, "{source} {whole}");
        }
    }

    #[test]
    fn a_mark_tells_arrivals_apart_and_is_the_same_for_ever() {
        let mark = RecordMark::of(Some(1_789_014_240_448), 7);
        assert_ne!(
            mark.record,
            RecordMark::of(Some(1_789_014_240_449), 7).record
        );
        assert_ne!(mark.record, RecordMark::of(None, 7).record);
        assert_eq!(
            mark.to_string(),
            "49bbc087bb870ae06bb578855a6f74e4 00000000000000000000000000000007"
        );
        assert_eq!(RecordMark::parse(&mark.to_string()), Some(mark));
    }
}
