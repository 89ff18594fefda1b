//! The identities of a batch's events, and which record was the first of each.

use std::{
    hash::{BuildHasher, RandomState},
    ops::Range,
};

use hashbrown::HashTable;

/// Distinct identities, one text behind the other.
#[derive(Debug)]
pub(super) struct Identities {
    texts: String,
    firsts: HashTable<First>,
    /// Its key is drawn anew for every batch: no sender can aim at it.
    hasher: RandomState,
}

#[derive(Debug)]
struct First {
    identity: Range<usize>,
    record: usize,
}

impl Identities {
    pub(super) fn with_capacity(records: usize, bytes: usize) -> Self {
        Self {
            texts: String::with_capacity(bytes),
            firsts: HashTable::with_capacity(records),
            hasher: RandomState::new(),
        }
    }

    /// Adds what is written. An error is the record that was the first of this identity.
    pub(super) fn add(
        &mut self,
        record: usize,
        write: impl FnOnce(&mut String),
    ) -> Result<Range<usize>, usize> {
        let start = self.texts.len();
        write(&mut self.texts);
        let identity = start..self.texts.len();
        let (texts, hasher) = (&self.texts, &self.hasher);
        let text = text(texts, &identity);
        let hash = hasher.hash_one(text);
        let is_same = |first: &First| self::text(texts, &first.identity) == text;
        if let Some(first) = self.firsts.find(hash, is_same) {
            let first = first.record;
            self.texts.truncate(start);
            return Err(first);
        }
        let first = First {
            identity: identity.clone(),
            record,
        };
        let hash_again = |first: &First| hasher.hash_one(self::text(texts, &first.identity));
        self.firsts.insert_unique(hash, first, hash_again);
        Ok(identity)
    }

    pub(super) fn get(&self, identity: &Range<usize>) -> &str {
        text(&self.texts, identity)
    }
}

fn text<'t>(texts: &'t str, range: &Range<usize>) -> &'t str {
    texts.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_an_identity_stands_for_all() {
        let mut identities = Identities::with_capacity(0, 0);
        let mut add = |record: usize, text: &str| identities.add(record, |out| out.push_str(text));
        let (one, other) = (add(0, "one").unwrap(), add(1, "other").unwrap());
        assert_eq!(add(2, "one"), Err(0));
        for record in 3..200 {
            add(record, &format!("{record}")).unwrap();
        }
        assert_eq!(add(200, "other"), Err(1));
        assert_eq!(add(201, "199"), Err(199));
        assert_eq!(identities.get(&one), "one");
        assert_eq!(identities.get(&other), "other");
    }
}
