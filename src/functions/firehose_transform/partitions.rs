//! How many partitions a batch may spread over.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// The distinct partitions of a batch, by their hash, up to a bound: none beyond it gets in, so
/// no sender can make the set large or slow.
#[derive(Debug)]
pub(super) struct Partitions {
    seen: HashTable<u64>,
    max: usize,
}

impl Partitions {
    pub(super) fn new(max: usize) -> Self {
        Self {
            seen: HashTable::new(),
            max,
        }
    }

    /// Whether the partition that has these keys is one of the first so many.
    pub(super) fn admit(&mut self, partition_keys: &[u8]) -> bool {
        let hash = xxh3_64(partition_keys);
        if self.seen.find(hash, |seen| *seen == hash).is_some() {
            return true;
        }
        let has_room = self.seen.len() < self.max;
        if has_room {
            self.seen.insert_unique(hash, hash, |seen| *seen);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_beyond_the_bound_is_not_admitted_and_the_others_still_are() {
        let mut partitions = Partitions::new(2);
        let admitted =
            ["a", "b", "a", "c", "b", "d", "c"].map(|keys| partitions.admit(keys.as_bytes()));
        assert_eq!(admitted, [true, true, true, false, true, false, false]);
    }
}
