//! One way through a source: every line is read, every record judged and decided about, and with
//! `--execute` sent. A dry run differs in nothing but that.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use anyhow::{Result, ensure};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    claims::{Case, ClaimAccess},
    decision::{Age, Decision, Known, Why},
    export::Export,
    found::{Found, Kind},
    journal::Done,
    options::Permissions,
    originals::Originals,
    selection::{Filter, Judged},
    sending::{Outgoing, Sending},
    tally::{CountedRecord, RecordOutcome, RedriveTally},
};
use crate::{
    dedup::{Owner, ReleaseStore, Released},
    functions::{
        event_processor::event::archived_datetime,
        firehose_transform::{Settings, transform::transform},
    },
    local::{
        clock::epoch_milliseconds,
        firehose::{
            batch::RECORD_BYTES_MAX,
            error_object::read::{Failed, NotErrorObject, Origin, beside_event},
        },
        input::{
            form::Form,
            reader::{Part, Unpacked, read_line},
        },
    },
    tool::{
        claim_key::ClaimKey,
        clock::now,
        objects::{LINE_BYTES_MAX, Object, Objects},
        redriven::{History, RecordMark},
        sink::SendLimits,
    },
};

/// How often the same bytes are sent without being asked whether that helps.
const SENDINGS_MAX: u8 = 3;

/// What is decided about at once when nothing is sent.
const DRY: SendLimits = SendLimits {
    records_max: 500,
    bytes_max: 4 * 1024 * 1024,
};

pub(super) struct Pass<'a, S> {
    pub(super) settings: &'a Settings,
    pub(super) filter: &'a Filter,
    pub(super) permissions: &'a Permissions,
    pub(super) letters: Letters,
    /// The stream it goes to, as records of redrives name it: there a claim comes later than a record.
    pub(super) stream: Option<String>,
    pub(super) lifetime_seconds: Option<u64>,
    pub(super) claims: ClaimAccess<S>,
    pub(super) history: History,
    pub(super) originals: Originals<'a>,
    pub(super) export: Option<Export>,
    /// None in a dry run.
    pub(super) sending: Option<Sending<'a>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) progress: PassState,
    pub(super) tally: RedriveTally,
}

/// Where dead letters may go: only where their function reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Here,
    Elsewhere,
}

/// How far it is, before and since an interruption.
#[derive(Default)]
pub(super) struct PassState {
    /// Sent before the interruption and not met since, and what became of it.
    sent_before: HashMap<u128, RecordOutcome>,
    released: HashSet<u128>,
    /// Taken to be sent in this pass, or met as sent before.
    taken: HashSet<u128>,
    /// Whose events were granted in this pass: a copy of one would be its duplicate.
    granted_events: HashSet<u128>,
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// Sent in this pass, or would be.
    granted: u64,
}

impl PassState {
    pub(super) fn after(done: &Done) -> Self {
        let outcome = |mark: &RecordMark| {
            if done.refused.contains(&mark.record) {
                RecordOutcome::RefusedBefore
            } else {
                RecordOutcome::SentBefore
            }
        };
        let sent = done.sent.iter();
        Self {
            sent_before: sent.map(|mark| (mark.record, outcome(mark))).collect(),
            released: done.released.clone(),
            ..Self::default()
        }
    }

    /// A record without an identity is like no other.
    fn is_first_of_event(&mut self, record: &Waiting) -> bool {
        record.sought.as_ref().is_none_or(|sought| {
            let event = xxh3_128(sought.identity.as_bytes());
            self.granted_events.insert(event)
        })
    }
}

/// A record that may be sent.
struct Waiting {
    mark: RecordMark,
    failed: Failed,
    counted: CountedRecord,
    /// None of an event that would be refused again: it can have no claim.
    sought: Option<ClaimKey>,
}

impl<S: ReleaseStore> Pass<'_, S> {
    /// Goes through all objects, or until it is to stop. What cannot be read is named in the tally;
    /// an error means that nothing more can be decided or sent.
    pub(super) fn run(
        &mut self,
        objects: &dyn Objects,
        list: &[Object],
        read_bytes: &Arc<AtomicU64>,
    ) -> Result<()> {
        for object in list {
            if self.is_stopped() {
                break;
            }
            self.tally.objects += 1;
            if let Err(error) = self.read(objects, object, read_bytes)? {
                self.tally.unreadable.push(error);
            }
        }
        self.settle_waiting()?;
        if let Some(sending) = &mut self.sending {
            sending.settle(&mut self.tally)?;
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The inner error says that this object cannot be read, or not to its end.
    fn read(
        &mut self,
        objects: &dyn Objects,
        object: &Object,
        read_bytes: &Arc<AtomicU64>,
    ) -> Result<Result<(), String>> {
        let name = &object.name;
        let opened = objects.open(name);
        let mut reader = match opened.and_then(|raw| Ok(Unpacked::open(raw, read_bytes)?)) {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(format!("{name} cannot be read: {error:#}"))),
        };
        let (mut line, mut number) = (Vec::new(), 0_u64);
        while !self.is_stopped() {
            match read_line(&mut reader, &mut line, LINE_BYTES_MAX) {
                Ok(None) => break,
                Ok(Some(part)) => {
                    number += 1;
                    self.take(part, &line, format!("{name}:{number}"))?;
                }
                Err(error) => {
                    let why = format!("{name} cannot be read beyond line {number}: {error}");
                    return Ok(Err(why));
                }
            }
        }
        Ok(Ok(()))
    }

    fn take(&mut self, part: Part, line: &[u8], position: String) -> Result<()> {
        let found = match part {
            Part::Open => Err(NotErrorObject::TooLong),
            Part::Last => Found::read(line),
        };
        match found {
            Ok(found) => {
                if found.failed.origin == Origin::Repaired {
                    self.tally.beside_events.extend(beside_event(line));
                }
                self.take_record(found, position)
            }
            Err(why) => {
                let why = match transform(line, &self.settings.rules) {
                    Ok(_) if Form::of(line) == Some(Form::Delivered) => NotErrorObject::Delivered,
                    Ok(_) => NotErrorObject::Event,
                    Err(_) if archived_datetime(line).is_some() => NotErrorObject::Archived,
                    Err(_) => why,
                };
                if let Some(export) = &mut self.export {
                    export.name_line(why, &position)?;
                }
                self.tally.name_line(why, position);
                Ok(())
            }
        }
    }

    fn take_record(&mut self, found: Found, position: String) -> Result<()> {
        self.tally.records += 1;
        ensure!(
            found.kind == Kind::ErrorObject || self.letters == Letters::Here,
            "{position} is a dead letter: it goes back to its stream, --to kinesis:NAME"
        );
        let judged = Judged::of(&found, self.settings);
        let reason = judged.reason();
        let is_asked_for = self
            .filter
            .selects(&found, reason, &self.settings.rules.event_fields);
        let Found { failed, kind, mark } = found;
        let counted = CountedRecord {
            bytes: failed.bytes.len() as u64,
            arrival_milliseconds: failed.arrival_milliseconds,
            position,
            cause: judged.cause(&failed.code),
            was_sent: self.history.has_sent(mark),
            sent_at: self.history.sent_at(mark),
            origin: failed.origin,
            original: failed.original.clone(),
        };
        if !is_asked_for {
            self.tally.note_left_out(&failed.code, reason);
            self.tally.settle(RecordOutcome::Excluded, &counted);
            return Ok(());
        }
        self.tally.select(&failed.code, reason, &counted);
        if !self.permissions.again
            && let Some(outcome) = self.settled_earlier(&judged, &counted, mark)
        {
            self.tally.settle(outcome, &counted);
            return Ok(());
        }
        let sought = match judged {
            Judged::Accepted(sought) => Some(sought),
            Judged::Free => None,
            Judged::Refused(_) | Judged::RefusedAgain if self.permissions.all => None,
            judged => {
                let left = Found { failed, kind, mark };
                return self.leave_out(&left, &judged, &counted);
            }
        };
        if let Some(outcome) = self.outcome_by_mark(mark) {
            self.tally.settle(outcome, &counted);
            return self.discard(outcome, &counted);
        }
        self.keep_waiting(Waiting {
            mark,
            failed,
            counted,
            sought,
        })
    }

    /// What an earlier redrive has made of it, where no claim has to say so.
    fn settled_earlier(
        &mut self,
        judged: &Judged,
        counted: &CountedRecord,
        mark: RecordMark,
    ) -> Option<RecordOutcome> {
        if self.history.has_mended(mark) {
            return Some(RecordOutcome::Mended);
        }
        let is_sent = match &self.stream {
            Some(stream) if judged.has_claim() => self.history.has_sent_to(mark, stream),
            _ => counted.was_sent && !judged.has_claim(),
        };
        if is_sent {
            self.tally.note_redriven(self.history.sendings(mark));
            return Some(RecordOutcome::SentEarlier);
        }
        let original = counted.original.as_ref().filter(|_| !counted.was_sent)?;
        let is_mended = self.originals.has_mended(original);
        is_mended.then_some(RecordOutcome::Mended)
    }

    fn keep_waiting(&mut self, record: Waiting) -> Result<()> {
        self.progress.waiting_bytes += record.failed.bytes.len();
        self.progress.waiting.push(record);
        if self.is_batch_full() {
            self.settle_waiting()?;
        }
        Ok(())
    }

    fn leave_out(&mut self, left: &Found, judged: &Judged, counted: &CountedRecord) -> Result<()> {
        match &mut self.export {
            Some(export) if left.kind == Kind::ErrorObject => {
                let reason = judged.reason();
                export.write(&left.failed, reason, &counted.position, left.mark)?;
            }
            Some(_) => self.tally.letters_not_exported += 1,
            None => {}
        }
        let outcome = match judged {
            Judged::TooLarge => RecordOutcome::TooLarge,
            _ => RecordOutcome::Refused,
        };
        self.tally.settle(outcome, counted);
        Ok(())
    }

    /// What is known already of this very record.
    fn outcome_by_mark(&mut self, mark: RecordMark) -> Option<RecordOutcome> {
        let sendings = self.history.sendings(mark);
        self.tally.note_redriven(sendings);
        if let Some(outcome) = self.progress.sent_before.remove(&mark.record) {
            self.progress.taken.insert(mark.record);
            return Some(outcome);
        }
        if self.progress.taken.contains(&mark.record) {
            return Some(RecordOutcome::Copy);
        }
        let is_too_often = sendings >= SENDINGS_MAX && !self.permissions.again;
        is_too_often.then_some(RecordOutcome::TooOften)
    }

    /// What was sent already is not left in a queue.
    fn discard(&self, outcome: RecordOutcome, counted: &CountedRecord) -> Result<()> {
        let is_sent = matches!(
            outcome,
            RecordOutcome::SentBefore | RecordOutcome::RefusedBefore | RecordOutcome::Copy
        );
        match &self.sending {
            Some(sending) if is_sent => sending.discard(&counted.position),
            _ => Ok(()),
        }
    }

    /// One more record of the largest size must fit.
    fn is_batch_full(&self) -> bool {
        let limits = self.sending.as_ref().map_or(DRY, Sending::limits);
        self.progress.waiting.len() >= limits.records_max
            || self.progress.waiting_bytes + RECORD_BYTES_MAX > limits.bytes_max
    }

    /// Decides about what waits, gives back its own claims, and sends it.
    fn settle_waiting(&mut self) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.progress.waiting);
        self.progress.waiting_bytes = 0;
        // A copy may have come while the first was waiting.
        waiting.retain(|record| {
            let is_first = self.progress.taken.insert(record.mark.record);
            if !is_first {
                self.tally.settle(RecordOutcome::Copy, &record.counted);
            }
            is_first
        });
        let mut fates = self.decide(&waiting)?;
        self.limit(&waiting, &mut fates);
        self.release(&waiting, &mut fates)?;
        let mut batch = Vec::with_capacity(waiting.len());
        for (record, fate) in waiting.iter().zip(fates) {
            match fate {
                NextStep::Send | NextStep::Release(_) => batch.push(record.outgoing()),
                // The claim is that of its own sending.
                NextStep::SetAside(RecordOutcome::HeldBack) if record.counted.was_sent => {
                    self.tally
                        .settle(RecordOutcome::SentEarlier, &record.counted);
                }
                NextStep::SetAside(outcome) => self.tally.settle(outcome, &record.counted),
            }
        }
        match &mut self.sending {
            Some(sending) => sending.send(&batch, &mut self.tally)?,
            None => {
                for record in batch {
                    self.tally.settle(RecordOutcome::Sent, record.counted);
                }
            }
        }
        Ok(())
    }

    fn decide(&self, waiting: &[Waiting]) -> Result<Vec<NextStep>> {
        let age = Age {
            now_milliseconds: epoch_milliseconds(now()),
            lifetime_seconds: self.lifetime_seconds,
        };
        let mut cases: Vec<_> = waiting.iter().map(|record| self.case(record)).collect();
        let mut claimable: Vec<&mut Case<'_>> = cases.iter_mut().flatten().collect();
        self.claims.decide(&mut claimable, age)?;
        let fate = |case: &Option<Case<'_>>| match case {
            None => NextStep::Send,
            Some(case) => self.fate(case, age),
        };
        Ok(cases.iter().map(fate).collect())
    }

    fn case<'w>(&self, record: &'w Waiting) -> Option<Case<'w>> {
        let known = Known {
            origin: record.failed.origin,
            arrival_milliseconds: record.failed.arrival_milliseconds,
            bytes_hash: record.mark.bytes,
            is_released: self.progress.released.contains(&record.mark.record),
        };
        let sought = record.sought.as_ref()?;
        Some(Case::new(sought, known))
    }

    /// A person who says that what is unknown was not delivered says so of its claim too.
    fn fate(&self, case: &Case<'_>, age: Age) -> NextStep {
        match case.decision {
            Decision::Send => NextStep::Send,
            Decision::Release(owner) => NextStep::Release(owner),
            Decision::HoldBack => NextStep::SetAside(RecordOutcome::HeldBack),
            Decision::Unknown(_) if self.permissions.assume_undelivered => case
                .held
                .filter(|held| age.is_alive(held))
                .map_or(NextStep::Send, |held| NextStep::Release(held.owner)),
            Decision::Unknown(why) => NextStep::SetAside(RecordOutcome::Unknown(why)),
        }
    }

    /// Lets each event be sent once, and no more than were asked for.
    fn limit(&mut self, waiting: &[Waiting], fates: &mut [NextStep]) {
        let limit = self.permissions.limit.unwrap_or(u64::MAX);
        for (record, fate) in waiting.iter().zip(fates) {
            if matches!(fate, NextStep::SetAside(_)) {
                continue;
            }
            if self.progress.granted >= limit {
                *fate = NextStep::SetAside(RecordOutcome::BeyondLimit);
            } else if self.progress.is_first_of_event(record) {
                self.progress.granted += 1;
            } else {
                *fate = NextStep::SetAside(RecordOutcome::HeldBack);
            }
        }
    }

    /// Gives back the claims that records have made themselves. One that another record has taken
    /// meanwhile is decided about once more.
    fn release(&mut self, waiting: &[Waiting], fates: &mut [NextStep]) -> Result<()> {
        let owned = releases(waiting, fates);
        let Some(sending) = &mut self.sending else {
            self.tally.released += owned.len() as u64;
            return Ok(());
        };
        if owned.is_empty() {
            return Ok(());
        }
        let marks: Vec<RecordMark> = owned.iter().map(|owned| owned.mark).collect();
        sending.will_release(&marks)?;
        let claims: Vec<_> = owned
            .iter()
            .map(|owned| (owned.sought, owned.owner))
            .collect();
        let released = self.claims.release(&claims)?;
        self.progress
            .released
            .extend(marks.iter().map(|mark| mark.record));
        for (owned, released) in owned.iter().zip(released) {
            match released {
                Released::Free => self.tally.released += 1,
                Released::Others => {
                    let record = waiting.get(owned.index).map(std::slice::from_ref);
                    let again = self.decide(record.unwrap_or_default())?;
                    let contended = NextStep::SetAside(RecordOutcome::Unknown(Why::Contended));
                    if let Some(fate) = fates.get_mut(owned.index) {
                        *fate = match again.into_iter().next() {
                            Some(NextStep::Release(_)) | None => contended,
                            Some(decided) => decided,
                        };
                    }
                }
            }
        }
        Ok(())
    }
}

/// What is to become of a record that waits.
#[derive(Debug, Clone, Copy)]
enum NextStep {
    Send,
    /// The owner's claim has to go first.
    Release(Owner),
    SetAside(RecordOutcome),
}

impl Waiting {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            mark: self.mark,
            bytes: &self.failed.bytes,
            counted: &self.counted,
        }
    }
}

/// A claim to give back, and for which record.
struct Owned<'w> {
    index: usize,
    mark: RecordMark,
    sought: &'w ClaimKey,
    owner: Owner,
}

/// One for each identity.
fn releases<'w>(waiting: &'w [Waiting], fates: &[NextStep]) -> Vec<Owned<'w>> {
    let mut identities = HashSet::new();
    let claims = waiting.iter().zip(fates).enumerate();
    let claims = claims.filter_map(|(index, (record, fate))| {
        let (NextStep::Release(owner), Some(sought)) = (*fate, &record.sought) else {
            return None;
        };
        let is_first = identities.insert(sought.identity.as_str());
        is_first.then_some(Owned {
            index,
            mark: record.mark,
            sought,
            owner,
        })
    });
    claims.collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, rc::Rc};

    use serde_json::json;
    use tempfile::tempdir;
    use tokio::runtime::Builder;

    use super::*;
    use crate::{
        dedup::embedded::EmbeddedStore,
        tool::{
            objects::{Folder, REDRIVEN},
            redrive::claims::View,
            redriven::{MARKS_FILE, mark_lines},
        },
    };

    fn letter(number: u64) -> String {
        let data = base64_simd::STANDARD.encode_to_string(r#"{"event_id":"e"}"#);
        let letter = json!({
            "version": 1, "reason": "panicked", "function": "f", "stream": "arn",
            "record_id": format!("shardId-000000000006:{number}"),
            "shard": "shardId-000000000006", "sequence": number.to_string(), "sub": null,
            "arrival": "2024-12-19T22:59:59.500Z", "data": data,
        });
        format!("{letter}\n")
    }

    /// What a dry run says of the letters in this folder.
    fn outcomes(folder: &Path, permissions: Permissions) -> Vec<(RecordOutcome, u64)> {
        let objects = Folder::find(folder).unwrap();
        let runtime = Rc::new(Builder::new_current_thread().build().unwrap());
        let mut pass: Pass<'_, EmbeddedStore> = Pass {
            settings: &Settings::read(|_| None).unwrap(),
            filter: &Filter::default(),
            permissions: &permissions,
            letters: Letters::Here,
            stream: None,
            lifetime_seconds: None,
            claims: ClaimAccess {
                view: View::Unnamed,
                runtime: Rc::clone(&runtime),
            },
            history: History::read(&objects, "").unwrap(),
            originals: Originals::new(String::new(), None, runtime),
            export: None,
            sending: None,
            stop: Arc::default(),
            progress: PassState::default(),
            tally: RedriveTally::default(),
        };
        let list = objects.list().unwrap();
        pass.run(&objects, &list, &Arc::default()).unwrap();
        let outcomes = pass.tally.outcomes.iter();
        outcomes
            .map(|(outcome, row)| (*outcome, row.records))
            .collect()
    }

    #[test]
    fn a_dead_letter_is_sent_once_unless_it_is_asked_for_again() {
        let place = tempdir().unwrap();
        let letters = place.path().join("letters");
        fs::create_dir(&letters).unwrap();
        fs::write(letters.join("both"), letter(1) + &letter(2)).unwrap();
        let once = Permissions {
            limit: None,
            all: true,
            assume_undelivered: true,
            again: false,
        };
        assert_eq!(outcomes(&letters, once), [(RecordOutcome::Sent, 2)]);

        let run = place.path().join(REDRIVEN).join("run");
        fs::create_dir_all(&run).unwrap();
        let sent = Found::read(letter(1).as_bytes()).unwrap().mark;
        fs::write(run.join(format!("{MARKS_FILE}0")), mark_lines(&[sent])).unwrap();
        let sent_before = (RecordOutcome::SentEarlier, 1);
        assert_eq!(
            outcomes(&letters, once),
            [(RecordOutcome::Sent, 1), sent_before]
        );
        let again = Permissions {
            again: true,
            ..once
        };
        assert_eq!(outcomes(&letters, again), [(RecordOutcome::Sent, 2)]);
    }
}
