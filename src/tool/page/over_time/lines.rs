//! What tells events apart, one below another: the chart's key, and how each goes by itself.

use std::iter;

use indicatif::HumanCount;
use maud::{Markup, html};

use crate::tool::{
    page::{
        chart::{Shapes, Stack},
        figures::{Amount, Share},
        time::TimeAxis,
    },
    plain::Plain,
};

/// Lines that have a colour of their own.
pub(super) const COLOURS: [&str; 5] = ["t0", "t1", "t2", "t3", "t4"];
pub(super) const OTHER: &str = "t-other";
/// Lines that have a row with a drawing.
const ROWS_MAX: usize = 12;

pub(super) struct Line {
    pub(super) name: String,
    pub(super) events: u64,
    /// By column.
    pub(super) counts: Vec<u64>,
}

/// `kind` is what a line is called, in lower case and in upper case.
pub(super) fn markup(axis: &TimeAxis, kind: [&str; 2], lines: &[Line], events: u64) -> Markup {
    let [kind, heading] = kind;
    let classes = COLOURS.into_iter().chain(iter::repeat(OTHER));
    html! {
        table.types {
            thead {
                tr {
                    th scope="col" { (heading) }
                    th.spark scope="col" { "Over time, each on its own scale" }
                    th.number scope="col" { "Events" }
                    th.number.share scope="col" { "Share" }
                }
            }
            tbody {
                @for (one, class) in lines.iter().zip(classes).take(ROWS_MAX) {
                    (row(axis, one, class, events))
                }
            }
        }
        (more(kind, lines.get(ROWS_MAX..).unwrap_or_default()))
    }
}

fn row(axis: &TimeAxis, one: &Line, class: &'static str, whole: u64) -> Markup {
    let shapes = shapes(axis, one, class);
    let part = one.events;
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

fn shapes(axis: &TimeAxis, one: &Line, class: &'static str) -> Shapes {
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

fn more(kind: &str, lines: &[Line]) -> Markup {
    html! {
        @if !lines.is_empty() {
            details {
                summary { (HumanCount(lines.len() as u64)) " more " (kind) @if lines.len() > 1 { "s" } }
                ul.columns {
                    @for Line { name, events, .. } in lines {
                        li { bdi { (Plain(name)) } " " b { (HumanCount(*events)) } }
                    }
                }
            }
        }
    }
}
