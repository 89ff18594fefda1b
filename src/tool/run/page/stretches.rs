//! What became of records, from the first batch to the last; and duplicates, which tend to come
//! together.

use indicatif::HumanCount;
use maud::{Markup, html};

use crate::{
    local::firehose::{
        picture::course::{Course, Stretch},
        summary::Summary,
    },
    tool::page::{
        chart::{Plot, Scale, Shapes, Stack, Tick},
        figures::{Amount, Share, Unit, nothing, ratio},
    },
};

/// Stretches that are numbered.
const FEW: usize = 8;

pub(super) fn duplicates(summary: &Summary, course: &Course) -> Markup {
    let (part, whole) = (summary.duplicates, summary.records);
    let differing = summary.duplicates_differing;
    if part == 0 && differing == 0 {
        return nothing("No event came twice.");
    }
    let caption = html! {
        (Amount(part, "record")) " (" (Share { part, whole })
        ") held an event that was delivered before. "
        @if differing == 0 {
            "None had other bytes than the first. "
        } @else {
            b { (HumanCount(differing)) " had other bytes than the first." } " "
        }
    };
    along_the_run(&caption, course, "Duplicates", "duplicates", |stretch| {
        stretch.tally.duplicates
    })
}

/// One kind of records, as a share of each stretch of a run.
pub(super) fn along_the_run(
    caption: &Markup,
    course: &Course,
    name: &str,
    class: &'static str,
    part: fn(&Stretch) -> u64,
) -> Markup {
    let share =
        |stretch: &Stretch| (part(stretch) * 10_000).div_ceil(stretch.tally.records().max(1));
    let largest = course.stretches.iter().map(share).max().unwrap_or_default();
    let title = |stretch: &Stretch| {
        let (part, whole) = (part(stretch), stretch.tally.records());
        let share = Share { part, whole };
        format!(
            "{} of {}: {share}",
            HumanCount(part),
            Amount(whole, "record")
        )
    };
    let highest = Share {
        part: largest,
        whole: 10_000,
    };
    let plot = Plot {
        label: format!("{name} along the run, up to {highest} of a stretch's records"),
        ..plot(course, title, share, class, Scale::to(largest, Unit::Share))
    };
    html! {
        p.caption {
            (caption) "Their share along the run; a column is "
            (Amount(course.batches_each, "batch")) "."
        }
        figure { (plot) }
    }
}

/// A column for each stretch of a run.
pub(super) fn plot(
    course: &Course,
    title: impl Fn(&Stretch) -> String,
    height: impl Fn(&Stretch) -> u64,
    class: &'static str,
    scale: Scale,
) -> Plot {
    let mut batch = 0;
    let mut column = |stretch: &Stretch| {
        let first = batch + 1;
        batch += stretch.batches;
        let batches = match stretch.batches {
            0 | 1 => format!("batch {}", HumanCount(first)),
            _ => format!("batches {} to {}", HumanCount(first), HumanCount(batch)),
        };
        Stack {
            title: format!("{batches}\n{}", title(stretch)),
            counts: vec![height(stretch)],
        }
    };
    let columns = course.stretches.iter().map(&mut column).collect();
    Plot {
        label: String::new(),
        scale,
        shapes: Shapes {
            layers: vec![class],
            columns,
            top: scale.top,
        },
        ticks: ticks(course.stretches.len()),
    }
}

/// Numbers where there are few, else the ends.
fn ticks(stretches: usize) -> Vec<Tick> {
    if stretches > FEW {
        let ends = [(0.0, "first batch"), (100.0, "last batch")];
        return ends
            .map(|(percent, text)| Tick {
                percent,
                text: text.to_owned(),
            })
            .to_vec();
    }
    (1..=stretches)
        .map(|number| Tick {
            percent: 100.0 * ratio(2 * number as u64 - 1, 2 * stretches as u64),
            text: number.to_string(),
        })
        .collect()
}
