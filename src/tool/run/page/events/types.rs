//! The types one below another: the chart's key, and how each goes by itself.

use std::iter;

use indicatif::HumanCount;
use maud::{Markup, html};

use crate::{
    local::firehose::picture::timeline::Series,
    tool::{
        plain::Plain,
        run::page::{
            chart::{Shapes, Stack},
            figures::{Amount, Share},
            time::TimeAxis,
        },
    },
};

/// Types that have a colour of their own.
pub(super) const COLOURS: [&str; 5] = ["t0", "t1", "t2", "t3", "t4"];
pub(super) const OTHER: &str = "t-other";
/// Types that have a row with a drawing.
const ROWS_MAX: usize = 12;

pub(super) struct Type<'a> {
    pub(super) name: String,
    pub(super) series: &'a Series,
    /// By column.
    pub(super) counts: Vec<u64>,
}

pub(super) fn markup(axis: &TimeAxis, types: &[Type<'_>], events: u64) -> Markup {
    let classes = COLOURS.into_iter().chain(iter::repeat(OTHER));
    html! {
        table.types {
            thead {
                tr {
                    th scope="col" { "Type" }
                    th.spark scope="col" { "Over time, each on its own scale" }
                    th.number scope="col" { "Events" }
                    th.number.share scope="col" { "Share" }
                }
            }
            tbody {
                @for (one, class) in types.iter().zip(classes).take(ROWS_MAX) {
                    (row(axis, one, class, events))
                }
            }
        }
        (more(types.get(ROWS_MAX..).unwrap_or_default()))
    }
}

fn row(axis: &TimeAxis, one: &Type<'_>, class: &'static str, whole: u64) -> Markup {
    let shapes = shapes(axis, one, class);
    let part = one.series.events;
    html! {
        tr {
            th scope="row" {
                span class={ (class) " key name" } title=(Plain(&one.name)) {
                    bdi { (Plain(&one.name)) }
                }
            }
            td.spark {
                svg viewBox=(shapes.view()) preserveAspectRatio="none" aria-hidden="true" { (shapes) }
            }
            td.number { (HumanCount(part)) }
            td.number.share { (Share { part, whole }) }
        }
    }
}

fn shapes(axis: &TimeAxis, one: &Type<'_>, class: &'static str) -> Shapes {
    let column = |(number, count): (usize, &u64)| Stack {
        title: format!("{}\n{}", axis.name(number), Amount(*count, "event")),
        counts: vec![*count],
    };
    Shapes {
        layers: vec![class],
        columns: one.counts.iter().enumerate().map(column).collect(),
        top: one.counts.iter().copied().max().unwrap_or_default().max(1),
    }
}

fn more(types: &[Type<'_>]) -> Markup {
    html! {
        @if !types.is_empty() {
            details {
                summary { (Amount(types.len() as u64, "more type")) }
                ul.columns {
                    @for Type { name, series, .. } in types {
                        li { bdi { (Plain(name)) } " " b { (HumanCount(series.events)) } }
                    }
                }
            }
        }
    }
}
