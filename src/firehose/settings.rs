//! What a batch is answered by. Where the values come from is for `config`.

use crate::transform::{Identity, Rules};

/// What a batch is answered by.
#[derive(Debug, Clone)]
pub struct Settings {
    pub rules: Rules,
    pub identity: Identity,
    /// How long an event is remembered; none is for ever.
    pub claim_lifetime_seconds: Option<u64>,
    pub on_claim_failure: OnClaimFailure,
    pub on_differing_duplicate: OnDifferingDuplicate,
    pub response_bytes_max: usize,
    /// How many partitions the events of one batch may be of.
    pub batch_partitions_max: usize,
}

/// What to do when the claim store cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClaimFailure {
    /// Fail, so that Firehose sends the batch again and in the end keeps the originals.
    Retry,
    /// Deliver what is not known to be a duplicate.
    Deliver,
}

/// What to do with a record whose event was seen before with other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDifferingDuplicate {
    Drop,
    /// Send it to the error prefix.
    Fail,
}
