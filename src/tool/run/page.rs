//! A run as a page: what became of its records.

mod batches;
mod events;
mod headline;
mod histogram;
mod partitions;
mod refusals;
mod stretches;

use std::path::Path;

use maud::{Markup, html};

use crate::{
    local::firehose::{picture::Picture, pipeline::Ending, summary::Summary},
    tool::page::{WebPage, section},
};
use headline::Headline;
use partitions::PartitionSizes;
use refusals::Refusals;

pub(super) struct RunPage<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
    pub(super) ending: &'a Ending,
    /// The options by which `nozzle explain` judges as the run did, as they are typed.
    pub(super) judging: &'a str,
    pub(super) lake: &'a Path,
    /// When the run ended, in seconds since 1970.
    pub(super) ended: i64,
}

impl RunPage<'_> {
    pub(super) fn text(&self) -> String {
        let headline = Headline {
            summary: self.summary,
            picture: self.picture,
            ending: self.ending,
        };
        let page = WebPage {
            command: "run",
            place: "lake",
            folder: self.lake,
            ended: self.ended,
            headline: headline.markup(),
            sections: self.sections(),
        };
        page.text()
    }

    fn sections(&self) -> Markup {
        let (summary, picture) = (self.summary, self.picture);
        let refusals = Refusals {
            summary,
            picture,
            judging: self.judging,
        };
        html! {
            (section("events", "Events over time", &events::markup(&picture.timeline)))
            (section("refusals", "Refusals by reason", &refusals.markup()))
            (section("duplicates", "Duplicates", &stretches::duplicates(summary, &picture.course)))
            (section("partitions", "Partition sizes", &PartitionSizes { summary, picture }.markup()))
            (section("batches", "Batch timing", &batches::markup(&picture.course)))
        }
    }
}
