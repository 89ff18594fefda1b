//! A mapping from a stream to a function, as Lambda's is: it hands out each shard's records in order,
//! asks what the answers mean, and tries again until a record is done or given up.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{
    StreamExt,
    future::{LocalBoxFuture, join, join_all},
    stream::FuturesUnordered,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, timeout},
};

use super::{
    answer::{Meaning, Reporting},
    given_up::{Condition, GivenUp},
    record::{Batch, Record, request},
    shard::Limits,
    stream::{Place, Reading, Stream, Turn},
    strikes::{Befallen, Strikes},
};
use crate::{
    functions::{Function, Moment, Response},
    kinesis::ShardId,
};

/// What the mapping is told, in Lambda's order.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `BatchSize`: records of a batch.
    pub batch_records_max: usize,
    /// `MaximumBatchingWindowInSeconds`.
    pub window: Duration,
    /// Of a request; what Lambda takes.
    pub request_bytes_max: usize,
    /// `ParallelizationFactor`: batches of one shard at once, each with keys of its own.
    pub lanes: usize,
    pub starting_position: StartingPosition,
    pub reporting: Reporting,
    pub on_failure: OnFailure,
    /// `MaximumRetryAttempts`: after the first.
    pub retries_max: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; no record is tried once the stream would not have it any more.
    pub age_max: Option<Duration>,
    /// How long the function may take.
    pub timeout: Duration,
    /// Before the first retry; doubled at each further one.
    pub pause: Duration,
    pub pause_max: Duration,
}

/// Which records a new mapping begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// All that the stream has.
    TrimHorizon,
    /// What is put from now on.
    Latest,
    AtTimestamp(SystemTime),
}

/// `BisectBatchOnFunctionError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    RetryWhole,
    /// Halves, so that a poisoned record stands alone in the end.
    Bisect,
}

/// As our Terraform sets a mapping up.
impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_records_max: 1_000,
            window: Duration::ZERO,
            request_bytes_max: 6 * 1024 * 1024,
            lanes: 1,
            starting_position: StartingPosition::TrimHorizon,
            reporting: Reporting::BatchItemFailures,
            on_failure: OnFailure::Bisect,
            retries_max: None,
            age_max: None,
            timeout: Duration::from_mins(1),
            pause: Duration::from_millis(100),
            pause_max: Duration::from_mins(1),
        }
    }
}

/// Who is told what happens.
pub trait Listener<F: Function> {
    fn answered(&self, _response: &Response<F::Counts>) {}

    fn failed(&self, _failure: &F::Failure) {}

    /// What goes to the on-failure destination. To break stops the stream, with these records not
    /// done.
    fn given_up(&self, _batch: &GivenUp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Nobody.
impl<F: Function> Listener<F> for () {}

/// What a mapping has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub invocations: u64,
    /// Invocations after which records came again.
    pub retries: u64,
    /// ... because the poller had failed over.
    pub failovers: u64,
    pub records: u64,
    pub batches_given_up: u64,
    pub records_given_up: u64,
}

#[derive(Debug)]
pub struct Mapping<'a, F, L> {
    pub stream: &'a Stream,
    pub function: &'a F,
    pub listener: L,
    pub settings: Settings,
    pub strikes: Option<Strikes>,
    totals: Mutex<Totals>,
}

/// An older invocation that goes on beside newer ones.
type Straggler<'m> = LocalBoxFuture<'m, Option<Vec<u8>>>;

impl<'a, F: Function, L: Listener<F>> Mapping<'a, F, L> {
    pub fn new(stream: &'a Stream, function: &'a F, listener: L, settings: Settings) -> Self {
        Self {
            stream,
            function,
            listener,
            settings,
            strikes: None,
            totals: Mutex::default(),
        }
    }

    /// Reads the stream to its end, or until it is stopped.
    pub async fn run(&self) -> Totals {
        let reading = Reading {
            lanes: self.settings.lanes.max(1),
            limits: self.limits(),
        };
        self.stream.begin(reading, self.start());
        let (overtaken, stragglers) = unbounded_channel();
        join(self.read_shards(overtaken), finish(stragglers)).await;
        self.totals()
    }

    #[must_use]
    pub fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, count: impl FnOnce(&mut Totals)) {
        count(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn limits(&self) -> Limits {
        Limits {
            records: self.settings.batch_records_max.max(1),
            bytes: self.settings.request_bytes_max,
        }
    }

    /// The first arrival that is not passed over.
    fn start(&self) -> Duration {
        match self.settings.starting_position {
            StartingPosition::TrimHorizon => Duration::ZERO,
            StartingPosition::Latest => Duration::MAX,
            StartingPosition::AtTimestamp(time) => {
                time.duration_since(UNIX_EPOCH).unwrap_or_default()
            }
        }
    }

    async fn read_shards<'m>(&'m self, overtaken: UnboundedSender<Straggler<'m>>) {
        let mut shards = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                turn = self.stream.next_shard() => match turn {
                    Turn::Of(shard) => shards.push(self.read(shard, &overtaken)),
                    Turn::Over => break,
                },
                Some(()) = shards.next() => {}
            }
        }
        while shards.next().await.is_some() {}
    }

    async fn read<'m>(&'m self, shard: ShardId, overtaken: &UnboundedSender<Straggler<'m>>) {
        let lanes = (0..self.settings.lanes.max(1)).map(|lane| {
            let lane = Lane {
                mapping: self,
                place: Place { shard, lane },
                overtaken: overtaken.clone(),
                pieces: Vec::new(),
            };
            lane.read()
        });
        join_all(lanes).await;
    }

    /// What the function answers, if it does.
    async fn invoke(&self, batch: Vec<u8>) -> Option<Vec<u8>> {
        let moment = Moment {
            now: self.stream.clock.now(),
            deadline: Instant::now() + self.settings.timeout,
        };
        let answered = self.function.answer(&batch, moment);
        match timeout(self.settings.timeout, answered).await {
            Ok(Ok(response)) => {
                self.listener.answered(&response);
                Some(response.body)
            }
            Ok(Err(failure)) => {
                self.listener.failed(&failure);
                None
            }
            Err(_) => None,
        }
    }
}

/// Keeps at it until all have ended.
async fn finish(mut stragglers: UnboundedReceiver<Straggler<'_>>) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = running.next() => {}
            straggler = stragglers.recv() => match straggler {
                Some(straggler) => running.push(straggler),
                None => break,
            },
        }
    }
    while running.next().await.is_some() {}
}

/// One batch of a shard at a time.
struct Lane<'m, 'a, F, L> {
    mapping: &'m Mapping<'a, F, L>,
    place: Place,
    overtaken: UnboundedSender<Straggler<'m>>,
    /// What is left of the batch; the next one last.
    pieces: Vec<Piece>,
}

/// A batch, or a part of one, and how often it has failed.
struct Piece {
    batch: Batch,
    failures: u32,
}

/// What came of an attempt.
enum Attempted {
    Answered(Meaning),
    /// Nobody waits for the answer any more: all since the checkpoint comes again.
    FailedOver,
}

impl<F: Function, L: Listener<F>> Lane<'_, '_, F, L> {
    async fn read(mut self) {
        let Mapping {
            stream, settings, ..
        } = self.mapping;
        while let Some(batch) = stream
            .next_batch(self.place, settings.window, self.cut())
            .await
        {
            self.pieces.push(Piece { batch, failures: 0 });
            self.settle().await;
        }
    }

    /// A poller that took over from another may read more or less at once.
    fn cut(&self) -> Limits {
        let limits = self.mapping.limits();
        let strikes = self.mapping.strikes.as_ref();
        Limits {
            records: strikes.map_or(limits.records, |strikes| strikes.cut(limits.records)),
            ..limits
        }
    }

    /// Tries until nothing is left of the batch.
    async fn settle(&mut self) {
        while let Some(piece) = self.pieces.pop() {
            let Some(piece) = self.give_up_aged(piece) else {
                continue;
            };
            if self.mapping.stream.is_stopped() {
                return;
            }
            match self.attempt(&piece.batch).await {
                Attempted::Answered(Meaning::Done) => self.done(&piece.batch),
                Attempted::Answered(Meaning::From(first)) if first > 0 => {
                    self.go_on(piece, first).await;
                }
                Attempted::Answered(_) => self.fail(piece).await,
                Attempted::FailedOver => {
                    self.mapping.count(|totals| totals.failovers += 1);
                    self.pieces.clear();
                    self.mapping.stream.give_back(self.place);
                }
            }
        }
    }

    async fn attempt(&self, batch: &Batch) -> Attempted {
        self.mapping.count(|totals| totals.invocations += 1);
        let invocation = Box::pin(self.mapping.invoke(request(batch)));
        let befallen = match &self.mapping.strikes {
            None => Befallen::Nothing(invocation.await),
            Some(strikes) => strikes.befall(invocation).await,
        };
        let sequences = || batch.iter().map(|record| record.placed.sequence);
        match befallen {
            Befallen::Nothing(Some(answer)) => {
                let sequences: Vec<_> = sequences().collect();
                let reporting = self.mapping.settings.reporting;
                Attempted::Answered(Meaning::of(&answer, &sequences, reporting))
            }
            Befallen::Nothing(None) | Befallen::NoAnswer => Attempted::Answered(Meaning::Failed),
            Befallen::CutAnew => Attempted::FailedOver,
            Befallen::Overtaken(straggler) => {
                // The other end is there as long as lanes are.
                let _ = self.overtaken.send(straggler);
                Attempted::FailedOver
            }
        }
    }

    fn done(&self, batch: &Batch) {
        let records = batch.len() as u64;
        self.mapping.count(|totals| totals.records += records);
        self.mapping.stream.done(self.place, batch);
    }

    /// What is before the first that failed is done. The rest is as a batch of its own.
    async fn go_on(&mut self, mut piece: Piece, first: usize) {
        let batch = piece.batch.split_off(first);
        self.done(&piece.batch);
        self.pieces.push(Piece { batch, failures: 0 });
        self.pause(1).await;
    }

    /// Halves are not retries yet.
    async fn fail(&mut self, piece: Piece) {
        let Settings {
            on_failure,
            retries_max,
            ..
        } = self.mapping.settings;
        let failures = piece.failures + 1;
        let mut batch = piece.batch;
        if on_failure == OnFailure::Bisect && batch.len() > 1 {
            let second = batch.split_off(batch.len().div_ceil(2));
            for batch in [second, batch] {
                let failures = piece.failures;
                self.pieces.push(Piece { batch, failures });
            }
        } else if retries_max.is_some_and(|max| failures > max) {
            self.give_up(batch, Condition::RetryAttemptsExhausted, failures);
            return;
        } else {
            self.pieces.push(Piece { batch, failures });
        }
        self.pause(failures).await;
    }

    async fn pause(&self, failures: u32) {
        self.mapping.count(|totals| totals.retries += 1);
        let Settings {
            pause, pause_max, ..
        } = self.mapping.settings;
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        let pause = pause.saturating_mul(factor).min(pause_max);
        self.mapping.stream.pause(pause).await;
    }

    /// What is left without the records that are too old.
    fn give_up_aged(&self, mut piece: Piece) -> Option<Piece> {
        let stream = self.mapping.stream;
        let age_max = self.mapping.settings.age_max.unwrap_or(Duration::MAX);
        let oldest = stream
            .clock
            .elapsed()
            .checked_sub(age_max.min(stream.retention));
        let is_aged = |record: &Arc<Record>| oldest.is_some_and(|oldest| record.arrived < oldest);
        let rest = piece.batch.split_off(piece.batch.partition_point(is_aged));
        if !piece.batch.is_empty() {
            self.give_up(piece.batch, Condition::RecordAgeExceeded, piece.failures);
        }
        piece.batch = rest;
        (!piece.batch.is_empty()).then_some(piece)
    }

    fn give_up(&self, batch: Batch, condition: Condition, invocations: u32) {
        let given_up = GivenUp {
            shard: self.place.shard,
            batch,
            condition,
            invocations,
            time: self.mapping.stream.clock.now(),
        };
        if self.mapping.listener.given_up(&given_up).is_break() {
            self.mapping.stream.stop();
            return;
        }
        let records = given_up.batch.len() as u64;
        self.mapping.count(|totals| {
            totals.batches_given_up += 1;
            totals.records_given_up += records;
        });
        self.mapping.stream.done(self.place, &given_up.batch);
    }
}
