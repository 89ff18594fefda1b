//! Delivered events over the time they were created at, by type.

mod types;

use std::fmt::{self, Display, Write};

use super::{
    chart::{Column, Plot, Scale, Shapes},
    figures::{Count, Counted, Second, Text, Unit},
    time::{Outside, TimeAxis},
};
use crate::local::firehose::picture::timeline::{Series, TYPES_MAX, Timeline};
use types::Types;

/// Types that have a colour of their own.
const COLOURS: [&str; 5] = ["t0", "t1", "t2", "t3", "t4"];
const OTHER: &str = "t-other";

pub(super) struct Events<'a>(pub(super) &'a Timeline);

/// What is drawn of types on one axis.
struct Drawing<'a> {
    axis: TimeAxis,
    /// The most frequent first.
    types: Vec<Type<'a>>,
    layers: Vec<Layer>,
    events: u64,
}

struct Type<'a> {
    name: String,
    series: &'a Series,
    /// By column.
    counts: Vec<u64>,
}

/// One type, or those that have no colour.
struct Layer {
    class: &'static str,
    /// Safe in HTML.
    name: String,
    counts: Vec<u64>,
}

impl Display for Events<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<section aria-labelledby=\"events\"><h2 id=\"events\">Events over time</h2>")?;
        let timeline = self.0;
        match TimeAxis::of(&timeline.counts(), timeline.width_seconds()) {
            Some(axis) => Drawing::of(timeline, axis).fmt(f)?,
            None => f.write_str("<p class=\"empty\">No event was delivered.</p>")?,
        }
        if timeline.untold > 0 {
            let untold = Counted(timeline.untold, "delivered record");
            write!(f, "<p class=\"remark\">{untold} said no type and time.</p>")?;
        }
        f.write_str("</section>")
    }
}

impl Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.caption(f)?;
        write!(f, "<figure class=\"tall\">{}</figure>", self.plot())?;
        Types(self).fmt(f)?;
        self.table(f)
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

    fn caption(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axis = &self.axis;
        let [start, end] = [axis.start, axis.end()].map(|second| axis.name_of(second));
        let (events, width) = (Counted(self.events, "delivered event"), axis.width_name());
        write!(
            f,
            "<p class=\"caption\">{events} by <code>created_at</code>, {start} to {end}. \
             A column is {width}.",
        )?;
        for (outside, word) in [
            (axis.before, "earlier, back to"),
            (axis.after, "later, up to"),
        ] {
            let Some(Outside { events, second }) = outside else {
                continue;
            };
            let (events, day) = (
                Counted(events, "event"),
                Second(second).formatted("%-d %b %Y"),
            );
            write!(
                f,
                " <span class=\"outside\">{events} not drawn: {word} {day}.</span>"
            )?;
        }
        f.write_str("</p>")
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

    fn column(&self, number: usize) -> Column {
        let counts = self.layer_counts(number);
        let events = Counted(counts.iter().sum(), "event");
        let mut title = format!("{}\n{events}", self.axis.name(number));
        for (Layer { name, .. }, count) in self.layers.iter().zip(&counts) {
            if *count > 0 {
                // Writing to a `String` cannot fail.
                let _ = write!(title, "\n{} {name}", Count(*count));
            }
        }
        Column { title, counts }
    }

    /// The chart for who does not see it, or wants the numbers.
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<details><summary>The chart as a table</summary>\
             <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Events over time\">\
             <table class=\"data\"><thead><tr><th scope=\"col\">From</th>\
             <th scope=\"col\" class=\"number\">all</th>",
        )?;
        for Layer { name, .. } in &self.layers {
            write!(
                f,
                "<th scope=\"col\" class=\"number\"><bdi>{name}</bdi></th>"
            )?;
        }
        f.write_str("</tr></thead><tbody>")?;
        let mut numbers = self.axis.numbers();
        numbers.try_for_each(|number| self.table_row(number, f))?;
        f.write_str("</tbody></table></div></details>")
    }

    fn table_row(&self, number: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.layer_counts(number);
        let all = counts.iter().sum();
        if all == 0 {
            return Ok(());
        }
        write!(f, "<tr><th scope=\"row\">{}</th>", self.axis.name(number))?;
        for count in [all].iter().chain(&counts) {
            write!(f, "<td class=\"number\">{}</td>", Count(*count))?;
        }
        f.write_str("</tr>")
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
        name: Text(&one.name).to_string(),
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
