//! A run as a page that a person looks at: one file that needs no network, no script and nothing
//! else. Every text that comes from events or paths is written through [`figures::Text`].

mod batches;
mod chart;
mod events;
mod figures;
mod headline;
mod histogram;
mod partitions;
mod refusals;
mod stretches;
mod target;
mod time;

use std::{
    fmt::{self, Display},
    path::Path,
};

use batches::Batches;
use events::Events;
use figures::{Second, Text};
use headline::Headline;
use partitions::Partitions;
use refusals::Refusals;
use stretches::Duplicates;
pub(super) use target::Target;

use crate::local::firehose::{picture::Picture, summary::Summary};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");

pub(super) struct Page<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
    pub(super) progress: Progress,
    pub(super) lake: &'a Path,
    /// When the run ended, in seconds since 1970.
    pub(super) ended: i64,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Complete,
    Interrupted,
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces = TEMPLATE.split("{{");
        f.write_str(pieces.next().unwrap_or_default())?;
        for piece in pieces {
            let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
            self.fill(name, f)?;
            f.write_str(rest)?;
        }
        Ok(())
    }
}

impl Page<'_> {
    fn fill(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            summary, picture, ..
        } = *self;
        match name {
            "style" => f.write_str(STYLE),
            "lake" => Text(&self.lake.display().to_string()).fmt(f),
            "ended" => f.write_str(&Second(self.ended).formatted("%-d %b %Y, %H:%M UTC")),
            "version" => f.write_str(env!("CARGO_PKG_VERSION")),
            "headline" => Headline {
                summary,
                picture,
                progress: self.progress,
            }
            .fmt(f),
            "events" => Events(&picture.timeline).fmt(f),
            "refusals" => Refusals { summary, picture }.fmt(f),
            "duplicates" => Duplicates { summary, picture }.fmt(f),
            "partitions" => Partitions { summary, picture }.fmt(f),
            "batches" => Batches(&picture.course).fmt(f),
            unknown => f.write_str(unknown),
        }
    }
}
