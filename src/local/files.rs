//! Files that become part of a folder together: complete under temporary names, on the disk, and
//! then under their final names.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::disk::{FileError, failed, side_by_side, sync_all};

/// What is not for a folder's readers lies in it under this name.
pub const OWN_FOLDER: &str = ".nozzle";
/// From a file's temporary name to its final one, both relative to the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename(pub PathBuf, pub PathBuf);

/// Makes a folder where there is none, and sees that it can be written before any work is
/// done in vain. The folder, absolute.
pub fn prepare(folder: &Path) -> Result<PathBuf, FileError> {
    create_folder(folder)?;
    let folder = fs::canonicalize(folder).map_err(failed(folder))?;
    let trial = folder.join(format!("{OWN_FOLDER}-{}", std::process::id()));
    fs::create_dir(&trial)
        .and_then(|()| fs::remove_dir(&trial))
        .map_err(failed(&folder))?;
    Ok(folder)
}

/// Writes a file, and the folders above it, whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder)?;
        let half = path.with_extension("half");
        let mut file = File::create(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&half, path)
    };
    write().map_err(failed(path))
}

/// Waits until the disk has these files, which have temporary names.
pub fn sync(folder: &Path, renames: &[Rename]) -> Result<(), FileError> {
    let mut paths: Vec<_> = renames
        .iter()
        .map(|Rename(temporary, _)| folder.join(temporary))
        .collect();
    let parent = paths.first().and_then(|path| path.parent());
    paths.extend(parent.map(Path::to_owned));
    sync_all(folder, paths.iter())
}

/// Gives the files of a window that is committed their final names, and waits until the disk has
/// these.
pub fn publish(folder: &Path, renames: &[Rename]) -> Result<(), FileError> {
    let changed = Mutex::new(BTreeSet::new());
    side_by_side(renames.iter(), |Rename(temporary, name)| {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        let created = create_folder(parent)?;
        let entered = created.into_iter().chain([parent.to_owned()]);
        changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(entered);
        fs::rename(folder.join(temporary), &path).map_err(failed(&path))
    })?;
    let changed = changed.into_inner().unwrap_or_else(PoisonError::into_inner);
    sync_all(folder, changed.iter())
}

/// Does the renames of a window that was committed, as far as a run that was killed has not.
pub fn publish_rest(folder: &Path, renames: &[Rename]) -> Result<(), FileError> {
    let is_left = |rename: &&Rename| folder.join(&rename.0).exists();
    let left: Vec<Rename> = renames.iter().filter(is_left).cloned().collect();
    publish(folder, &left)
}

/// Whether no file is below a folder, hidden ones aside: nothing that its readers would look at.
#[must_use]
pub fn holds_nothing(folder: &Path) -> bool {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return error.kind() == io::ErrorKind::NotFound,
    };
    entries.flatten().all(|entry| {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        is_hidden || (entry.path().is_dir() && holds_nothing(&entry.path()))
    })
}

/// Creates a folder, and those above it, where there is none; the folders that have a new entry by
/// that.
pub(super) fn create_folder(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut changed = Vec::new();
    let mut created = fs::create_dir(folder);
    let parent = folder.parent();
    if let (Err(error), Some(parent)) = (&created, parent)
        && error.kind() == io::ErrorKind::NotFound
    {
        changed = create_folder(parent)?;
        created = fs::create_dir(folder);
    }
    match created {
        Ok(()) => changed.extend(parent.map(Path::to_owned)),
        Err(_) if folder.is_dir() => {}
        Err(error) => return Err(failed(folder)(error)),
    }
    Ok(changed)
}

#[cfg(test)]
pub(in crate::local) mod tests {
    use super::*;

    /// All files but what is the folder's own, sorted.
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
    fn a_folder_that_cannot_be_written_is_known_at_once() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for path in [file.path().to_owned(), file.path().join("lake")] {
            let error = prepare(&path).expect_err("no folder").to_string();
            assert!(error.contains("cannot be written"), "{error}");
        }
    }
}
