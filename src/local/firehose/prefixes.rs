//! Which prefixes a lake was written with: who reads a folder fails where two of them lay it out.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::prefix::Prefix;
use crate::{
    disk::{FileError, failed},
    local::files::{OWN_FOLDER, holds_nothing},
};

/// Notes that the lake is written with this prefix.
pub fn add(lake: &Path, prefix: &Prefix) -> Result<(), FileError> {
    if read(lake)?.contains(prefix) {
        return Ok(());
    }
    let path = path(lake);
    let file = OpenOptions::new().append(true).create(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{}", prefix.text))
        .map_err(failed(&path))
}

/// A prefix by which part of the lake is laid out where this one, which is new to it, would write.
pub fn conflicting(lake: &Path, prefix: &Prefix) -> Result<Option<Prefix>, FileError> {
    let known = read(lake)?;
    if known.contains(prefix) {
        return Ok(None);
    }
    let folder = Path::new(prefix.literal_folder());
    Ok(known.into_iter().find(|known| {
        let other = Path::new(known.literal_folder());
        let overlaps = folder.starts_with(other) || other.starts_with(folder);
        overlaps && !holds_nothing(&lake.join(other))
    }))
}

/// A line each. One that a crash has cut short is none.
fn read(lake: &Path) -> Result<Vec<Prefix>, FileError> {
    let path = path(lake);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| Prefix::parse(line).ok())
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(&path)(error)),
    }
}

fn path(lake: &Path) -> PathBuf {
    lake.join(OWN_FOLDER).join("prefixes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_prefix_for_a_folder_that_is_written_is_in_conflict() {
        let folder = tempfile::tempdir().expect("a folder");
        let lake = folder.path();
        fs::create_dir_all(lake.join(OWN_FOLDER)).expect("a folder");
        let prefix = |text| Prefix::parse(text).expect(text);
        let by_year = prefix("events/!{timestamp:yyyy}/");
        let check = |text, expected: Option<&Prefix>| {
            let found = conflicting(lake, &prefix(text)).expect("readable");
            assert_eq!(found.as_ref(), expected, "{text}");
        };
        let by_month = "events/!{timestamp:MM}/";
        check(by_month, None);
        for _ in 0..2 {
            add(lake, &by_year).expect("added");
        }
        check(by_month, None);
        fs::create_dir_all(lake.join("events/2024")).expect("a folder");
        fs::write(lake.join("events/2024/file"), "").expect("written");
        check(by_month, Some(&by_year));
        check("events/a/!{timestamp:MM}/", Some(&by_year));
        check("!{timestamp:MM}/", Some(&by_year));
        check(&by_year.text, None);
        check("others/!{timestamp:MM}/", None);
        add(lake, &prefix(by_month)).expect("added");
        check(by_month, None);
        let text = fs::read_to_string(path(lake)).expect("text");
        assert_eq!(text, format!("{}\n{by_month}\n", by_year.text));
    }
}
