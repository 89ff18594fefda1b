//! A redrive's own record under `redriven/`, written while it is at work.

use anyhow::{Result, bail};

use crate::tool::{
    objects::{Objects, REDRIVEN},
    redriven::{History, MARKS_FILE, RUN_FILE, RecordMark, Run, RunCounts, State, mark_lines},
};

/// How often a redrive says that it is still there.
const BEAT_MILLISECONDS: i64 = 30_000;
const MARKS_A_FILE: usize = 200_000;

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
    ) -> Result<Self> {
        self.run.state = state;
        self.run.counts = counts;
        self.write_marks()?;
        self.write_run(now_milliseconds)?;
        Ok(self)
    }

    /// Leaves nothing of a redrive that has sent nothing.
    pub(super) fn forget_unused(self) -> Result<()> {
        if self.files > 0 {
            return Ok(());
        }
        let name = format!("{}/{RUN_FILE}", self.run.name);
        self.objects.forget_redriven(&name)
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
            self.write(&format!("{MARKS_FILE}{:06}", self.files), mark_lines(marks))?;
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
