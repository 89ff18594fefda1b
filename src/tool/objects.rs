//! Where error objects lie, or an archive, and beside them the records of what was redriven: a folder
//! here, a bucket and a queue in `aws`.

mod source;

use std::{
    fs::{self, File, FileType},
    io::{self, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{database, local::files};
pub(super) use source::ErrorSource;

/// The folder that records of redrives lie in. Nothing in it is an error object.
pub(super) const REDRIVEN: &str = "redriven";

/// Longer than any line that Firehose writes: an answer of 6 MB can deliver no more.
pub(super) const LINE_BYTES_MAX: usize = 9 * 1024 * 1024;

/// A file or an S3 object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) bytes: u64,
}

pub(super) trait Objects {
    /// Visits what may hold records, in an order that stays.
    fn each(&self, visit: &mut dyn FnMut(Object) -> Result<()>) -> Result<()>;

    fn list(&self) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        self.each(&mut |object| {
            objects.push(object);
            Ok(())
        })?;
        Ok(objects)
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + '_>>;
    /// The names of all records of redrives: beside the source, beside what it lies in, and in it. In no
    /// order, and some may come twice.
    fn list_redriven(&self) -> Result<Vec<String>>;
    /// Writes a record of a redrive, whole or not at all.
    fn write_redriven(&self, name: &str, bytes: Vec<u8>) -> Result<()>;

    /// Removes a record of a redrive that sent nothing, where that may be.
    fn forget_redriven(&self, _name: &str) -> Result<()> {
        Ok(())
    }

    /// What stood there is sent. A folder and a bucket keep it, and a record of the redrive.
    fn discard(&self, _position: &str) -> Result<()> {
        Ok(())
    }
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
    fn each(&self, visit: &mut dyn FnMut(Object) -> Result<()>) -> Result<()> {
        walk(&self.given, &mut |path, is_redriven| {
            if is_redriven {
                return Ok(());
            }
            // What cannot be read is named when it is opened.
            let bytes = fs::metadata(path).map_or(0, |found| found.len());
            let name = name(path)?;
            visit(Object { name, bytes })
        })
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + '_>> {
        let cannot = || format!("`{name}` cannot be opened");
        let kind = fs::metadata(name).with_context(cannot)?.file_type();
        ensure!(
            kind.is_file(),
            "`{name}` is {}, not a file: save what it gives to one",
            named(kind)
        );
        Ok(Box::new(File::open(name).with_context(cannot)?))
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
        Ok(names)
    }

    fn write_redriven(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let path = self.redriven().join(name);
        Ok(files::write_whole(&path, &bytes)?)
    }

    /// With its folder, where nothing else is in that.
    fn forget_redriven(&self, name: &str) -> Result<()> {
        let path = self.redriven().join(name);
        fs::remove_file(&path)
            .with_context(|| format!("`{}` cannot be removed", path.display()))?;
        path.parent().map_or(Ok(()), remove_empty)
    }
}

/// Removes a folder in which nothing lies.
pub(super) fn remove_empty(folder: &Path) -> Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => {
            Err(error).with_context(|| format!("`{}` cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Everything below a path but what is hidden and claims, sorted, and whether it lies in a
/// [`REDRIVEN`].
fn walk(path: &Path, visit: &mut impl FnMut(&Path, bool) -> Result<()>) -> Result<()> {
    walk_from(path, false, visit)
}

fn walk_from(
    path: &Path,
    is_redriven: bool,
    visit: &mut impl FnMut(&Path, bool) -> Result<()>,
) -> Result<()> {
    if !path.is_dir() {
        return visit(path, is_redriven);
    }
    if database::lies_in(path) {
        return Ok(());
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.with_context(|| format!("`{}` cannot be read", path.display()))?;
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

/// What might never end, or wait for ever.
fn named(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn name(path: &Path) -> Result<String> {
    let name = path.to_str().map(str::to_owned);
    name.with_context(|| format!("the name of `{}` is not Unicode", path.display()))
}
