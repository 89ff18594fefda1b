//! The one who asks: makes batches, has them answered, and keeps what the function has shown.

use std::{cell::RefCell, time::SystemTime};

use super::{
    judge::{Reply, judge, name, some},
    probe::Findings,
    request::{Data, Record, Request, Role, Shape},
    sample::{Fresh, Sample},
};
use crate::local::{
    clock::epoch_milliseconds,
    firehose::{
        answer::{Answer, Partitioning},
        invocation::{FunctionError, Invoke},
        invoke_url::excerpt,
    },
    random::Random,
};

/// A whole batch that fails is looked into until so many of its records are found to do it.
const CULPRITS_MAX: usize = 3;

/// Probes one function.
pub(super) struct Prober<F> {
    pub(super) function: F,
    pub(super) sample: Sample,
    /// The form of its batches, where a probe has none of its own.
    pub(super) shape: Shape,
    /// The partition keys that the prefix names, if that is known.
    pub(super) keys: Option<Vec<String>>,
    /// Events of the sample that are delivered, by their position.
    pub(super) sound: Vec<usize>,
    /// The sample's events and their answer.
    pub(super) shown: Option<(Request, Reply)>,
    clock: fn() -> SystemTime,
    random: RefCell<Random>,
    run: u64,
    records: u64,
    arrived_milliseconds: i64,
    turn: usize,
}

impl<F: Invoke> Prober<F> {
    pub(super) fn new(
        function: F,
        sample: Sample,
        shape: Shape,
        keys: Option<Vec<String>>,
        clock: fn() -> SystemTime,
    ) -> Self {
        let mut random = Random::default();
        let run = random.number();
        Self {
            function,
            sample,
            shape,
            keys,
            sound: Vec::new(),
            shown: None,
            clock,
            random: random.into(),
            run,
            records: 0,
            arrived_milliseconds: 0,
            turn: 0,
        }
    }

    /// One that Firehose would take for another than any before.
    pub(super) fn record(&mut self, data: Data, role: Role) -> Record {
        self.records += 1;
        let now = epoch_milliseconds((self.clock)());
        self.arrived_milliseconds = self.arrived_milliseconds.max(now);
        Record {
            // As long as Firehose's.
            id: format!("49{:020}{:028}000000", self.run, self.records),
            arrival_milliseconds: self.arrived_milliseconds,
            data,
            role,
        }
    }

    /// A record with this event of the sample.
    pub(super) fn record_of(&mut self, event: usize) -> Record {
        let Fresh { bytes, marker } = self.sample.fresh(event);
        self.record(Data::Bytes(bytes), Role::Sound(marker))
    }

    /// A record with the next event that the function delivers.
    pub(super) fn sound(&mut self) -> Record {
        let count = self.sound.len().max(1);
        let event = self.sound.get(self.turn % count).copied();
        self.turn += 1;
        self.record_of(event.unwrap_or_default())
    }

    pub(super) fn sound_many(&mut self, count: usize) -> Vec<Record> {
        (0..count).map(|_| self.sound()).collect()
    }

    /// The event of a record again, in a record of its own.
    pub(super) fn copy(&mut self, record: &Record) -> Record {
        // The same bytes in the same millisecond could as well be the same record.
        self.arrived_milliseconds += 1;
        let role = match &record.role {
            Role::Sound(marker) => Role::Copy(marker.clone()),
            other => other.clone(),
        };
        self.record(record.data.clone(), role)
    }

    pub(super) fn request(&self, records: Vec<Record>) -> Request {
        Request::new(self.shape, records)
    }

    /// Invokes the function, and checks its answer as Firehose does where no prefix names keys.
    pub(super) async fn ask(&self, request: &Request) -> Result<Reply, FunctionError> {
        let invocation_id = self.random.borrow_mut().uuid();
        let body = request.body(&invocation_id);
        let bytes = self.function.invoke(body.as_bytes()).await?.answer;
        let answer = Answer::check(&bytes, request, Partitioning::Off)?;
        match answer.unreadable {
            None => Ok(Reply { answer, bytes }),
            Some(why) => {
                let told = format!("the answer cannot be read: {why}: {}", excerpt(&bytes));
                Err(FunctionError::Failed(told))
            }
        }
    }

    /// Asks, and judges the answer.
    pub(super) async fn put(&self, request: &Request) -> Findings {
        self.put_and_see(request).await.0
    }

    pub(super) async fn put_and_see(&self, request: &Request) -> (Findings, Option<Reply>) {
        match self.ask(request).await {
            Ok(reply) => (judge(request, &reply), Some(reply)),
            Err(error) => (failure(&error), None),
        }
    }

    /// Puts odd records between sound ones. If the batch fails, tells which of them do it.
    pub(super) async fn put_odd(&mut self, odd: Vec<(String, Data)>) -> (Findings, OddBatch) {
        let odd: Vec<_> = odd
            .into_iter()
            .map(|(what, data)| self.record(data, Role::Odd(what)))
            .collect();
        let request = self.between_sound(odd.clone());
        match self.ask(&request).await {
            Ok(reply) => {
                let findings = judge(&request, &reply);
                (findings, Some((request, reply)))
            }
            Err(error @ FunctionError::TimedOut(_)) => (failure(&error), None),
            Err(error) => (self.find_culprits(odd, &error).await, None),
        }
    }

    async fn find_culprits(&mut self, odd: Vec<Record>, error: &FunctionError) -> Findings {
        let mut culprits = Vec::new();
        for record in odd {
            let name = name(&record, 0);
            let request = self.between_sound(vec![record]);
            if let Err(error) = self.ask(&request).await {
                culprits.push(format!("{name} ({error})"));
            }
            if culprits.len() == CULPRITS_MAX {
                break;
            }
        }
        if culprits.is_empty() {
            return failure(error);
        }
        let mut findings = Findings::default();
        findings.fail(format!(
            "the whole batch fails because of {}",
            some(&culprits)
        ));
        findings
    }

    fn between_sound(&mut self, odd: Vec<Record>) -> Request {
        let mut records = vec![self.sound()];
        records.extend(odd);
        records.push(self.sound());
        self.request(records)
    }
}

/// A batch with odd records, if it was answered.
pub(super) type OddBatch = Option<(Request, Reply)>;

pub(super) fn failure(error: &FunctionError) -> Findings {
    let mut findings = Findings::default();
    findings.fail(format!("the batch fails: {error}"));
    findings
}
