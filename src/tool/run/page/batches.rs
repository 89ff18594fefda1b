//! How long the function took for its batches.

use std::fmt::{self, Display};

use super::{
    chart::{Plot, Scale},
    figures::{Counted, Measure, Unit},
    histogram::Histogram,
    stretches,
};
use crate::local::firehose::picture::{
    course::{Course, Stretch},
    spread::Spread,
};

pub(super) struct Batches<'a>(pub(super) &'a Course);

impl Display for Batches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<section aria-labelledby=\"batches\"><h2 id=\"batches\">Batch timing</h2>")?;
        let course = self.0;
        let spread = &course.microseconds;
        if spread.numbers == 0 {
            return f.write_str("<p class=\"empty\">The function got no batch.</p></section>");
        }
        let batches = Counted(spread.numbers, "batch");
        write!(
            f,
            "<p class=\"caption\">How long the function took for {batches}. \
             Firehose would wait 300 s for each.</p>"
        )?;
        tiles(spread, f)?;
        let histogram = Histogram {
            spread: spread.clone(),
            name: "batch",
            unit: Unit::Microseconds,
            class: "took",
        };
        let each = match course.batches_each {
            1 => "batch by batch".to_owned(),
            batches => format!("the slowest of {}", Counted(batches, "batch")),
        };
        write!(
            f,
            "<div class=\"pair\"><div><h3>Batches by time</h3><figure>{histogram}</figure></div>\
             <div><h3>Along the run, {each}</h3><figure>{}</figure></div></div>\
             </section>",
            along(course),
        )
    }
}

fn tiles(spread: &Spread, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<dl class=\"tiles small\">")?;
    for (name, microseconds) in [
        ("median", spread.percentile(50)),
        ("95 of 100 within", spread.percentile(95)),
        ("slowest", spread.largest),
        ("all together", spread.sum),
    ] {
        let took = Measure(microseconds, Unit::Microseconds);
        write!(f, "<div><dt>{name}</dt><dd>{took}</dd></div>")?;
    }
    f.write_str("</dl>")
}

fn along(course: &Course) -> Plot {
    let slowest = |stretch: &Stretch| stretch.microseconds_max;
    let title = |stretch: &Stretch| {
        let took = Measure(slowest(stretch), Unit::Microseconds);
        format!("{took}\n{}", Counted(stretch.tally.records(), "record"))
    };
    let scale = Scale::to(course.microseconds.largest, Unit::Microseconds);
    Plot {
        label: "How long the slowest batch took, along the run".to_owned(),
        ..stretches::plot(course, title, slowest, "took", scale)
    }
}
