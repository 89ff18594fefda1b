//! The lake: one file a partition and window, under its final name only when the window has ended.
//! Until then its bytes lie in a temporary file, which nobody takes for part of the lake.

mod file;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use super::{
    STREAM_NAME, answer,
    error_object::OutputType,
    prefix::{OWN_FOLDER, Outside, Prefix, Values},
    timestamp::Pattern,
};
use crate::local::random::Random;
pub use file::{Compression, Length, OpenFile};

/// Partitions that are open at once; beyond, the one that waited longest for a record is finished.
const OPEN_MAX: usize = 500;
/// A window should end with so many files.
const FILES_MAX: usize = 5_000;
/// Waiting for the disk is done side by side.
const SYNC_THREADS: usize = 8;

/// What goes where, and how it is written.
#[derive(Debug, Clone)]
pub struct Layout {
    pub prefix: Prefix,
    pub error_prefix: Prefix,
    pub compression: Compression,
}

/// A lake that is being written.
pub struct Lake {
    layout: Layout,
    names: Names,
    partitions: HashMap<String, OpenFile, Xxh3DefaultBuilder>,
    errors: BTreeMap<OutputType, OpenFile>,
    finished: Vec<OpenFile>,
    deliveries: u64,
    window: Window,
}

/// Names files, temporary and final.
struct Names {
    lake: PathBuf,
    /// Where temporary files are, in the lake.
    open_folder: PathBuf,
    time: Pattern,
    random: Random,
}

/// What a window has come to: its files are complete, under temporary names.
#[derive(Debug, Default)]
pub struct Window {
    pub renames: Vec<Rename>,
    /// Hashes of the partitions that were written.
    pub partitions: BTreeSet<u64>,
    pub files: u64,
    pub bytes: u64,
    /// Of each file but error objects', in the order of `renames`.
    pub file_bytes: Vec<u64>,
    pub error_files: u64,
}

/// From a file's temporary name to its final one, both relative to the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename(pub PathBuf, pub PathBuf);

/// Why the lake cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written: {error}", path.display())]
pub struct LakeError {
    pub path: PathBuf,
    #[source]
    pub error: io::Error,
}

/// Why a record is not in the lake.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// Its partition has no place there; another record's may.
    #[error(transparent)]
    Outside(#[from] Outside),
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl Lake {
    /// Opens the lake in a folder that is [prepared](prepare). What is written on behalf of another
    /// `writer` at the same time is left alone.
    pub fn open(folder: &Path, writer: &str, layout: Layout) -> Result<Self, LakeError> {
        let folder = folder.to_owned();
        let writer = format!("{:016x}", xxh3_64(writer.as_bytes()));
        let open_folder = Path::new(OWN_FOLDER).join("open").join(writer);
        create_folder(&folder.join(&open_folder))?;
        Ok(Self {
            layout,
            names: Names {
                lake: folder,
                open_folder,
                time: Pattern::of_names(),
                random: Random::default(),
            },
            partitions: HashMap::default(),
            errors: BTreeMap::new(),
            finished: Vec::new(),
            deliveries: 0,
            window: Window::default(),
        })
    }

    /// Adds a line to the partition that `group` tells apart.
    pub fn deliver(
        &mut self,
        group: &str,
        arrival_milliseconds: i64,
        line: &[u8],
    ) -> Result<(), PutError> {
        self.deliveries += 1;
        if let Some(file) = self.partitions.get_mut(group) {
            file.used = self.deliveries;
            return Ok(file.push(line)?);
        }
        let keys = answer::values(group);
        let prefix = self.layout.prefix.evaluate(Values {
            keys: &keys,
            arrival_milliseconds,
            random: self.names.random.number(),
            error_output_type: "",
        })?;
        if self.partitions.len() >= OPEN_MAX {
            self.finish_idlest()?;
        }
        let compression = self.layout.compression;
        let mut file = self
            .names
            .create(&prefix, arrival_milliseconds, compression);
        file.used = self.deliveries;
        file.push(line)?;
        self.partitions.insert(group.to_owned(), file);
        self.window.partitions.insert(xxh3_64(group.as_bytes()));
        Ok(())
    }

    /// The file that error objects of this kind go to.
    pub fn errors(
        &mut self,
        output_type: OutputType,
        arrival_milliseconds: i64,
    ) -> Result<&mut OpenFile, LakeError> {
        let entry = match self.errors.entry(output_type) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(entry) => entry,
        };
        let prefix = self.layout.error_prefix.evaluate(Values {
            keys: &[],
            arrival_milliseconds,
            random: self.names.random.number(),
            error_output_type: output_type.as_str(),
        });
        let prefix =
            prefix.map_err(|outside| failed(&self.names.lake)(io::Error::other(outside)))?;
        let file = self
            .names
            .create(&prefix, arrival_milliseconds, Compression::None);
        Ok(entry.insert(file))
    }

    /// The names that every delivered record has values for.
    #[must_use]
    pub fn partition_keys(&self) -> &[String] {
        &self.layout.prefix.keys
    }

    /// The lake's folder, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.names.lake
    }

    /// Whether the window has so many files that it should end.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.finished.len() + self.partitions.len() >= FILES_MAX
    }

    /// Completes every file. Whether the disk has it, and its final name, is for [`sync`] and
    /// [`publish`]; what is added from now on belongs to the next window.
    pub fn end_window(&mut self) -> Result<Window, LakeError> {
        let mut window = std::mem::take(&mut self.window);
        let mut files = std::mem::take(&mut self.finished);
        files.extend(self.partitions.drain().map(|(_, file)| file));
        window.files = files.len() as u64;
        for file in &mut files {
            file.write()?;
            window.bytes += file.written_bytes;
            window.file_bytes.push(file.written_bytes);
        }
        for mut file in std::mem::take(&mut self.errors).into_values() {
            file.write()?;
            // What was taken back may leave nothing.
            if file.written_bytes > 0 {
                window.error_files += 1;
                files.push(file);
            }
        }
        window.renames = files.into_iter().map(|file| file.rename).collect();
        Ok(window)
    }

    /// Removes the temporary files of a run that did not end its window.
    pub fn sweep(&self) -> Result<(), LakeError> {
        let folder = self.names.open_folder();
        let entries = fs::read_dir(&folder).map_err(failed(&folder))?;
        for entry in entries {
            let path = entry.map_err(failed(&folder))?.path();
            fs::remove_file(&path).map_err(failed(&path))?;
        }
        Ok(())
    }

    fn finish_idlest(&mut self) -> Result<(), LakeError> {
        let idlest = self.partitions.iter().min_by_key(|(_, file)| file.used);
        let idlest = idlest.map(|(group, _)| group.clone());
        if let Some(mut file) = idlest.and_then(|group| self.partitions.remove(&group)) {
            file.finish()?;
            self.finished.push(file);
        }
        Ok(())
    }
}

impl Names {
    fn open_folder(&self) -> PathBuf {
        self.lake.join(&self.open_folder)
    }

    fn create(
        &mut self,
        prefix: &str,
        arrival_milliseconds: i64,
        compression: Compression,
    ) -> OpenFile {
        // Never a name that an earlier run has used: a note may still speak of that one.
        let temporary = format!("{:016x}", self.random.number());
        let temporary = self.open_folder.join(temporary);
        let mut name = format!("{prefix}{STREAM_NAME}-1-");
        self.time.write(&mut name, arrival_milliseconds);
        name.push('-');
        name.push_str(&self.random.uuid());
        name.push_str(compression.extension());
        OpenFile::new(&self.lake, Rename(temporary, name.into()), compression)
    }
}

/// Makes a lake's folder where there is none, and sees that it can be written before any work is
/// done in vain. The folder, absolute.
pub fn prepare(folder: &Path) -> Result<PathBuf, LakeError> {
    create_folder(folder)?;
    let folder = fs::canonicalize(folder).map_err(failed(folder))?;
    let trial = folder.join(format!("{OWN_FOLDER}-{}", std::process::id()));
    fs::create_dir(&trial)
        .and_then(|()| fs::remove_dir(&trial))
        .map_err(failed(&folder))?;
    Ok(folder)
}

/// Waits until the disk has these files, which have temporary names.
pub fn sync(lake: &Path, renames: &[Rename]) -> Result<(), LakeError> {
    side_by_side(renames, |Rename(temporary, _)| {
        sync_one(&lake.join(temporary))
    })?;
    match renames
        .first()
        .and_then(|Rename(temporary, _)| temporary.parent())
    {
        Some(folder) => sync_one(&lake.join(folder)),
        None => Ok(()),
    }
}

/// Gives the files of a window that is committed their final names, and waits until the disk has
/// these.
pub fn publish(lake: &Path, renames: &[Rename]) -> Result<(), LakeError> {
    let mut changed = BTreeSet::new();
    for Rename(temporary, name) in renames {
        let path = lake.join(name);
        let folder = path.parent().unwrap_or(lake);
        changed.extend(create_folder(folder)?);
        changed.insert(folder.to_owned());
        fs::rename(lake.join(temporary), &path).map_err(failed(&path))?;
    }
    side_by_side(&Vec::from_iter(changed), |folder| sync_one(folder))
}

/// Does the renames of a window that was committed, as far as a run that was killed has not.
pub fn publish_rest(lake: &Path, renames: &[Rename]) -> Result<(), LakeError> {
    let is_left = |rename: &&Rename| lake.join(&rename.0).exists();
    let left: Vec<Rename> = renames.iter().filter(is_left).cloned().collect();
    publish(lake, &left)
}

/// Creates a folder and those above it; the folders that have a new entry by that.
fn create_folder(folder: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let missing = folder.ancestors().take_while(|folder| !folder.exists());
    let parents = missing.filter_map(Path::parent);
    // The parent of a relative path's first part is written as nothing.
    let changed = parents
        .filter(|parent| !parent.as_os_str().is_empty())
        .map(Path::to_owned)
        .collect();
    fs::create_dir_all(folder).map_err(failed(folder))?;
    Ok(changed)
}

fn sync_one(path: &Path) -> Result<(), LakeError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(failed(path))
}

fn side_by_side<T: Sync>(
    items: &[T],
    task: impl Fn(&T) -> Result<(), LakeError> + Sync,
) -> Result<(), LakeError> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            task(item)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (1..SYNC_THREADS.min(items.len()))
            .map(|_| scope.spawn(work))
            .collect();
        work()?;
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

fn failed(path: &Path) -> impl Fn(io::Error) -> LakeError {
    move |error| LakeError {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
pub(in crate::local) mod tests {
    use super::*;

    const ARRIVAL: i64 = 1_495_072_949_453;

    fn layout(compression: Compression) -> Layout {
        let prefix = Prefix::parse("events/a=!{partitionKeyFromLambda:a}/").expect("a prefix");
        let error_prefix = Prefix::parse_error("errors/!{firehose:error-output-type}/", &prefix)
            .expect("a prefix");
        Layout {
            prefix,
            error_prefix,
            compression,
        }
    }

    pub(in crate::local) fn open(folder: &Path, compression: Compression) -> Lake {
        Lake::open(folder, "test", layout(compression)).expect("a lake")
    }

    /// All files but the lake's own, sorted.
    pub(in crate::local) fn files(folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with(OWN_FOLDER) {
                files.extend(self::files(&path));
            } else if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        files
    }

    #[test]
    fn a_window_becomes_one_file_a_partition() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lake = open(folder.path(), Compression::None);
        for (group, line) in [("x", "1\n"), ("y", "2\n"), ("x", "3\n")] {
            lake.deliver(group, ARRIVAL, line.as_bytes())
                .expect("delivered");
        }
        let window = lake.end_window().expect("written");
        assert_eq!(
            (window.files, window.bytes, window.partitions.len()),
            (2, 6, 2)
        );
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
        publish(folder.path(), &window.renames).expect("published");
        let files = files(folder.path());
        let contents: Vec<_> = files
            .iter()
            .map(|file| fs::read_to_string(file).expect("text"))
            .collect();
        assert_eq!(contents, ["1\n3\n", "2\n"]);
        let name = files[0]
            .strip_prefix(folder.path())
            .expect("inside")
            .display()
            .to_string();
        let uuid = name
            .strip_prefix("events/a=x/nozzle-1-2017-05-18-02-02-29-")
            .unwrap_or_else(|| panic!("{name}"));
        assert_eq!(uuid.len(), 36);
    }

    #[test]
    fn gzip_is_joined_from_members() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lake = open(folder.path(), Compression::Gzip);
        let line = "x".repeat(99) + "\n";
        for _ in 0..2_000 {
            lake.deliver("x", ARRIVAL, line.as_bytes())
                .expect("delivered");
        }
        let window = lake.end_window().expect("written");
        assert!(window.bytes < 20_000);
        publish(folder.path(), &window.renames).expect("published");
        let path = files(folder.path()).pop().expect("a file");
        assert!(path.extension().is_some_and(|extension| extension == "gz"));
        let mut text = String::new();
        let mut reader = flate2::read::MultiGzDecoder::new(File::open(path).expect("a file"));
        io::Read::read_to_string(&mut reader, &mut text).expect("gzip");
        assert!(text == line.repeat(2_000));
    }

    #[test]
    fn beyond_the_open_partitions_the_idlest_is_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lake = open(folder.path(), Compression::None);
        for number in 0..OPEN_MAX + 2 {
            lake.deliver("always", ARRIVAL, b"a\n").expect("delivered");
            lake.deliver(&number.to_string(), ARRIVAL, b"b\n")
                .expect("delivered");
            assert!(lake.partitions.len() <= OPEN_MAX);
        }
        lake.deliver("0", ARRIVAL, b"c\n").expect("delivered");
        let window = lake.end_window().expect("written");
        assert_eq!(window.partitions.len(), OPEN_MAX + 3);
        assert_eq!(window.files, OPEN_MAX as u64 + 4);
    }

    #[test]
    fn a_partition_outside_the_lake_takes_no_record() {
        let folder = tempfile::tempdir().expect("a folder");
        let prefix = Prefix::parse("!{partitionKeyFromLambda:a}/").expect("a prefix");
        let layout = Layout {
            prefix,
            ..layout(Compression::None)
        };
        let mut lake = Lake::open(folder.path(), "test", layout).expect("a lake");
        for group in ["..", "/etc", "../x", ".nozzle/claims"] {
            let refused = lake.deliver(group, ARRIVAL, b"x\n");
            assert!(matches!(refused, Err(PutError::Outside(_))), "{group}");
        }
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lake = open(folder.path(), Compression::None);
        for kept in ["", "kept\n"] {
            let file = lake
                .errors(OutputType::ProcessingFailed, ARRIVAL)
                .expect("a file");
            file.push(kept.as_bytes()).expect("pushed");
            let length = file.length();
            file.push("x".repeat(100_000).as_bytes()).expect("pushed");
            file.cut_back(length).expect("cut back");
            let window = lake.end_window().expect("written");
            assert_eq!(window.error_files, u64::from(!kept.is_empty()));
            publish(folder.path(), &window.renames).expect("published");
        }
        let files = files(folder.path());
        assert_eq!(files.len(), 1);
        assert_eq!(fs::read_to_string(&files[0]).expect("text"), "kept\n");
    }

    #[test]
    fn a_killed_run_is_tidied_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lake = open(folder.path(), Compression::None);
        lake.deliver("x", ARRIVAL, b"committed\n")
            .expect("delivered");
        let window = lake.end_window().expect("written");
        lake.deliver("x", ARRIVAL, "y".repeat(100_000).as_bytes())
            .expect("delivered");
        drop(lake);
        for _ in 0..2 {
            publish_rest(folder.path(), &window.renames).expect("published");
        }
        let lake = open(folder.path(), Compression::None);
        lake.sweep().expect("swept");
        assert_eq!(files(&lake.names.open_folder()), Vec::<PathBuf>::new());
        assert_eq!(files(folder.path()).len(), 1);
    }

    #[test]
    fn a_lake_that_cannot_be_written_is_known_at_once() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for path in [file.path().to_owned(), file.path().join("lake")] {
            let error = prepare(&path).expect_err("no folder").to_string();
            assert!(error.contains("cannot be written"), "{error}");
        }
    }
}
