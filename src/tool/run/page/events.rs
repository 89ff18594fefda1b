//! Delivered events over the time they were created at, by type.

mod types;

use std::fmt::Write;

use indicatif::HumanCount;
use maud::{Markup, html};

use super::{
    chart::{Plot, Scale, Shapes, Stack},
    figures::{Amount, Second, Unit, nothing},
    time::{TimeAxis, Undrawn},
};
use crate::{
    local::firehose::picture::timeline::{Series, TYPES_MAX, Timeline},
    tool::plain::Plain,
};
use types::{COLOURS, OTHER, Type};

/// What is drawn of types on one axis.
struct Drawing<'a> {
    axis: TimeAxis,
    /// The most frequent first.
    types: Vec<Type<'a>>,
    layers: Vec<Layer>,
    events: u64,
}

/// One type, or those that have no colour.
struct Layer {
    class: &'static str,
    name: String,
    counts: Vec<u64>,
}

pub(super) fn markup(timeline: &Timeline) -> Markup {
    let axis = TimeAxis::of(&timeline.counts(), timeline.width_seconds());
    html! {
        @if let Some(axis) = axis {
            (Drawing::of(timeline, axis).markup())
        } @else {
            (nothing("No event was delivered."))
        }
        @if timeline.untold > 0 {
            p.remark { (Amount(timeline.untold, "delivered record")) " said no type and time." }
        }
    }
}

impl<'a> Drawing<'a> {
    fn of(timeline: &'a Timeline, axis: TimeAxis) -> Self {
        let mut types = timeline.types();
        if timeline.others.events > 0 {
            let name = format!("types beyond the first {TYPES_MAX}");
            types.push((name, &timeline.others));
        }
        let width = timeline.width_seconds();
        let events = types.iter().map(|(_, series)| series.events).sum();
        let types = types.into_iter().map(|(name, series)| Type {
            counts: counts(series, width, &axis),
            name,
            series,
        });
        let types: Vec<_> = types.collect();
        Self {
            layers: layers(&types),
            axis,
            types,
            events,
        }
    }

    fn markup(&self) -> Markup {
        html! {
            (self.caption())
            figure.tall { (self.plot()) }
            (types::markup(&self.axis, &self.types, self.events))
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
                (Amount(self.events, "delivered event")) " by " code { "created_at" } ", "
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
            label: format!("Delivered events over time, {width} a column, by type"),
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

fn counts(series: &Series, width_seconds: i64, axis: &TimeAxis) -> Vec<u64> {
    let mut counts = vec![0; axis.numbers().len()];
    for (second, count) in series.counts(width_seconds) {
        let column = axis.column(second);
        if let Some(sum) = column.and_then(|column| counts.get_mut(column)) {
            *sum += count;
        }
    }
    counts
}

fn layers(types: &[Type<'_>]) -> Vec<Layer> {
    let own = COLOURS.into_iter().zip(types).map(|(class, one)| Layer {
        class,
        name: Plain(&one.name).to_string(),
        counts: one.counts.clone(),
    });
    let mut layers: Vec<_> = own.collect();
    let others = types.iter().skip(COLOURS.len());
    let sum = others.map(|one| one.counts.clone()).reduce(|sum, counts| {
        let both = sum.iter().zip(&counts);
        both.map(|(one, other)| one + other).collect()
    });
    layers.extend(sum.map(|counts| Layer {
        class: OTHER,
        name: "other types".to_owned(),
        counts,
    }));
    layers
}
