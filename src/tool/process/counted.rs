//! Counters and users as a table holds them, read back: what is spread over slots is one again.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::functions::event_processor::{
    counters::COUNT,
    key::{Named, Subject},
    sketch::Sketch,
    table::{Item, Key, Value},
    users::Kept,
    window::Span,
};

/// Everything that was counted.
#[derive(Debug, Default)]
pub(super) struct Counted(pub(super) BTreeMap<Subject, Counter>);

#[derive(Debug, Default)]
pub(super) struct Counter {
    pub(super) events: u64,
    pub(super) users: Users,
}

/// Users as they are kept: estimated, or one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    sketch: Sketch,
    marked: BTreeSet<u64>,
}

impl Users {
    pub(super) fn merge(&mut self, other: &Self) {
        self.sketch.merge(&other.sketch);
        self.marked.extend(&other.marked);
    }

    pub(super) fn number(&self) -> u64 {
        if self.sketch.users() == 0 {
            return self.marked.len() as u64;
        }
        let mut all: Sketch = self.marked.iter().copied().collect();
        all.merge(&self.sketch);
        all.users()
    }
}

impl Counted {
    pub(super) fn read(items: impl Iterator<Item = Result<(Key, Item)>>) -> Result<Self> {
        let mut counted = Self::default();
        for item in items {
            let (key, item) = item?;
            counted.add(&key, &item)?;
        }
        Ok(counted)
    }

    fn add(&mut self, key: &Key, item: &Item) -> Result<()> {
        match Named::read(key) {
            None => {}
            Some(Named::Counter(subject)) => {
                let events = item.get(COUNT).and_then(Value::number);
                self.of(subject).events += events.unwrap_or_default();
            }
            Some(Named::Sketch(subject)) => {
                let kept = Kept::read(item).with_context(|| {
                    format!("the users at {} {} cannot be read", key.partition, key.sort)
                })?;
                self.of(subject).users.sketch.merge(&kept.users);
            }
            Some(Named::Marker(subject, user)) => {
                self.of(subject).users.marked.insert(user);
            }
        }
        Ok(())
    }

    fn of(&mut self, subject: Subject) -> &mut Counter {
        self.0.entry(subject).or_default()
    }

    /// Days, where they are counted at all: each event is in one of them.
    pub(super) fn span(&self) -> Span {
        if self.has(Span::Day) {
            Span::Day
        } else {
            Span::Hour
        }
    }

    /// The counters of hours, where they are counted at all.
    pub(super) fn finest(&self) -> (Span, impl Iterator<Item = (&Subject, &Counter)>) {
        let span = if self.has(Span::Hour) {
            Span::Hour
        } else {
            Span::Day
        };
        let counters = self.0.iter();
        let finest = counters.filter(move |(subject, _)| subject.window.span() == span);
        (span, finest)
    }

    fn has(&self, span: Span) -> bool {
        self.0.keys().any(|subject| subject.window.span() == span)
    }
}
