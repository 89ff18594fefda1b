//! What an answer says of the records that were sent, as findings.

use std::collections::BTreeMap;

use memchr::memmem;
use serde_json::{Map, Value};

use super::{
    finding::{ANOTHERS_DATA, DOUBLED, DROPPED, FAILED, Findings, Grade, MISSED, WITHOUT_DATA},
    request::{ProbeBatch, ProbeRecord, RecordData, Role},
    sample::MARKER_RUN_CHARACTERS,
};
use crate::local::firehose::answer::{Answer, Delivered, Failure, Fate};

/// So many examples of one thing are named.
const EXAMPLES_MAX: usize = 3;

/// An answer that Firehose can act on.
#[derive(Debug, Default)]
pub(super) struct Replied {
    pub(super) answer: Answer,
    pub(super) bytes: Vec<u8>,
}

/// What can be wrong with a record's answer, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Missing,
    Doubled,
    WithoutData,
    SoundDropped,
    SoundFailed,
    AnothersData,
    OddDropped,
}

impl Wrong {
    /// What it is, how bad, and what Firehose does about it.
    fn words(self) -> (&'static str, Grade, &'static str) {
        match self {
            Self::Missing => ("left out of the answer", Grade::Fail, MISSED),
            Self::Doubled => ("more than once in the answer", Grade::Fail, DOUBLED),
            Self::WithoutData => ("Ok, but without data", Grade::Fail, WITHOUT_DATA),
            Self::SoundDropped => ("sound, but Dropped", Grade::Fail, DROPPED),
            Self::SoundFailed => ("sound, but ProcessingFailed", Grade::Fail, FAILED),
            Self::AnothersData => (
                "answered with another record's data",
                Grade::Fail,
                ANOTHERS_DATA,
            ),
            Self::OddDropped => ("Dropped, which leaves no trace of it", Grade::Warn, DROPPED),
        }
    }
}

/// Every record has one answer; what is sound is delivered, and has its own data.
pub(super) fn judge(request: &ProbeBatch, reply: &Replied) -> Findings {
    judge_all(request, reply, |_| true)
}

/// The same, but for what is delivered and what is not.
pub(super) fn judge_answered(request: &ProbeBatch, reply: &Replied) -> Findings {
    judge_all(request, reply, |wrong| {
        matches!(
            wrong,
            Wrong::Missing | Wrong::Doubled | Wrong::WithoutData | Wrong::AnothersData
        )
    })
}

fn judge_all(request: &ProbeBatch, reply: &Replied, counts: fn(&Wrong) -> bool) -> Findings {
    let mut found: BTreeMap<Wrong, Vec<String>> = BTreeMap::new();
    let fates = request.records.iter().zip(&reply.answer.fates);
    for (position, (record, fate)) in fates.enumerate() {
        if let Some(wrong) = judge_one(record, fate, reply).filter(counts) {
            found.entry(wrong).or_default().push(name(record, position));
        }
    }
    let mut findings = Findings::default();
    for (wrong, names) in found {
        let (what, grade, firehose) = wrong.words();
        findings.add(grade, format!("{what}: {}", some(&names)), Some(firehose));
    }
    findings
}

fn judge_one(record: &ProbeRecord, fate: &Fate, reply: &Replied) -> Option<Wrong> {
    match (&record.role, fate) {
        (_, Fate::Failed(Failure::RecordIdMissing)) => Some(Wrong::Missing),
        (_, Fate::Failed(Failure::RecordIdDoubled)) => Some(Wrong::Doubled),
        (_, Fate::Failed(Failure::DataMissing)) => Some(Wrong::WithoutData),
        (Role::Sound(_), Fate::Dropped) => Some(Wrong::SoundDropped),
        (Role::Sound(_), Fate::Failed(_)) => Some(Wrong::SoundFailed),
        (Role::Sound(Some(marker)) | Role::Copy(Some(marker)), Fate::Delivered(delivered)) => {
            let is_anothers = has_another(reply.answer.data(delivered), marker);
            is_anothers.then_some(Wrong::AnothersData)
        }
        // Nothing is lost with it.
        (Role::Odd(_), Fate::Dropped) if is_empty(&record.data) => None,
        (Role::Odd(_), Fate::Dropped) => Some(Wrong::OddDropped),
        (
            Role::Sound(None) | Role::Copy(_) | Role::Odd(_),
            Fate::Delivered(_) | Fate::Dropped | Fate::Failed(_),
        ) => None,
    }
}

fn is_empty(data: &RecordData) -> bool {
    match data {
        RecordData::Bytes(bytes) => bytes.trim_ascii().is_empty(),
        RecordData::Spelled(value) => value.is_null(),
        RecordData::Absent => true,
    }
}

/// A marker, but not its own. A function need not deliver any.
fn has_another(data: &[u8], marker: &str) -> bool {
    let any = marker.get(..MARKER_RUN_CHARACTERS).unwrap_or(marker);
    contains(data, any) && !contains(data, marker)
}

pub(super) fn contains(data: &[u8], marker: &str) -> bool {
    memmem::find(data, marker.as_bytes()).is_some()
}

/// As a person would call it.
pub(super) fn name(record: &ProbeRecord, position: usize) -> String {
    match &record.role {
        Role::Odd(what) => what.clone(),
        Role::Sound(_) | Role::Copy(_) => format!("record {}", position + 1),
    }
}

/// The first names, and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    match names.split_at_checked(EXAMPLES_MAX) {
        Some((shown, more)) if !more.is_empty() => {
            format!("{} and {} more", shown.join(", "), more.len())
        }
        _ => names.join(", "),
    }
}

impl Replied {
    /// The records that are delivered, each with its data.
    pub(super) fn delivered<'a>(
        &'a self,
        request: &'a ProbeBatch,
    ) -> impl Iterator<Item = (usize, &'a ProbeRecord, &'a [u8])> {
        let fates = request.records.iter().zip(&self.answer.fates).enumerate();
        fates.filter_map(|(position, (record, fate))| {
            let data = self.data(fate)?;
            Some((position, record, data))
        })
    }

    fn data(&self, fate: &Fate) -> Option<&[u8]> {
        match fate {
            Fate::Delivered(delivered) => Some(self.answer.data(delivered)),
            Fate::Dropped | Fate::Failed(_) => None,
        }
    }

    pub(super) fn count(&self, is_it: impl Fn(&Fate) -> bool) -> usize {
        self.answer.fates.iter().filter(|fate| is_it(fate)).count()
    }

    /// The partition keys of each record by its id, whatever they are.
    pub(super) fn partition_keys(&self) -> BTreeMap<String, Value> {
        let answer: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let records = answer.get("records").and_then(Value::as_array);
        let keys_of = |record: &Value| {
            let id = record.get("recordId")?.as_str()?;
            let keys = record.pointer("/metadata/partitionKeys");
            Some((id.to_owned(), keys.cloned().unwrap_or_default()))
        };
        records.into_iter().flatten().filter_map(keys_of).collect()
    }
}

pub(super) fn is_delivered(fate: &Fate) -> bool {
    matches!(fate, Fate::Delivered(Delivered { .. }))
}

/// The fields of what was delivered, where it is a JSON object.
pub(super) fn fields(data: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(data).ok()
}
