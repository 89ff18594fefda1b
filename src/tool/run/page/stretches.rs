//! What became of records, from the first batch to the last; and duplicates, which tend to come
//! together.

use std::fmt::{self, Display};

use super::{
    chart::{Column, Plot, Scale, Shapes, Tick},
    figures::{Count, Counted, Share, Unit, ratio},
};
use crate::local::firehose::{
    picture::{
        Picture,
        course::{Course, Stretch},
    },
    summary::Summary,
};

/// Stretches that are numbered.
const FEW: usize = 8;

pub(super) struct Duplicates<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
}

impl Display for Duplicates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<section aria-labelledby=\"duplicates\"><h2 id=\"duplicates\">Duplicates</h2>",
        )?;
        let Summary {
            records,
            duplicates,
            duplicates_differing,
            ..
        } = *self.summary;
        if duplicates == 0 && duplicates_differing == 0 {
            return f.write_str("<p class=\"empty\">No event came twice.</p></section>");
        }
        let (events, share) = (
            Counted(duplicates, "record"),
            Share {
                part: duplicates,
                whole: records,
            },
        );
        write!(
            f,
            "<p class=\"caption\">{events} ({share}) held an event that was delivered before. "
        )?;
        match duplicates_differing {
            0 => f.write_str("None had other bytes than the first. ")?,
            differing => write!(
                f,
                "<b>{} had other bytes than the first.</b> ",
                Count(differing)
            )?,
        }
        let name = "Duplicates";
        let drawn = AlongTheRun::of(&self.picture.course, name, "duplicates", |stretch| {
            stretch.tally.duplicates
        });
        write!(f, "{drawn}</section>")
    }
}

/// One kind of records, as a share of each stretch of a run; ends the paragraph it begins in.
pub(super) struct AlongTheRun {
    plot: Plot,
    batches_each: u64,
}

impl AlongTheRun {
    pub(super) fn of(
        course: &Course,
        name: &str,
        class: &'static str,
        part: fn(&Stretch) -> u64,
    ) -> Self {
        let share =
            |stretch: &Stretch| (part(stretch) * 10_000).div_ceil(stretch.tally.records().max(1));
        let largest = course.stretches.iter().map(share).max().unwrap_or_default();
        let scale = Scale::to(largest, Unit::Share);
        let title = |stretch: &Stretch| {
            let (part, whole) = (part(stretch), stretch.tally.records());
            format!(
                "{} of {}: {}",
                Count(part),
                Counted(whole, "record"),
                Share { part, whole }
            )
        };
        let plot = plot(course, title, share, class, scale);
        Self {
            plot: Plot {
                label: format!(
                    "{name} along the run, up to {} of a stretch's records",
                    Share {
                        part: largest,
                        whole: 10_000
                    }
                ),
                ..plot
            },
            batches_each: course.batches_each,
        }
    }
}

impl Display for AlongTheRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Their share along the run; a column is {}.</p><figure>{}</figure>",
            Counted(self.batches_each, "batch"),
            self.plot
        )
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
            0 | 1 => format!("batch {}", Count(first)),
            _ => format!("batches {} to {}", Count(first), Count(batch)),
        };
        Column {
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
