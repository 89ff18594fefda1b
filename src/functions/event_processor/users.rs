//! Unique users: beside each counter a sketch of them, or an item a user.
//!
//! **Why nothing is lost or doubled.** A user who is merged again changes nothing, so any attempt
//! may merge any part of a batch any number of times. A sketch is written on condition of the
//! version it was read at; where another was quicker, its sketch comes back and is merged with ours.

use std::{num::NonZeroUsize, sync::Mutex};

use lru::LruCache;
use tokio::time::Instant;

use super::{
    counters::TTL,
    sketch::Sketch,
    table::{
        Action, Change, Condition, Course, Followed, Is, Item, Key, Outcome, Statement, Table,
        Value, follow,
    },
};
use crate::aws::{Failure, Reply};

const USERS: &str = "users";
const SKETCH: &str = "sketch";
const VERSION: &str = "version";

/// How many sketches a warm function remembers: 13 MB.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4_999);

/// Users of a batch beside one counter, by their hashes.
#[derive(Debug, Clone)]
pub struct Seen {
    pub key: Key,
    pub users: Sketch,
    pub ttl_seconds: Option<u64>,
}

/// A sketch as it lies in the table.
#[derive(Debug, Clone)]
pub struct Kept {
    pub users: Sketch,
    version: u64,
}

impl Kept {
    fn attributes(&self) -> [(String, Value); 3] {
        [
            (USERS.to_owned(), Value::Number(self.users.users())),
            (SKETCH.to_owned(), Value::Bytes(self.users.to_bytes())),
            (VERSION.to_owned(), Value::Number(self.version)),
        ]
    }

    /// None where there is no sketch that can be read.
    #[must_use]
    pub fn read(item: &Item) -> Option<Self> {
        Some(Self {
            users: Sketch::read(item.get(SKETCH)?.bytes()?).ok()?,
            version: item.get(VERSION)?.number()?,
        })
    }

    /// What to write in its place; none if it has all of them.
    fn with(&self, seen: &Seen) -> Option<Self> {
        let mut users = self.users.clone();
        let version = self.version + 1;
        users.merge(&seen.users).then_some(Self { users, version })
    }
}

/// What a warm function knows of sketches in the table. Users only become more, so what it has seen
/// there is there.
pub struct Remembered(Mutex<LruCache<Key, Kept>>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED_MAX)))
    }
}

impl Remembered {
    fn get(&self, key: &Key) -> Option<Kept> {
        self.0.lock().ok()?.get(key).cloned()
    }

    fn put(&self, key: Key, kept: Kept) {
        if let Ok(mut remembered) = self.0.lock() {
            remembered.put(key, kept);
        }
    }
}

/// Whether a sketch had to be written.
#[derive(Debug, Clone)]
pub enum Merged {
    Written(Kept),
    Unchanged(Kept),
}

/// Merges users into their sketches; asks nothing of those that are known to have them all.
pub async fn merge<T: Table + Sync>(
    table: &T,
    remembered: &Remembered,
    seen: &[Seen],
    deadline: Instant,
) -> Followed<Merged> {
    let courses = seen
        .iter()
        .filter_map(|seen| Merging::begin(seen, remembered));
    let courses: Vec<_> = courses.collect();
    let keys: Vec<_> = courses.iter().map(|course| &course.seen.key).collect();
    let followed = follow(table, courses, deadline).await;
    for (key, merged) in keys.into_iter().zip(&followed.asked.answers) {
        if let Some(Merged::Written(kept) | Merged::Unchanged(kept)) = merged {
            remembered.put(key.clone(), kept.clone());
        }
    }
    followed
}

/// Users on their way into a sketch.
#[derive(Clone)]
struct Merging<'a> {
    seen: &'a Seen,
    ask: Ask,
}

#[derive(Clone)]
enum Ask {
    Read,
    Insert,
    /// Write this in place of the version before it.
    Replace(Kept),
}

impl Course for Merging<'_> {
    type End = Merged;

    fn statement(&self) -> Statement {
        let action = match &self.ask {
            Ask::Read => Action::Read,
            Ask::Insert => {
                let mut item: Item = self.first().attributes().into();
                let ttl = self.seen.ttl_seconds;
                item.extend(ttl.map(|ttl| (TTL.to_owned(), Value::Number(ttl))));
                Action::Insert(item)
            }
            Ask::Replace(next) => Action::Update {
                changes: next
                    .attributes()
                    .map(|(name, value)| (name, Change::Set(value)))
                    .into(),
                on: Condition {
                    attribute: VERSION.to_owned(),
                    is: Is::Equal(Value::Number(next.version - 1)),
                },
            },
        };
        Statement {
            key: self.seen.key.clone(),
            action,
        }
    }

    fn follow(self, outcome: Outcome) -> Reply<Self, Merged> {
        match (outcome, &self.ask) {
            (Outcome::Done, Ask::Replace(next)) => Reply::Answered(Merged::Written(next.clone())),
            (Outcome::Done, _) => Reply::Answered(Merged::Written(self.first())),
            (Outcome::Found(None) | Outcome::Refused(None), _) => self.next(Ask::Insert),
            (Outcome::Found(Some(item)) | Outcome::Refused(Some(item)), _) => {
                self.merge_with(&item)
            }
            (Outcome::Exists, _) => self.next(Ask::Read),
        }
    }
}

impl<'a> Merging<'a> {
    /// None where what is remembered has all of them.
    fn begin(seen: &'a Seen, remembered: &Remembered) -> Option<Self> {
        let ask = match remembered.get(&seen.key) {
            Some(kept) => Ask::Replace(kept.with(seen)?),
            None => Ask::Read,
        };
        Some(Self { seen, ask })
    }

    fn first(&self) -> Kept {
        Kept {
            users: self.seen.users.clone(),
            version: 1,
        }
    }

    fn next(self, ask: Ask) -> Reply<Self, Merged> {
        Reply::Next(Self { ask, ..self })
    }

    fn merge_with(self, item: &Item) -> Reply<Self, Merged> {
        let Some(kept) = Kept::read(item) else {
            return Reply::Failed(self, Failure::senseless("users without a sketch"));
        };
        match kept.with(self.seen) {
            None => Reply::Answered(Merged::Unchanged(kept)),
            Some(next) => self.next(Ask::Replace(next)),
        }
    }
}

/// An item of one user, which says that the user was there.
#[derive(Debug, Clone)]
pub struct Marker {
    pub key: Key,
    pub ttl_seconds: Option<u64>,
}

/// Writes the markers that are not there; which were new.
pub async fn mark<T: Table + Sync>(
    table: &T,
    markers: &[Marker],
    deadline: Instant,
) -> Followed<bool> {
    follow(table, markers.iter().collect(), deadline).await
}

impl Course for &Marker {
    type End = bool;

    fn statement(&self) -> Statement {
        let ttl = self.ttl_seconds;
        let item = ttl.map(|ttl| (TTL.to_owned(), Value::Number(ttl)));
        Statement {
            key: self.key.clone(),
            action: Action::Insert(item.into_iter().collect()),
        }
    }

    fn follow(self, outcome: Outcome) -> Reply<Self, bool> {
        Reply::Answered(outcome == Outcome::Done)
    }
}
