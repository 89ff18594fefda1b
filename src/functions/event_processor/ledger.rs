//! A shard's ledger: how far it is done, and which objects are under way.
//!
//! **Why nothing is lost or doubled.** Before an object is put, its name stands in the ledger, so
//! an attempt that follows knows everything an earlier one may have written, and writes all of it
//! again, with what it now has, or empty. Each plan takes a new version on condition of the last, so
//! of several invocations one at most has the newest, and `done` grows only for the one that has.

use std::collections::BTreeSet;

use super::table::{Action, Change, Condition, Is, Item, Key, Statement, Value};
use crate::{aws::Failure, kinesis::Sequence};

const DONE: &str = "done";
const PLAN_FIRST: &str = "plan_first";
const PLAN_KEYS: &str = "plan_keys";
const ATTEMPTS: &str = "attempts";
const VERSION: &str = "version";

/// What a ledger says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last sequence number that is done.
    pub done: Option<Sequence>,
    pub plan: Option<Plan>,
    /// How often what is under way was planned.
    pub attempts: u64,
    /// 0 where there is no item.
    pub version: u64,
}

/// The objects that a segment may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub first: Sequence,
    /// As they stand in the ledger.
    pub keys: BTreeSet<String>,
}

impl Progress {
    pub fn read(item: Option<&Item>) -> Result<Self, Failure> {
        let Some(item) = item else {
            return Ok(Self::default());
        };
        let number = |name| item.get(name).and_then(Value::number);
        let first = sequence(item, PLAN_FIRST)?;
        let keys = item.get(PLAN_KEYS).and_then(Value::texts);
        Ok(Self {
            done: sequence(item, DONE)?,
            plan: first.zip(keys).map(|(first, keys)| Plan {
                first,
                keys: keys.clone(),
            }),
            attempts: number(ATTEMPTS).unwrap_or_default(),
            version: number(VERSION)
                .filter(|version| *version > 0)
                .ok_or_else(|| Failure::senseless("a ledger without a version"))?,
        })
    }

    #[must_use]
    pub fn is_done(&self, sequence: Sequence) -> bool {
        self.done.is_some_and(|done| sequence <= done)
    }

    /// What is under way of a segment that begins here.
    #[must_use]
    pub fn plan_at(&self, first: Sequence) -> Option<&Plan> {
        self.plan.as_ref().filter(|plan| plan.first == first)
    }

    /// What a segment that begins here has to write: what it needs, and whatever an earlier attempt
    /// at it may have written.
    #[must_use]
    pub fn plan(&self, first: Sequence, needed: BTreeSet<String>) -> Plan {
        let mut keys = needed;
        let earlier = self.plan_at(first).into_iter();
        keys.extend(earlier.flat_map(|plan| plan.keys.iter().cloned()));
        Plan { first, keys }
    }

    /// How often a segment that begins here was tried before.
    #[must_use]
    pub fn attempts_at(&self, first: Sequence) -> u64 {
        self.plan_at(first).map_or(0, |_| self.attempts)
    }

    /// Where the ledger is once `plan` is written.
    #[must_use]
    pub fn planned(&self, plan: Plan) -> Self {
        Self {
            done: self.done,
            attempts: self.attempts_at(plan.first) + 1,
            plan: Some(plan),
            version: self.version + 1,
        }
    }

    /// Where it is once the segment up to `last` is done. Of those who planned nothing, and so may have
    /// the same version, the first alone ends.
    #[must_use]
    pub fn finished(&self, last: Sequence) -> Self {
        Self {
            done: Some(last),
            plan: None,
            attempts: 0,
            version: self.version + 1,
        }
    }

    /// Writes this in place of what was read or written as `before`.
    #[must_use]
    pub fn statement(&self, key: Key, before: &Self) -> Statement {
        let action = if before.version == 0 {
            let present = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
            Action::Insert(self.attributes().into_iter().filter_map(present).collect())
        } else {
            let change = |(name, value): (&str, Option<Value>)| {
                (name.to_owned(), value.map_or(Change::Remove, Change::Set))
            };
            Action::Update {
                changes: self.attributes().into_iter().map(change).collect(),
                on: Condition {
                    attribute: VERSION.to_owned(),
                    is: Is::Equal(Value::Number(before.version)),
                },
            }
        };
        Statement { key, action }
    }

    fn attributes(&self) -> [(&'static str, Option<Value>); 5] {
        let bytes = |sequence: Sequence| Value::Bytes(sequence.bytes().to_vec());
        let plan = self.plan.as_ref().filter(|plan| !plan.keys.is_empty());
        [
            (DONE, self.done.map(bytes)),
            (PLAN_FIRST, plan.map(|plan| bytes(plan.first))),
            (PLAN_KEYS, plan.map(|plan| Value::Texts(plan.keys.clone()))),
            (ATTEMPTS, Some(Value::Number(self.attempts))),
            (VERSION, Some(Value::Number(self.version))),
        ]
    }
}

fn sequence(item: &Item, name: &str) -> Result<Option<Sequence>, Failure> {
    let Some(value) = item.get(name) else {
        return Ok(None);
    };
    let bytes = value.bytes().and_then(|bytes| bytes.try_into().ok());
    match bytes {
        Some(bytes) => Ok(Some(Sequence::from_bytes(bytes))),
        None => Err(Failure::senseless(
            "a ledger with what is no sequence number",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::event_processor::table::Outcome;

    fn sequence(number: u32) -> Sequence {
        Sequence::parse(&number.to_string()).unwrap()
    }

    fn keys(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    fn key() -> Key {
        Key {
            partition: "ledger#2d06#0".to_owned(),
            sort: "ledger".to_owned(),
        }
    }

    /// Writes it where `before` was read; what is there then, and whether it was written.
    fn write(next: &Progress, before: &Progress, item: Option<Item>) -> (Outcome, Option<Item>) {
        let action = next.statement(key(), before).action;
        let (outcome, written) = action.apply(item.clone());
        (outcome, written.or(item))
    }

    #[test]
    fn a_segment_is_planned_and_ended() {
        let new = Progress::read(None).unwrap();
        assert_eq!(new, Progress::default());
        let planned = new.planned(new.plan(sequence(5), keys(&["a", "b"])));
        let (outcome, item) = write(&planned, &new, None);
        assert_eq!(outcome, Outcome::Done);
        assert_eq!(Progress::read(item.as_ref()).unwrap(), planned);
        assert_eq!((planned.version, planned.attempts), (1, 1));
        let finished = planned.finished(sequence(9));
        let (outcome, item) = write(&finished, &planned, item);
        assert_eq!(outcome, Outcome::Done);
        let read = Progress::read(item.as_ref()).unwrap();
        assert_eq!(read, finished);
        assert_eq!((read.plan, read.attempts), (None, 0));
        assert!(finished.is_done(sequence(9)) && !finished.is_done(sequence(10)));
        assert!(!new.is_done(sequence(0)));
    }

    #[test]
    fn of_two_who_read_the_same_one_plans() {
        let new = Progress::default();
        let planned = new.planned(new.plan(sequence(5), keys(&["a"])));
        let (_, item) = write(&planned, &new, None);
        let (outcome, item) = write(&planned, &new, item);
        assert_eq!(outcome, Outcome::Exists);
        let next = planned.planned(planned.plan(sequence(5), keys(&["b"])));
        let (outcome, item) = write(&next, &planned, item);
        assert_eq!(outcome, Outcome::Done);
        let late = planned.finished(sequence(9));
        let (outcome, item) = write(&late, &planned, item);
        assert!(matches!(outcome, Outcome::Refused(Some(_))));
        assert_eq!(Progress::read(item.as_ref()).unwrap(), next);
    }

    #[test]
    fn what_an_earlier_attempt_planned_is_planned_again() {
        let earlier = Progress::default();
        let earlier = earlier.planned(earlier.plan(sequence(5), keys(&["a", "b"])));
        let again = earlier.planned(earlier.plan(sequence(5), keys(&["b", "c"])));
        assert_eq!(again.plan.as_ref().unwrap().keys, keys(&["a", "b", "c"]));
        assert_eq!((again.attempts, again.attempts_at(sequence(5))), (2, 2));
        let other = again.planned(again.plan(sequence(6), keys(&["d"])));
        assert_eq!(other.plan.as_ref().unwrap().keys, keys(&["d"]));
        assert_eq!((other.attempts, other.attempts_at(sequence(5))), (1, 0));
    }

    #[test]
    fn what_is_no_ledger_is_said_to_be_none() {
        let number = |name: &str| (name.to_owned(), Value::Number(1));
        for item in [
            Item::new(),
            Item::from([number("done"), number("version")]),
            Item::from([number("plan_first"), number("version")]),
        ] {
            assert!(Progress::read(Some(&item)).unwrap_err().is_lasting());
        }
    }
}
