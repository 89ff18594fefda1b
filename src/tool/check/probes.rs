//! How each probe is made.

mod basis;
mod copies;
mod odd;
mod size;
mod source;
mod text;

use super::{
    probe::{Findings, Probe, Verdict},
    prober::Prober,
    request::Shape,
};
use crate::local::firehose::invocation::Invoke;

/// Puts a probe to the function.
pub(super) async fn put<F: Invoke>(probe: Probe, prober: &mut Prober<F>) -> Verdict {
    let findings = match probe {
        Probe::One => basis::one(prober).await,
        Probe::Several => basis::several(prober).await,
        Probe::OwnRecords => basis::own_records(prober).await,
        Probe::Delivered => basis::delivered(prober),
        Probe::EmptyBatch => basis::empty_batch(prober).await,
        Probe::LineEnd => basis::line_end(prober),
        Probe::PartitionKeys => return basis::partition_keys(prober),
        Probe::DirectPut => source::form(prober, Shape::DirectPut).await,
        Probe::Kinesis => source::form(prober, Shape::Kinesis).await,
        Probe::Msk => source::form(prober, Shape::Msk).await,
        Probe::AwsSample => source::form(prober, Shape::AwsSample).await.softened(),
        Probe::RecordIds => source::record_ids(prober).await,
        Probe::EmptyData => odd::empty_data(prober).await,
        Probe::MissingData => odd::missing_data(prober).await,
        Probe::BadBase64 => odd::bad_base64(prober).await,
        Probe::NotJson => odd::not_json(prober).await,
        Probe::NotUtf8 => odd::not_utf8(prober).await,
        Probe::DeepNesting => odd::deep_nesting(prober).await,
        Probe::WrongFields => return with_fields(odd::wrong_fields(prober).await),
        Probe::HostileText => return with_fields(text::hostile_text(prober).await),
        Probe::Unicode => return with_fields(text::unicode(prober).await),
        Probe::Copies => copies::copies(prober).await,
        Probe::Retry => copies::retry(prober).await,
        Probe::LaterCopy => copies::later_copy(prober).await,
        Probe::Concurrency => copies::concurrency(prober).await,
        Probe::Thousands => size::thousands(prober).await,
        Probe::LargeRecord => size::large_record(prober).await,
        Probe::TooLarge => size::too_large(prober).await,
    };
    findings.verdict()
}

/// Some probes change an event's fields.
fn with_fields(findings: Option<Findings>) -> Verdict {
    let none = "no event of the sample that is delivered is a JSON object with text in it";
    findings.map_or_else(|| Verdict::Skipped(none.to_owned()), Findings::verdict)
}
