//! The event log: each event of a Kinesis stream into a table, once, to be looked up.
//!
//! ```text
//! records ─> events ─> entry of each ─> too large: an object ─> items ─> conflicts ─> dead letters ─> the first not kept, or none
//! ```
//!
//! An item is a function of its record, so writing it again changes nothing: however a batch is
//! retried, cut anew or overtaken, the table ends the same.

mod counts;
pub mod data;
pub mod entry;
mod failure;
pub mod item;
mod keeping;
pub mod number;
pub mod settings;
pub mod table;

use std::{mem, time::Duration};

use tokio::time::Instant;

pub use counts::Counts;
pub use failure::Unavailable;
pub use settings::Settings;

use super::{Function, Moment, Response};
use crate::kinesis::{
    Tag, answer,
    contents::{Arrived, Contents},
    depot::Depot,
};
use entry::Kept;
use keeping::Keeping;
use table::LogTable;

/// What is left of an invocation when it has to stop trying: time to write the answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// The function: its settings, its table, and where the rest goes.
#[derive(Debug)]
pub struct EventLog<T, S> {
    settings: Settings,
    table: T,
    depot: S,
}

impl<T, S> EventLog<T, S> {
    pub fn new(settings: Settings, table: T, depot: S) -> Self {
        Self {
            settings,
            table,
            depot,
        }
    }
}

impl<T: LogTable + Sync, S: Depot + Sync> Function for EventLog<T, S> {
    type Counts = Counts;
    type Failure = Unavailable;

    /// An event that cannot be stored is set aside. What could not be kept for now is reported, the
    /// first record of it; an error means that a person has to change something, or that the
    /// request cannot be read.
    async fn answer(&self, body: &[u8], moment: Moment) -> Result<Response<Counts>, Unavailable> {
        let started = Instant::now();
        let contents = Contents::read(body)?;
        let stream = &contents.envelope.stream;
        let deadline = moment.deadline.checked_sub(ANSWER_MARGIN);
        let deadline = deadline.unwrap_or(moment.deadline);
        let tag = Tag::of(stream);
        let keep = |event: &Arrived<'_>| Kept::of(event, tag, &self.settings);
        let mut events = contents.events().peekable();
        let mut counts = Counts::default();
        let mut first_not_kept = None;
        while first_not_kept.is_none() && events.peek().is_some() {
            let mut keeping =
                Keeping::of(&mut events, &self.settings, mem::take(&mut counts), keep);
            keeping.put_objects(&self.depot, halfway_to(deadline)).await;
            keeping.write_items(&self.table, deadline).await;
            keeping.keep_conflicts(&self.table, deadline).await;
            keeping.set_aside(&self.depot, stream, deadline).await?;
            (first_not_kept, counts) = keeping.end()?;
        }
        counts.records = contents.envelope.records.len();
        counts.duration = started.elapsed();
        Ok(Response {
            body: answer::write(first_not_kept),
            counts,
        })
    }
}

/// Where objects cannot be put, there is to be time left for all else.
fn halfway_to(deadline: Instant) -> Instant {
    let now = Instant::now();
    now + deadline.saturating_duration_since(now) / 2
}
