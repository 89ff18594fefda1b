//! What everything rests on, and what the sample's answer shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    local::firehose::{
        answer::{Answer, Failure, Fate, Partitioning},
        invocation::Invoke,
    },
    tool::check::{
        judge::{Reply, contains, judge_answered, name, some},
        probe::{Findings, Verdict},
        prober::{Prober, failure},
        request::{Data, Request, Role},
    },
};

const SEVERAL: usize = 10;
/// More keys a record may not have.
const KEYS_MAX: usize = 50;

/// Whether it is answered at all: what becomes of the record is for the next to say.
pub(super) async fn one(prober: &mut Prober<impl Invoke>) -> Findings {
    let record = prober.record_of(0);
    let request = prober.request(vec![record]);
    let mut findings = Findings::default();
    match prober.ask(&request).await {
        Err(error) => return failure(&error),
        Ok(reply) => match reply.answer.fates.as_slice() {
            [Fate::Failed(Failure::RecordIdMissing)] => {
                let given = &reply.answer.unknown_ids;
                findings.fail(match given.as_slice() {
                    [] => "the answer has no record".to_owned(),
                    _ => format!("the answer has another recordId: {}", some(given)),
                });
            }
            [Fate::Failed(Failure::RecordIdDoubled)] => {
                findings.fail("the answer has the record more than once");
            }
            _ => {}
        },
    }
    findings
}

/// The sample's events, some more than once: the answer is looked at by others too.
pub(super) async fn several(prober: &mut Prober<impl Invoke>) -> Findings {
    let events = prober.sample.events.len();
    let count = events.max(SEVERAL);
    let records = (0..count).map(|at| prober.record_of(at % events)).collect();
    let request = prober.request(records);
    let reply = match prober.ask(&request).await {
        Ok(reply) => reply,
        Err(error) => return failure(&error),
    };
    let mut findings = judge_answered(&request, &reply);
    let alike = alike(&request, &reply);
    tell_of_alike(&request, &alike, &mut findings);
    tell_of_untold(&request, &reply, &alike, &prober.sample.vary, &mut findings);
    prober.shown = Some((request, reply));
    findings
}

/// The records of each line that more than one event has become.
fn alike(request: &Request, reply: &Reply) -> Vec<Vec<usize>> {
    let mut lines: BTreeMap<&[u8], BTreeMap<usize, &[u8]>> = BTreeMap::new();
    for (position, record, line) in reply.delivered(request) {
        if let Data::Bytes(event) = &record.data {
            lines.entry(line).or_default().insert(position, event);
        }
    }
    let lines = lines.into_values();
    lines
        .filter(|events| events.values().collect::<BTreeSet<_>>().len() > 1)
        .map(|events| events.into_keys().collect())
        .collect()
}

fn tell_of_alike(request: &Request, alike: &[Vec<usize>], findings: &mut Findings) {
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
    request: &Request,
    reply: &Reply,
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

pub(super) async fn own_records(prober: &mut Prober<impl Invoke>) -> Findings {
    let mut findings = Findings::default();
    let records = (0..SEVERAL).map(|_| prober.sound()).collect();
    let request = prober.request(records);
    match prober.ask(&request).await {
        Err(error) => return failure(&error),
        Ok(reply) => {
            let unknown = &reply.answer.unknown_ids;
            if !unknown.is_empty() {
                let count = unknown.len();
                findings.fail(format!(
                    "{count} records that the batch did not have: {}",
                    some(unknown)
                ));
            }
        }
    }
    findings
}

/// Learns which events of the sample are good to probe with.
pub(super) fn delivered(prober: &mut Prober<impl Invoke>) -> Findings {
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
        findings.fail(format!(
            "none of the sample's events: {dropped} are Dropped, {refused} ProcessingFailed. If \
             the function wants other events, give it some with --sample",
        ));
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

pub(super) async fn empty_batch(prober: &mut Prober<impl Invoke>) -> Findings {
    let request = prober.request(Vec::new());
    prober.put(&request).await
}

/// One in, one line out.
pub(super) fn line_end(prober: &Prober<impl Invoke>) -> Findings {
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
pub(super) fn partition_keys(prober: &Prober<impl Invoke>) -> Verdict {
    let Some((request, reply)) = &prober.shown else {
        return Verdict::Skipped("there is no answer to look at".to_owned());
    };
    let given = reply.partition_keys();
    let names = prober.keys.clone().or_else(|| first_names(&given));
    let Some(names) = names else {
        return if given.values().any(|keys| !keys.is_null()) {
            Verdict::Failed("partitionKeys is not an object of names and texts".to_owned())
        } else {
            let none = "no partition keys come back; if the prefix names some, say so with \
                        --partition-keys";
            Verdict::Skipped(none.to_owned())
        };
    };
    check_keys(request, reply, &names, &given).verdict()
}

fn first_names(given: &BTreeMap<String, Value>) -> Option<Vec<String>> {
    let keys = given.values().find_map(Value::as_object)?;
    (!keys.is_empty()).then(|| keys.keys().cloned().collect())
}

fn check_keys(
    request: &Request,
    reply: &Reply,
    names: &[String],
    given: &BTreeMap<String, Value>,
) -> Findings {
    let mut findings = Findings::default();
    if names.len() > KEYS_MAX {
        let count = names.len();
        findings.fail(format!("{count} keys; Firehose takes at most {KEYS_MAX}"));
    }
    let checked = match Answer::check(&reply.bytes, request, Partitioning::By(names)) {
        Ok(checked) => checked,
        Err(error) => return failure(&error.into()),
    };
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
        findings.fail(format!("{why}: {}", some(&records)));
    }
    findings.note(names.join(","));
    findings
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
