//! The probes, in the order in which they are put: what others rest on first, and last what an
//! emulator may not survive that takes one invocation at a time.

mod basis;
mod copies;
mod odd;
mod size;
mod source;
mod text;

use super::probe::Probe;

pub(super) static ALL: [&Probe; 28] = [
    &basis::ONE,
    &basis::SEVERAL,
    &basis::OWN_RECORDS,
    &basis::DELIVERED,
    &basis::EMPTY_BATCH,
    &basis::LINE_END,
    &basis::PARTITION_KEYS,
    &source::DIRECT_PUT,
    &source::KINESIS,
    &source::MSK,
    &source::AWS_SAMPLE,
    &source::RECORD_IDS,
    &odd::EMPTY_DATA,
    &odd::MISSING_DATA,
    &odd::BAD_BASE64,
    &odd::NOT_JSON,
    &odd::NOT_UTF8,
    &odd::DEEP_NESTING,
    &odd::WRONG_FIELDS,
    &text::HOSTILE_TEXT,
    &text::UNICODE,
    &copies::COPIES,
    &copies::RETRY,
    &copies::LATER_COPY,
    &size::THOUSANDS,
    &size::LARGE_RECORD,
    &size::TOO_LARGE,
    &copies::CONCURRENCY,
];

/// Whether another rests on it.
pub(super) fn is_basis(probe: &Probe) -> bool {
    let mut bases = ALL.iter().filter_map(|probe| probe.rests_on);
    bases.any(|basis| basis.name == probe.name)
}

/// The probe of this name, for a command line.
pub(super) fn named(name: &str) -> Result<&'static Probe, String> {
    let mut probes = ALL.iter();
    let probe = probes.find(|probe| probe.name == name).copied();
    probe.ok_or_else(|| "there is no such probe; --list names them".to_owned())
}
