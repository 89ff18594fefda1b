//! Events that come more than once: in a batch, in a batch that is sent again, in a later one, and
//! in several at once.

use futures_util::FutureExt;

use super::basis::DELIVERED;
use crate::{
    local::firehose::answer::{Failure, Fate},
    tool::check::{
        finding::{DROPPED, Findings},
        judge::{Replied, is_delivered, judge, judge_answered, name, some},
        probe::Probe,
        prober::{NoReply, Prober},
        request::ProbeBatch,
        subject::Subject,
    },
};

const EVENTS: usize = 5;
const COPIES_EACH: usize = 3;
const RETRIED: usize = 20;
/// Of its own in each of the batches at the same time.
const SIDE_BY_SIDE: usize = 50;

pub(super) static COPIES: Probe = Probe {
    name: "copies",
    expects: "of copies of an event within a batch at least one is delivered or failed",
    why: "producers send again what they think was lost",
    firehose: DROPPED,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(copies(prober).map(Findings::from)),
};

pub(super) static RETRY: Probe = Probe {
    name: "retry",
    expects: "the same batch again, as a new invocation, delivers what it delivered before",
    why: "Firehose sends a batch again if its answer comes too late or not at all; `seen before` \
          is then no reason to drop: nobody else has delivered it",
    firehose: DROPPED,
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(retry(prober).map(Findings::from)),
};

pub(super) static LATER_COPY: Probe = Probe {
    name: "later-copy",
    expects: "a later copy of an event, in a record of its own, is answered; Ok and Dropped are \
              both fine",
    why: "that is how deduplication shows",
    firehose: "delivers what is Ok, so that the lake has the event twice; with Dropped it has it \
               once",
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(later_copy(prober).map(Findings::from)),
};

pub(super) static CONCURRENCY: Probe = Probe {
    name: "concurrency",
    expects: "batches at the same time are answered each for itself, and of copies that race at \
              least one is delivered",
    why: "Firehose invokes a function for each shard or partition side by side",
    firehose: "fails records as missing, or delivers another's data; what is Dropped is gone",
    rests_on: Some(&DELIVERED),
    source: None,
    put: |prober| Box::pin(concurrency(prober)),
};

async fn copies(prober: &mut Prober) -> Result<Findings, NoReply> {
    let events = prober.sound_many(EVENTS);
    let records = (0..COPIES_EACH * EVENTS).zip(events.iter().cycle());
    let records = records.map(|(_, event)| prober.copy(event)).collect();
    let request = prober.request(records);
    let reply = prober.ask(&request).await?;
    let mut findings = judge(&request, &reply);
    let fates = |event| reply.answer.fates.iter().skip(event).step_by(EVENTS);
    check_not_gone(
        (0..EVENTS).map(|event| fates(event).collect()),
        &mut findings,
    );
    let delivered = reply.count(is_delivered);
    findings.note(format!("{delivered} of {} delivered", COPIES_EACH * EVENTS));
    Ok(findings)
}

/// Of each event's copies, not all are dropped.
fn check_not_gone<'a>(events: impl Iterator<Item = Vec<&'a Fate>>, findings: &mut Findings) {
    let gone = events
        .filter(|fates| fates.iter().all(|fate| **fate == Fate::Dropped))
        .count();
    if gone > 0 {
        findings.fail(
            DROPPED,
            format!("{gone} events are gone: every copy is Dropped"),
        );
    }
}

/// In between comes a batch with other copies: whoever remembers only the last is not spared.
async fn retry(prober: &mut Prober) -> Result<Findings, NoReply> {
    let mut records = prober.sound_many(RETRIED);
    let within = records.first().map(|record| prober.copy(record));
    records.extend(within);
    let later: Vec<_> = records.iter().map(|record| prober.copy(record)).collect();
    let (request, later) = (prober.request(records), prober.request(later));
    let first = prober.ask(&request).await?;
    prober.ask(&later).await?;
    let again = prober.ask(&request).await?;
    Ok(compare(&request, &first, &again))
}

/// What was delivered is delivered again.
fn compare(request: &ProbeBatch, first: &Replied, again: &Replied) -> Findings {
    let mut findings = judge_answered(request, again);
    let fates = request.records.iter().zip(&again.answer.fates).enumerate();
    let again: Vec<_> = fates
        .zip(&first.answer.fates)
        .filter(|(_, before)| is_delivered(before))
        .map(|((position, (record, fate)), _)| (name(record, position), fate))
        .collect();
    let names = |is_it: fn(&Fate) -> bool| {
        let these = again.iter().filter(|(_, fate)| is_it(fate));
        these.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let dropped = names(|fate| *fate == Fate::Dropped);
    if !dropped.is_empty() {
        findings.fail(
            DROPPED,
            format!("Ok at first, then Dropped: {}", some(&dropped)),
        );
    }
    let failed = names(|fate| *fate == Fate::Failed(Failure::ProcessingFailed));
    if !failed.is_empty() {
        findings.warn(format!(
            "Ok at first, then ProcessingFailed: {}",
            some(&failed)
        ));
    }
    findings
}

async fn later_copy(prober: &mut Prober) -> Result<Findings, NoReply> {
    let records = prober.sound_many(EVENTS);
    let later: Vec<_> = records.iter().map(|record| prober.copy(record)).collect();
    let (request, later) = (prober.request(records), prober.request(later));
    prober.ask(&request).await?;
    let reply = prober.ask(&later).await?;
    let mut findings = judge(&later, &reply);
    let dropped = reply.count(|fate| *fate == Fate::Dropped);
    let delivered = reply.count(is_delivered);
    findings.note(match (dropped, delivered) {
        (_, 0) if dropped > 0 => "it drops them: each event once".to_owned(),
        (0, _) if delivered > 0 => "it delivers them: an event as often as it comes".to_owned(),
        _ => format!("{delivered} delivered, {dropped} dropped"),
    });
    Ok(findings)
}

/// Lambda gives each invocation a process that has no other, and so does a command here. What stands
/// behind an address need not.
fn unanswered(prober: &Prober, error: &NoReply) -> Findings {
    match prober.subject {
        Subject::StartedBy(_) => error.finding(),
        Subject::Behind(_) => Findings::skipped(format!(
            "{error}: an emulator that takes one invocation at a time shows nothing of the function \
             here; Lambda has an environment for each"
        )),
    }
}

/// Batches with events of their own, and with copies of the same events.
async fn concurrency(prober: &mut Prober) -> Findings {
    let shared = prober.sound_many(EVENTS);
    let requests: [ProbeBatch; 4] = std::array::from_fn(|_| {
        let mut records = prober.sound_many(SIDE_BY_SIDE);
        records.extend(shared.iter().map(|record| prober.copy(record)));
        prober.request(records)
    });
    let [first, second, third, fourth] = &requests;
    let (first, second, third, fourth) = tokio::join!(
        prober.ask(first),
        prober.ask(second),
        prober.ask(third),
        prober.ask(fourth),
    );
    let mut findings = Findings::default();
    let mut racing = vec![Vec::new(); EVENTS];
    let replies = [first, second, third, fourth];
    for (request, reply) in requests.iter().zip(&replies) {
        match reply {
            Err(error) => return unanswered(prober, error),
            Ok(reply) => {
                findings.join(judge(request, reply));
                let fates = reply.answer.fates.iter().skip(SIDE_BY_SIDE);
                for (event, fate) in racing.iter_mut().zip(fates) {
                    event.push(fate);
                }
            }
        }
    }
    let delivered = racing
        .iter()
        .flatten()
        .filter(|fate| is_delivered(fate))
        .count();
    check_not_gone(racing.into_iter(), &mut findings);
    let copies = EVENTS * requests.len();
    findings.note(format!("{delivered} of {copies} racing copies delivered"));
    findings
}
