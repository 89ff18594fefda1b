//! The types one below another: the chart's key, and how each goes by itself.

use std::{
    fmt::{self, Display},
    iter,
};

use super::{COLOURS, Drawing, OTHER, Type};
use crate::tool::run::page::{
    chart::{Column, Shapes},
    figures::{Count, Counted, Share, Text},
};

/// Types that have a row with a drawing.
const ROWS_MAX: usize = 12;

pub(super) struct Types<'a>(pub(super) &'a Drawing<'a>);

impl Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<table class=\"types\"><thead><tr><th scope=\"col\">Type</th>\
             <th scope=\"col\" class=\"spark\">Over time, each on its own scale</th>\
             <th scope=\"col\" class=\"number\">Events</th>\
             <th scope=\"col\" class=\"number share\">Share</th></tr></thead><tbody>",
        )?;
        let classes = COLOURS.into_iter().chain(iter::repeat(OTHER));
        for (one, class) in self.0.types.iter().zip(classes).take(ROWS_MAX) {
            self.row(one, class, f)?;
        }
        f.write_str("</tbody></table>")?;
        self.more(f)
    }
}

impl Types<'_> {
    fn row(&self, one: &Type<'_>, class: &'static str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Text(&one.name);
        let shapes = self.shapes(one, class);
        let (view, events) = (shapes.view(), one.series.events);
        let share = Share {
            part: events,
            whole: self.0.events,
        };
        write!(
            f,
            "<tr><th scope=\"row\">\
             <span class=\"{class} key name\" title=\"{name}\"><bdi>{name}</bdi></span></th>\
             <td class=\"spark\"><svg {view} aria-hidden=\"true\">{shapes}</svg></td>\
             <td class=\"number\">{}</td><td class=\"number share\">{share}</td></tr>",
            Count(events),
        )
    }

    fn shapes(&self, one: &Type<'_>, class: &'static str) -> Shapes {
        let column = |(number, count): (usize, &u64)| Column {
            title: format!("{}\n{}", self.0.axis.name(number), Counted(*count, "event")),
            counts: vec![*count],
        };
        Shapes {
            layers: vec![class],
            columns: one.counts.iter().enumerate().map(column).collect(),
            top: one.counts.iter().copied().max().unwrap_or_default().max(1),
        }
    }

    fn more(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.0.types.get(ROWS_MAX..).unwrap_or_default();
        if more.is_empty() {
            return Ok(());
        }
        let types = Counted(more.len() as u64, "more type");
        write!(
            f,
            "<details><summary>{types}</summary><ul class=\"columns\">"
        )?;
        for Type { name, series, .. } in more {
            let (name, events) = (Text(name), Count(series.events));
            write!(f, "<li><bdi>{name}</bdi> <b>{events}</b></li>")?;
        }
        f.write_str("</ul></details>")
    }
}
