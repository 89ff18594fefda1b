//! Records that became error objects: why, how many, and where to look.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::stretches::along_the_run;
use crate::{
    local::firehose::{
        picture::Picture,
        summary::{Refused, Summary},
    },
    tool::{
        page::{
            figures::{Amount, Share, nothing},
            reasons::{self, Reason},
        },
        plain::Plain,
        run::report::failures,
    },
};

pub(super) struct Refusals<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
    /// The options that judge, as they are typed.
    pub(super) judging: &'a str,
}

impl<'a> Refusals<'a> {
    pub(super) fn markup(&self) -> Markup {
        let error_objects = self.summary.error_objects;
        html! {
            @match self.summary.refused_records() {
                0 => (nothing("No record was refused.")),
                records => (self.refused(records)),
            }
            (self.other_failures())
            @if error_objects > 0 {
                h3 { "Error objects along the run" }
                (along_the_run(&html! {}, &self.picture.course, "Error objects", "failed", |stretch| {
                    stretch.tally.error_objects
                }))
            }
        }
    }

    fn refused(&self, records: u64) -> Markup {
        let whole = self.summary.records;
        let reasons = self.summary.refused.iter().map(|(name, refused)| Reason {
            name,
            records: refused.records,
            beside: places(&self.places(name, refused)),
        });
        let reasons: Vec<_> = reasons.collect();
        html! {
            p.caption {
                (Amount(records, "record")) " (" (Share { part: records, whole }) ") for "
                (Amount(reasons.len() as u64, "reason"))
                ". Their bytes are kept under the error prefix; "
                code { "nozzle explain FILE:LINE" (self.judging) } " says what is wrong with one."
            }
            (reasons::table(reasons, "First places"))
        }
    }

    /// The summary knows the first, also of what nobody saw.
    fn places(&self, reason: &str, refused: &'a Refused) -> Vec<&'a str> {
        let seen = self.picture.examples.get(reason).into_iter().flatten();
        let first = refused.example.as_str();
        let mut places = vec![first];
        places.extend(seen.map(String::as_str).filter(|place| *place != first));
        places
    }

    fn other_failures(&self) -> Markup {
        let failures = failures(self.summary);
        html! {
            @if !failures.is_empty() {
                h3 { "Other error objects" }
                ul.failures {
                    @for failure in failures {
                        li { b { (HumanCount(failure.records)) } " " (failure.what) }
                    }
                }
            }
        }
    }
}

/// Places in a file, which is named once.
fn places(places: &[&str]) -> Markup {
    let mut named = None;
    html! {
        @for place in places {
            @let (source, line) = place.rsplit_once(':').unwrap_or((place, ""));
            code {
                @if named.replace(source) == Some(source) {
                    ":" (Plain(line))
                } @else {
                    bdi { (Plain(place)) }
                }
            }
            " "
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_once_and_is_only_text() {
        assert_eq!(
            places(&["a.jsonl:1", "a.jsonl:20", "<b>:3"]).into_string(),
            "<code><bdi>a.jsonl:1</bdi></code> <code>:20</code> <code><bdi>&lt;b&gt;:3</bdi></code> "
        );
    }
}
