//! Records that became error objects: why, how many, and where to look.

use std::fmt::{self, Display};

use super::{
    figures::{Count, Counted, Share, Text, ratio},
    stretches::AlongTheRun,
};
use crate::local::firehose::{
    picture::Picture,
    summary::{Refused, Summary},
};

pub(super) struct Refusals<'a> {
    pub(super) summary: &'a Summary,
    pub(super) picture: &'a Picture,
}

impl Display for Refusals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<section aria-labelledby=\"refusals\"><h2 id=\"refusals\">Refusals by reason</h2>",
        )?;
        match self.summary.refused_records() {
            0 => f.write_str("<p class=\"empty\">No record was refused.</p>")?,
            refused => self.refused(refused, f)?,
        }
        self.other_failures(f)?;
        if self.summary.error_objects > 0 {
            let course = &self.picture.course;
            f.write_str("<h3>Error objects along the run</h3><p class=\"caption\">")?;
            AlongTheRun::of(course, "Error objects", "failed", |stretch| {
                stretch.tally.error_objects
            })
            .fmt(f)?;
        }
        f.write_str("</section>")
    }
}

impl<'a> Refusals<'a> {
    fn refused(&self, records: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = Share {
            part: records,
            whole: self.summary.records,
        };
        let mut reasons: Vec<_> = self.summary.refused.iter().collect();
        reasons.sort_by(|(one, a), (other, b)| b.records.cmp(&a.records).then(one.cmp(other)));
        let largest = reasons.first().map_or(0, |(_, refused)| refused.records);
        write!(
            f,
            "<p class=\"caption\">{} ({share}) for {}. Their bytes are kept under the error prefix; \
             <code>nozzle explain FILE --line N</code> says what is wrong with one.</p>\
             <table class=\"reasons\"><thead><tr><th scope=\"col\">Reason</th>\
             <th scope=\"col\" class=\"number\">Records</th><th scope=\"col\" class=\"bars\"></th>\
             <th scope=\"col\">First places</th></tr></thead><tbody>",
            Counted(records, "record"),
            Counted(reasons.len() as u64, "reason"),
        )?;
        for (reason, refused) in reasons {
            let width = 100.0 * ratio(refused.records, largest);
            write!(
                f,
                "<tr><th scope=\"row\"><code>{}</code></th><td class=\"number\">{}</td>\
                 <td class=\"bars\"><i class=\"failed\" style=\"width:{width:.2}%\"></i></td>\
                 <td class=\"places\">",
                Text(reason),
                Count(refused.records),
            )?;
            write!(f, "{}</td></tr>", Places(self.places(reason, refused)))?;
        }
        f.write_str("</tbody></table>")
    }

    /// The summary knows the first, also of what nobody saw.
    fn places(&self, reason: &str, refused: &'a Refused) -> Vec<&'a str> {
        let seen = self.picture.examples.get(reason).into_iter().flatten();
        let first = refused.example.as_str();
        let mut places = vec![first];
        places.extend(seen.map(String::as_str).filter(|place| *place != first));
        places
    }

    fn other_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        let failures = [
            (summary.overflow, "did not fit into an answer: overflow"),
            (
                summary.failed_differing,
                "were duplicates with other bytes, failed as asked",
            ),
            (
                summary.failed_partitioning,
                "had partition keys that fit no prefix",
            ),
            (
                summary.failed_answer,
                "were left out of an answer, twice in it, or without data",
            ),
            (
                summary.failed_function,
                "were in batches that the function failed on",
            ),
        ];
        let some: Vec<_> = failures
            .iter()
            .filter(|(records, _)| *records > 0)
            .collect();
        if some.is_empty() {
            return Ok(());
        }
        f.write_str("<h3>Other error objects</h3><ul class=\"failures\">")?;
        for (records, what) in some {
            write!(f, "<li><b>{}</b> {what}</li>", Count(*records))?;
        }
        f.write_str("</ul>")
    }
}

/// Places in a file, which is named once.
struct Places<'a>(Vec<&'a str>);

impl Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut named = None;
        for place in &self.0 {
            let (source, line) = place.rsplit_once(':').unwrap_or((place, ""));
            if named == Some(source) {
                write!(f, "<code>:{}</code> ", Text(line))?;
            } else {
                write!(f, "<code><bdi>{}</bdi></code> ", Text(place))?;
            }
            named = Some(source);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_once() {
        let places = Places(vec!["a.jsonl:1", "a.jsonl:20", "<b>:3"]);
        assert_eq!(
            places.to_string(),
            "<code><bdi>a.jsonl:1</bdi></code> <code>:20</code> <code><bdi>&lt;b&gt;:3</bdi></code> "
        );
    }
}
