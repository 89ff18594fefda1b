//! Delivered events over the time they were created at, by type.

use maud::{Markup, html};

use crate::{
    local::firehose::picture::timeline::{TYPES_MAX, Timeline},
    tool::page::{
        figures::Amount,
        over_time::{OverTime, Strand, Words},
    },
};

const WORDS: Words = Words {
    event: "delivered event",
    time: "created_at",
    kind: ["type", "Type"],
    nothing: "No event was delivered.",
};

pub(super) fn markup(timeline: &Timeline) -> Markup {
    let cell_seconds = timeline.width_seconds();
    let mut types = timeline.types();
    if timeline.others.events > 0 {
        let name = format!("types beyond the first {TYPES_MAX}");
        types.push((name, &timeline.others));
    }
    let strands = types.into_iter().map(|(name, series)| Strand {
        name,
        counts: series.counts(cell_seconds).collect(),
    });
    let events = OverTime {
        words: WORDS,
        cell_seconds,
        strands: strands.collect(),
    };
    html! {
        (events.markup())
        @if timeline.untold > 0 {
            p.remark { (Amount(timeline.untold, "delivered record")) " said no type and time." }
        }
    }
}
