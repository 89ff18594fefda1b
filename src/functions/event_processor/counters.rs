//! Counters: one item a window, experiment, variant and event type, which itself says how far each
//! shard is in it.
//!
//! **Why nothing is lost or doubled.** An item's mark is the last sequence number counted from this
//! shard, and changes with its count in one write. Statement 1 adds a batch's events only where the
//! mark is below all of them, so repeating it, by us or by another invocation, does nothing. Where
//! the mark stands among them, those up to it are counted and the rest are added, again on
//! condition. What is not below the mark was counted, because a shard's records come in order the
//! first time, and what a batch has of a counter is added in one step.

use tokio::time::Instant;

use super::table::{
    Action, Change, Condition, Course, Followed, Is, Item, Key, Outcome, Statement, Table, Value,
    follow,
};
use crate::{
    aws::{Failure, Reply},
    kinesis::Sequence,
};

pub const COUNT: &str = "event_count";
pub const TTL: &str = "ttl";

/// Events of one counter that came under one sequence number: of an aggregate, all of its.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub sequence: Sequence,
    pub events: u64,
}

/// What a batch has of one counter, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    pub key: Key,
    /// At least one.
    pub runs: Vec<Run>,
    pub ttl_seconds: Option<u64>,
}

/// What became of an addition's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    pub counted: u64,
    /// By an earlier attempt, or by this one where an answer was lost.
    pub already_counted: u64,
}

/// Adds each batch to each counter once. `mark` is the shard's attribute.
pub async fn add<T: Table + Sync>(
    table: &T,
    mark: &str,
    additions: &[Addition],
    deadline: Instant,
) -> Followed<Added> {
    let courses = additions.iter().map(|addition| Adding {
        addition,
        mark,
        counted_runs: 0,
        ask: Ask::Above,
    });
    follow(table, courses.collect(), deadline).await
}

/// An addition on its way.
#[derive(Clone, Copy)]
struct Adding<'a> {
    addition: &'a Addition,
    mark: &'a str,
    /// How many of the first runs an earlier attempt has counted.
    counted_runs: usize,
    ask: Ask,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// Add where the shard's mark is below the first: the answer for nearly every counter.
    Above,
    /// Add where there is no mark of this shard yet.
    Unmarked,
    Insert,
}

impl Course for Adding<'_> {
    type End = Added;

    fn statement(&self) -> Statement {
        let last = sequence_of(self.left().last());
        let is = match self.ask {
            Ask::Insert => {
                let mut item = Item::from([
                    (COUNT.to_owned(), Value::Number(self.events_left())),
                    (self.mark.to_owned(), last),
                ]);
                let ttl = self.addition.ttl_seconds;
                item.extend(ttl.map(|ttl| (TTL.to_owned(), Value::Number(ttl))));
                return self.with(Action::Insert(item));
            }
            Ask::Above => Is::Less(sequence_of(self.left().first())),
            Ask::Unmarked => Is::Missing,
        };
        self.with(Action::Update {
            changes: vec![
                (COUNT.to_owned(), Change::Add(self.events_left())),
                (self.mark.to_owned(), Change::Set(last)),
            ],
            on: Condition {
                attribute: self.mark.to_owned(),
                is,
            },
        })
    }

    fn follow(self, outcome: Outcome) -> Reply<Self, Added> {
        match outcome {
            Outcome::Done => Reply::Answered(Added {
                counted: self.events_left(),
                already_counted: events(self.counted()),
            }),
            Outcome::Refused(None) => self.next(Ask::Insert),
            Outcome::Exists => self.next(Ask::Above),
            Outcome::Refused(Some(item)) => match item.get(self.mark).map(read_mark) {
                None => self.next(Ask::Unmarked),
                Some(Some(marked)) => self.count_from(marked),
                Some(None) => self.senseless("a counter whose mark is no sequence number"),
            },
            Outcome::Found(_) => self.senseless("an answer to what was not asked"),
        }
    }
}

impl<'a> Adding<'a> {
    /// Drops what the item says is counted. It was refused, so something is.
    fn count_from(self, marked: Sequence) -> Reply<Self, Added> {
        let is_counted = |run: &&Run| run.sequence <= marked;
        let more = self.left().iter().take_while(is_counted).count();
        let rest = Self {
            counted_runs: self.counted_runs + more,
            ask: Ask::Above,
            ..self
        };
        match (more, rest.left()) {
            (0, _) => self.senseless("a counter refuses what it has not counted"),
            (_, []) => Reply::Answered(Added {
                counted: 0,
                already_counted: events(rest.counted()),
            }),
            _ => Reply::Next(rest),
        }
    }

    fn counted(&self) -> &'a [Run] {
        let runs = &self.addition.runs;
        runs.get(..self.counted_runs).unwrap_or(runs)
    }

    fn left(&self) -> &'a [Run] {
        let runs = &self.addition.runs;
        runs.get(self.counted_runs..).unwrap_or_default()
    }

    fn events_left(&self) -> u64 {
        events(self.left())
    }

    fn with(&self, action: Action) -> Statement {
        Statement {
            key: self.addition.key.clone(),
            action,
        }
    }

    fn next(self, ask: Ask) -> Reply<Self, Added> {
        Reply::Next(Self { ask, ..self })
    }

    fn senseless(self, what: &str) -> Reply<Self, Added> {
        Reply::Failed(self, Failure::senseless(what))
    }
}

fn events(runs: &[Run]) -> u64 {
    runs.iter().map(|run| run.events).sum()
}

fn sequence_of(run: Option<&Run>) -> Value {
    let bytes = run.map(|run| run.sequence.bytes()).unwrap_or_default();
    Value::Bytes(bytes.to_vec())
}

fn read_mark(value: &Value) -> Option<Sequence> {
    let bytes = value.bytes()?.try_into().ok()?;
    Some(Sequence::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "h2d066";

    fn sequence(number: u32) -> Sequence {
        Sequence::parse(&number.to_string()).unwrap()
    }

    fn addition(runs: &[(u32, u64)]) -> Addition {
        let run = |(number, events): &(u32, u64)| Run {
            sequence: sequence(*number),
            events: *events,
        };
        Addition {
            key: Key {
                partition: "p".to_owned(),
                sort: "s".to_owned(),
            },
            runs: runs.iter().map(run).collect(),
            ttl_seconds: None,
        }
    }

    fn item(count: u64, marked: Option<u32>) -> Item {
        let mut item = Item::from([(COUNT.to_owned(), Value::Number(count))]);
        let mark = |number| {
            (
                MARK.to_owned(),
                Value::Bytes(sequence(number).bytes().to_vec()),
            )
        };
        item.extend(marked.map(mark));
        item
    }

    /// Follows an addition over an item; what was asked, what came of it, and what is there then.
    #[track_caller]
    fn walk(runs: &[(u32, u64)], mut item: Option<Item>) -> (Vec<Ask>, Added, Item) {
        let addition = addition(runs);
        let mut adding = Adding {
            addition: &addition,
            mark: MARK,
            counted_runs: 0,
            ask: Ask::Above,
        };
        let mut asked = Vec::new();
        loop {
            asked.push(adding.ask);
            let (outcome, written) = adding.statement().action.apply(item.clone());
            item = written.or(item);
            match adding.follow(outcome) {
                Reply::Answered(added) => return (asked, added, item.unwrap()),
                Reply::Next(next) => adding = next,
                Reply::Failed(_, failure) => panic!("{failure}"),
            }
        }
    }

    #[test]
    fn each_statement_leads_to_the_next() {
        use Ask::{Above, Insert, Unmarked};
        #[track_caller]
        fn check(
            before: Option<Item>,
            asked: &[Ask],
            [counted, already_counted]: [u64; 2],
            after: &Item,
        ) {
            let (found, added, item) = walk(&[(10, 1), (11, 3), (15, 1)], before);
            assert_eq!(found, asked);
            let expected = Added {
                counted,
                already_counted,
            };
            assert_eq!(added, expected);
            assert_eq!(&item, after);
        }
        check(None, &[Above, Insert], [5, 0], &item(5, Some(15)));
        check(
            Some(item(7, Some(9))),
            &[Above],
            [5, 0],
            &item(12, Some(15)),
        );
        check(
            Some(item(7, None)),
            &[Above, Unmarked],
            [5, 0],
            &item(12, Some(15)),
        );
        check(
            Some(item(7, Some(15))),
            &[Above],
            [0, 5],
            &item(7, Some(15)),
        );
        check(
            Some(item(7, Some(99))),
            &[Above],
            [0, 5],
            &item(7, Some(99)),
        );
        check(
            Some(item(7, Some(10))),
            &[Above, Above],
            [4, 1],
            &item(11, Some(15)),
        );
        check(
            Some(item(7, Some(11))),
            &[Above, Above],
            [1, 4],
            &item(8, Some(15)),
        );
        check(
            Some(item(7, Some(14))),
            &[Above, Above],
            [1, 4],
            &item(8, Some(15)),
        );
    }

    #[test]
    fn another_shards_mark_is_left_alone() {
        let mut before = item(7, None);
        before.insert("h2d067".to_owned(), Value::Bytes(vec![9; 24]));
        let (_, _, after) = walk(&[(1, 1)], Some(before.clone()));
        assert_eq!(after.get("h2d067"), before.get("h2d067"));
        assert_eq!(after.get(COUNT), Some(&Value::Number(8)));
    }

    #[test]
    fn an_item_that_another_inserts_first_is_added_to() {
        let addition = addition(&[(1, 1)]);
        let adding = Adding {
            addition: &addition,
            mark: MARK,
            counted_runs: 0,
            ask: Ask::Insert,
        };
        let Reply::Next(next) = adding.follow(Outcome::Exists) else {
            panic!("it goes on");
        };
        assert_eq!(next.ask, Ask::Above);
    }

    #[test]
    fn what_makes_no_sense_fails_instead_of_going_round() {
        let addition = addition(&[(10, 1)]);
        let adding = Adding {
            addition: &addition,
            mark: MARK,
            counted_runs: 0,
            ask: Ask::Above,
        };
        let text = Item::from([(MARK.to_owned(), Value::Number(1))]);
        for refused in [item(1, Some(9)), text] {
            let reply = adding.follow(Outcome::Refused(Some(refused)));
            assert!(matches!(reply, Reply::Failed(_, failure) if failure.is_lasting()));
        }
    }

    #[test]
    fn an_inserted_counter_may_expire() {
        let addition = Addition {
            ttl_seconds: Some(77),
            ..addition(&[(1, 2)])
        };
        let adding = Adding {
            addition: &addition,
            mark: MARK,
            counted_runs: 0,
            ask: Ask::Insert,
        };
        let Action::Insert(item) = adding.statement().action else {
            panic!("it inserts");
        };
        assert_eq!(item.get(TTL), Some(&Value::Number(77)));
    }
}
