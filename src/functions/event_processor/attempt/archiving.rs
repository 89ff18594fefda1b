//! What an attempt writes but for its counts: its plan, its objects, its dead letters, its end.

use tokio::time::Instant;

use super::{
    super::{
        Part, Services, Stop,
        archive::{
            Object,
            plan::{Address, PartKey, Parts},
            putting::{Archived, Content, PUTS_AT_ONCE, put_all},
        },
        batch::{Judged, Segment},
        event::Refusal,
        ledger::Progress,
        table::{Action, Course, Outcome, Statement, follow},
        window::{Span, Window},
    },
    Attempt, Enriched,
};
use crate::{
    aws::{Asked, Failure, Reply},
    kinesis::{
        dead_letter::{Data, DeadLetter},
        depot::set_aside,
    },
};

/// As dead letters name it.
const FUNCTION: &str = "event-processor";

/// How many refusals of a segment get a log line each.
const REFUSALS_LOGGED_MAX: usize = 10;

impl<S: Services> Attempt<'_, S> {
    pub(super) async fn read_ledger(&mut self) -> Result<Progress, Stop> {
        let found = self.ask_ledger(Statement {
            key: self.ledger(),
            action: Action::Read,
        });
        match found.await? {
            Outcome::Found(item) => {
                let progress = Progress::read(item.as_ref());
                progress.map_err(|failure| Stop::of(Part::Ledger, &failure))
            }
            _ => Err(Stop::Superseded),
        }
    }

    /// The archive's lines, by the objects that they become.
    pub(super) fn line_up(&self, enriched: &[Enriched<'_, '_>]) -> Parts {
        let mut parts = Parts::new(self.processor.settings.archive_limits);
        for Enriched {
            judged,
            event,
            known,
        } in enriched
        {
            let hour = Window::of(Span::Hour, &event.calendar);
            parts.add(hour, |out| {
                event.write_archived(judged.arrived.id, known, out);
            });
        }
        parts
    }

    /// Names every object before it is put. Where there is none, there is nothing to plan.
    pub(super) async fn plan(
        &mut self,
        segment: Segment<'_, '_>,
        parts: &Parts,
        progress: Progress,
    ) -> Result<Progress, Stop> {
        let needed = parts.keys().map(|key| key.to_string());
        let plan = progress.plan(segment.first, needed.collect());
        if plan.keys.is_empty() {
            return Ok(progress);
        }
        let planned = progress.planned(plan);
        let statement = planned.statement(self.ledger(), &progress);
        match self.ask_ledger(statement).await? {
            Outcome::Done => Ok(planned),
            _ => Err(Stop::Superseded),
        }
    }

    pub(super) async fn archive(
        &mut self,
        segment: Segment<'_, '_>,
        parts: &Parts,
        progress: &Progress,
    ) -> Result<(), Stop> {
        let Some(plan) = progress.plan_at(segment.first) else {
            return Ok(());
        };
        let started = Instant::now();
        let keys: Result<Vec<PartKey>, _> = plan.keys.iter().map(|key| key.parse()).collect();
        let keys = keys.map_err(|_| {
            let failure = Failure::senseless("a ledger with an object that cannot be named");
            Stop::of(Part::Ledger, &failure)
        })?;
        let puts = keys.len();
        let writing = Writing {
            parts,
            address: Address {
                prefix: &self.processor.settings.archive_prefix,
                tag: self.tag,
                shard: self.shard,
                first: segment.first,
            },
            segment,
            plan: progress.version,
        };
        let archive = self.processor.services.archive();
        let Asked { answers, failure } = put_all(archive, &writing, keys, self.deadline).await;
        self.counts.archive_duration += started.elapsed();
        for archived in answers.into_iter().flatten() {
            self.count_archived(archived)?;
        }
        if let Some(failure) = failure {
            return Err(Stop::of(Part::Archive, &failure));
        }
        let rounds = u32::try_from(puts.div_ceil(PUTS_AT_ONCE)).unwrap_or(u32::MAX);
        self.processor.pace.set(started.elapsed() / rounds.max(1));
        Ok(())
    }

    fn count_archived(&mut self, archived: Archived) -> Result<(), Stop> {
        let Archived::Put { events, bytes } = archived else {
            return Err(Stop::Superseded);
        };
        self.counts.archived += events;
        self.counts.archive_objects += 1;
        self.counts.archive_bytes += bytes;
        Ok(())
    }

    pub(super) async fn send_dead_letters(&mut self, segment: Segment<'_, '_>) -> Result<(), Stop> {
        let refused = segment.events.iter().filter_map(|judged| {
            let reason = *judged.event.as_ref().err()?;
            Some((judged, reason))
        });
        let refused: Vec<_> = refused.collect();
        let letters: Vec<_> = refused
            .iter()
            .map(|(judged, reason)| self.dead_letter(judged, *reason))
            .collect();
        if !letters.is_empty() {
            self.set_aside(&letters).await?;
        }
        self.counts.dead_letters += letters.len();
        for (_, reason) in &refused {
            *self.counts.refused.entry(*reason).or_default() += 1;
        }
        log_refusals(&refused);
        Ok(())
    }

    async fn set_aside(&self, letters: &[DeadLetter<'_>]) -> Result<(), Stop> {
        let depot = self.processor.services.depot();
        let prefix = &self.processor.settings.dead_letter_prefix;
        match set_aside(depot, prefix, letters, self.deadline).await {
            Err(nowhere) => Err(Stop::Lasting(Part::DeadLetter, nowhere.to_string())),
            Ok(Asked {
                failure: Some(failure),
                ..
            }) => Err(Stop::of(Part::DeadLetter, &failure)),
            Ok(_) => Ok(()),
        }
    }

    fn dead_letter<'l>(&'l self, judged: &'l Judged<'_>, reason: Refusal) -> DeadLetter<'l> {
        DeadLetter {
            reason: reason.to_string().into(),
            id: judged.arrived.id,
            stream: self.contents.envelope.stream.as_ref().into(),
            arrival: judged.arrived.arrival,
            function: FUNCTION.into(),
            data: Data::Here(judged.arrived.bytes.into()),
        }
    }

    /// All of the segment is done, unless a newer plan has begun.
    pub(super) async fn finish(
        &mut self,
        segment: Segment<'_, '_>,
        progress: Progress,
    ) -> Result<Progress, Stop> {
        let finished = progress.finished(segment.last);
        let statement = finished.statement(self.ledger(), &progress);
        let is_written = match self.ask_ledger(statement).await? {
            Outcome::Done => true,
            // Our own, whose answer was lost: nobody else ends this version so.
            Outcome::Refused(item) => Progress::read(item.as_ref()).is_ok_and(|it| it == finished),
            _ => false,
        };
        is_written.then_some(finished).ok_or(Stop::Superseded)
    }

    async fn ask_ledger(&mut self, statement: Statement) -> Result<Outcome, Stop> {
        let table = self.processor.services.table();
        let followed = follow(table, vec![Once(statement)], self.deadline).await;
        let mut outcomes = self.settle(Part::Ledger, followed)?;
        outcomes.pop().ok_or(Stop::Superseded)
    }
}

/// A statement that ends with its outcome.
#[derive(Clone)]
struct Once(Statement);

impl Course for Once {
    type End = Outcome;

    fn statement(&self) -> Statement {
        self.0.clone()
    }

    fn follow(self, outcome: Outcome) -> Reply<Self, Outcome> {
        Reply::Answered(outcome)
    }
}

/// A segment's objects under its plan.
struct Writing<'w> {
    parts: &'w Parts,
    address: Address<'w>,
    segment: Segment<'w, 'w>,
    plan: u64,
}

impl Content for Writing<'_> {
    type Key = PartKey;

    fn plan(&self) -> u64 {
        self.plan
    }

    fn name(&self, key: PartKey) -> String {
        self.address.key(key)
    }

    fn object(&self, key: PartKey) -> Result<Object, Failure> {
        let segment = (self.segment.first, self.segment.last);
        let object = self.parts.object(key, segment, self.plan);
        object.map_err(|error| Failure::unsent(&error))
    }
}

/// A line for each refusal, as far as they are few: which record it is, never what it says.
fn log_refusals(refused: &[(&Judged<'_>, Refusal)]) {
    for (judged, reason) in refused.iter().take(REFUSALS_LOGGED_MAX) {
        let record_id = judged.arrived.id;
        tracing::warn!(%record_id, %reason, "refused");
    }
    if let Some(more) = refused.len().checked_sub(REFUSALS_LOGGED_MAX + 1) {
        tracing::warn!(more = more + 1, "refused more records of this segment");
    }
}
