//! The types one below another: the chart's key, and how each goes by itself.

use std::iter;

use indicatif::HumanCount;
use maud::{Markup, html};

use super::{COLOURS, Drawing, OTHER, Type};
use crate::tool::{
    plain::Plain,
    run::page::{
        chart::{Shapes, Stack},
        figures::{Amount, Share},
        time::TimeAxis,
    },
};

/// Types that have a row with a drawing.
const ROWS_MAX: usize = 12;

pub(super) fn markup(drawing: &Drawing<'_>) -> Markup {
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
                @for (one, class) in drawing.types.iter().zip(classes).take(ROWS_MAX) {
                    (row(drawing, one, class))
                }
            }
        }
        (more(drawing.types.get(ROWS_MAX..).unwrap_or_default()))
    }
}

fn row(drawing: &Drawing<'_>, one: &Type<'_>, class: &'static str) -> Markup {
    let shapes = shapes(&drawing.axis, one, class);
    let (part, whole) = (one.series.events, drawing.events);
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
