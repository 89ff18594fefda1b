//! How long the function took for its batches.

use maud::{Markup, html};

use super::{histogram::Histogram, stretches};
use crate::{
    local::firehose::picture::{
        course::{Course, Stretch},
        spread::Spread,
    },
    tool::page::{
        chart::{Plot, Scale},
        figures::{Amount, Measure, Unit, nothing},
    },
};

pub(super) fn markup(course: &Course) -> Markup {
    let spread = &course.microseconds;
    if spread.numbers == 0 {
        return nothing("The function got no batch.");
    }
    let histogram = Histogram {
        spread: spread.clone(),
        name: "batch",
        unit: Unit::Microseconds,
        class: "took",
    };
    let each = match course.batches_each {
        1 => "batch by batch".to_owned(),
        batches => format!("the slowest of {}", Amount(batches, "batch")),
    };
    html! {
        p.caption {
            "How long the function took for " (Amount(spread.numbers, "batch"))
            ". Firehose would wait 300 s for each."
        }
        (tiles(spread))
        div.pair {
            div { h3 { "Batches by time" } figure { (histogram.plot()) } }
            div { h3 { "Along the run, " (each) } figure { (along(course)) } }
        }
    }
}

fn tiles(spread: &Spread) -> Markup {
    let tiles = [
        ("median", spread.percentile(50)),
        ("95 of 100 within", spread.percentile(95)),
        ("slowest", spread.largest),
        ("all together", spread.sum),
    ];
    html! {
        dl.tiles.small {
            @for (name, took) in tiles {
                div { dt { (name) } dd { (Measure(took, Unit::Microseconds)) } }
            }
        }
    }
}

fn along(course: &Course) -> Plot {
    let slowest = |stretch: &Stretch| stretch.microseconds_max;
    let title = |stretch: &Stretch| {
        let took = Measure(slowest(stretch), Unit::Microseconds);
        format!("{took}\n{}", Amount(stretch.tally.records(), "record"))
    };
    let scale = Scale::to(course.microseconds.largest, Unit::Microseconds);
    Plot {
        label: "How long the slowest batch took, along the run".to_owned(),
        ..stretches::plot(course, title, slowest, "took", scale)
    }
}
