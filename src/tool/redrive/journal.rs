//! What a redrive has done, line by line in a file of this machine, so that one that was killed goes
//! on: at most the batch that was under way is sent twice, and nothing is left out.

use std::{
    collections::HashSet,
    fs::{self, File, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::tool::redriven::RecordMark;

/// The first line: only the same redrive goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) source: String,
    pub(super) target: String,
    /// The redrive's own name.
    pub(super) run: String,
    #[serde(default)]
    pub(super) scope: Scope,
}

/// Which of a source's records a redrive is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scope {
    /// None where it is about each of them.
    pub(super) filter: Option<String>,
    /// With those that would be refused again.
    pub(super) all: bool,
}

impl Scope {
    /// Whether who is through with this is through with the other: a narrower redrive never ends
    /// the journal of a wider one, or what that has sent would be sent again.
    fn covers(&self, other: &Self) -> bool {
        let filter = self.filter.is_none() || self.filter == other.filter;
        filter && (self.all || !other.all)
    }
}

/// What an interrupted redrive had done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) sent: Vec<RecordMark>,
    /// Of those sent: what a lake refused again.
    pub(super) refused: HashSet<u128>,
    /// Records whose claims were given back, or about to be.
    pub(super) released: HashSet<u128>,
}

/// One process at a time has it.
pub(super) struct RedriveJournal {
    path: PathBuf,
    file: File,
    pub(super) header: Header,
    /// Of the redrive that has it now.
    scope: Scope,
}

const RELEASED: &str = "released ";
const SENT: &str = "sent ";
const REFUSED: &str = "refused ";

impl RedriveJournal {
    /// Opens the journal of a redrive from `source` to `target`, or begins one called `run`.
    pub(super) fn open(path: &Path, header: Header) -> Result<(Self, Done)> {
        let mut file = open(path).with_context(|| cannot_be_used(path))?;
        let mut text = BufReader::new(&file);
        let Some((found, length)) = read_header(&mut text, path, &header)? else {
            // Begun and never used, for nothing is done before its first line is durable.
            let named = || named(path);
            file.set_len(0)?;
            file.rewind()?;
            let mut line = serde_json::to_string(&header)?;
            line.push('\n');
            file.write_all(line.as_bytes()).with_context(named)?;
            file.sync_all().with_context(named)?;
            let scope = header.scope.clone();
            return Ok((Self::at(path, file, header, scope), Done::default()));
        };
        let (done, whole) = read_done(&mut text, length).with_context(|| named(path))?;
        drop(text);
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self::at(path, file, found, header.scope), done))
    }

    /// What the redrive that would go on with it has done, and which it is. Nothing is written, and none
    /// is begun.
    pub(super) fn look(path: &Path, header: &Header) -> Result<Option<(Header, Done)>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.with_context(|| cannot_be_used(path))?,
        };
        let mut text = BufReader::new(file);
        let Some((found, length)) = read_header(&mut text, path, header)? else {
            return Ok(None);
        };
        let (done, _) = read_done(&mut text, length).with_context(|| named(path))?;
        Ok(Some((found, done)))
    }

    fn at(path: &Path, file: File, header: Header, scope: Scope) -> Self {
        Self {
            path: path.to_owned(),
            file,
            header,
            scope,
        }
    }

    /// Whether all is done that it was begun for, once its records are.
    pub(super) fn is_covered(&self) -> bool {
        self.scope.covers(&self.header.scope)
    }

    /// Before a claim is given back: what is released must be sent, whatever its age by then.
    pub(super) fn will_release(&mut self, marks: &[RecordMark]) -> Result<()> {
        self.write(&lines(RELEASED, marks))
    }

    /// What was taken for good, and what a lake has refused again.
    pub(super) fn have_sent(&mut self, taken: &[RecordMark], refused: &[RecordMark]) -> Result<()> {
        self.write(&(lines(SENT, taken) + &lines(REFUSED, refused)))
    }

    fn write(&mut self, lines: &str) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.file
            .write_all(lines.as_bytes())
            .and_then(|()| self.file.sync_data())
            .with_context(|| format!("the journal `{}` cannot be written", self.path.display()))
    }

    /// Nothing is left to go on with.
    pub(super) fn conclude(self) -> Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("the journal `{}` cannot be removed", self.path.display()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn lines(what: &str, marks: &[RecordMark]) -> String {
    let lines = marks.iter().map(|mark| format!("{what}{mark}\n"));
    lines.collect()
}

fn named(path: &Path) -> String {
    format!("the journal `{}`", path.display())
}

fn cannot_be_used(path: &Path) -> String {
    format!("`{}` cannot be used", path.display())
}

/// The header of the same redrive, and its length; none where it is not whole.
fn read_header(
    text: &mut impl BufRead,
    path: &Path,
    header: &Header,
) -> Result<Option<(Header, u64)>> {
    let mut line = String::new();
    let length = text.read_line(&mut line).with_context(|| named(path))?;
    if !line.ends_with('\n') {
        return Ok(None);
    }
    let found: Header = serde_json::from_str(&line)
        .map_err(|_| anyhow!("{} is not one; name another with --journal", named(path)))?;
    ensure!(
        found.source == header.source && found.target == header.target,
        "{} is of a redrive from {} to {}; name another with --journal",
        named(path),
        found.source,
        found.target,
    );
    Ok(Some((found, length as u64)))
}

fn open(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    ensure!(file.metadata()?.is_file(), "it is no file");
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another nozzle is at this redrive right now: wait until it has ended")
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Reads on to the last whole line, and says where that ends: what comes after was not finished.
fn read_done(text: &mut impl BufRead, mut whole: u64) -> io::Result<(Done, u64)> {
    let mut done = Done::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = text.read_until(b'\n', &mut line)?;
        let Some(entry) = line
            .strip_suffix(b"\n")
            .and_then(|line| str::from_utf8(line).ok())
        else {
            return Ok((done, whole));
        };
        let mark = |what| entry.strip_prefix(what).and_then(RecordMark::parse);
        if let Some(mark) = mark(SENT) {
            done.sent.push(mark);
        } else if let Some(mark) = mark(REFUSED) {
            done.sent.push(mark);
            done.refused.insert(mark.record);
        } else if let Some(mark) = mark(RELEASED) {
            done.released.insert(mark.record);
        } else {
            return Ok((done, whole));
        }
        whole += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn header(target: &str) -> Header {
        Header {
            source: "errors".to_owned(),
            target: target.to_owned(),
            run: "first".to_owned(),
            scope: Scope::default(),
        }
    }

    #[test]
    fn a_narrower_redrive_is_never_through_with_a_wider_one() {
        let scope = |filter: Option<&str>, all| Scope {
            filter: filter.map(str::to_owned),
            all,
        };
        let folder = tempdir().unwrap();
        for (begun, goes_on, expected) in [
            (scope(None, false), scope(None, false), true),
            (scope(None, false), scope(Some("a"), false), false),
            (scope(Some("a"), false), scope(None, false), true),
            (scope(Some("a"), false), scope(Some("a"), false), true),
            (scope(Some("a"), false), scope(Some("b"), false), false),
            (scope(None, true), scope(None, false), false),
            (scope(None, false), scope(None, true), true),
        ] {
            let path = folder.path().join("journal");
            for (scope, expected) in [(begun.clone(), true), (goes_on, expected)] {
                let header = Header {
                    scope,
                    ..header("lake:x")
                };
                let (journal, _) = RedriveJournal::open(&path, header.clone()).unwrap();
                assert_eq!(journal.is_covered(), expected, "{begun:?}, {header:?}");
            }
            fs::remove_file(path).unwrap();
        }
    }

    fn marks(numbers: std::ops::Range<u128>) -> Vec<RecordMark> {
        numbers
            .map(|number| RecordMark::of(Some(5), number))
            .collect()
    }

    #[test]
    fn what_was_done_is_read_back_however_the_file_was_cut() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a/journal");
        let (mut journal, _) = RedriveJournal::open(&path, header("lake:x")).unwrap();
        journal.will_release(&marks(2..3)).unwrap();
        journal.have_sent(&marks(0..2), &marks(2..3)).unwrap();
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        let ends: Vec<_> = bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .collect();
        for length in 0..=bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let lines = ends.iter().filter(|(end, _)| *end < length).count();
            let (mut journal, done) = RedriveJournal::open(&path, header("lake:x")).unwrap();
            assert_eq!(done.released.len(), usize::from(lines > 1), "{length}");
            assert_eq!(done.refused.len(), usize::from(lines > 4), "{length}");
            assert_eq!(
                done.sent,
                marks(0..lines.saturating_sub(2) as u128),
                "{length}"
            );
            journal.have_sent(&marks(7..8), &[]).unwrap();
            drop(journal);
            let (_, done) = RedriveJournal::open(&path, header("lake:x")).unwrap();
            assert_eq!(done.sent.last(), Some(&marks(7..8)[0]), "{length}");
        }
    }

    #[test]
    fn only_the_same_redrive_goes_on_with_it() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("journal");
        RedriveJournal::open(&path, header("lake:x")).unwrap();
        let error = RedriveJournal::open(&path, header("lake:y")).err().unwrap();
        assert!(error.to_string().contains("to lake:x"), "{error}");
        let later = Header {
            run: "second".to_owned(),
            ..header("lake:x")
        };
        let (journal, _) = RedriveJournal::open(&path, later).unwrap();
        assert_eq!(journal.header, header("lake:x"));
    }

    #[test]
    fn who_only_looks_sees_what_was_done_and_begins_nothing() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a/journal");
        let look = |target| RedriveJournal::look(&path, &header(target));
        assert!(look("lake:x").unwrap().is_none() && !folder.path().join("a").exists());
        let (mut journal, _) = RedriveJournal::open(&path, header("lake:x")).unwrap();
        journal.have_sent(&marks(0..2), &marks(2..3)).unwrap();
        let before = fs::read(&path).unwrap();
        let (found, done) = look("lake:x").unwrap().unwrap();
        assert_eq!((found, done.sent), (header("lake:x"), marks(0..3)));
        assert!(look("lake:y").is_err());
        fs::write(&path, &before[..before.len() - 1]).unwrap();
        assert_eq!(look("lake:x").unwrap().unwrap().1.sent, marks(0..2));
        fs::write(&path, "{").unwrap();
        assert!(look("lake:x").unwrap().is_none());
    }

    #[test]
    fn one_process_has_it_at_a_time() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, _) = RedriveJournal::open(&path, header("lake:x")).unwrap();
        let error = RedriveJournal::open(&path, header("lake:x")).err().unwrap();
        assert!(format!("{error:#}").contains("another nozzle"), "{error:#}");
        journal.conclude().unwrap();
        assert!(!path.exists());
    }
}
