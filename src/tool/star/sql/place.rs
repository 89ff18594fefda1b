//! Where the files or the packets lie: a folder here, or a bucket.

use std::{
    convert::Infallible,
    fs, io,
    path::{self, PathBuf},
    str::FromStr,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SqlPlace {
    Folder(PathBuf),
    /// `s3://…`, without a slash at its end.
    Bucket(String),
}

impl FromStr for SqlPlace {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text.starts_with("s3://") {
            Self::Bucket(text.trim_end_matches('/').to_owned())
        } else {
            Self::Folder(PathBuf::from(text))
        })
    }
}

impl SqlPlace {
    /// Wherever the script is run.
    pub(super) fn absolute(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Folder(folder) => Self::Folder(path::absolute(folder)?),
            Self::Bucket(address) => Self::Bucket(address.clone()),
        })
    }

    pub(super) fn under(&self, name: &str) -> String {
        match self {
            Self::Folder(folder) => format!("{}/{name}", folder.display()),
            Self::Bucket(address) => format!("{address}/{name}"),
        }
    }

    /// Whether a folder of it is known to have no Parquet file yet. S3 is not asked.
    pub(super) fn has_no_file_of(&self, folder: &str) -> bool {
        let Self::Folder(root) = self else {
            return false;
        };
        let Ok(mut entries) = fs::read_dir(root.join(folder)) else {
            return true;
        };
        let is_file = |entry: io::Result<fs::DirEntry>| {
            entry.is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "parquet"))
        };
        !entries.any(is_file)
    }
}
