//! What keeps a batch from being done: for now, so that it comes again, or until a person acts.

use std::fmt;

use crate::{
    aws::Failure,
    functions::{self, Counted},
    kinesis::envelope::EnvelopeUnreadable,
    telemetry::{Metric, Quantity},
};

/// A part of the work, by what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Claim,
    Enrichment,
    Ledger,
    Archive,
    DeadLetter,
    User,
    Counter,
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Enrichment => "enrichment",
            Self::Ledger => "ledger",
            Self::Archive => "archive",
            Self::DeadLetter => "dead_letter",
            Self::User => "user",
            Self::Counter => "counter",
        }
    }

    /// One failure.
    #[must_use]
    pub fn metric(self) -> Metric {
        Metric::new(&format!("{}_failures", self.as_str()), Quantity::Count(1))
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Claim => "ClaimStoreUnavailable",
            Self::Enrichment => "EnrichmentUnavailable",
            Self::Ledger => "LedgerUnavailable",
            Self::Archive => "ArchiveUnavailable",
            Self::DeadLetter => "DeadLettersUnavailable",
            Self::User => "UsersUnavailable",
            Self::Counter => "CountersUnavailable",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claim => "claims",
            Self::Enrichment => "enrichment",
            Self::Ledger => "the ledger",
            Self::Archive => "the archive",
            Self::DeadLetter => "dead letters",
            Self::User => "users",
            Self::Counter => "counters",
        })
    }
}

/// Why a segment is not done.
#[derive(Debug)]
pub enum Stop {
    /// It comes again.
    Passing(Part, String),
    /// Another invocation is at it.
    Superseded,
    /// Coming again would not help.
    Lasting(Part, String),
}

impl Stop {
    #[must_use]
    pub fn of(part: Part, failure: &Failure) -> Self {
        if failure.is_lasting() {
            Self::Lasting(part, failure.to_string())
        } else {
            Self::Passing(part, failure.to_string())
        }
    }
}

/// Nothing can be said of the batch: the mapping is to send it again.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error(transparent)]
    Envelope(#[from] EnvelopeUnreadable),
    /// A person has to act.
    #[error("{0} cannot be used: {1}")]
    Lasting(Part, String),
}

impl Counted for Unavailable {
    fn metrics(&self) -> Vec<Metric> {
        vec![match self {
            Self::Envelope(_) => Metric::new("envelope_failures", Quantity::Count(1)),
            Self::Lasting(part, _) => part.metric(),
        }]
    }
}

impl functions::Failure for Unavailable {
    fn kind(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "EnvelopeUnreadable",
            Self::Lasting(part, _) => part.kind(),
        }
    }
}
