//! The transformation Lambda of Amazon Data Firehose: a batch to its answer.
//!
//! ```text
//! request ─> records ─> transform each ─> first of each identity ─> fit into the response ─> claim ─> answer, in order
//!                           │refused            │duplicate                │overflow              │duplicate
//!                           └───────────────────┴─────── each is an answer of its own ───────────┘
//! ```

mod batch;
pub mod budget;
mod counts;
pub mod draft;
pub mod event;
mod identities;
pub mod partition;
mod partitions;
mod reading;
pub mod settings;
pub mod transform;
pub mod wire;

use std::time::{Duration, UNIX_EPOCH};

use tokio::time::Instant;

use batch::{Batch, Settled};
pub use batch::{ResponseTooSmall, Verdict};
pub use counts::Counts;
pub use settings::{OnClaimFailure, OnDifferingDuplicate, Settings};
use wire::EnvelopeUnreadable;

use super::{Counted, Failure, Function, Moment, Response};
use crate::{
    dedup::{Answers, ClaimStore, NEVER, Owner, StoreError, Terms},
    telemetry::{Metric, Quantity},
};

/// What is left of an invocation when the store has to stop trying: time to write the answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// How long to try before delivering unclaimed.
const DELIVER_PATIENCE: Duration = Duration::from_secs(5);

/// How many refusals of a batch get a log line each.
const REFUSALS_LOGGED_MAX: usize = 10;

/// The function: its settings and its claims.
#[derive(Debug)]
pub struct FirehoseTransform<S> {
    settings: Settings,
    store: S,
}

/// Nothing can be said of the batch: Firehose is to send it again.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error(transparent)]
    Envelope(#[from] EnvelopeUnreadable),
    #[error(transparent)]
    Response(#[from] ResponseTooSmall),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Counted for Unavailable {
    /// An alarm on the store is not to ring for a broken request.
    fn metrics(&self) -> Vec<Metric> {
        let name = match self {
            Unavailable::Envelope(_) => "envelope_failures",
            Unavailable::Response(_) => "response_failures",
            Unavailable::Store(_) => "claim_failures",
        };
        vec![Metric::new(name, Quantity::Count(1))]
    }
}

impl Failure for Unavailable {
    fn kind(&self) -> &'static str {
        match self {
            Unavailable::Envelope(_) => "EnvelopeUnreadable",
            Unavailable::Response(_) => "ResponseTooSmall",
            Unavailable::Store(_) => "ClaimStoreUnavailable",
        }
    }
}

impl<S: ClaimStore + Sync> Function for FirehoseTransform<S> {
    type Counts = Counts;
    type Failure = Unavailable;

    /// A bad record is an answer of its own; an error means that the claim store is away or that
    /// the request itself cannot be answered.
    async fn answer(&self, body: &[u8], moment: Moment) -> Result<Response<Counts>, Unavailable> {
        let started = Instant::now();
        let mut batch = Batch::read(body, &self.settings)?;
        batch.fit()?;
        let claim_started = Instant::now();
        let settled = self.claim(&batch, moment).await?;
        let claim_duration = claim_started.elapsed();
        log_verdicts(&batch, &settled.verdicts);
        let response = batch.respond(&settled.verdicts);
        let counts = Counts {
            claim_duration,
            duration: started.elapsed(),
            request_bytes: body.len(),
            response_bytes: response.len(),
            ..Counts::of(&settled)
        };
        Ok(Response {
            body: response,
            counts,
        })
    }
}

impl<S: ClaimStore> FirehoseTransform<S> {
    pub fn new(settings: Settings, store: S) -> Self {
        Self { settings, store }
    }

    async fn claim(&self, batch: &Batch<'_>, moment: Moment) -> Result<Settled, StoreError> {
        let claims = batch.claims();
        if claims.is_empty() {
            return Ok(batch.settle(&[]));
        }
        let Answers {
            claimed, failure, ..
        } = self.store.claim(&claims, self.terms(moment)).await;
        match (failure, self.settings.on_claim_failure) {
            (Some(failure), OnClaimFailure::Retry) => Err(failure),
            (Some(failure), OnClaimFailure::Deliver) => {
                tracing::error!(%failure, "delivering events that are not claimed");
                Ok(batch.settle(&claimed))
            }
            (None, _) => Ok(batch.settle(&claimed)),
        }
    }

    fn terms(&self, moment: Moment) -> Terms {
        let now_seconds = moment
            .now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let lifetime = self.settings.claim_lifetime_seconds;
        let last_moment = moment
            .deadline
            .checked_sub(ANSWER_MARGIN)
            .unwrap_or(moment.deadline);
        Terms {
            now_seconds,
            ttl_seconds: lifetime.map_or(NEVER, |seconds| now_seconds + seconds),
            deadline: match self.settings.on_claim_failure {
                OnClaimFailure::Retry => last_moment,
                OnClaimFailure::Deliver => last_moment.min(Instant::now() + DELIVER_PATIENCE),
            },
        }
    }
}

/// A line for each refusal, as far as they are few, and for each duplicate: which record it is, to
/// be found by its id, arrival and hash. Never what it says.
fn log_verdicts(batch: &Batch<'_>, verdicts: &[Verdict]) {
    let mut refusals = 0;
    for (entry, verdict) in batch.entries.iter().zip(verdicts) {
        let Owner {
            arrival_milliseconds,
            bytes_hash,
            ..
        } = entry.owner;
        // Whatever an id holds, a line of the log stays one, and plain.
        let record_id = entry.slot.record_id.text.escape_default();
        match verdict {
            Verdict::Refused(reason) => {
                refusals += 1;
                if refusals <= REFUSALS_LOGGED_MAX {
                    tracing::warn!(%record_id, arrival_milliseconds, bytes_hash = format_args!("{bytes_hash:032x}"), %reason, "refused");
                }
            }
            Verdict::Duplicate { differing } => {
                tracing::debug!(
                    %record_id,
                    arrival_milliseconds,
                    bytes_hash = format_args!("{bytes_hash:032x}"),
                    differing,
                    "duplicate"
                );
            }
            Verdict::Delivered | Verdict::Overflow => {}
        }
    }
    if refusals > REFUSALS_LOGGED_MAX {
        tracing::warn!(
            more = refusals - REFUSALS_LOGGED_MAX,
            "refused more records of this batch"
        );
    }
}
