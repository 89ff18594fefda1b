//! What a table of counters says, put together: the items of one counter added up over its slots,
//! its users united.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    counters::COUNT,
    key::{Named, Subject},
    sketch::Sketch,
    table::{Item, Key, Value},
    users::Kept,
};

/// Counters and their users.
#[derive(Debug, Default)]
pub struct Readings(pub BTreeMap<Subject, Reading>);

/// What is said of one counter.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    pub events: u64,
    sketch: Sketch,
    /// Who has an item each.
    marked: BTreeSet<u64>,
}

/// An item that is named as ours says nothing that can be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the item {partition} {sort} cannot be read; was it written by another program?")]
pub struct ItemUnreadable {
    partition: String,
    sort: String,
}

impl ItemUnreadable {
    fn at(key: &Key) -> Self {
        Self {
            partition: key.partition.clone(),
            sort: key.sort.clone(),
        }
    }
}

/// What a counter's item has counted.
pub fn events(key: &Key, item: &Item) -> Result<u64, ItemUnreadable> {
    let events = item.get(COUNT).and_then(Value::number);
    events.ok_or_else(|| ItemUnreadable::at(key))
}

impl Readings {
    /// Adds an item; passes one that is neither a counter's nor its users'.
    pub fn add(&mut self, key: &Key, item: &Item) -> Result<(), ItemUnreadable> {
        match Named::read(key) {
            None => {}
            Some(Named::Counter(subject)) => self.of(subject).events += events(key, item)?,
            Some(Named::Sketch(subject)) => {
                let kept = Kept::read(item).ok_or_else(|| ItemUnreadable::at(key))?;
                self.of(subject).sketch.merge(&kept.users);
            }
            Some(Named::Marker(subject, user)) => {
                self.of(subject).marked.insert(user);
            }
        }
        Ok(())
    }

    fn of(&mut self, subject: Subject) -> &mut Reading {
        self.0.entry(subject).or_default()
    }
}

impl Reading {
    /// Adds another counter's, as of another event type or another hour.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.sketch.merge(&other.sketch);
        self.marked.extend(&other.marked);
    }

    /// How many users there are: exact where each has an item.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.sketch.users().max(self.marked.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::event_processor::sketch::user_hash;

    fn subject(event_type: &str) -> Subject {
        Subject {
            experiment: "checkout".to_owned(),
            variant: "B".to_owned(),
            event_type: event_type.to_owned(),
            window: "2024-12-19".parse().unwrap(),
        }
    }

    fn counted(events: u64) -> Item {
        Item::from([(COUNT.to_owned(), Value::Number(events))])
    }

    fn sketch(users: std::ops::Range<u64>) -> Item {
        let users = users
            .map(|user| user_hash(&user.to_string()))
            .collect::<Sketch>();
        Item::from([
            ("sketch".to_owned(), Value::Bytes(users.to_bytes())),
            ("version".to_owned(), Value::Number(1)),
        ])
    }

    #[test]
    fn slots_are_added_up_and_users_united() {
        let mut readings = Readings::default();
        let view = subject("view");
        let bought = subject("purchase");
        for (key, item) in [
            (view.counter(0), counted(7)),
            (view.counter(3), counted(5)),
            (view.sketch(0), sketch(0..10)),
            (view.sketch(3), sketch(5..20)),
            (bought.counter(0), counted(1)),
            (bought.marker(1), Item::new()),
            (bought.marker(2), Item::new()),
        ] {
            readings.add(&key, &item).unwrap();
        }
        let [of_view, of_bought] = [&view, &bought].map(|subject| readings.0[subject].clone());
        assert_eq!((of_view.events, of_view.users()), (12, 20));
        assert_eq!((of_bought.events, of_bought.users()), (1, 2));
        let mut all = of_view;
        all.merge(&of_bought);
        assert_eq!(all.events, 13);
    }

    #[test]
    fn an_item_of_another_kind_is_passed_and_one_that_is_broken_is_named() {
        let mut readings = Readings::default();
        let ledger = Key {
            partition: "ledger#2d06#0".to_owned(),
            sort: "ledger".to_owned(),
        };
        readings.add(&ledger, &Item::new()).unwrap();
        let view = subject("view");
        for key in [view.counter(0), view.sketch(0)] {
            let error = readings.add(&key, &Item::new()).unwrap_err().to_string();
            assert!(error.contains(&key.sort), "{error}");
        }
    }
}
