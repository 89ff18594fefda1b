//! A shard: its part of the hash keys, its records from the checkpoint on, and the lanes in which
//! they wait for a function. It neither waits nor locks.

use std::{collections::VecDeque, ops::RangeInclusive, sync::Arc, time::Duration};

use super::record::{Batch, REQUEST_BYTES, Record};
use crate::kinesis::ShardId;

/// How much a batch may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) records: usize,
    /// Of the request that carries them.
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct Shard {
    pub(super) id: ShardId,
    pub(super) hash_keys: RangeInclusive<u128>,
    /// It is read when these are done.
    pub(super) parents: Vec<ShardId>,
    pub(super) intake: Intake,
    /// The number of the last record that is done, and all before it.
    pub(super) checkpoint: Option<u64>,
    /// What comes after the checkpoint.
    held: VecDeque<Held>,
    /// None until it is read.
    lanes: Vec<Lane>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    Open,
    /// Its children take what is put.
    Closed,
}

#[derive(Debug)]
struct Held {
    record: Arc<Record>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Undone,
    Done,
}

/// Records that are handed out one batch after the other.
#[derive(Debug, Clone, Default)]
struct Lane {
    waiting: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Shard {
    pub(super) fn new(id: ShardId, hash_keys: RangeInclusive<u128>, parents: Vec<ShardId>) -> Self {
        Self {
            id,
            hash_keys,
            parents,
            intake: Intake::Open,
            checkpoint: None,
            held: VecDeque::new(),
            lanes: Vec::new(),
        }
    }

    /// Into how many lanes its records go; none until it is read.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.intake == Intake::Closed && self.held.is_empty()
    }

    /// The number of its first record that is not done.
    pub(super) fn first_undone(&self) -> Option<u64> {
        self.held.front().map(|held| held.record.placed.number)
    }

    /// Gives the lane that it waits in.
    pub(super) fn push(&mut self, record: Arc<Record>) -> usize {
        self.held.push_back(Held {
            record: Arc::clone(&record),
            state: State::Undone,
        });
        let index = lane_index(&record, self.lanes.len());
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.push(record);
        }
        index
    }

    /// Begins to hand out what it holds, in so many lanes.
    pub(super) fn open_lanes(&mut self, count: usize) {
        self.lanes = vec![Lane::default(); count];
        (0..count).for_each(|lane| self.give_back(lane));
    }

    /// How many records wait in this lane.
    pub(super) fn waiting(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.waiting.len())
    }

    /// Whether what waits in this lane fills a batch.
    pub(super) fn is_full(&self, lane: usize, limits: Limits) -> bool {
        self.lanes.get(lane).is_some_and(|lane| {
            lane.waiting.len() >= limits.records || REQUEST_BYTES + lane.bytes >= limits.bytes
        })
    }

    /// The next batch: one record at least, if any waits.
    pub(super) fn take(&mut self, lane: usize, limits: Limits) -> Batch {
        let mut batch = Batch::new();
        let mut bytes = REQUEST_BYTES;
        while let Some(lane) = self.lanes.get_mut(lane)
            && let Some(next) = lane.waiting.front()
        {
            bytes += next.bytes();
            let fits = batch.len() < limits.records && bytes <= limits.bytes;
            if !fits && !batch.is_empty() {
                break;
            }
            batch.extend(lane.pop());
        }
        batch
    }

    /// Takes back all that this lane has handed out and that lies after the checkpoint, done or not.
    pub(super) fn give_back(&mut self, lane: usize) {
        let count = self.lanes.len();
        let mut waiting = Lane::default();
        for held in &mut self.held {
            if lane_index(&held.record, count) == lane {
                held.state = State::Undone;
                waiting.push(Arc::clone(&held.record));
            }
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            *lane = waiting;
        }
    }

    /// These are done; gives the bytes that need not be held any more.
    pub(super) fn done(&mut self, records: &[Arc<Record>]) -> usize {
        for record in records {
            let number = |held: &Held| held.record.placed.number;
            let found = self
                .held
                .binary_search_by_key(&record.placed.number, number);
            if let Some(held) = found.ok().and_then(|index| self.held.get_mut(index)) {
                held.state = State::Done;
            }
        }
        self.move_checkpoint()
    }

    /// Passes over what arrived before this; gives the bytes that need not be held any more.
    pub(super) fn skip_to(&mut self, arrival: Duration) -> usize {
        for held in &mut self.held {
            if held.record.arrived < arrival {
                held.state = State::Done;
            }
        }
        self.move_checkpoint()
    }

    fn move_checkpoint(&mut self) -> usize {
        let mut freed = 0;
        while let Some(held) = self.held.pop_front_if(|held| held.state == State::Done) {
            self.checkpoint = Some(held.record.placed.number);
            freed += held.record.held_bytes as usize;
        }
        freed
    }
}

impl Lane {
    fn push(&mut self, record: Arc<Record>) {
        self.bytes += record.bytes();
        self.waiting.push_back(record);
    }

    fn pop(&mut self) -> Option<Arc<Record>> {
        let record = self.waiting.pop_front()?;
        self.bytes -= record.bytes();
        Some(record)
    }
}

/// Records with one partition key share a lane.
fn lane_index(record: &Record, lanes: usize) -> usize {
    usize::try_from(record.hash_key % lanes.max(1) as u128).unwrap_or_default()
}
