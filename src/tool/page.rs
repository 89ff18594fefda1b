//! What pages that a person looks at share: one file that needs no network, no script and nothing
//! else. Every text on it is escaped by who writes it, [`maud`]. What it says is its command's.

pub(super) mod chart;
pub(super) mod figures;
mod file;
pub(super) mod over_time;
pub(super) mod reasons;
pub(super) mod time;

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plain::Plain;
use figures::Second;
pub(super) use file::PageFile;

const STYLE: &str = include_str!("page/page.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

pub(super) struct WebPage<'a> {
    /// What is written about: `run`.
    pub(super) command: &'static str,
    /// What the folder is: `lake`.
    pub(super) place: &'static str,
    pub(super) folder: &'a Path,
    /// When it ended, in seconds since 1970.
    pub(super) ended: i64,
    pub(super) headline: Markup,
    pub(super) sections: Markup,
}

impl WebPage<'_> {
    pub(super) fn text(&self) -> String {
        let ended = Second(self.ended).formatted("%-d %b %Y, %H:%M UTC");
        let folder = self.folder.display().to_string();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { "Nozzle " (self.command) " into " (Plain(&folder)) ", " (ended) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        p.over { b { "nozzle " (self.command) } " " span { (ended) } }
                        (self.headline)
                    }
                    main { (self.sections) }
                    footer {
                        p {
                            "The " (self.place) " is " code { (Plain(&folder)) }
                            ". Times are UTC. Written by nozzle " (env!("CARGO_PKG_VERSION"))
                            "; this page asks nothing of any network."
                        }
                    }
                }
            }
        };
        page.into_string()
    }
}

pub(super) fn section(name: &str, heading: &str, content: &Markup) -> Markup {
    html! {
        section aria-labelledby=(name) {
            h2 id=(name) { (heading) }
            (content)
        }
    }
}
