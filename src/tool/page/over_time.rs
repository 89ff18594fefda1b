//! Events over the time they were created at, by what tells them apart.

mod lines;

use std::{collections::BTreeMap, fmt::Write};

use indicatif::HumanCount;
use maud::{Markup, html};

use super::{
    chart::{Plot, Scale, Shapes, Stack},
    figures::{Amount, Second, Unit, nothing},
    time::{TimeAxis, Undrawn},
};
use crate::tool::plain::Plain;
use lines::{COLOURS, Line, OTHER};

/// Events over time, by type or another kind.
pub(in crate::tool) struct OverTime {
    pub(in crate::tool) words: Words,
    /// Into how long pieces time was cut.
    pub(in crate::tool) cell_seconds: i64,
    /// In the order of their colours.
    pub(in crate::tool) strands: Vec<Strand>,
}

/// What is drawn is called.
#[derive(Clone, Copy)]
pub(in crate::tool) struct Words {
    /// One of what is counted: `delivered event`.
    pub(in crate::tool) event: &'static str,
    /// The field that has its time.
    pub(in crate::tool) time: &'static str,
    /// What tells them apart, in lower case and in upper case.
    pub(in crate::tool) kind: [&'static str; 2],
    /// In place of what is not there.
    pub(in crate::tool) nothing: &'static str,
}

/// Events of one kind.
pub(in crate::tool) struct Strand {
    pub(in crate::tool) name: String,
    /// By the second that a cell begins with.
    pub(in crate::tool) counts: BTreeMap<i64, u64>,
}

/// What is drawn on one axis.
struct Drawing {
    words: Words,
    axis: TimeAxis,
    lines: Vec<Line>,
    layers: Vec<Layer>,
    events: u64,
}

/// One line, or those that have no colour.
struct Layer {
    class: &'static str,
    name: String,
    counts: Vec<u64>,
}

impl OverTime {
    pub(in crate::tool) fn markup(&self) -> Markup {
        match TimeAxis::of(&self.counts(), self.cell_seconds) {
            Some(axis) => Drawing::of(self, axis).markup(),
            None => nothing(self.words.nothing),
        }
    }

    /// Of all together.
    fn counts(&self) -> BTreeMap<i64, u64> {
        let mut all = BTreeMap::new();
        for (second, count) in self.strands.iter().flat_map(|strand| &strand.counts) {
            *all.entry(*second).or_default() += count;
        }
        all
    }
}

impl Drawing {
    fn of(drawn: &OverTime, axis: TimeAxis) -> Self {
        let lines = drawn.strands.iter().map(|strand| Line {
            name: strand.name.clone(),
            events: strand.counts.values().sum(),
            counts: by_column(&strand.counts, &axis),
        });
        let lines: Vec<_> = lines.collect();
        Self {
            words: drawn.words,
            events: lines.iter().map(|line| line.events).sum(),
            layers: layers(&lines, drawn.words),
            axis,
            lines,
        }
    }

    fn markup(&self) -> Markup {
        html! {
            (self.caption())
            figure.tall { (self.plot()) }
            (lines::markup(&self.axis, self.words.kind, &self.lines, self.events))
            (self.table())
        }
    }

    fn caption(&self) -> Markup {
        let axis = &self.axis;
        let [start, end] = [axis.start, axis.end()].map(|second| axis.name_of(second));
        let before = axis.before.map(|outside| (outside, "earlier, back to"));
        let after = axis.after.map(|outside| (outside, "later, up to"));
        html! {
            p.caption {
                (Amount(self.events, self.words.event)) " by " code { (self.words.time) } ", "
                (start) " to " (end) ". A column is " (axis.width_name()) "."
                @for (Undrawn { events, second }, word) in before.into_iter().chain(after) {
                    " "
                    span.outside {
                        (Amount(events, "event")) " not drawn: " (word) " "
                        (Second(second).formatted("%-d %b %Y")) "."
                    }
                }
            }
        }
    }

    fn plot(&self) -> Plot {
        let columns: Vec<_> = self
            .axis
            .numbers()
            .map(|number| self.column(number))
            .collect();
        let totals = columns.iter().map(|column| column.counts.iter().sum());
        let scale = Scale::to(totals.max().unwrap_or_default(), Unit::Count);
        let width = self.axis.width_name();
        Plot {
            label: format!(
                "Events over time, {width} a column, by {}",
                self.words.kind[0]
            ),
            scale,
            shapes: Shapes {
                layers: self.layers.iter().map(|layer| layer.class).collect(),
                columns,
                top: scale.top,
            },
            ticks: self.axis.ticks(),
        }
    }

    fn column(&self, number: usize) -> Stack {
        let counts = self.layer_counts(number);
        let events = Amount(counts.iter().sum(), "event");
        let mut title = format!("{}\n{events}", self.axis.name(number));
        for (Layer { name, .. }, count) in self.layers.iter().zip(&counts) {
            if *count > 0 {
                // Writing to a `String` cannot fail.
                let _ = write!(title, "\n{} {name}", HumanCount(*count));
            }
        }
        Stack { title, counts }
    }

    /// The chart for who does not see it, or wants the numbers.
    fn table(&self) -> Markup {
        html! {
            details {
                summary { "The chart as a table" }
                div.scroll tabindex="0" role="region" aria-label="Events over time" {
                    table.data {
                        thead {
                            tr {
                                th scope="col" { "From" }
                                th.number scope="col" { "all" }
                                @for layer in &self.layers {
                                    th.number scope="col" { bdi { (layer.name) } }
                                }
                            }
                        }
                        tbody { @for number in self.axis.numbers() { (self.table_row(number)) } }
                    }
                }
            }
        }
    }

    fn table_row(&self, number: usize) -> Markup {
        let counts = self.layer_counts(number);
        let all = counts.iter().sum();
        html! {
            @if all > 0 {
                tr {
                    th scope="row" { (self.axis.name(number)) }
                    @for count in [all].iter().chain(&counts) { td.number { (HumanCount(*count)) } }
                }
            }
        }
    }

    fn layer_counts(&self, number: usize) -> Vec<u64> {
        let layers = self.layers.iter();
        layers
            .map(|layer| layer.counts.get(number).copied().unwrap_or_default())
            .collect()
    }
}

fn by_column(counts: &BTreeMap<i64, u64>, axis: &TimeAxis) -> Vec<u64> {
    let mut columns = vec![0; axis.numbers().len()];
    for (second, count) in counts {
        let column = axis.column(*second);
        if let Some(sum) = column.and_then(|column| columns.get_mut(column)) {
            *sum += count;
        }
    }
    columns
}

fn layers(lines: &[Line], words: Words) -> Vec<Layer> {
    let own = COLOURS.into_iter().zip(lines).map(|(class, one)| Layer {
        class,
        name: Plain(&one.name).to_string(),
        counts: one.counts.clone(),
    });
    let mut layers: Vec<_> = own.collect();
    let others = lines.iter().skip(COLOURS.len());
    let sum = others.map(|one| one.counts.clone()).reduce(|sum, counts| {
        let both = sum.iter().zip(&counts);
        both.map(|(one, other)| one + other).collect()
    });
    layers.extend(sum.map(|counts| Layer {
        class: OTHER,
        name: format!("other {}s", words.kind[0]),
        counts,
    }));
    layers
}
