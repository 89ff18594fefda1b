//! A function on a Kinesis stream that counts an experiment's events and users by hour and day, and
//! archives them, each exactly once.
//!
//! ```text
//! records not done yet ──> check ──> claim ──> enrich ──> plan ──> archive ──> dead letters ──> users ──> counters ──> done
//!                           │refused   │duplicate            one ledger item a shard
//!                           └ dead letter                                  one answer: the first record not done, or none
//! ```

pub mod archive;
mod attempt;
mod batch;
mod claiming;
pub mod counters;
mod counts;
mod enriching;
pub mod enrichment;
pub mod event;
mod failure;
pub mod key;
pub mod ledger;
mod processor;
pub mod readings;
pub mod services;
pub mod settings;
pub mod sketch;
pub mod table;
mod tally;
pub mod users;
pub mod window;

use attempt::Attempt;
pub use counts::Counts;
pub use failure::{Part, Stop, Unavailable};
pub use processor::EventProcessor;
use services::Services;
pub use settings::Settings;

use super::{Function, Moment, Response};
use crate::kinesis::{answer, contents::Contents};

impl<S: Services> Function for EventProcessor<S> {
    type Counts = Counts;
    type Failure = Unavailable;

    /// A bad record is a dead letter, and what is away for now is an answer that names the first
    /// record not done; an error means that a person has to act, or that the request itself cannot
    /// be read.
    async fn answer(&self, body: &[u8], moment: Moment) -> Result<Response<Counts>, Unavailable> {
        let contents = Contents::read(body)?;
        let mut attempt = Attempt::new(self, &contents, moment);
        let not_done = match attempt.run().await {
            Ok(()) => None,
            Err((first, stop)) => Some(attempt.report(first, stop)?),
        };
        Ok(Response {
            body: answer::write(not_done),
            counts: attempt.into_counts(),
        })
    }
}
