//! A batch's records on their way to their verdicts, without the waiting in between.

use std::ops::Range;

use super::{
    budget::Budget,
    draft::Draft,
    event::Refusal,
    identities::Identities,
    settings::{OnDifferingDuplicate, Settings},
    wire::{Answer, Slot},
};
use crate::dedup::{Claim, Claimed, Owner};

/// What a candidate is sure to get.
const SHORTEST: Answer<'_> = Answer::ProcessingFailed;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// Its event was seen before, `differing` in its bytes.
    Duplicate {
        differing: bool,
    },
    Refused(Refusal),
    /// Its answer did not fit into the response, or its partition is one too many.
    Overflow,
}

/// The records of a request, and what is known of each so far.
pub(super) struct Batch<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) identities: Identities,
    /// What is said if every candidate is delivered and no copy differs.
    pub(super) draft: Draft,
    pub(super) settings: &'a Settings,
}

pub(super) struct Entry<'a> {
    pub(super) slot: Slot<'a>,
    pub(super) owner: Owner,
    pub(super) stage: Stage,
}

pub(super) enum Stage {
    Refused(Refusal),
    /// The first of its identity: delivered, unless its claim says otherwise.
    Candidate(Candidate),
    /// Of the identity of an earlier record of the batch.
    CopyOf(usize),
    Overflow,
}

/// An event to be claimed.
pub(super) struct Candidate {
    /// In the batch's identities.
    pub(super) identity: Range<usize>,
    pub(super) led_by: Option<i128>,
}

/// Who has the claim of a candidate.
#[derive(Clone, Copy)]
enum Standing {
    Taken,
    Unclaimed,
    Reclaimed { changed_id: bool },
    Held(Owner),
}

impl Batch<'_> {
    /// Lets a candidate be overflow where its longest answer does not fit into the response, in
    /// order. Fails if not even the shortest answers fit.
    pub(super) fn fit(&mut self) -> Result<(), ResponseTooSmall> {
        let bytes_max = self.settings.response_bytes_max;
        if self.draft.response_length() <= bytes_max {
            return Ok(());
        }
        let shortest = self.shortest_response();
        let mut budget = Budget::new(bytes_max, shortest).ok_or(ResponseTooSmall {
            bytes_max,
            shortest,
        })?;
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let longest = self.draft.answer_length(index);
            if matches!(entry.stage, Stage::Candidate(_))
                && !budget.take(SHORTEST.length(entry.slot), longest)
            {
                entry.stage = Stage::Overflow;
            }
        }
        Ok(())
    }

    /// What is sure to be needed: every candidate may yet become overflow.
    fn shortest_response(&self) -> usize {
        let entries = self.entries.iter().enumerate();
        let candidates = entries.filter(|(_, entry)| matches!(entry.stage, Stage::Candidate(_)));
        let sparable = candidates
            .map(|(index, entry)| self.draft.answer_length(index) - SHORTEST.length(entry.slot));
        self.draft.response_length() - sparable.sum::<usize>()
    }

    /// The claims to make, one a candidate.
    #[must_use]
    pub(super) fn claims(&self) -> Vec<Claim<'_>> {
        let candidates = self.entries.iter().filter_map(|entry| match &entry.stage {
            Stage::Candidate(candidate) => Some(Claim {
                identity: self.identities.get(&candidate.identity),
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
        entry: &Entry<'_>,
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
    pub(super) fn respond(self, verdicts: &[Verdict]) -> Vec<u8> {
        let fails = self.settings.on_differing_duplicate == OnDifferingDuplicate::Fail;
        let entries = self.entries.iter().zip(verdicts).enumerate();
        let shorter = entries.filter_map(|(index, (entry, verdict))| {
            let answer = match verdict {
                Verdict::Delivered | Verdict::Refused(_) => return None,
                Verdict::Duplicate { differing } if !(*differing && fails) => Answer::Dropped,
                Verdict::Duplicate { .. } | Verdict::Overflow => Answer::ProcessingFailed,
            };
            Some((index, entry.slot, answer))
        });
        self.draft.settle(shorter)
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
