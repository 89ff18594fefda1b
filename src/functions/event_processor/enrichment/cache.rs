//! What a warm function remembers: so many things, each so long, and that a thing is not there for
//! a shorter time. Its clock is an argument.

use std::{hash::Hash, num::NonZeroUsize, time::Duration};

use lru::LruCache;
use tokio::time::Instant;

/// How long something is remembered; none is until others need its room.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    pub found: Option<Duration>,
    pub missing: Option<Duration>,
}

pub struct Cache<K: Hash + Eq, V> {
    known: LruCache<K, Known<V>>,
    lifetimes: Lifetimes,
}

struct Known<V> {
    value: Option<V>,
    until: Option<Instant>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    #[must_use]
    pub fn new(most: NonZeroUsize, lifetimes: Lifetimes) -> Self {
        Self {
            known: LruCache::new(most),
            lifetimes,
        }
    }

    /// What is known of it; `Some(None)` is that it is not there.
    pub fn get(&mut self, key: &K, now: Instant) -> Option<Option<V>> {
        let known = self.known.get(key)?;
        let is_fresh = known.until.is_none_or(|until| now < until);
        is_fresh.then(|| known.value.clone())
    }

    pub fn put(&mut self, key: K, value: Option<V>, now: Instant) {
        let lifetime = match value {
            Some(_) => self.lifetimes.found,
            None => self.lifetimes.missing,
        };
        let until = lifetime.map(|lifetime| now + lifetime);
        self.known.put(key, Known { value, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn cache(most: usize, found: Option<Duration>) -> Cache<u32, &'static str> {
        let missing = Some(MINUTE / 2);
        let most = NonZeroUsize::new(most).unwrap();
        Cache::new(most, Lifetimes { found, missing })
    }

    #[test]
    fn what_is_found_and_what_is_not_expire_in_their_time() {
        let start = Instant::now();
        let mut cache = cache(2, Some(MINUTE));
        cache.put(1, Some("a"), start);
        cache.put(2, None, start);
        let mut check = |after: Duration, expected: [Option<Option<&'static str>>; 2]| {
            let now = start + after;
            assert_eq!(
                [cache.get(&1, now), cache.get(&2, now)],
                expected,
                "{after:?}"
            );
        };
        check(Duration::ZERO, [Some(Some("a")), Some(None)]);
        check(Duration::from_millis(29_999), [Some(Some("a")), Some(None)]);
        check(MINUTE / 2, [Some(Some("a")), None]);
        check(MINUTE, [None, None]);
    }

    #[test]
    fn what_was_not_asked_for_the_longest_time_goes_first() {
        let now = Instant::now();
        let mut cache = cache(2, None);
        cache.put(1, Some("a"), now);
        cache.put(2, Some("b"), now);
        assert_eq!(cache.get(&1, now), Some(Some("a")));
        cache.put(3, Some("c"), now);
        assert_eq!(cache.get(&2, now), None);
        assert_eq!(cache.get(&1, now + MINUTE * 60), Some(Some("a")));
        cache.put(1, Some("d"), now);
        assert_eq!(cache.get(&1, now), Some(Some("d")));
    }
}
