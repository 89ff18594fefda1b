//! The one who asks: makes batches, has them answered, and keeps what the function has shown.

use std::{cell::RefCell, time::SystemTime};

use super::{
    finding::{BATCH_RETRIED, Findings, MISSED},
    judge::{Replied, judge, name},
    request::{BatchForm, ProbeBatch, ProbeRecord, RecordData, Role},
    sample::{EventSample, Fresh},
    subject::Subject,
};
use crate::local::{
    clock::epoch_milliseconds,
    firehose::{
        answer::{Answer, AnswerError, Partitioning},
        invocation::FunctionError,
        invoke_url::excerpt,
    },
    random::Random,
};

/// A whole batch that fails is looked into until so many of its records are found to do it.
const CULPRITS_MAX: usize = 3;

/// Probes one function.
pub(super) struct Prober {
    pub(super) subject: Subject,
    pub(super) sample: EventSample,
    /// The form of its batches, where a probe has none of its own.
    pub(super) shape: BatchForm,
    /// The partition keys that the prefix names, if that is known.
    pub(super) keys: Option<Vec<String>>,
    /// Events of the sample that are delivered, by their position.
    pub(super) sound: Vec<usize>,
    /// The sample's events and their answer.
    pub(super) shown: Option<(ProbeBatch, Replied)>,
    clock: fn() -> SystemTime,
    random: RefCell<Random>,
    run: u64,
    records: u64,
    arrived_milliseconds: i64,
    turn: usize,
}

impl Prober {
    pub(super) fn new(
        subject: Subject,
        sample: EventSample,
        shape: BatchForm,
        keys: Option<Vec<String>>,
        clock: fn() -> SystemTime,
    ) -> Self {
        let mut random = Random::default();
        let run = random.number();
        Self {
            subject,
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
    pub(super) fn record(&mut self, data: RecordData, role: Role) -> ProbeRecord {
        self.records += 1;
        let now = epoch_milliseconds((self.clock)());
        self.arrived_milliseconds = self.arrived_milliseconds.max(now);
        ProbeRecord {
            // As long as Firehose's.
            id: format!("49{:020}{:028}000000", self.run, self.records),
            arrival_milliseconds: self.arrived_milliseconds,
            data,
            role,
        }
    }

    /// A record with this event of the sample.
    pub(super) fn record_of(&mut self, event: usize) -> ProbeRecord {
        let Fresh { bytes, marker } = self.sample.fresh(event);
        self.record(RecordData::Bytes(bytes), Role::Sound(marker))
    }

    /// A record with the next event that the function delivers.
    pub(super) fn sound(&mut self) -> ProbeRecord {
        let count = self.sound.len().max(1);
        let event = self.sound.get(self.turn % count).copied();
        self.turn += 1;
        self.record_of(event.unwrap_or_default())
    }

    pub(super) fn sound_many(&mut self, count: usize) -> Vec<ProbeRecord> {
        (0..count).map(|_| self.sound()).collect()
    }

    /// The event of a record again, in a record of its own.
    pub(super) fn copy(&mut self, record: &ProbeRecord) -> ProbeRecord {
        // The same bytes in the same millisecond could as well be the same record.
        self.arrived_milliseconds += 1;
        let role = match &record.role {
            Role::Sound(marker) => Role::Copy(marker.clone()),
            other => other.clone(),
        };
        self.record(record.data.clone(), role)
    }

    pub(super) fn request(&self, records: Vec<ProbeRecord>) -> ProbeBatch {
        ProbeBatch::new(self.shape, records)
    }

    /// Invokes the function, and checks its answer as Firehose does where no prefix names keys.
    pub(super) async fn ask(&self, request: &ProbeBatch) -> Result<Replied, NoReply> {
        let invocation_id = self.random.borrow_mut().uuid();
        let body = request.body(&invocation_id);
        let bytes = self.subject.invoke(body.as_bytes()).await?.answer;
        let answer = Answer::check(&bytes, request, Partitioning::Off)?;
        match answer.unreadable {
            None => Ok(Replied { answer, bytes }),
            Some(why) => Err(NoReply::Unreadable(format!(
                "the answer cannot be read: {why}: {}",
                excerpt(&bytes)
            ))),
        }
    }

    /// Asks, and judges the answer.
    pub(super) async fn put(&self, request: &ProbeBatch) -> Findings {
        let reply = self.ask(request).await;
        reply.map(|reply| judge(request, &reply)).into()
    }

    /// Puts odd records between sound ones. If the batch fails, tells which of them do it.
    pub(super) async fn put_odd(&mut self, odd: Vec<(String, RecordData)>) -> (Findings, OddBatch) {
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
            Err(NoReply::Function(error @ FunctionError::TimedOut(_))) => {
                (NoReply::from(error).finding(), None)
            }
            Err(error) => (self.find_culprits(odd, &error).await, None),
        }
    }

    async fn find_culprits(&mut self, odd: Vec<ProbeRecord>, error: &NoReply) -> Findings {
        // By what each does, in the order in which they were found.
        let mut culprits: Vec<(String, Vec<String>)> = Vec::new();
        let mut count = 0;
        let mut firehose = error.firehose();
        for record in odd {
            let name = name(&record, 0);
            let request = self.between_sound(vec![record]);
            if let Err(error) = self.ask(&request).await {
                firehose = error.firehose();
                let why = error.to_string();
                match culprits.iter_mut().find(|(other, _)| *other == why) {
                    Some((_, names)) => names.push(name),
                    None => culprits.push((why, vec![name])),
                }
                count += 1;
            }
            if count == CULPRITS_MAX {
                break;
            }
        }
        if culprits.is_empty() {
            return error.finding();
        }
        let mut findings = Findings::default();
        let culprits = culprits.iter();
        let each = culprits.map(|(why, names)| format!("{} ({why})", names.join(", ")));
        let each = each.collect::<Vec<_>>().join(", ");
        let said = format!("the whole batch fails because of {each}");
        findings.fail(firehose, said);
        findings
    }

    fn between_sound(&mut self, odd: Vec<ProbeRecord>) -> ProbeBatch {
        let mut records = vec![self.sound()];
        records.extend(odd);
        records.push(self.sound());
        self.request(records)
    }
}

/// A batch with odd records, if it was answered.
pub(super) type OddBatch = Option<(ProbeBatch, Replied)>;

/// Why there is no answer to a batch that anything can be learned from.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoReply {
    #[error(transparent)]
    Function(#[from] FunctionError),
    #[error("{0}")]
    Unreadable(String),
}

impl From<AnswerError> for NoReply {
    fn from(error: AnswerError) -> Self {
        Self::Function(error.into())
    }
}

/// A probe that rests on an answer shows at least that there was none.
impl From<Result<Findings, NoReply>> for Findings {
    fn from(found: Result<Findings, NoReply>) -> Self {
        found.unwrap_or_else(|error| error.finding())
    }
}

impl NoReply {
    pub(super) fn finding(&self) -> Findings {
        let mut findings = Findings::default();
        findings.fail(self.firehose(), format!("the batch fails: {self}"));
        findings
    }

    fn firehose(&self) -> &'static str {
        match self {
            Self::Function(_) => BATCH_RETRIED,
            Self::Unreadable(_) => MISSED,
        }
    }
}
