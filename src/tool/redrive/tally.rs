//! What a redrive found, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{decision::Why, selection::Cause};
use crate::{
    local::firehose::error_object::read::{NotErrorObject, Origin, Original},
    tool::redriven::{RecordMark, RunCounts},
};

/// Codes are told apart up to this many, so that no source makes the table large.
const CODES_MAX: usize = 1_000;
const OTHERS: &str = "other codes";
/// Where lines that are no error objects stand is kept for so many of a kind.
const NAMED_MAX: usize = 20;

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    DryRun,
    Executed,
}

/// Records that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct RecordGroup {
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Arrivals, where they are known.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) example: String,
}

/// One record, as far as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CountedRecord {
    pub(super) bytes: u64,
    pub(super) arrival_milliseconds: Option<i64>,
    pub(super) position: String,
    pub(super) cause: Cause,
    /// Another redrive has sent this very record as it is.
    pub(super) was_sent: bool,
    /// When the last redrive that did so began, in epoch milliseconds.
    pub(super) sent_at: Option<i64>,
    pub(super) origin: Origin,
    pub(super) original: Option<Original>,
}

impl CountedRecord {
    /// Mended by somebody who has taken out what it was made of.
    fn is_unmarked(&self) -> bool {
        let mark = self.original.as_ref();
        let mark = mark.and_then(|original| RecordMark::parse(&original.mark));
        self.origin == Origin::Repaired && mark.is_none()
    }
}

impl RecordGroup {
    fn add(&mut self, record: &CountedRecord) {
        if self.records == 0 {
            self.example.clone_from(&record.position);
        }
        self.records += 1;
        self.bytes += record.bytes;
        if let Some(arrival) = record.arrival_milliseconds {
            self.first = Some(self.first.map_or(arrival, |first| first.min(arrival)));
            self.last = Some(self.last.map_or(arrival, |last| last.max(arrival)));
        }
    }
}

/// What became of a record; in a dry run, what would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RecordOutcome {
    Sent,
    /// Sent into a lake, where a new error object stands for it.
    RefusedAgain,
    /// By this redrive, before it was interrupted.
    SentBefore,
    /// The same, into a lake, where a new error object stands for it.
    RefusedBefore,
    /// By another redrive; if it was refused again, a new error object stands for it.
    SentEarlier,
    /// The same record again: the same bytes and arrival.
    Copy,
    HeldBack,
    /// It was sent once it was mended, or what it was made of by another redrive.
    Mended,
    Unknown(Why),
    /// It would be refused again.
    Refused,
    TooLarge,
    /// Sent three times already.
    TooOften,
    Failed,
    BeyondLimit,
    /// Not what the filters ask for.
    Excluded,
}

impl RecordOutcome {
    /// Whether it stays where it lies because it was delivered or sent by another redrive.
    pub(super) fn is_held_back(self) -> bool {
        matches!(self, Self::HeldBack | Self::SentEarlier)
    }

    /// Whether it is sent, and a new error object stands for it in a lake.
    pub(super) fn is_refused_again(self) -> bool {
        matches!(self, Self::RefusedAgain | Self::RefusedBefore)
    }

    /// Whether a person has to do something yet.
    pub(super) fn is_left(self) -> bool {
        !matches!(
            self,
            Self::Sent
                | Self::SentBefore
                | Self::SentEarlier
                | Self::Copy
                | Self::HeldBack
                | Self::Mended
                | Self::Excluded
        )
    }
}

/// Lines of which nothing can be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LostLines {
    pub(super) lines: u64,
    pub(super) positions: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct RedriveTally {
    pub(super) objects: u64,
    pub(super) records: u64,
    pub(super) codes: BTreeMap<String, RecordGroup>,
    pub(super) reasons: BTreeMap<&'static str, RecordGroup>,
    pub(super) outcomes: BTreeMap<RecordOutcome, RecordGroup>,
    /// Records that are asked for, by their cause and what became of them.
    pub(super) rows: BTreeMap<(Cause, RecordOutcome), RecordGroup>,
    /// Of those sent, or that would be: what another redrive has sent already.
    pub(super) sent_earlier: u64,
    /// Of those that stay because another redrive has sent them: when the last of these began.
    pub(super) sent_last: Option<i64>,
    /// Records that were sent or delivered once they were mended, as they were before.
    pub(super) originals: Vec<Original>,
    /// Mended too, but without a word of what they were made of, so that it stays open.
    pub(super) unmarked: u64,
    /// Fields that somebody put beside the event of a line for repair, where they are not read.
    pub(super) beside_events: BTreeSet<String>,
    /// Dead letters that would be refused again, and have no line to be edited.
    pub(super) letters_not_exported: u64,
    /// With which codes and for which reasons records lie there that the options leave out.
    pub(super) left_out: [BTreeSet<String>; 2],
    /// Of those sent: whose own claims were given back first.
    pub(super) released: u64,
    /// Of those selected: sent by other redrives, once, twice, or more often.
    pub(super) redriven: [u64; 3],
    pub(super) not_error_objects: BTreeMap<String, LostLines>,
    /// Objects that cannot be read to their end, and why.
    pub(super) unreadable: Vec<String>,
    /// The last reason why a record was not taken.
    pub(super) failure: Option<String>,
}

impl RedriveTally {
    /// A record that is asked for, by its code and by its reason.
    pub(super) fn select(&mut self, code: &str, reason: &'static str, record: &CountedRecord) {
        let code = if self.codes.len() < CODES_MAX || self.codes.contains_key(code) {
            code
        } else {
            OTHERS
        };
        self.codes.entry(code.to_owned()).or_default().add(record);
        self.reasons.entry(reason).or_default().add(record);
    }

    pub(super) fn note_left_out(&mut self, code: &str, reason: &str) {
        for (known, word) in self.left_out.iter_mut().zip([code, reason]) {
            if known.len() < CODES_MAX && !known.contains(word) {
                known.insert(word.to_owned());
            }
        }
    }

    pub(super) fn settle(&mut self, outcome: RecordOutcome, record: &CountedRecord) {
        self.outcomes.entry(outcome).or_default().add(record);
        if outcome == RecordOutcome::Excluded {
            return;
        }
        let mut row = (record.cause.clone(), outcome);
        if self.rows.len() >= CODES_MAX && !self.rows.contains_key(&row) {
            row.0.code = Some(OTHERS.to_owned());
        }
        self.rows.entry(row).or_default().add(record);
        if outcome == RecordOutcome::Sent {
            self.sent_earlier += u64::from(record.was_sent);
        }
        if outcome == RecordOutcome::SentEarlier {
            self.sent_last = self.sent_last.max(record.sent_at);
        }
        if matches!(
            outcome,
            RecordOutcome::Sent
                | RecordOutcome::RefusedAgain
                | RecordOutcome::SentBefore
                | RecordOutcome::RefusedBefore
                | RecordOutcome::SentEarlier
                | RecordOutcome::HeldBack
        ) {
            self.unmarked += u64::from(record.is_unmarked());
            self.originals.extend(record.original.clone());
        }
    }

    pub(super) fn name_line(&mut self, why: NotErrorObject, position: String) {
        let lines = self.not_error_objects.entry(why.to_string()).or_default();
        lines.lines += 1;
        if lines.positions.len() < NAMED_MAX {
            lines.positions.push(position);
        }
    }

    pub(super) fn note_redriven(&mut self, sendings: u8) {
        let index = usize::from(sendings).min(self.redriven.len());
        if let Some(count) = index
            .checked_sub(1)
            .and_then(|at| self.redriven.get_mut(at))
        {
            *count += 1;
        }
    }

    pub(super) fn of(&self, asked: impl Fn(RecordOutcome) -> bool) -> u64 {
        let rows = self.outcomes.iter().filter(|(outcome, _)| asked(**outcome));
        rows.map(|(_, row)| row.records).sum()
    }

    /// Lines that may have been records. An empty one was none.
    pub(super) fn lines_lost(&self) -> u64 {
        let empty = NotErrorObject::Empty.to_string();
        let lost = self
            .not_error_objects
            .iter()
            .filter(|(why, _)| **why != empty);
        lost.map(|(_, lines)| lines.lines).sum()
    }

    /// Whether such lines are among those that are no error objects.
    pub(super) fn has_lines(&self, why: NotErrorObject) -> bool {
        self.not_error_objects.contains_key(&why.to_string())
    }

    /// Whether something has to be done yet.
    pub(super) fn is_left(&self) -> bool {
        self.of(RecordOutcome::is_left) + self.lines_lost() > 0 || !self.unreadable.is_empty()
    }

    /// Records that the options ask for.
    pub(super) fn asked(&self) -> u64 {
        self.records - self.of(|outcome| outcome == RecordOutcome::Excluded)
    }

    /// Records that are neither delivered nor sent.
    pub(super) fn open(&self, mode: Mode) -> u64 {
        let left = self.of(RecordOutcome::is_left);
        match mode {
            Mode::DryRun => {
                left + self.of(|outcome| outcome == RecordOutcome::Sent) - self.sent_earlier
            }
            Mode::Executed => left,
        }
    }

    pub(super) fn counts(&self) -> RunCounts {
        let is_sent = |outcome| {
            matches!(
                outcome,
                RecordOutcome::Sent
                    | RecordOutcome::RefusedAgain
                    | RecordOutcome::SentBefore
                    | RecordOutcome::RefusedBefore
            )
        };
        let sent = self
            .outcomes
            .iter()
            .filter(|(outcome, _)| is_sent(**outcome));
        RunCounts {
            sent: self.of(is_sent),
            sent_bytes: sent.map(|(_, row)| row.bytes).sum(),
            held_back: self.of(RecordOutcome::is_held_back),
            unknown: self.of(|outcome| matches!(outcome, RecordOutcome::Unknown(_))),
            failed: self.of(|outcome| outcome == RecordOutcome::Failed),
        }
    }
}
