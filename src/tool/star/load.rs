//! `nozzle star PACKETS`: a folder of packets into a folder that holds a star, by the function itself.

mod folders;
mod loading;
mod question;
mod remark;
mod report;
mod sum;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::description::read;
use crate::{
    functions::star_schema::{
        Settings, StarSchema,
        store::folder::{FolderParameters, FolderStore},
    },
    tool::{
        interrupt::{interrupted, stop_on_signal},
        settings::by_option,
        terminal::{Format, is_quiet, tell},
    },
};
use folders::StarFolders;
use loading::{LoadEnding, Loading, Until};
use report::LoadReport;

/// What the folder is called where none is named.
pub(super) const STAR: &str = "star";

#[derive(Debug, Args)]
pub(super) struct LoadOptions {
    /// The folder that packets lie in, however deep
    packets: PathBuf,

    /// The folder for the star
    #[arg(long, value_name = "DIR", default_value = STAR)]
    into: PathBuf,

    /// The star's description [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    star: Option<PathBuf>,

    /// The share of a packet's rows, 0.0 to 1.0, beyond which a packet with refused rows is refused
    /// as a whole [default: 1.0]
    #[arg(long, value_name = "SHARE")]
    refused_rows_max: Option<String>,

    /// Load packets that come later too, until Ctrl-C. A file is taken when nothing was written to
    /// it for two seconds
    #[arg(long)]
    watch: bool,

    // Within an option that is flattened nothing can be, so they stand here.
    /// One JSON object, in place of what a person reads
    #[arg(long)]
    json: bool,

    /// The older way to say it
    #[arg(long, value_name = "HOW", hide = true, conflicts_with = "json")]
    summary: Option<Format>,
}

impl LoadOptions {
    pub(super) fn settings(&self) -> Result<Settings> {
        let settings = Settings::read(|name| match name {
            "REFUSED_ROWS_MAX" => self.refused_rows_max.clone(),
            _ => None,
        });
        settings.map_err(|error| by_option(&error))
    }

    /// Refused rows are kept, so they are no failure; a packet that is left is one.
    pub(super) fn run(&self) -> Result<ExitCode> {
        let stop = stop_on_signal()?;
        let settings = self.settings()?;
        let folders = StarFolders::prepare(&self.packets, &self.into)?;
        let function = StarSchema {
            settings,
            star: read(self.star.as_deref())?,
            packets: FolderStore::new(folders.packets.clone()),
            processed: FolderStore::new(folders.star.clone()),
            parameters: FolderParameters::new(folders.star.join("parameters")),
        };
        let mut loading = Loading::new(function, &folders, &stop)?;
        let ending = loading.run(self.until());
        let report = LoadReport {
            loaded: &loading.sum,
            ending: &ending,
            star: &loading.function.star,
            folder: &folders.star,
            named: &self.into,
            packets: &self.packets,
        };
        let format = self.summary.unwrap_or(Format::of_flag(self.json));
        if format == Format::Json || !is_quiet() {
            report.print(format)?;
        }
        conclude(ending, loading.sum.is_left())
    }

    fn until(&self) -> Until {
        if self.watch {
            Until::Stopped
        } else {
            Until::AllLoaded
        }
    }
}

fn conclude(ending: LoadEnding, is_left: bool) -> Result<ExitCode> {
    match ending {
        LoadEnding::Interrupted => Ok(interrupted()),
        LoadEnding::Broken(error) => {
            tell(
                "what comes before is loaded; give the same command again and it goes on from here",
            );
            Err(error)
        }
        LoadEnding::Complete if is_left => Ok(ExitCode::FAILURE),
        LoadEnding::Complete => Ok(ExitCode::SUCCESS),
    }
}
