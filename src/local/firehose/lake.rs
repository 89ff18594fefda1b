//! The lake: one file a partition and window, under its final name only when the window has ended.
//! Until then its lines are held, or lie in a temporary file, which nobody takes for part of the lake.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    fs, io,
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_64;

use super::{
    answer,
    error_object::OutputType,
    name_forms::NameForms,
    names::STREAM_NAME,
    prefix::{Outside, Prefix, Values},
    prefixes,
    timestamp::Pattern,
};
use crate::{
    disk::{FileError, failed, side_by_side},
    local::{
        files::{OWN_FOLDER, Rename, create_folder},
        open_file::{Compression, FileExtension, OpenFile},
        random::Random,
    },
};

/// What partitions hold back together; beyond, each writes what it holds.
const HELD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A window should end with so many files: their names are held, and noted at once.
const FILES_MAX: usize = 20_000;

/// What goes where, and how it is written.
#[derive(Debug, Clone)]
pub struct Layout {
    pub prefix: Prefix,
    pub error_prefix: Prefix,
    pub compression: Compression,
    pub file_extension: FileExtension,
}

/// A lake that is being written.
pub struct Lake {
    layout: Layout,
    names: Names,
    partitions: HashMap<String, OpenFile>,
    held_bytes: usize,
    held_bytes_max: usize,
    errors: BTreeMap<OutputType, OpenFile>,
    window: Written,
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
pub struct Written {
    pub renames: Vec<Rename>,
    /// Hashes of the partitions that were written.
    pub partitions: BTreeSet<u64>,
    pub name_forms: NameForms,
    pub files: u64,
    pub bytes: u64,
    /// Of each file but error objects', in the order of `renames`.
    pub file_bytes: Vec<u64>,
    pub error_files: u64,
}

/// Why a record is not in the lake.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// Its partition has no place there; another record's may.
    #[error(transparent)]
    Outside(#[from] Outside),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lake {
    /// Opens the lake in a folder that is [prepared](crate::local::files::prepare). What is written
    /// on behalf of another `writer` at the same time is left alone.
    pub fn open(folder: &Path, writer: &str, layout: Layout) -> Result<Self, FileError> {
        let folder = folder.to_owned();
        let writer = format!("{:016x}", xxh3_64(writer.as_bytes()));
        let open_folder = Path::new(OWN_FOLDER).join("open").join(writer);
        create_folder(&folder.join(&open_folder))?;
        prefixes::add(&folder, &layout.prefix)?;
        Ok(Self {
            layout,
            names: Names {
                lake: folder,
                open_folder,
                time: Pattern::of_names(),
                random: Random::default(),
            },
            partitions: HashMap::new(),
            held_bytes: 0,
            held_bytes_max: HELD_BYTES_MAX,
            errors: BTreeMap::new(),
            window: Written::default(),
        })
    }

    /// Adds a line to the partition that `group` tells apart.
    pub fn deliver(
        &mut self,
        group: &str,
        arrival_milliseconds: i64,
        line: &[u8],
    ) -> Result<(), PutError> {
        if !self.partitions.contains_key(group) {
            self.begin(group, arrival_milliseconds)?;
        }
        if let Some(file) = self.partitions.get_mut(group) {
            self.held_bytes -= file.held_bytes();
            file.push(line)?;
            self.held_bytes += file.held_bytes();
        }
        if self.held_bytes > self.held_bytes_max {
            self.spill()?;
        }
        Ok(())
    }

    fn begin(&mut self, group: &str, arrival_milliseconds: i64) -> Result<(), Outside> {
        let keys = answer::values(group);
        let prefix = self.layout.prefix.evaluate(Values {
            keys: &keys,
            arrival_milliseconds,
            random: self.names.random.number(),
            error_output_type: "",
        })?;
        let name = self.names.name(&prefix, arrival_milliseconds) + &self.layout.file_extension.0;
        let file = self.names.create(name, self.layout.compression);
        self.partitions.insert(group.to_owned(), file);
        let names = self.layout.prefix.keys.iter().map(String::as_str);
        self.window.name_forms.add(names.zip(keys));
        self.window.partitions.insert(xxh3_64(group.as_bytes()));
        Ok(())
    }

    /// The file that error objects of this kind go to.
    pub fn errors(
        &mut self,
        output_type: OutputType,
        arrival_milliseconds: i64,
    ) -> Result<&mut OpenFile, FileError> {
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
        let name = self.names.name(&prefix, arrival_milliseconds);
        Ok(entry.insert(self.names.create(name, Compression::None)))
    }

    /// The names that every delivered record has values for.
    #[must_use]
    pub fn partition_keys(&self) -> &[String] {
        &self.layout.prefix.keys
    }

    /// Whether the window has so many files that it should end.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.partitions.len() >= FILES_MAX
    }

    /// Completes every file. Whether the disk has it, and its final name, is for the commit; what is
    /// added from now on belongs to the next window.
    pub fn end_window(&mut self) -> Result<Written, FileError> {
        let mut window = std::mem::take(&mut self.window);
        let mut files: Vec<_> = self.partitions.drain().map(|(_, file)| file).collect();
        self.held_bytes = 0;
        window.files = files.len() as u64;
        side_by_side(files.iter_mut(), OpenFile::write)?;
        for file in &files {
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
    pub fn sweep(&self) -> Result<(), FileError> {
        let folder = self.names.open_folder();
        let entries = fs::read_dir(&folder).map_err(failed(&folder))?;
        for entry in entries {
            let path = entry.map_err(failed(&folder))?.path();
            fs::remove_file(&path).map_err(failed(&path))?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), FileError> {
        self.held_bytes = 0;
        side_by_side(self.partitions.values_mut(), OpenFile::finish)
    }
}

impl Names {
    fn open_folder(&self) -> PathBuf {
        self.lake.join(&self.open_folder)
    }

    /// As Firehose names an object, without an extension.
    fn name(&mut self, prefix: &str, arrival_milliseconds: i64) -> String {
        let mut name = format!("{prefix}{STREAM_NAME}-1-");
        self.time.write(&mut name, arrival_milliseconds);
        name.push('-');
        name.push_str(&self.random.uuid());
        name
    }

    fn create(&mut self, name: String, compression: Compression) -> OpenFile {
        // Never a name that an earlier run has used: a note may still speak of that one.
        let temporary = format!("{:016x}", self.random.number());
        let temporary = self.open_folder.join(temporary);
        OpenFile::new(&self.lake, Rename(temporary, name.into()), compression)
    }
}

#[cfg(test)]
pub(in crate::local) mod tests {
    use std::fs::File;

    use super::*;
    use crate::local::files::{publish, publish_rest, tests::files};

    const ARRIVAL: i64 = 1_495_072_949_453;

    fn layout(compression: Compression) -> Layout {
        let prefix = Prefix::parse("events/a=!{partitionKeyFromLambda:a}/").expect("a prefix");
        let error_prefix = Prefix::parse_error("errors/!{firehose:error-output-type}/", &prefix)
            .expect("a prefix");
        Layout {
            prefix,
            error_prefix,
            compression,
            file_extension: FileExtension::usual(compression),
        }
    }

    pub(in crate::local) fn open(folder: &Path, compression: Compression) -> Lake {
        Lake::open(folder, "test", layout(compression)).expect("a lake")
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
        let uuid = uuid.strip_suffix(".jsonl");
        assert_eq!(uuid.map(str::len), Some(36), "{name}");
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
    fn a_partition_has_one_file_whatever_order_its_lines_come_in_and_however_little_is_held() {
        for held_bytes_max in [0, 100, 100_000] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut lake = open(folder.path(), Compression::None);
            lake.held_bytes_max = held_bytes_max;
            for number in 0..2_000 {
                let (group, line) = ((number * 7 % 50).to_string(), format!("{number}\n"));
                lake.deliver(&group, ARRIVAL, line.as_bytes())
                    .expect("delivered");
                assert!(lake.held_bytes <= held_bytes_max);
            }
            let window = lake.end_window().expect("written");
            assert_eq!((window.files, window.partitions.len()), (50, 50));
            publish(folder.path(), &window.renames).expect("published");
            let of_one = folder.path().join("events/a=0");
            let text = fs::read_to_string(&files(&of_one)[0]).expect("text");
            let expected: Vec<_> = (0..2_000).step_by(50).map(|n| n.to_string()).collect();
            assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        }
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
}
