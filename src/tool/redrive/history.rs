//! What was redriven before, by whom, and how far: records under `redriven/` beside the source, so
//! that a colleague's redrive knows. A redrive has a folder there: `run.json` with its counts, and
//! files with the marks of what it sent.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::{BufRead, BufReader, Read},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::journal::RecordMark;
use crate::tool::objects::{Objects, REDRIVEN};

/// How often the same bytes are sent without being asked whether that helps.
pub(super) const SENDINGS_MAX: u8 = 3;

/// How often a redrive says that it is still there.
const BEAT_MILLISECONDS: i64 = 30_000;
/// One that has said nothing for so long has died.
const SILENCE_MILLISECONDS: i64 = 300_000;
const MARKS_A_FILE: usize = 200_000;

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
    fn is_at_work(&self, now_milliseconds: i64) -> bool {
        self.state == State::Running
            && now_milliseconds - self.updated_milliseconds < SILENCE_MILLISECONDS
    }
}

/// Other redrives near this source.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) runs: Vec<Run>,
    /// How many redrives have sent these bytes.
    sendings: HashMap<u128, u8>,
}

impl History {
    /// Reads what is recorded, but for the redrive called `own`.
    pub(super) fn read(objects: &dyn Objects, own: &str) -> Result<Self> {
        let mut history = Self::default();
        let mut by_run: HashMap<String, HashSet<u128>> = HashMap::new();
        let names: BTreeSet<_> = objects.list_redriven()?.into_iter().collect();
        for name in names {
            let Some((run, file)) = run_and_file(&name).filter(|(run, _)| *run != own) else {
                continue;
            };
            if file == RUN_FILE {
                history.runs.push(read_run(objects, &name)?);
            } else if file.starts_with(MARKS_FILE) {
                let sent = by_run.entry(run.to_owned()).or_default();
                read_marks(objects, &name, sent)?;
            }
        }
        for bytes in by_run.into_values().flatten() {
            let sendings = history.sendings.entry(bytes).or_default();
            *sendings = sendings.saturating_add(1);
        }
        history.runs.sort_by_key(|run| run.started_milliseconds);
        Ok(history)
    }

    pub(super) fn sendings(&self, mark: RecordMark) -> u8 {
        self.sendings.get(&mark.bytes).copied().unwrap_or_default()
    }

    /// The redrives that are at work right now.
    pub(super) fn at_work(&self, now_milliseconds: i64) -> impl Iterator<Item = &Run> {
        let is_at_work = move |run: &&Run| run.is_at_work(now_milliseconds);
        self.runs.iter().filter(is_at_work)
    }
}

const RUN_FILE: &str = "run.json";
const MARKS_FILE: &str = "marks-";

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

fn read_marks(objects: &dyn Objects, name: &str, sent: &mut HashSet<u128>) -> Result<()> {
    for line in BufReader::new(objects.open(name)?).lines() {
        let line = line.with_context(|| format!("`{name}` cannot be read"))?;
        sent.extend(RecordMark::parse(&line).map(|mark| mark.bytes));
    }
    Ok(())
}

/// Writes a redrive's own record while it is at work.
pub(super) struct Recorder<'a> {
    objects: &'a dyn Objects,
    run: Run,
    unrecorded: Vec<RecordMark>,
    files: usize,
}

impl<'a> Recorder<'a> {
    /// Says that it has begun. Of two that begin at once, one gives way. `sent` is what it did
    /// before it was interrupted.
    pub(super) fn begin(
        objects: &'a dyn Objects,
        run: Run,
        sent: Vec<RecordMark>,
        now_milliseconds: i64,
    ) -> Result<Self> {
        let mut recorder = Self {
            objects,
            run,
            unrecorded: sent,
            files: 0,
        };
        recorder.refuse_others(now_milliseconds, |_| true)?;
        recorder.write_run(now_milliseconds)?;
        let own = recorder.run.name.clone();
        if let Err(error) = recorder.refuse_others(now_milliseconds, |other| other.name < own) {
            recorder.end(State::Interrupted, RunCounts::default(), now_milliseconds)?;
            return Err(error);
        }
        Ok(recorder)
    }

    fn refuse_others(&self, now_milliseconds: i64, yields_to: impl Fn(&Run) -> bool) -> Result<()> {
        let history = History::read(self.objects, &self.run.name)?;
        if let Some(other) = history.at_work(now_milliseconds).find(|run| yields_to(run)) {
            bail!(
                "{} is redriving {} to {} right now ({}/{}): wait until that has ended; if it has \
                 died, wait five minutes, or give the same command where it was given",
                other.by,
                other.source,
                other.target,
                REDRIVEN,
                other.name,
            );
        }
        Ok(())
    }

    pub(super) fn note(&mut self, mark: RecordMark, position: &str) -> Result<()> {
        self.unrecorded.push(mark);
        self.objects.discard(position)
    }

    /// It was sent before, or is a copy of what is.
    pub(super) fn discard(&self, position: &str) -> Result<()> {
        self.objects.discard(position)
    }

    /// Writes what there is, now and then.
    pub(super) fn beat(&mut self, counts: RunCounts, now_milliseconds: i64) -> Result<()> {
        let silence = now_milliseconds - self.run.updated_milliseconds;
        if silence < BEAT_MILLISECONDS && self.unrecorded.len() < MARKS_A_FILE {
            return Ok(());
        }
        self.run.counts = counts;
        self.write_marks()?;
        self.write_run(now_milliseconds)
    }

    pub(super) fn end(
        mut self,
        state: State,
        counts: RunCounts,
        now_milliseconds: i64,
    ) -> Result<()> {
        self.run.state = state;
        self.run.counts = counts;
        self.write_marks()?;
        self.write_run(now_milliseconds)
    }

    fn write_run(&mut self, now_milliseconds: i64) -> Result<()> {
        self.run.updated_milliseconds = now_milliseconds;
        let mut json = serde_json::to_vec_pretty(&self.run)?;
        json.push(b'\n');
        self.write(RUN_FILE, json)
    }

    fn write_marks(&mut self) -> Result<()> {
        for marks in std::mem::take(&mut self.unrecorded).chunks(MARKS_A_FILE) {
            self.files += 1;
            let lines: Vec<String> = marks.iter().map(ToString::to_string).collect();
            self.write(
                &format!("{MARKS_FILE}{:06}", self.files),
                (lines.join("\n") + "\n").into_bytes(),
            )?;
        }
        Ok(())
    }

    fn write(&self, file: &str, bytes: Vec<u8>) -> Result<()> {
        let name = format!("{}/{file}", self.run.name);
        self.objects.write_redriven(&name, bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;
    use crate::tool::objects::Folder;

    const NOW: i64 = 1_789_014_240_448;

    fn run(name: &str) -> Run {
        Run {
            name: name.to_owned(),
            by: format!("{name}@host"),
            source: "errors".to_owned(),
            target: "lake:x".to_owned(),
            state: State::Running,
            started_milliseconds: NOW,
            updated_milliseconds: NOW,
            counts: RunCounts::default(),
        }
    }

    fn place() -> (tempfile::TempDir, Folder) {
        let folder = tempdir().unwrap();
        let errors = folder.path().join("errors/night");
        fs::create_dir_all(&errors).unwrap();
        let source = Folder::find(&errors).unwrap();
        (folder, source)
    }

    fn mark(number: u128) -> RecordMark {
        RecordMark::of(Some(1), number)
    }

    #[test]
    fn sendings_are_counted_once_a_redrive() {
        let (_folder, source) = place();
        for name in ["a", "b"] {
            let sent = vec![mark(1), mark(2)];
            let mut recorder = Recorder::begin(&source, run(name), sent, NOW).unwrap();
            recorder.note(RecordMark::of(Some(7), 1), "").unwrap();
            recorder
                .end(State::Complete, RunCounts::default(), NOW)
                .unwrap();
        }
        let history = History::read(&source, "b").unwrap();
        assert_eq!([1, 2, 3].map(|n| history.sendings(mark(n))), [1, 1, 0]);
        let history = History::read(&source, "other").unwrap();
        assert_eq!([1, 2, 3].map(|n| history.sendings(mark(n))), [2, 2, 0]);
        assert_eq!(history.runs.len(), 2);
    }

    #[test]
    fn a_colleague_sees_it_from_above_and_from_below() {
        let (folder, source) = place();
        let recorder = Recorder::begin(&source, run("a"), vec![mark(1)], NOW).unwrap();
        recorder
            .end(State::Complete, RunCounts::default(), NOW)
            .unwrap();
        for path in ["errors", "errors/night"] {
            let source = Folder::find(&folder.path().join(path)).unwrap();
            let history = History::read(&source, "b").unwrap();
            assert_eq!(history.sendings(mark(1)), 1, "{path}");
            assert_eq!(source.list().unwrap(), [], "{path}");
        }
        let inside = folder.path().join("errors/redriven");
        assert!(Folder::find(&inside).is_err());
    }

    #[test]
    fn two_do_not_work_at_once() {
        let (_folder, source) = place();
        let first = Recorder::begin(&source, run("a"), Vec::new(), NOW).unwrap();
        for name in ["b", "0"] {
            let second = Recorder::begin(&source, run(name), Vec::new(), NOW + 299_999);
            let error = second.err().unwrap().to_string();
            assert!(
                error.contains("a@host is redriving errors to lake:x"),
                "{error}"
            );
        }
        let same = Recorder::begin(&source, run("a"), Vec::new(), NOW);
        assert!(same.is_ok(), "an interrupted one goes on");
        first
            .end(State::Interrupted, RunCounts::default(), NOW)
            .unwrap();
        assert!(Recorder::begin(&source, run("b"), Vec::new(), NOW).is_ok());
    }

    #[test]
    fn one_that_is_silent_has_died() {
        let (_folder, source) = place();
        Recorder::begin(&source, run("a"), Vec::new(), NOW).unwrap();
        assert!(Recorder::begin(&source, run("b"), Vec::new(), NOW + 300_000).is_ok());
    }

    #[test]
    fn it_says_now_and_then_how_far_it_is() {
        let (_folder, source) = place();
        let mut recorder = Recorder::begin(&source, run("a"), Vec::new(), NOW).unwrap();
        recorder.note(mark(1), "").unwrap();
        let seen = |sent| {
            let history = History::read(&source, "b").unwrap();
            assert_eq!(history.sendings(mark(1)), sent);
            history.runs[0].updated_milliseconds
        };
        recorder.beat(RunCounts::default(), NOW + 29_999).unwrap();
        assert_eq!(seen(0), NOW);
        recorder.beat(RunCounts::default(), NOW + 30_000).unwrap();
        assert_eq!(seen(1), NOW + 30_000);
    }
}
