//! A batch's records on their way to their verdicts, without the waiting in between.

use std::{
    collections::{HashMap, hash_map},
    ops::Range,
};

use base64_simd::STANDARD;

use super::{
    OnDifferingDuplicate, Settings,
    budget::Budget,
    wire::{self, Answer, Record, ResponseWriter},
};
use crate::{
    dedup::{Claim, Claimed, Owner},
    event::Refusal,
    transform::{Identity, transform, write_delivered, write_identity},
};

/// What an event's identity, partition keys and added fields usually take.
const ADDED_BYTES: usize = 400;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// Its event was seen before, `differing` in its bytes.
    Duplicate {
        differing: bool,
    },
    Refused(Refusal),
    /// Its answer did not fit into the response.
    Overflow,
}

/// The records of a request, and what is known of each so far.
pub(super) struct Batch<'a> {
    records: &'a [Record<'a>],
    entries: Vec<Entry>,
    /// Identities, partition keys and lines of all candidates.
    texts: String,
    /// The most bytes that the response can have.
    response_bytes_max: usize,
    settings: &'a Settings,
}

struct Entry {
    owner: Owner,
    stage: Stage,
}

enum Stage {
    Refused(Refusal),
    /// The first of its identity: delivered, unless its claim says otherwise.
    Candidate(Candidate),
    /// Of the identity of an earlier record of the batch.
    CopyOf(usize),
    Overflow,
}

/// What an event will be delivered as, in the batch's texts.
struct Candidate {
    identity: Range<usize>,
    partition_keys: Range<usize>,
    line: Range<usize>,
    led_by: Option<i128>,
}

/// Who has the claim of a candidate.
#[derive(Clone, Copy)]
enum Standing {
    Taken,
    Unclaimed,
    Reclaimed { changed_id: bool },
    Held(Owner),
}

impl<'a> Batch<'a> {
    /// Judges each record by itself, then finds the copies among them.
    #[must_use]
    pub(super) fn read(records: &'a [Record<'a>], settings: &'a Settings) -> Self {
        let base64_bytes: usize = records
            .iter()
            .filter_map(|record| record.data)
            .map(|data| data.text.len())
            .sum();
        let texts_bytes = base64_bytes / 4 * 3 + records.len() * ADDED_BYTES;
        let texts = String::with_capacity(texts_bytes);
        let mut batch = Self {
            records,
            entries: Vec::with_capacity(records.len()),
            texts,
            response_bytes_max: 0,
            settings,
        };
        let mut bytes = Vec::new();
        for record in records {
            let stage = match decode(record, &mut bytes).and_then(|()| batch.judge(&bytes)) {
                Ok(candidate) => Stage::Candidate(candidate),
                Err(refusal) => Stage::Refused(refusal),
            };
            let id = record.id.decode().unwrap_or(record.id.text.into());
            let owner = Owner::of(&id, record.arrival_milliseconds, &bytes);
            batch.entries.push(Entry { owner, stage });
        }
        batch.find_copies();
        batch
    }

    fn judge(&mut self, bytes: &[u8]) -> Result<Candidate, Refusal> {
        let event = transform(bytes, &self.settings.rules)?;
        let identity = self.settings.identity;
        Ok(Candidate {
            identity: write(&mut self.texts, |out| write_identity(&event, identity, out)),
            partition_keys: write(&mut self.texts, |out| {
                self.settings.rules.partition_keys.write_json(&event, out);
            }),
            line: write(&mut self.texts, |out| write_delivered(&event, out)),
            led_by: (identity == Identity::Event).then(|| event.created_at.nanoseconds()),
        })
    }

    fn find_copies(&mut self) {
        let mut firsts = HashMap::with_capacity(self.entries.len());
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let Stage::Candidate(candidate) = &entry.stage else {
                continue;
            };
            match firsts.entry(text(&self.texts, &candidate.identity)) {
                hash_map::Entry::Vacant(first) => drop(first.insert(index)),
                hash_map::Entry::Occupied(first) => entry.stage = Stage::CopyOf(*first.get()),
            }
        }
    }

    /// Lets a candidate be overflow where its longest answer does not fit into the response, in
    /// order. Fails if not even the shortest answers fit.
    pub(super) fn fit(&mut self) -> Result<(), ResponseTooSmall> {
        let bytes_max = self.settings.response_bytes_max;
        let shortest = self.length(self.entries.iter().map(|entry| self.shortest_answer(entry)));
        let mut budget = Budget::new(bytes_max, shortest).ok_or(ResponseTooSmall {
            bytes_max,
            shortest,
        })?;
        for (record, entry) in self.records.iter().zip(&mut self.entries) {
            if let Stage::Candidate(candidate) = &entry.stage {
                let longest = ok(&self.texts, candidate).length(record);
                if !budget.take(Answer::ProcessingFailed.length(record), longest) {
                    entry.stage = Stage::Overflow;
                }
            }
        }
        self.response_bytes_max = bytes_max - budget.bytes_left();
        Ok(())
    }

    /// What is sure to fit: a candidate may yet become overflow, a copy differ from what it copies.
    fn shortest_answer(&self, entry: &Entry) -> Answer<'_> {
        let fails = self.settings.on_differing_duplicate == OnDifferingDuplicate::Fail;
        match entry.stage {
            Stage::CopyOf(_) if !fails => Answer::Dropped,
            _ => Answer::ProcessingFailed,
        }
    }

    /// The claims to make, one a candidate.
    #[must_use]
    pub(super) fn claims(&self) -> Vec<Claim<'_>> {
        let candidates = self.entries.iter().filter_map(|entry| match &entry.stage {
            Stage::Candidate(candidate) => Some(Claim {
                identity: text(&self.texts, &candidate.identity),
                led_by: candidate.led_by,
                owner: entry.owner,
            }),
            _ => None,
        });
        let mut claims = Vec::with_capacity(self.entries.len());
        claims.extend(candidates);
        claims
    }

    /// The verdicts, once the store has answered the claims.
    #[must_use]
    pub(super) fn settle(&self, claimed: &[Claimed]) -> Settled {
        let standings = self.standings(claimed);
        let count = |filter: fn(&Standing) -> bool| {
            standings
                .iter()
                .flatten()
                .filter(|standing| filter(standing))
                .count()
        };
        Settled {
            verdicts: self
                .entries
                .iter()
                .zip(&standings)
                .map(|(entry, standing)| self.verdict(entry, *standing, &standings))
                .collect(),
            reclaimed: count(|standing| matches!(standing, Standing::Reclaimed { .. })),
            reclaimed_changed_id: count(|standing| {
                matches!(standing, Standing::Reclaimed { changed_id: true })
            }),
            unclaimed: count(|standing| matches!(standing, Standing::Unclaimed)),
        }
    }

    /// The standing of each candidate. A claim owned by one of its copies is its own.
    fn standings(&self, claimed: &[Claimed]) -> Vec<Option<Standing>> {
        let mut claimed = claimed.iter();
        let mut standings: Vec<_> = self
            .entries
            .iter()
            .map(|entry| match entry.stage {
                Stage::Candidate(_) => Some(Standing::new(&entry.owner, claimed.next())),
                _ => None,
            })
            .collect();
        for entry in &self.entries {
            let Stage::CopyOf(first) = entry.stage else {
                continue;
            };
            if let Some(Some(standing)) = standings.get_mut(first) {
                standing.reclaim(&entry.owner);
            }
        }
        standings
    }

    fn verdict(
        &self,
        entry: &Entry,
        standing: Option<Standing>,
        standings: &[Option<Standing>],
    ) -> Verdict {
        let duplicate_of = |other: &Owner| Verdict::Duplicate {
            differing: !entry.owner.same_bytes(other),
        };
        match (&entry.stage, standing) {
            (Stage::Refused(refusal), _) => Verdict::Refused(*refusal),
            (Stage::Overflow, _) => Verdict::Overflow,
            (Stage::Candidate(_), Some(Standing::Held(holder))) => duplicate_of(&holder),
            (Stage::Candidate(_), _) => Verdict::Delivered,
            (Stage::CopyOf(first), _) => match (standings.get(*first), self.entries.get(*first)) {
                (Some(Some(Standing::Held(holder))), _) => duplicate_of(holder),
                (_, Some(first)) => duplicate_of(&first.owner),
                (_, None) => Verdict::Duplicate { differing: false },
            },
        }
    }

    /// The response that says the verdicts.
    #[must_use]
    pub(super) fn response(&self, verdicts: &[Verdict]) -> Vec<u8> {
        let mut response = ResponseWriter::new(self.response_bytes_max);
        for ((record, entry), verdict) in self.records.iter().zip(&self.entries).zip(verdicts) {
            response.push(record, &self.answer(entry, *verdict));
        }
        response.finish()
    }

    fn answer(&self, entry: &Entry, verdict: Verdict) -> Answer<'_> {
        let fails = self.settings.on_differing_duplicate == OnDifferingDuplicate::Fail;
        match (verdict, &entry.stage) {
            (Verdict::Delivered, Stage::Candidate(candidate)) => ok(&self.texts, candidate),
            (Verdict::Duplicate { differing }, _) if !(differing && fails) => Answer::Dropped,
            _ => Answer::ProcessingFailed,
        }
    }

    fn length<'t>(&self, answers: impl Iterator<Item = Answer<'t>>) -> usize {
        let answers = self
            .records
            .iter()
            .zip(answers)
            .map(|(record, answer)| answer.length(record));
        wire::frame_length(self.records.len()) + answers.sum::<usize>()
    }

    /// Each record with its owner.
    pub(super) fn owners(&self) -> impl Iterator<Item = (&Record<'a>, &Owner)> {
        self.records
            .iter()
            .zip(self.entries.iter().map(|entry| &entry.owner))
    }
}

impl Standing {
    fn new(owner: &Owner, claimed: Option<&Claimed>) -> Self {
        match claimed {
            Some(Claimed::Taken) => Standing::Taken,
            None | Some(Claimed::Unanswered) => Standing::Unclaimed,
            Some(Claimed::Held(holder)) => {
                let mut standing = Standing::Held(*holder);
                standing.reclaim(owner);
                standing
            }
        }
    }

    /// Takes the claim back if this record made it.
    fn reclaim(&mut self, owner: &Owner) {
        if let Standing::Held(holder) = self
            && holder.owns(owner)
        {
            *self = Standing::Reclaimed {
                changed_id: !holder.same_record_id(owner),
            };
        }
    }
}

/// The verdicts of a batch, one a record, and how its claims went.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) reclaimed: usize,
    pub(super) reclaimed_changed_id: usize,
    pub(super) unclaimed: usize,
}

/// Not even an answer without data fits for every record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the shortest answers to the batch need {shortest} bytes, and the response may have {bytes_max}: send smaller batches"
)]
pub struct ResponseTooSmall {
    pub bytes_max: usize,
    pub shortest: usize,
}

/// Reads a record's data into `bytes`; leaves them empty if it cannot be read.
fn decode(record: &Record<'_>, bytes: &mut Vec<u8>) -> Result<(), Refusal> {
    bytes.clear();
    let data = record.data.ok_or(Refusal::DataMissing)?;
    let data = data.decode().ok_or(Refusal::NotBase64)?;
    STANDARD.decode_append(data.as_bytes(), bytes).map_err(|_| {
        bytes.clear();
        Refusal::NotBase64
    })
}

fn write(texts: &mut String, write: impl FnOnce(&mut String)) -> Range<usize> {
    let start = texts.len();
    write(texts);
    start..texts.len()
}

fn text<'t>(texts: &'t str, range: &Range<usize>) -> &'t str {
    texts.get(range.clone()).unwrap_or_default()
}

fn ok<'t>(texts: &'t str, candidate: &Candidate) -> Answer<'t> {
    Answer::Ok {
        line: text(texts, &candidate.line),
        partition_keys: text(texts, &candidate.partition_keys),
    }
}
