//! What was counted as a page: each variant over time, unique users, refusals and duplicates.

use std::{collections::BTreeMap, path::Path};

use indicatif::HumanCount;
use maud::{Markup, html};

use super::{
    counted::Counted,
    sum::ProcessSum,
    variants::{Line, Variants},
};
use crate::{
    local::kinesis::feed::Ending,
    tool::{
        intake::Summary,
        page::{
            WebPage,
            figures::{Amount, Percent, Share, nothing},
            over_time::{OverTime, Strand, Words},
            reasons::{self, Reason},
            section,
        },
        plain::Plain,
    },
};

const WORDS: Words = Words {
    event: "event",
    time: "timestamp",
    kind: ["variant", "Variant"],
    nothing: "No event was counted.",
};

/// Experiments that are drawn; all are in the table of users.
const DRAWN_MAX: usize = 20;

pub(super) struct ProcessPage<'a> {
    pub(super) summary: &'a Summary<ProcessSum>,
    pub(super) ending: &'a Ending,
    pub(super) counted: &'a Counted,
    pub(super) variants: &'a Variants<'a>,
    pub(super) folder: &'a Path,
    /// When it ended, in seconds since 1970.
    pub(super) ended: i64,
}

impl ProcessPage<'_> {
    pub(super) fn text(&self) -> String {
        let page = WebPage {
            command: "process",
            place: "folder",
            folder: self.folder,
            ended: self.ended,
            headline: self.headline(),
            sections: html! {
                (section("events", "Events over time", &self.events()))
                (section("users", "Unique users", &self.users()))
                (section("refusals", "Refusals by reason", &self.refusals()))
                (section("duplicates", "Duplicates", &self.duplicates()))
            },
        };
        page.text()
    }

    fn headline(&self) -> Markup {
        let Summary {
            taken,
            of_function: sum,
        } = self.summary;
        let tiles = [
            ("records", "", taken.records),
            ("archived", "delivered", sum.archived),
            ("duplicates", "duplicates", sum.duplicates),
            ("dead letters", "failed", sum.dead_letters),
            ("not counted", "", sum.uncounted),
        ];
        html! {
            @if sum.events == 0 {
                h1 { "There was no event" }
            } @else {
                h1 { (HumanCount(sum.archived)) " of " (Amount(sum.events, "event")) " archived" }
            }
            @if !matches!(self.ending, Ending::Complete) {
                p.notice {
                    b { "The run is not at its end." }
                    " Given again, the same command goes on from here."
                }
            }
            dl.tiles {
                @for (name, class, number) in tiles {
                    div class=[(number > 0).then_some(class)] {
                        dt { (name) }
                        dd data-name=(name) { (HumanCount(number)) }
                    }
                }
            }
        }
    }

    /// Of each experiment by itself: what variants of two have is not to be compared.
    fn events(&self) -> Markup {
        let experiments = self.over_time();
        html! {
            p.caption {
                "All that the folder holds, of this run and of any before. An event without \
                 experiment or variant is archived and not counted."
            }
            @if experiments.is_empty() { (nothing(WORDS.nothing)) }
            @for (name, drawn) in experiments.iter().take(DRAWN_MAX) {
                h3 { "Experiment " bdi { (Plain(name)) } }
                (drawn.markup())
            }
            @if let Some(more) = experiments.len().checked_sub(DRAWN_MAX + 1) {
                p.remark { (Amount(more as u64 + 1, "more experiment")) " not drawn." }
            }
        }
    }

    fn over_time(&self) -> BTreeMap<&str, OverTime> {
        let (span, counters) = self.counted.finest();
        let mut experiments = BTreeMap::<_, BTreeMap<_, BTreeMap<_, u64>>>::new();
        for (subject, counter) in counters {
            let variants = experiments.entry(&*subject.experiment).or_default();
            let counts = variants.entry(&*subject.variant).or_default();
            let second = i64::try_from(subject.window.begin_seconds()).unwrap_or(i64::MAX);
            *counts.entry(second).or_default() += counter.events;
        }
        let drawn = experiments.into_iter().map(|(experiment, variants)| {
            let strands = variants.into_iter().map(|(variant, counts)| Strand {
                name: variant.to_owned(),
                counts,
            });
            let drawn = OverTime {
                words: WORDS,
                cell_seconds: i64::try_from(span.seconds()).unwrap_or(i64::MAX),
                strands: strands.collect(),
            };
            (experiment, drawn)
        });
        drawn.collect()
    }

    fn users(&self) -> Markup {
        let lines: Vec<_> = self.variants.lines().collect();
        let most = lines
            .iter()
            .map(|line| line.users)
            .max()
            .unwrap_or_default();
        if most == 0 {
            return nothing("No user was counted.");
        }
        html! {
            p.caption {
                "Each user of a variant once, whatever they did and however often. Beyond 96 users the \
                 number is an estimate, about 1.7 % off, where " code { "--unique-users exact" }
                " was not given."
                @if let Some(conversion) = self.variants.conversion {
                    " The rate is of users who did " code { (Plain(conversion)) }
                    "; the true one lies within the interval nineteen times of twenty."
                }
            }
            table.users {
                thead {
                    tr {
                        th scope="col" { "Experiment, variant" }
                        th.number scope="col" { "Users" }
                        th.bars scope="col" {}
                        th scope="col" { "Rate" }
                    }
                }
                tbody { @for line in &lines { (user_row(line, most)) } }
            }
        }
    }

    fn refusals(&self) -> Markup {
        let sum = &self.summary.of_function;
        let (part, whole) = (sum.dead_letters, sum.events);
        let reasons = sum.refused.iter().map(|(name, records)| Reason {
            name,
            records: *records,
            beside: html! { (Share { part: *records, whole }) },
        });
        html! {
            @if part == 0 {
                (nothing("No record was refused."))
            } @else {
                p.caption {
                    (Amount(part, "record")) " (" (Share { part, whole }) ") for "
                    (Amount(sum.refused.len() as u64, "reason"))
                    ". Each is kept under " code { "dead-letters/" } " with its bytes; "
                    code { "nozzle redrive" } " sends them again."
                }
                (reasons::table(reasons.collect(), "Share"))
            }
        }
    }

    fn duplicates(&self) -> Markup {
        let sum = &self.summary.of_function;
        let (part, whole) = (sum.duplicates, sum.events);
        html! {
            @if part == 0 {
                (nothing("No event was dropped as a copy. Copies are looked for with --drop-copies."))
            } @else {
                p.caption {
                    (Amount(part, "event")) " (" (Share { part, whole })
                    ") had an " code { "event_id" }
                    " that came before, and were neither archived nor counted."
                }
            }
        }
    }
}

fn user_row(line: &Line<'_>, most: u64) -> Markup {
    html! {
        tr {
            th scope="row" {
                bdi { (Plain(line.experiment)) } ", " bdi { (Plain(line.variant)) }
            }
            td.number { (HumanCount(line.users)) }
            td.bars { i.size style={ "width:" (Percent(line.users, most)) } {} }
            td { @if let Some(rate) = line.rate { (rate) } }
        }
    }
}
