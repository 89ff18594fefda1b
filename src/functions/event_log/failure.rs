//! What keeps a batch from being answered.

use crate::{
    functions::{Counted, Failure},
    kinesis::{depot::Nowhere, envelope::EnvelopeUnreadable},
    telemetry::{Metric, Quantity},
};

/// Nothing can be said of the batch: it is to come again.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error(transparent)]
    Envelope(#[from] EnvelopeUnreadable),
    #[error(transparent)]
    Nowhere(#[from] Nowhere),
    /// Asking again would not help until a person has changed something.
    #[error("{0}")]
    Refused(String),
}

impl Counted for Unavailable {
    fn metrics(&self) -> Vec<Metric> {
        let name = match self {
            Self::Envelope(_) => "envelope_failures",
            Self::Nowhere(_) => "dead_letter_failures",
            Self::Refused(_) => "failures",
        };
        vec![Metric::new(name, Quantity::Count(1))]
    }
}

impl Failure for Unavailable {
    fn kind(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "EnvelopeUnreadable",
            Self::Nowhere(_) => "NoDeadLetters",
            Self::Refused(_) => "Refused",
        }
    }
}
