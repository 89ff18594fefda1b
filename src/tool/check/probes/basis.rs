//! What everything rests on, and what the sample's answer shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
};

use futures_util::FutureExt;
use serde_json::Value;

use crate::{
    local::firehose::{
        answer::{Answer, Failure, Fate, Partitioning},
        invocation::FunctionError,
    },
    tool::check::{
        finding::{
            BATCH_RETRIED, DOUBLED, DROPPED, FAILED, Findings, Grade, MISSED, UNPARTITIONED,
        },
        judge::{Replied, contains, judge_answered, name, some},
        probe::Probe,
        prober::{NoReply, Prober},
        request::{ProbeBatch, RecordData, Role},
    },
};

const RECORDS: usize = 10;
const OTHER_EVENTS: &str = ". If the function wants other events, give it some with --sample";
/// More keys a record may not have.
const KEYS_MAX: usize = 50;

pub(super) static ONE: Probe = Probe {
    name: "one",
    expects: "a batch of one sound record is answered: its recordId, a result, its data",
    why: "this is the contract at its smallest; every other probe rests on it",
    firehose: BATCH_RETRIED,
    rests_on: None,
    source: None,
    put: |prober| Box::pin(one(prober).map(Findings::from)),
};

pub(super) static SEVERAL: Probe = Probe {
    name: "several",
    expects: "a batch of several records is answered: each recordId once, with its own data",
    why: "an answer is told whose it is by its recordId alone; the order may be another",
    firehose: "puts what is left out or doubled under the error prefix at once; what has \
               another's data it delivers",
    rests_on: Some(&ONE),
    source: None,
    put: |prober| Box::pin(several(prober).map(Findings::from)),
};

pub(super) static OWN_RECORDS: Probe = Probe {
    name: "own-records",
    expects: "an answer has the records of its own batch and no others",
    why: "what stays from an earlier batch is passed over, but grows with each",
    firehose: "passes over them; one day the answer is too large, and then every batch fails",
    rests_on: Some(&SEVERAL),
    source: None,
    put: |prober| Box::pin(own_records(prober).map(Findings::from)),
};

pub(super) static DELIVERED: Probe = Probe {
    name: "delivered",
    expects: "the sample's events are delivered (Ok)",
    why: "a function that accepts nothing cannot be told from a broken one",
    firehose: "puts what is ProcessingFailed under the error prefix; what is Dropped is gone",
    rests_on: Some(&OWN_RECORDS),
    source: None,
    put: |prober| Box::pin(ready(delivered(prober))),
};

pub(super) static EMPTY_BATCH: Probe = Probe {
    name: "empty-batch",
    expects: "a batch without records is answered with `{\"records\": []}`",
    why: "a batch has as many records as there happen to be; but only tests and emulators send none",
    firehose: "never sends this: its batches have at least one record",
    rests_on: None,
    source: None,
    put: |prober| Box::pin(async { empty_batch(prober).await.softened() }),
};

pub(super) static LINE_END: Probe = Probe {
    name: "line-end",
    expects: "delivered data ends with exactly one line end",
    why: "Firehose joins records without anything between them",
    firehose: "writes events that run together on one line, or empty lines (not where it adds \
               the delimiter itself, or converts to Parquet)",
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(ready(line_end(prober))),
};

pub(super) static PARTITION_KEYS: Probe = Probe {
    name: "partition-keys",
    expects: "partition keys are the same names for every record, their values texts, not empty",
    why: "the prefix names the keys, and each name needs its value",
    firehose: UNPARTITIONED,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(ready(partition_keys(prober).into())),
};

/// Whether it is answered at all: what becomes of the record is for the next to say.
async fn one(prober: &mut Prober) -> Result<Findings, NoReply> {
    let record = prober.record_of(0);
    let request = prober.request(vec![record]);
    let reply = match prober.ask(&request).await {
        Err(NoReply::Function(FunctionError::Failed(why))) if prober.sample.is_ours => {
            return Err(FunctionError::Failed(format!("{why}{OTHER_EVENTS}")).into());
        }
        reply => reply?,
    };
    let mut findings = Findings::default();
    match reply.answer.fates.as_slice() {
        [Fate::Failed(Failure::RecordIdMissing)] => {
            let given = &reply.answer.unknown_ids;
            let said = match given.as_slice() {
                [] => "the answer has no record".to_owned(),
                _ => format!("the answer has another recordId: {}", some(given)),
            };
            findings.fail(MISSED, said);
        }
        [Fate::Failed(Failure::RecordIdDoubled)] => {
            findings.fail(DOUBLED, "the answer has the record more than once");
        }
        _ => {}
    }
    Ok(findings)
}

/// The sample's events, some more than once: the answer is looked at by others too.
async fn several(prober: &mut Prober) -> Result<Findings, NoReply> {
    let events = prober.sample.events.len();
    let count = events.max(RECORDS);
    let records = (0..count).map(|at| prober.record_of(at % events)).collect();
    let request = prober.request(records);
    let reply = prober.ask(&request).await?;
    let mut findings = judge_answered(&request, &reply);
    let alike = alike(&request, &reply);
    tell_of_alike(&request, &alike, &mut findings);
    tell_of_untold(&request, &reply, &alike, &prober.sample.vary, &mut findings);
    prober.shown = Some((request, reply));
    Ok(findings)
}

/// The records of each line that more than one event has become.
fn alike(request: &ProbeBatch, reply: &Replied) -> Vec<Vec<usize>> {
    let mut lines: BTreeMap<&[u8], BTreeMap<usize, &[u8]>> = BTreeMap::new();
    for (position, record, line) in reply.delivered(request) {
        if let RecordData::Bytes(event) = &record.data {
            lines.entry(line).or_default().insert(position, event);
        }
    }
    let lines = lines.into_values();
    lines
        .filter(|events| events.values().collect::<BTreeSet<_>>().len() > 1)
        .map(|events| events.into_keys().collect())
        .collect()
}

fn tell_of_alike(request: &ProbeBatch, alike: &[Vec<usize>], findings: &mut Findings) {
    let lines = match alike.len() {
        0 => return,
        1 => "the same line".to_owned(),
        count => format!("{count} lines"),
    };
    let records = request.records.iter().enumerate();
    let names: Vec<_> = records
        .filter(|(position, _)| alike.iter().flatten().any(|other| other == position))
        .map(|(position, record)| name(record, position))
        .collect();
    findings.warn(format!(
        "{} records with different events are delivered as {lines}: {}; in the lake nothing tells \
         them apart, and whether a record has its own data cannot be told",
        names.len(),
        some(&names)
    ));
}

/// The records whose line has nothing that is theirs alone.
fn tell_of_untold(
    request: &ProbeBatch,
    reply: &Replied,
    alike: &[Vec<usize>],
    vary: &str,
    findings: &mut Findings,
) {
    let (mut without, mut unseen) = (Vec::new(), Vec::new());
    for (position, record, line) in reply.delivered(request) {
        match &record.role {
            _ if alike.iter().flatten().any(|other| *other == position) => {}
            Role::Sound(Some(marker)) if contains(line, marker) => {}
            Role::Sound(Some(_)) => unseen.push(name(record, position)),
            _ => without.push(name(record, position)),
        }
    }
    for (names, why) in [
        (without, format!("the event has no field `{vary}`")),
        (unseen, format!("what `{vary}` has does not come back")),
    ] {
        if !names.is_empty() {
            findings.warn(format!(
                "whether a record has its own data cannot be told, as {why}: {}; if another field \
                 tells events apart, name it with --vary",
                some(&names)
            ));
        }
    }
}

async fn own_records(prober: &mut Prober) -> Result<Findings, NoReply> {
    let records = prober.sound_many(RECORDS);
    let request = prober.request(records);
    let unknown = prober.ask(&request).await?.answer.unknown_ids;
    let mut findings = Findings::default();
    if !unknown.is_empty() {
        let (count, some) = (unknown.len(), some(&unknown));
        let said = format!("{count} records that the batch did not have: {some}");
        findings.add(Grade::Fail, said, None);
    }
    Ok(findings)
}

/// Learns which events of the sample are good to probe with.
fn delivered(prober: &mut Prober) -> Findings {
    let mut findings = Findings::default();
    let Some((request, reply)) = &prober.shown else {
        return findings;
    };
    let events = prober.sample.events.len();
    let delivered = reply.delivered(request).map(|(at, ..)| at);
    let sound: Vec<_> = delivered.filter(|at| *at < events).collect();
    if sound.is_empty() {
        let dropped = reply.count(|fate| *fate == Fate::Dropped);
        let refused = reply.count(|fate| *fate == Fate::Failed(Failure::ProcessingFailed));
        let said = format!(
            "none of the sample's events: {dropped} are Dropped, {refused} ProcessingFailed\
             {OTHER_EVENTS}",
        );
        findings.fail(if dropped > refused { DROPPED } else { FAILED }, said);
    } else {
        tell_of_others(events, &sound, &mut findings);
        findings.note(format!("{} of {events} events", sound.len()));
    }
    prober.sound = sound;
    findings
}

/// Each event of the sample is in the request once, and then some again.
fn tell_of_others(events: usize, sound: &[usize], findings: &mut Findings) {
    let others: Vec<_> = (0..events).filter(|at| !sound.contains(at)).collect();
    if let Some(first) = others.first() {
        findings.warn(format!(
            "not delivered: {} of {events} events of the sample, number {} the first",
            others.len(),
            first + 1
        ));
    }
}

async fn empty_batch(prober: &mut Prober) -> Findings {
    let request = prober.request(Vec::new());
    prober.put(&request).await
}

/// One in, one line out.
fn line_end(prober: &Prober) -> Findings {
    let mut findings = Findings::default();
    let Some((request, reply)) = &prober.shown else {
        return findings;
    };
    let names = |is_wrong: fn(&[u8]) -> bool| {
        let wrong = reply.delivered(request).filter(|(.., data)| is_wrong(data));
        let names: Vec<_> = wrong.map(|(at, record, _)| name(record, at)).collect();
        names
    };
    let without = names(|data| !data.ends_with(b"\n"));
    if !without.is_empty() {
        findings.warn(format!("delivered without a line end: {}", some(&without)));
    }
    let several = names(|data| data.trim_ascii_end().contains(&b'\n') || data.ends_with(b"\n\n"));
    if !several.is_empty() {
        findings.warn(format!(
            "delivered as more than one line: {}",
            some(&several)
        ));
    }
    findings
}

/// The keys are the prefix's; where that is not known, those of the first record.
fn partition_keys(prober: &Prober) -> Result<Findings, NoReply> {
    let Some((request, reply)) = &prober.shown else {
        return Ok(Findings::skipped("there is no answer to look at"));
    };
    let given = reply.partition_keys();
    let names = prober.keys.clone().or_else(|| first_names(&given));
    let Some(names) = names else {
        if given.values().all(Value::is_null) {
            return Ok(Findings::skipped(
                "no partition keys come back; if the prefix names some, say so with \
                 --partition-keys",
            ));
        }
        let mut findings = Findings::default();
        let said = "partitionKeys is not an object of names and texts";
        findings.fail(UNPARTITIONED, said);
        return Ok(findings);
    };
    check_keys(request, reply, &names, &given)
}

fn first_names(given: &BTreeMap<String, Value>) -> Option<Vec<String>> {
    let keys = given.values().find_map(Value::as_object)?;
    (!keys.is_empty()).then(|| keys.keys().cloned().collect())
}

fn check_keys(
    request: &ProbeBatch,
    reply: &Replied,
    names: &[String],
    given: &BTreeMap<String, Value>,
) -> Result<Findings, NoReply> {
    let mut findings = Findings::default();
    if names.len() > KEYS_MAX {
        let count = names.len();
        let said = format!("{count} keys; Firehose takes at most {KEYS_MAX}");
        findings.fail(UNPARTITIONED, said);
    }
    let checked = Answer::check(&reply.bytes, request, Partitioning::By(names))?;
    let fates = request.records.iter().zip(&checked.fates);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (at, (record, fate)) in fates.enumerate() {
        if *fate == Fate::Failed(Failure::Partitioning) {
            let keys = given.get(&record.id).unwrap_or(&Value::Null);
            let why = wrong_with(keys, names);
            wrong.entry(why).or_default().push(name(record, at));
        }
    }
    for (why, records) in wrong {
        findings.fail(UNPARTITIONED, format!("{why}: {}", some(&records)));
    }
    findings.note(names.join(","));
    Ok(findings)
}

/// What a record's keys have that the prefix's have not, and the other way round.
fn wrong_with(keys: &Value, names: &[String]) -> String {
    let Value::Object(keys) = keys else {
        return "no partition keys come back".to_owned();
    };
    let of_a_name = |name: &String| match keys.get(name) {
        None => Some(format!("`{name}` is missing")),
        Some(Value::String(text)) if text.is_empty() => Some(format!("`{name}` is empty")),
        Some(Value::String(_)) => None,
        Some(_) => Some(format!("`{name}` is not a text")),
    };
    let more = keys.keys().filter(|name| !names.contains(name));
    let more = more.map(|name| format!("`{name}` is one too many"));
    let wrong: Vec<_> = names.iter().filter_map(of_a_name).chain(more).collect();
    if wrong.is_empty() {
        return format!("not texts for {}", names.join(","));
    }
    wrong.join(", ")
}
