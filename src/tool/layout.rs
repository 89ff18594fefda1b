//! How a lake is laid out, as options: where events and error objects go.

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use super::settings::default_prefix;
use crate::{
    functions::firehose_transform::partition::{Key, PartitionKeys},
    local::{
        firehose::{lake::Layout, prefix::Prefix},
        open_file::{Compression, FileExtension},
    },
};

#[derive(Debug, Args)]
pub(super) struct LayoutOptions {
    /// Where events go in the lake, as Firehose writes it; it names every partition key
    /// [default: events/KEY=…/ for each of the partition keys]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,

    /// Where error objects go in the lake, as Firehose writes it
    /// [default: errors/TYPE/year=…/month=…/day=…/, by their arrival]
    #[arg(long, value_name = "PREFIX", default_value = ERROR_PREFIX, hide_default_value = true)]
    error_prefix: String,

    /// How the lake's files are compressed; error objects never are
    #[arg(long, value_name = "HOW", default_value = "none")]
    compression: CompressionName,

    /// What the names of the lake's files end in; `none` is nothing. Error objects have none
    /// [default: .jsonl, with gzip .jsonl.gz]
    #[arg(long, value_name = "EXTENSION")]
    file_extension: Option<FileExtension>,
}

const ERROR_PREFIX: &str = "errors/!{firehose:error-output-type}/year=!{timestamp:yyyy}/\
                            month=!{timestamp:MM}/day=!{timestamp:dd}/";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompressionName {
    None,
    Gzip,
}

/// The prefix of events, or the usual one, for a function that returns these keys.
pub(super) fn read_prefix(prefix: Option<&str>, keys: &PartitionKeys) -> Result<Prefix> {
    let usual = default_prefix(keys);
    let prefix = Prefix::parse(prefix.unwrap_or(&usual)).context("--prefix")?;
    let named = |key: Key| prefix.keys.iter().any(|name| name == key.as_str());
    ensure!(
        keys.iter().all(named) && prefix.keys.len() == keys.iter().count(),
        "--prefix names the keys {:?}, but the function returns {keys}: Firehose wants both the \
         same, see --partition-keys",
        prefix.keys.join(","),
    );
    Ok(prefix)
}

impl LayoutOptions {
    /// The layout for a function that returns these keys.
    pub(super) fn read(&self, keys: &PartitionKeys) -> Result<Layout> {
        let prefix = read_prefix(self.prefix.as_deref(), keys)?;
        let error_prefix =
            Prefix::parse_error(&self.error_prefix, &prefix).context("--error-prefix")?;
        let compression = match self.compression {
            CompressionName::None => Compression::None,
            CompressionName::Gzip => Compression::Gzip,
        };
        let file_extension = self.file_extension.clone();
        let file_extension = file_extension.unwrap_or_else(|| FileExtension::usual(compression));
        ensure!(
            compression == Compression::Gzip || !file_extension.says_gzip(),
            "--file-extension ends in .gz, but files are not packed: give --compression gzip"
        );
        Ok(Layout {
            prefix,
            error_prefix,
            compression,
            file_extension,
        })
    }
}
