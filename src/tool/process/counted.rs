//! Counters and users as a table holds them, read back: what is spread over slots is one again.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::functions::event_processor::{
    key::{Named, Subject},
    readings::events,
    sketch::Sketch,
    table::{Item, Key},
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
            Some(Named::Counter(subject)) => self.of(subject).events += events(key, item)?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::event_processor::{counters::COUNT, table::Value};

    #[test]
    fn a_counter_without_a_number_is_named_and_not_read_as_none() {
        let subject = Subject {
            experiment: "x".to_owned(),
            variant: "B".to_owned(),
            event_type: "view".to_owned(),
            window: "2024-12-19".parse().unwrap(),
        };
        let item = |count| Item::from([(COUNT.to_owned(), count)]);
        let read = |item| Counted::read([Ok((subject.counter(0), item))].into_iter());
        let counted = read(item(Value::Number(5))).unwrap();
        assert_eq!(counted.0[&subject].events, 5);
        // As DynamoDB's -5 and 1.5 are read: no number of ours.
        for broken in [Item::new(), item(Value::Bytes(vec![5]))] {
            let error = read(broken).unwrap_err().to_string();
            assert!(error.contains("event_type#view cannot be read"), "{error}");
        }
    }
}
