//! A stream: it gives each record a shard and a place there, and holds it until it is done. What it
//! holds is bounded: whoever puts more waits.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, Semaphore},
    time::timeout,
};

use super::{
    clock::Clock,
    record::{Batch, Draft, Placed, PutError, RECORD_BYTES_MAX, Record, sequence},
    shard::{Intake, Limits, Shard},
};
use crate::kinesis::{Sequence, ShardId};

/// How long records are kept, by default.
pub const RETENTION: Duration = Duration::from_hours(24);

/// What a stream holds, by default.
pub const HELD_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub struct Stream {
    pub clock: Clock,
    /// A record that is older is not tried again.
    pub retention: Duration,
    state: Mutex<State>,
    changed: Notify,
    /// A permit a byte.
    room: Semaphore,
    /// How many puts wait for room.
    crowd: AtomicUsize,
}

#[derive(Debug)]
struct State {
    shards: Vec<Shard>,
    /// The next record's number.
    next: u64,
    flow: Flow,
    /// Set when a mapping has begun.
    reading: Option<Reading>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    /// Nothing more is put; what is there is read to its end.
    Ended,
    /// Nothing more is handed out.
    Stopped,
}

/// How a mapping wants its batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) lanes: usize,
    pub(super) limits: Limits,
}

/// A shard's lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) shard: ShardId,
    pub(super) lane: usize,
}

/// Where a stream is to go on: what is put from record `next` on gets the numbers it had.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The first record that is not done. All before it are.
    pub next: u64,
    /// By shard, the last record that is done, and all before it.
    pub done: BTreeMap<u64, u64>,
}

/// Why a stream keeps its shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReshardError {
    #[error("{0} is not open")]
    NotOpen(ShardId),
    #[error("{0} has one hash key alone")]
    TooSmall(ShardId),
    #[error("{0} and {1} do not lie side by side")]
    NotAdjacent(ShardId, ShardId),
}

/// Which shard is to be read next.
pub(super) enum Turn {
    Of(ShardId),
    /// There is none, and there will be none.
    Over,
}

impl Stream {
    /// With so many shards, one at least.
    #[must_use]
    pub fn new(shards: u32, clock: Clock) -> Self {
        Self::resume(shards, clock, &Progress::default())
    }

    /// Goes on where a stream of as many shards had come.
    #[must_use]
    pub fn resume(shards: u32, clock: Clock, progress: &Progress) -> Self {
        let ranges = (0..).map(ShardId).zip(hash_key_ranges(shards));
        let shards = ranges.map(|(id, range)| {
            let mut shard = Shard::new(id, range, Vec::new());
            shard.checkpoint = progress.done.get(&id.0).copied();
            shard
        });
        Self {
            clock,
            retention: RETENTION,
            state: Mutex::new(State {
                shards: shards.collect(),
                next: progress.next,
                flow: Flow::Open,
                reading: None,
            }),
            changed: Notify::new(),
            room: Semaphore::new(HELD_BYTES_MAX),
            crowd: AtomicUsize::new(0),
        }
    }

    /// Holds so many bytes, and one record of the largest size at least.
    #[must_use]
    pub fn holding(mut self, bytes_max: usize) -> Self {
        self.room = Semaphore::new(bytes_max.max(2 * RECORD_BYTES_MAX));
        self
    }

    /// Takes a record in, when there is room for it.
    pub async fn put(&self, partition_key: &str, data: &[u8]) -> Result<Placed, PutError> {
        let draft = Draft::new(partition_key, data)?;
        self.make_room(draft.held_bytes).await?;
        let mut state = self.lock();
        let placed = state.place(draft.hash_key).ok_or(PutError::Ended)?;
        match state.push(&draft, placed, self.clock.elapsed()) {
            News::None => {}
            News::Batch => self.changed.notify_waiters(),
            News::DoneBefore => self.room.add_permits(draft.held_bytes as usize),
        }
        Ok(placed)
    }

    async fn make_room(&self, bytes: u32) -> Result<(), PutError> {
        let permit = if let Ok(permit) = self.room.try_acquire_many(bytes) {
            permit
        } else {
            // Whoever waits for a full batch is to let it go.
            self.crowd.fetch_add(1, Ordering::Relaxed);
            self.changed.notify_waiters();
            let permit = self.room.acquire_many(bytes).await;
            self.crowd.fetch_sub(1, Ordering::Relaxed);
            permit.map_err(|_| PutError::Ended)?
        };
        permit.forget();
        Ok(())
    }

    /// Nothing more will be put: what is there is read, and then the mapping ends.
    pub fn end(&self) {
        self.set_flow(Flow::Ended);
    }

    /// No batch is handed out any more; what is at work comes to its end.
    pub fn stop(&self) {
        self.set_flow(Flow::Stopped);
        self.room.close();
    }

    fn set_flow(&self, flow: Flow) {
        let mut state = self.lock();
        if state.flow != Flow::Stopped {
            state.flow = flow;
        }
        self.changed.notify_waiters();
    }

    /// How far its records are done. To be asked for before what was done is made durable.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let state = self.lock();
        let undone = state.shards.iter().filter_map(Shard::first_undone).min();
        let done = |shard: &Shard| Some((shard.id.0, shard.checkpoint?));
        Progress {
            next: undone.unwrap_or(state.next),
            done: state.shards.iter().filter_map(done).collect(),
        }
    }

    /// Of each shard, the last record that is done, and all before it.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<(ShardId, Option<Sequence>)> {
        let state = self.lock();
        let checkpoint = |shard: &Shard| (shard.id, shard.checkpoint.map(sequence));
        state.shards.iter().map(checkpoint).collect()
    }

    /// Two shards take what this one took, from now on.
    pub fn split(&self, id: ShardId) -> Result<[ShardId; 2], ReshardError> {
        let mut state = self.lock();
        let (start, end) = state.open_shard(id)?.hash_keys.clone().into_inner();
        if start == end {
            return Err(ReshardError::TooSmall(id));
        }
        let middle = start + (end - start) / 2;
        state.open_shard(id)?.intake = Intake::Closed;
        let children = [start..=middle, middle + 1..=end];
        let children = children.map(|range| state.add_shard(range, vec![id]));
        self.changed.notify_waiters();
        Ok(children)
    }

    /// One shard takes what these two took, the one with the lower hash keys first.
    pub fn merge(&self, lower: ShardId, upper: ShardId) -> Result<ShardId, ReshardError> {
        let mut state = self.lock();
        let (start, middle) = state.open_shard(lower)?.hash_keys.clone().into_inner();
        let (above, end) = state.open_shard(upper)?.hash_keys.clone().into_inner();
        if middle.checked_add(1) != Some(above) {
            return Err(ReshardError::NotAdjacent(lower, upper));
        }
        for parent in [lower, upper] {
            state.open_shard(parent)?.intake = Intake::Closed;
        }
        let child = state.add_shard(start..=end, vec![lower, upper]);
        self.changed.notify_waiters();
        Ok(child)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a mapping asks of its stream.
impl Stream {
    /// Records are handed out from now on; those that arrived before `from` are passed over.
    pub(super) fn begin(&self, reading: Reading, from: Duration) {
        let mut state = self.lock();
        state.reading = Some(reading);
        let freed = state.shards.iter_mut().map(|shard| shard.skip_to(from));
        self.room.add_permits(freed.sum());
    }

    /// A shard that nobody reads, once its parents are done.
    pub(super) async fn next_shard(&self) -> Turn {
        self.wait(State::next_turn).await
    }

    /// Waits for a record, and for a full batch a window longer. None where none will come.
    pub(super) async fn next_batch(
        &self,
        place: Place,
        window: Duration,
        limits: Limits,
    ) -> Option<Batch> {
        if self.wait(|state| state.outlook(place)).await == Outlook::Over {
            return None;
        }
        let full = self.wait(|state| {
            let is_crowded = self.crowd.load(Ordering::Relaxed) > 0;
            (is_crowded || state.is_full(place, limits)).then_some(())
        });
        // One that is not full goes too.
        let _ = timeout(window, full).await;
        let mut state = self.lock();
        state
            .shard(place.shard)
            .map(|shard| shard.take(place.lane, limits))
    }

    pub(super) fn done(&self, place: Place, records: &[Arc<Record>]) {
        let freed = self
            .lock()
            .shard(place.shard)
            .map(|shard| shard.done(records));
        self.room.add_permits(freed.unwrap_or_default());
        self.changed.notify_waiters();
    }

    /// What this lane has had since the checkpoint comes again, cut anew.
    pub(super) fn give_back(&self, place: Place) {
        if let Some(shard) = self.lock().shard(place.shard) {
            shard.give_back(place.lane);
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().flow == Flow::Stopped
    }

    /// So long, or until it is stopped.
    pub(super) async fn pause(&self, pause: Duration) {
        let stopped = self.wait(|state| (state.flow == Flow::Stopped).then_some(()));
        let _ = timeout(pause, stopped).await;
    }

    async fn wait<T>(&self, ready: impl Fn(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(value) = ready(&mut self.lock()) {
                return value;
            }
            changed.await;
        }
    }
}

/// Whether a lane has a record to hand out.
#[derive(PartialEq, Eq)]
enum Outlook {
    Record,
    /// It has none, and will have none.
    Over,
}

/// What a put has changed.
enum News {
    None,
    /// A batch has its first record, or its last.
    Batch,
    /// An earlier run has done the record.
    DoneBefore,
}

impl State {
    fn shard(&mut self, id: ShardId) -> Option<&mut Shard> {
        self.shards.get_mut(usize::try_from(id.0).ok()?)
    }

    fn open_shard(&mut self, id: ShardId) -> Result<&mut Shard, ReshardError> {
        let shard = self.shard(id);
        shard
            .filter(|shard| shard.intake == Intake::Open)
            .ok_or(ReshardError::NotOpen(id))
    }

    fn add_shard(&mut self, hash_keys: RangeInclusive<u128>, parents: Vec<ShardId>) -> ShardId {
        let id = ShardId(self.shards.len() as u64);
        self.shards.push(Shard::new(id, hash_keys, parents));
        id
    }

    /// The shard that takes this hash key, and the next number; none where nothing is taken.
    fn place(&mut self, hash_key: u128) -> Option<Placed> {
        let is_open = self.flow == Flow::Open;
        let takes =
            |shard: &&Shard| shard.intake == Intake::Open && shard.hash_keys.contains(&hash_key);
        let shard = self.shards.iter().find(takes).filter(|_| is_open)?;
        let number = self.next;
        self.next += 1;
        Some(Placed {
            shard: shard.id,
            sequence: sequence(number),
            number,
        })
    }

    fn push(&mut self, draft: &Draft<'_>, placed: Placed, arrived: Duration) -> News {
        let reading = self.reading;
        let Some(shard) = self.shard(placed.shard) else {
            return News::None;
        };
        if shard.checkpoint >= Some(placed.number) {
            return News::DoneBefore;
        }
        let lane = shard.push(Arc::new(Record::new(draft, placed, arrived)));
        let is_news =
            |reading: Reading| shard.waiting(lane) == 1 || shard.is_full(lane, reading.limits);
        if reading.is_some_and(is_news) {
            News::Batch
        } else {
            News::None
        }
    }

    fn next_turn(&mut self) -> Option<Turn> {
        let is_drained = |id: &ShardId| {
            let index = usize::try_from(id.0).ok();
            let parent = index.and_then(|index| self.shards.get(index));
            parent.is_none_or(Shard::is_drained)
        };
        let unread = self.shards.iter().filter(|shard| shard.lanes() == 0);
        let next = unread
            .clone()
            .find(|shard| shard.parents.iter().all(is_drained));
        let is_over =
            self.flow == Flow::Stopped || (self.flow == Flow::Ended && unread.count() == 0);
        let next = next.map(|shard| shard.id);
        match (next, self.reading) {
            _ if is_over => Some(Turn::Over),
            (Some(id), Some(reading)) => {
                self.shard(id)?.open_lanes(reading.lanes);
                Some(Turn::Of(id))
            }
            _ => None,
        }
    }

    fn outlook(&mut self, place: Place) -> Option<Outlook> {
        let flow = self.flow;
        let shard = self.shard(place.shard)?;
        if flow == Flow::Stopped {
            Some(Outlook::Over)
        } else if shard.waiting(place.lane) > 0 {
            Some(Outlook::Record)
        } else {
            let is_over = flow == Flow::Ended || shard.intake == Intake::Closed;
            is_over.then_some(Outlook::Over)
        }
    }

    /// Whether waiting for more would be in vain.
    fn is_full(&mut self, place: Place, limits: Limits) -> bool {
        let is_open = self.flow == Flow::Open;
        self.shard(place.shard).is_none_or(|shard| {
            !is_open || shard.intake == Intake::Closed || shard.is_full(place.lane, limits)
        })
    }
}

/// The ranges of so many shards, each as large as the next but for the last.
fn hash_key_ranges(shards: u32) -> Vec<RangeInclusive<u128>> {
    let shards = u128::from(shards.max(1));
    // 2^128 divided by their number.
    let width = (u128::MAX / shards).saturating_add(u128::from(u128::MAX % shards == shards - 1));
    let range = |index| {
        let end = if index == shards - 1 {
            u128::MAX
        } else {
            (index + 1) * width - 1
        };
        index * width..=end
    };
    (0..shards).map(range).collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use md5::{Digest, Md5};

    use super::*;

    fn stream(shards: u32) -> Stream {
        Stream::new(shards, Clock::starting(SystemTime::UNIX_EPOCH))
    }

    /// Where hash keys end, by shard.
    fn ends(shards: u32) -> Vec<u128> {
        let ranges = hash_key_ranges(shards);
        ranges.iter().map(|range| *range.end()).collect()
    }

    #[test]
    fn shards_divide_the_hash_keys_as_the_service_does() {
        assert_eq!(ends(0), [u128::MAX]);
        assert_eq!(ends(1), [u128::MAX]);
        assert_eq!(
            ends(2),
            [
                170_141_183_460_469_231_731_687_303_715_884_105_727,
                u128::MAX
            ]
        );
        assert_eq!(
            ends(3),
            [
                113_427_455_640_312_821_154_458_202_477_256_070_484,
                226_854_911_280_625_642_308_916_404_954_512_140_969,
                u128::MAX
            ]
        );
        for shards in 1..200 {
            let mut next = Some(0);
            for range in hash_key_ranges(shards) {
                assert_eq!(Some(*range.start()), next, "{shards}");
                next = range.end().checked_add(1);
            }
            assert_eq!(next, None, "{shards}");
        }
    }

    #[tokio::test]
    async fn a_key_goes_to_the_shard_of_its_hash() {
        let stream = stream(2);
        // MD5: 0cc1…, 92eb…, 4a8a…
        for (key, shard) in [("a", 0), ("b", 1), ("c", 0), ("é", 0)] {
            let hash = u128::from_be_bytes(Md5::digest(key).into());
            let placed = stream.put(key, b"").await.expect("it is taken");
            assert_eq!(placed.shard, ShardId(u64::from(hash >> 127 == 1)), "{key}");
            assert_eq!(placed.shard, ShardId(shard), "{key}");
        }
    }

    #[tokio::test]
    async fn what_kinesis_does_not_take_is_refused() {
        #[track_caller]
        fn check(result: Result<Placed, PutError>, expected: Result<(), PutError>) {
            assert_eq!(result.map(drop), expected);
        }
        let stream = stream(1);
        let most = vec![b'x'; RECORD_BYTES_MAX - 1];
        check(stream.put("k", &most).await, Ok(()));
        let too_large = PutError::TooLarge(RECORD_BYTES_MAX + 1);
        check(stream.put("kk", &most).await, Err(too_large));
        check(stream.put("", b"x").await, Err(PutError::PartitionKey(0)));
        check(stream.put(&"é".repeat(256), b"").await, Ok(()));
        let key = "é".repeat(257);
        check(
            stream.put(&key, b"").await,
            Err(PutError::PartitionKey(257)),
        );
        stream.end();
        check(stream.put("k", b"").await, Err(PutError::Ended));
    }

    #[tokio::test]
    async fn shards_that_are_not_open_or_do_not_touch_stay_as_they_are() {
        let stream = stream(3);
        let shards = [0, 1, 2].map(ShardId);
        let apart = ReshardError::NotAdjacent(shards[0], shards[2]);
        assert_eq!(stream.merge(shards[0], shards[2]), Err(apart));
        let backwards = ReshardError::NotAdjacent(shards[1], shards[0]);
        assert_eq!(stream.merge(shards[1], shards[0]), Err(backwards));
        assert_eq!(stream.split(shards[0]), Ok([ShardId(3), ShardId(4)]));
        let closed = ReshardError::NotOpen(shards[0]);
        assert_eq!(stream.split(shards[0]), Err(closed));
        assert_eq!(stream.merge(shards[0], shards[1]), Err(closed));
        assert_eq!(stream.merge(ShardId(4), shards[1]), Ok(ShardId(5)));
        let unknown = ReshardError::NotOpen(ShardId(9));
        assert_eq!(stream.split(ShardId(9)), Err(unknown));
    }

    #[tokio::test]
    async fn a_shard_with_one_hash_key_is_not_split() {
        let stream = stream(1);
        let mut shard = ShardId(0);
        for _ in 0..128 {
            [shard, _] = stream.split(shard).expect("it is split");
        }
        assert_eq!(stream.split(shard), Err(ReshardError::TooSmall(shard)));
    }
}
