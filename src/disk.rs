//! Waiting until the disk has what was written, for many files at once; what is written is for
//! others to say.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

/// So many files are seen to at a time.
const THREADS: usize = 8;
/// For more files and folders, all that their file system holds is waited for at once: for thousands
/// a tenth of the time.
#[cfg(target_os = "linux")]
const SYNCED_EACH_MAX: usize = 64;

/// Why a folder cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written: {error}", path.display())]
pub struct FileError {
    pub path: PathBuf,
    #[source]
    pub error: io::Error,
}

pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> FileError {
    move |error| FileError {
        path: path.to_owned(),
        error,
    }
}

/// Waits until the disk has these files and folders, all below one folder.
pub fn sync_all<'p>(
    folder: &Path,
    paths: impl ExactSizeIterator<Item = &'p PathBuf> + Send,
) -> Result<(), FileError> {
    #[cfg(target_os = "linux")]
    if paths.len() > SYNCED_EACH_MAX {
        return sync_file_system(folder);
    }
    side_by_side(paths, |path| {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(failed(path))
    })
}

/// Waits until the disk has all that was written where a folder lies.
pub fn sync_file_system(folder: &Path) -> Result<(), FileError> {
    #[cfg(target_os = "linux")]
    let sync = |folder: File| Ok(rustix::fs::syncfs(folder)?);
    #[cfg(not(target_os = "linux"))]
    let sync = |_: File| {
        rustix::fs::sync();
        Ok(())
    };
    File::open(folder).and_then(sync).map_err(failed(folder))
}

/// Does a task for each of many files, several at a time: most of it is waiting.
pub(crate) fn side_by_side<I: Iterator + Send>(
    items: I,
    task: impl Fn(I::Item) -> Result<(), FileError> + Sync,
) -> Result<(), FileError> {
    let more = items.size_hint().0.min(THREADS).saturating_sub(1);
    let items = Mutex::new(items);
    let next = || {
        let mut items = items.lock().unwrap_or_else(PoisonError::into_inner);
        items.next()
    };
    let work = || std::iter::from_fn(next).try_for_each(&task);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..more).map(|_| scope.spawn(work)).collect();
        work()?;
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}
