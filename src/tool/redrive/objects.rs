//! Where error objects lie, and beside them the records of what was redriven: a folder here, a
//! bucket in `aws`.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The folder that records of redrives lie in. Nothing in it is an error object.
pub(crate) const REDRIVEN: &str = "redriven";

/// A file or an S3 object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

pub(crate) trait Objects {
    /// What may hold error objects, in an order that stays.
    fn list(&self) -> Result<Vec<Object>>;
    fn open(&self, name: &str) -> Result<Box<dyn Read + '_>>;
    /// The names of all records of redrives: beside the source, beside what it lies in, and in it.
    fn list_redriven(&self) -> Result<Vec<String>>;
    /// Writes a record of a redrive, whole or not at all.
    fn write_redriven(&self, name: &str, bytes: Vec<u8>) -> Result<()>;
}

/// A folder, or one file.
pub(super) struct Folder {
    /// As a person knows it.
    given: PathBuf,
    /// Absolute, so that it has a parent.
    path: PathBuf,
}

impl Folder {
    pub(super) fn find(given: &Path) -> Result<Self> {
        let path = fs::canonicalize(given)
            .with_context(|| format!("there is no file or folder `{}`", given.display()))?;
        if path.iter().any(|part| part == REDRIVEN) {
            bail!(
                "`{}` holds records of redrives, not error objects",
                path.display()
            );
        }
        Ok(Self {
            given: given.to_owned(),
            path,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where this source's records of redrives lie.
    pub(super) fn redriven(&self) -> PathBuf {
        self.path.parent().unwrap_or(&self.path).join(REDRIVEN)
    }
}

impl Objects for Folder {
    fn list(&self) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        walk(&self.given, &mut |path, is_redriven| {
            if is_redriven {
                return Ok(());
            }
            // What cannot be read is named when it is opened.
            let bytes = fs::metadata(path).map_or(0, |found| found.len());
            let name = name(path)?;
            objects.push(Object { name, bytes });
            Ok(())
        })?;
        Ok(objects)
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + '_>> {
        let file = File::open(name).with_context(|| format!("`{name}` cannot be opened"))?;
        Ok(Box::new(file))
    }

    fn list_redriven(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in self.path.ancestors().skip(1) {
            let folder = folder.join(REDRIVEN);
            if folder.is_dir() {
                walk(&folder, &mut |path, _| {
                    names.push(name(path)?);
                    Ok(())
                })?;
            }
        }
        walk(&self.path, &mut |path, is_redriven| {
            if is_redriven {
                names.push(name(path)?);
            }
            Ok(())
        })?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn write_redriven(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let path = self.redriven().join(name);
        write_whole(&path, &bytes)
            .with_context(|| format!("`{}` cannot be written", path.display()))
    }
}

/// Everything below a path but what is hidden, sorted, and whether it lies in a [`REDRIVEN`].
fn walk(path: &Path, visit: &mut impl FnMut(&Path, bool) -> io::Result<()>) -> Result<()> {
    walk_from(path, false, visit).with_context(|| format!("`{}` cannot be read", path.display()))
}

fn walk_from(
    path: &Path,
    is_redriven: bool,
    visit: &mut impl FnMut(&Path, bool) -> io::Result<()>,
) -> io::Result<()> {
    if !path.is_dir() {
        return visit(path, is_redriven);
    }
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, file_name) = (entry.path(), entry.file_name());
        let is_hidden = file_name.as_encoded_bytes().starts_with(b".");
        // A folder behind a link may hold the link itself; a file cannot.
        let is_linked_folder = entry.file_type()?.is_symlink() && path.is_dir();
        if !is_hidden && !is_linked_folder {
            walk_from(&path, is_redriven || file_name == REDRIVEN, visit)?;
        }
    }
    Ok(())
}

fn name(path: &Path) -> io::Result<String> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("the name of `{}` is not Unicode", path.display())))
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let half = path.with_extension("half");
    let mut file = File::create(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, path)
}
