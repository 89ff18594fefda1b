//! One invocation: segment by segment, each through its steps in their order.

mod archiving;
mod counting;
mod judging;

use std::time::Duration;

use tokio::time::Instant;

use super::{
    archive::putting::PUTS_AT_ONCE,
    batch::{Bounds, Judged, Left, Segment},
    counts::Counts,
    event::{Event, Known},
    failure::{Part, Stop, Unavailable},
    key,
    ledger::Progress,
    processor::EventProcessor,
    services::Services,
    table::{Followed, Key},
};
use crate::{
    functions::Moment,
    kinesis::{Sequence, ShardId, Tag, contents::Contents},
};

/// What is left of an invocation when everything has to stop trying: time to write the answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// The most objects of a segment: their names have to fit into the ledger, and their puts into time.
const OBJECTS_MAX: usize = 300;
/// Which part of the time that is left may go into putting objects.
const PUTTING_SHARE: u32 = 4;

/// An invocation on its way.
pub(super) struct Attempt<'a, S> {
    processor: &'a EventProcessor<S>,
    contents: &'a Contents<'a>,
    shard: ShardId,
    tag: Tag,
    moment: Moment,
    started: Instant,
    /// When everything has to be answered.
    deadline: Instant,
    counts: Counts,
}

/// An event that is archived, and what is known of it.
struct Enriched<'b, 'a> {
    judged: &'b Judged<'a>,
    event: &'b Event<'a>,
    known: Known,
}

impl<'a, S: Services> Attempt<'a, S> {
    pub(super) fn new(
        processor: &'a EventProcessor<S>,
        contents: &'a Contents<'a>,
        moment: Moment,
    ) -> Self {
        let first = contents.envelope.records.first();
        let deadline = moment.deadline.checked_sub(ANSWER_MARGIN);
        Self {
            processor,
            contents,
            shard: first.map_or(ShardId(0), |record| record.shard),
            tag: Tag::of(&contents.envelope.stream),
            moment,
            started: Instant::now(),
            deadline: deadline.unwrap_or(moment.deadline),
            counts: Counts {
                records: contents.envelope.records.len(),
                ..Counts::default()
            },
        }
    }

    /// Does segment by segment. An error is the first record that is not done, and why.
    pub(super) async fn run(&mut self) -> Result<(), (Sequence, Stop)> {
        let records = self.contents.envelope.records.iter();
        let Some(first) = records.map(|record| record.sequence).min() else {
            return Ok(());
        };
        let mut progress = self.read_ledger().await.map_err(|stop| (first, stop))?;
        let left = Left::read(self.contents, |sequence| progress.is_done(sequence));
        self.counts.done_before = self.counts.records - left.records();
        self.counts.events = left.events().len();
        let mut records_done = 0;
        while let Some(segment) = left.segment(records_done, |first| self.bounds(&progress, first))
        {
            let done = self.process(segment, progress).await;
            progress = done.map_err(|stop| (segment.first, stop))?;
            records_done = left.records_up_to(segment.last);
        }
        Ok(())
    }

    fn bounds(&self, progress: &Progress, first: Sequence) -> Bounds {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let in_turn = (left / PUTTING_SHARE).div_duration_f64(self.processor.pace.get());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded by what follows"
        )]
        let in_time = (in_turn as usize).saturating_mul(PUTS_AT_ONCE);
        Bounds {
            attempts: progress.attempts_at(first),
            objects_max: in_time.clamp(1, OBJECTS_MAX),
            limits: self.processor.settings.archive_limits,
        }
    }

    /// The steps, in the order that they rest on each other.
    async fn process(
        &mut self,
        segment: Segment<'_, 'a>,
        progress: Progress,
    ) -> Result<Progress, Stop> {
        let accepted = self.claim(segment).await?;
        let enriched = self.enrich(&accepted).await?;
        let parts = self.line_up(&enriched);
        let progress = self.plan(segment, &parts, progress).await?;
        self.archive(segment, &parts, &progress).await?;
        drop(parts);
        self.send_dead_letters(segment).await?;
        let tally = self.tally(&enriched);
        self.merge_users(&tally).await?;
        self.count(&tally).await?;
        self.finish(segment, progress).await
    }

    /// What the answer names, and what the log says; an error where a person has to act.
    pub(super) fn report(&mut self, first: Sequence, stop: Stop) -> Result<Sequence, Unavailable> {
        match stop {
            Stop::Lasting(part, said) => return Err(Unavailable::Lasting(part, said)),
            Stop::Passing(part, said) => {
                tracing::error!(%part, said, "the rest of the batch comes again");
                self.counts.failed.insert(part);
            }
            Stop::Superseded => {
                tracing::warn!("another invocation is at the same records: the rest comes again");
                self.counts.failed.insert(Part::Ledger);
            }
        }
        Ok(first)
    }

    pub(super) fn into_counts(self) -> Counts {
        Counts {
            duration: self.started.elapsed(),
            ..self.counts
        }
    }

    fn ledger(&self) -> Key {
        key::ledger(self.tag, self.shard)
    }

    /// What all have come to, if all have.
    fn settle<E>(&mut self, part: Part, followed: Followed<E>) -> Result<Vec<E>, Stop> {
        self.counts.write_units += followed.write_units;
        match followed.asked.failure {
            None => Ok(followed.asked.answers.into_iter().flatten().collect()),
            Some(failure) => Err(Stop::of(part, &failure)),
        }
    }
}
