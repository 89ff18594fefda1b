//! A run as a page that a person looks at: one file that needs no network, no script and nothing
//! else. Every text on it is escaped by who writes it, [`maud`].

mod batches;
mod chart;
mod events;
mod figures;
mod file;
mod headline;
mod histogram;
mod partitions;
mod refusals;
mod stretches;
mod time;

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    local::firehose::{picture::Picture, pipeline::Ending, summary::Summary},
    tool::plain::Plain,
};
use figures::Second;
pub(super) use file::PageFile;
use headline::Headline;
use partitions::PartitionSizes;
use refusals::Refusals;

const STYLE: &str = include_str!("page/page.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

pub(super) struct Page<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
    pub(super) ending: &'a Ending,
    pub(super) lake: &'a Path,
    /// When the run ended, in seconds since 1970.
    pub(super) ended: i64,
}

impl Page<'_> {
    pub(super) fn markup(&self) -> Markup {
        let lake = self.lake.display().to_string();
        let ended = Second(self.ended).formatted("%-d %b %Y, %H:%M UTC");
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { "Nozzle run into " (Plain(&lake)) ", " (ended) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        p.over { b { "nozzle run" } " " span { (ended) } }
                        (self.headline())
                    }
                    main { (self.sections()) }
                    footer {
                        p {
                            "The lake is " code { (Plain(&lake)) } ". Times are UTC. Written by nozzle "
                            (env!("CARGO_PKG_VERSION")) "; this page asks nothing of any network."
                        }
                    }
                }
            }
        }
    }

    fn headline(&self) -> Markup {
        let headline = Headline {
            summary: self.summary,
            picture: self.picture,
            ending: self.ending,
        };
        headline.markup()
    }

    fn sections(&self) -> Markup {
        let (summary, picture) = (self.summary, self.picture);
        html! {
            (section("events", "Events over time", &events::markup(&picture.timeline)))
            (section("refusals", "Refusals by reason", &Refusals { summary, picture }.markup()))
            (section("duplicates", "Duplicates", &stretches::duplicates(summary, &picture.course)))
            (section("partitions", "Partition sizes", &PartitionSizes { summary, picture }.markup()))
            (section("batches", "Batch timing", &batches::markup(&picture.course)))
        }
    }
}

fn section(name: &str, heading: &str, content: &Markup) -> Markup {
    html! {
        section aria-labelledby=(name) {
            h2 id=(name) { (heading) }
            (content)
        }
    }
}
