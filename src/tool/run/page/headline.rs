//! What the run came to, before anything else: the numbers, and that they add up.

use indicatif::HumanCount;
use maud::{Markup, html};

use crate::{
    local::firehose::{
        picture::{Picture, course::Tally},
        pipeline::Ending,
        summary::Summary,
    },
    tool::{
        page::figures::{Amount, Measure, Unit, ratio},
        plain::Plain,
    },
};

pub(super) struct Headline<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
    pub(super) ending: &'a Ending,
}

impl Headline<'_> {
    pub(super) fn markup(&self) -> Markup {
        let Summary {
            records, delivered, ..
        } = *self.summary;
        html! {
            @if records == 0 {
                h1 { "There was no record" }
            } @else {
                h1 { (HumanCount(delivered)) " of " (Amount(records, "record")) " delivered" }
            }
            (self.notices())
            (self.tiles())
            @if records > 0 { (self.balance()) }
        }
    }

    /// What has to be known before the numbers are read.
    fn notices(&self) -> Markup {
        let summary = self.summary;
        let (resumed, unseen) = (summary.resumed_records, self.picture.unseen_records);
        html! {
            @if !matches!(self.ending, Ending::Complete) {
                p.notice {
                    b { "The run is not at its end." }
                    " Given again, the same command goes on from here."
                }
            }
            @if resumed > 0 {
                p.notice {
                    "The run was interrupted after " (Amount(resumed, "record"))
                    " and went on from there; the numbers are of both parts."
                }
            }
            @if unseen > 0 {
                p.notice {
                    b { "The first " (Amount(unseen, "record")) " came before a report was asked for." }
                    " The headline numbers and the reasons for refusals count them; time, \
                     shares along the run, sizes and batches do not."
                }
            }
            @if let Some(error) = &summary.function_error {
                p.notice {
                    b { "The function failed on " (Amount(summary.failed_function, "record")) }
                    ", which are under the error prefix. It said last: " q { (Plain(error)) }
                }
            }
        }
    }

    fn tiles(&self) -> Markup {
        let summary = self.summary;
        let tiles = [
            ("records", "", summary.records),
            ("delivered", "delivered", summary.delivered),
            ("duplicates", "duplicates", summary.duplicates),
            ("refused", "failed", summary.refused_records()),
            ("overflow", "failed", summary.overflow),
        ];
        let read = Measure(summary.bytes_in, Unit::Bytes);
        let seconds = Measure(self.microseconds(), Unit::Microseconds);
        let pace = Measure(self.bytes_per_second(), Unit::Bytes);
        html! {
            dl.tiles {
                @for (name, class, number) in tiles {
                    div class=[(number > 0).then_some(class)] {
                        dt { (name) }
                        dd data-name=(name) { (HumanCount(number)) }
                    }
                }
                div { dt { (read) " in " (seconds) } dd data-name="pace" { (pace) "/s" } }
            }
        }
    }

    /// A bar of all records, and the sum below it.
    fn balance(&self) -> Markup {
        let Tally {
            delivered,
            duplicates,
            error_objects,
        } = self.summary.tally();
        let records = self.summary.records;
        let parts = [
            ("delivered", delivered),
            ("duplicates", duplicates),
            ("failed", error_objects),
        ];
        let grow = |number| format!("flex-grow:{:.2}", 1000.0 * ratio(number, records));
        html! {
            figure.balance {
                div.bar aria-hidden="true" {
                    @for (class, number) in parts {
                        @if number > 0 { i class=(class) style=(grow(number)) {} }
                    }
                }
                figcaption {
                    span.delivered.key { (HumanCount(delivered)) " delivered" } " "
                    span { "+ " span.duplicates.key { (Amount(duplicates, "duplicate")) } } " "
                    span { "+ " span.failed.key { (Amount(error_objects, "error object")) } } " "
                    span { "= " b { (Amount(records, "record")) } } " "
                    span.aside { "none lost, none made up" }
                }
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded anyway, and no time is negative"
    )]
    fn microseconds(&self) -> u64 {
        (self.summary.seconds * 1e6) as u64
    }

    fn bytes_per_second(&self) -> u64 {
        let bytes = u128::from(self.summary.bytes_in) * 1_000_000;
        let pace = bytes / u128::from(self.microseconds().max(1));
        u64::try_from(pace).unwrap_or(u64::MAX)
    }
}
