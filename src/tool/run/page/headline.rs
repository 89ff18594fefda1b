//! What the run came to, before anything else: the numbers, and that they add up.

use std::fmt::{self, Display};

use super::{
    Progress,
    figures::{Count, Counted, Measure, Text, Unit, ratio},
};
use crate::local::firehose::{
    picture::{Picture, course::Tally},
    summary::Summary,
};

pub(super) struct Headline<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
    pub(super) progress: Progress,
}

impl Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary {
            records, delivered, ..
        } = *self.summary;
        if records == 0 {
            f.write_str("<h1>There was no record</h1>")?;
            self.notices(f)?;
            return self.tiles(f);
        }
        let (delivered, records) = (Count(delivered), Counted(records, "record"));
        write!(f, "<h1>{delivered} of {records} delivered</h1>")?;
        self.notices(f)?;
        self.tiles(f)?;
        self.balance(f)
    }
}

impl Headline<'_> {
    /// What has to be known before the numbers are read.
    fn notices(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        if self.progress == Progress::Interrupted {
            f.write_str(
                "<p class=\"notice\"><b>The run is not at its end.</b> \
                 Given again, the same command goes on from here.</p>",
            )?;
        }
        let resumed = Counted(summary.resumed_records, "record");
        if resumed.0 > 0 {
            write!(
                f,
                "<p class=\"notice\">The run was interrupted after {resumed} and went on from \
                 there; the numbers are of both parts.</p>"
            )?;
        }
        let unseen = Counted(self.picture.unseen_records, "record");
        if unseen.0 > 0 {
            write!(
                f,
                "<p class=\"notice\"><b>The first {unseen} came before a report was asked \
                 for.</b> The headline numbers and the reasons for refusals count them; time, \
                 shares along the run, sizes and batches do not.</p>"
            )?;
        }
        if let Some(error) = &summary.function_error {
            let failed = Counted(summary.failed_function, "record");
            write!(
                f,
                "<p class=\"notice\"><b>The function failed on {failed}</b>, which are under the \
                 error prefix. It said last: <q>{}</q></p>",
                Text(error),
            )?;
        }
        Ok(())
    }

    fn tiles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        f.write_str("<dl class=\"tiles\">")?;
        for (name, class, number) in [
            ("records", "", summary.records),
            ("delivered", "delivered", summary.delivered),
            ("duplicates", "duplicates", summary.duplicates),
            ("refused", "failed", summary.refused_records()),
            ("overflow", "failed", summary.overflow),
        ] {
            let class = if number == 0 { "" } else { class };
            let number = Count(number);
            write!(
                f,
                "<div class=\"{class}\"><dt>{name}</dt>\
                 <dd data-name=\"{name}\">{number}</dd></div>"
            )?;
        }
        let pace = Measure(self.bytes_per_second(), Unit::Bytes);
        let read = Measure(summary.bytes_in, Unit::Bytes);
        let seconds = Measure(self.microseconds(), Unit::Microseconds);
        write!(
            f,
            "<div><dt>{read} in {seconds}</dt><dd data-name=\"pace\">{pace}/s</dd></div></dl>"
        )
    }

    /// A bar of all records, and the sum below it.
    fn balance(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            delivered,
            duplicates,
            error_objects,
        } = self.summary.tally();
        let parts = [
            ("delivered", delivered),
            ("duplicates", duplicates),
            ("failed", error_objects),
        ];
        f.write_str("<figure class=\"balance\"><div class=\"bar\" aria-hidden=\"true\">")?;
        for (class, number) in parts.into_iter().filter(|(_, number)| *number > 0) {
            let share = 1000.0 * ratio(number, self.summary.records);
            write!(
                f,
                "<i class=\"{class}\" style=\"flex-grow:{share:.2}\"></i>"
            )?;
        }
        write!(
            f,
            "</div><figcaption><span class=\"delivered key\">{} delivered</span> \
             <span>+ <span class=\"duplicates key\">{}</span></span> \
             <span>+ <span class=\"failed key\">{}</span></span> \
             <span>= <b>{}</b></span> \
             <span class=\"aside\">none lost, none made up</span></figcaption></figure>",
            Count(delivered),
            Counted(duplicates, "duplicate"),
            Counted(error_objects, "error object"),
            Counted(self.summary.records, "record"),
        )
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
