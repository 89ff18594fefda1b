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
