//! The part of a redrive that changes something: claims given back, records sent, each step in the
//! journal before or after it so that it can be gone on from anywhere.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    journal::RedriveJournal,
    recorder::Recorder,
    tally::{CountedRecord, RecordOutcome, RedriveTally},
};
use crate::{
    local::clock::epoch_milliseconds,
    tool::{
        clock::now,
        interrupt::sleep_until,
        redriven::RecordMark,
        sink::{Receipt, SendLimits, Sink},
    },
};

/// A record on its way.
pub(super) struct Outgoing<'a> {
    pub(super) mark: RecordMark,
    pub(super) bytes: &'a [u8],
    pub(super) counted: &'a CountedRecord,
}

/// A record that was taken.
struct Unsettled {
    mark: RecordMark,
    outcome: RecordOutcome,
    counted: CountedRecord,
}

pub(super) struct Sending<'a> {
    target: Box<dyn Sink + 'a>,
    journal: RedriveJournal,
    recorder: Recorder<'a>,
    throttle: Throttle,
    /// Sent, but a crash could undo it.
    unsettled: Vec<Unsettled>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        target: Box<dyn Sink + 'a>,
        journal: RedriveJournal,
        recorder: Recorder<'a>,
        throttle: Throttle,
    ) -> Self {
        Self {
            target,
            journal,
            recorder,
            throttle,
            unsettled: Vec::new(),
        }
    }

    pub(super) fn limits(&self) -> SendLimits {
        let limits = self.target.limits();
        SendLimits {
            records_max: limits.records_max.min(self.throttle.records_at_once()),
            ..limits
        }
    }

    pub(super) fn discard(&self, position: &str) -> Result<()> {
        self.recorder.discard(position)
    }

    /// From here on these records must be sent.
    pub(super) fn will_release(&mut self, marks: &[RecordMark]) -> Result<()> {
        self.journal.will_release(marks)
    }

    /// Sends a batch. An error means that nothing more can be sent.
    pub(super) fn send(&mut self, batch: &[Outgoing<'_>], tally: &mut RedriveTally) -> Result<()> {
        if batch.is_empty() {
            return self.beat(tally);
        }
        self.throttle.wait(batch.len());
        let records: Vec<&[u8]> = batch.iter().map(|record| record.bytes).collect();
        let Receipt {
            failed,
            refused,
            broken,
        } = self.target.send(&records);
        let mut refused = refused.into_iter().peekable();
        let mut failed = failed.into_iter().peekable();
        for (index, record) in batch.iter().enumerate() {
            if let Some((_, why)) = failed.next_if(|(at, _)| *at == index) {
                tally.settle(RecordOutcome::Failed, record.counted);
                tally.failure = Some(why);
            } else {
                let is_refused = refused.next_if_eq(&index).is_some();
                self.unsettled.push(Unsettled {
                    mark: record.mark,
                    outcome: if is_refused {
                        RecordOutcome::RefusedAgain
                    } else {
                        RecordOutcome::Sent
                    },
                    counted: record.counted.clone(),
                });
            }
        }
        if let Some(error) = broken {
            self.keep_settled(tally)?;
            return Err(error);
        }
        self.keep_settled(tally)?;
        self.beat(tally)
    }

    /// What would outlive a crash is sent; from then on it is not sent again.
    fn keep_settled(&mut self, tally: &mut RedriveTally) -> Result<()> {
        if !self.target.is_settled() {
            return Ok(());
        }
        let is_refused = |record: &&Unsettled| record.outcome == RecordOutcome::RefusedAgain;
        let (refused, taken): (Vec<_>, Vec<_>) = self.unsettled.iter().partition(is_refused);
        let [taken, refused] = [taken, refused]
            .map(|records| records.iter().map(|record| record.mark).collect::<Vec<_>>());
        self.journal.have_sent(&taken, &refused)?;
        for record in self.unsettled.drain(..) {
            tally.settle(record.outcome, &record.counted);
            self.recorder.note(record.mark, &record.counted.position)?;
        }
        Ok(())
    }

    fn beat(&mut self, tally: &RedriveTally) -> Result<()> {
        self.recorder
            .beat(tally.counts(), epoch_milliseconds(now()))
    }

    /// Settles what is under way.
    pub(super) fn settle(&mut self, tally: &mut RedriveTally) -> Result<()> {
        self.target.settle()?;
        self.keep_settled(tally)
    }

    /// What was sent and could not be settled is not sent.
    pub(super) fn give_up_unsettled(&mut self, tally: &mut RedriveTally) {
        for record in self.unsettled.drain(..) {
            tally.settle(RecordOutcome::Failed, &record.counted);
        }
    }

    /// Hands back what has to be ended.
    pub(super) fn end(self) -> (RedriveJournal, Recorder<'a>) {
        (self.journal, self.recorder)
    }
}

/// So many records a second at most.
pub(super) struct Throttle {
    rate: Option<u32>,
    next: Instant,
    stop: Arc<AtomicBool>,
}

impl Throttle {
    pub(super) fn new(rate: Option<u32>, stop: Arc<AtomicBool>) -> Self {
        Self {
            rate,
            next: Instant::now(),
            stop,
        }
    }

    /// No more than a second's.
    fn records_at_once(&self) -> usize {
        self.rate.map_or(usize::MAX, |rate| rate as usize)
    }

    /// Waits until so many records are due. An interrupted redrive sends its batch at once, for its
    /// claims are given back already.
    fn wait(&mut self, records: usize) {
        let Some(rate) = self.rate else { return };
        sleep_until(self.next, &self.stop);
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let span = Duration::from_secs(1) * records / rate;
        self.next = self.next.max(Instant::now()) + span;
    }
}
