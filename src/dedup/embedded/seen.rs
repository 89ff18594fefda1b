//! Which keys have no claim for certain, so that what is new need not be looked for.

/// Four megabytes, however many keys there are: of 2 million, one new key in a hundred is looked
/// for in vain.
const WORDS: usize = 1 << 19;

/// Two bits a key, in one word.
#[derive(Default)]
pub(super) struct Seen {
    /// None where nothing is known.
    words: Vec<u64>,
}

impl Seen {
    /// Of a store that has no claim yet.
    pub(super) fn nothing() -> Self {
        Self {
            words: vec![0; WORDS],
        }
    }

    /// Adds a key, which ends in a hash; whether it may have been there.
    pub(super) fn add(&mut self, key: &[u8; 16]) -> bool {
        let hash = key.last_chunk().copied().map_or(0, u64::from_be_bytes);
        let bits = 1 << (hash >> 58) | 1 << (hash >> 52 & 63);
        let place = usize::try_from(hash % WORDS as u64).unwrap_or_default();
        match self.words.get_mut(place) {
            Some(word) => {
                let is_new = *word & bits != bits;
                *word |= bits;
                !is_new
            }
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> [u8; 16] {
        xxhash_rust::xxh3::xxh3_128(&number.to_be_bytes()).to_be_bytes()
    }

    #[test]
    fn what_was_added_is_there_and_hardly_anything_else() {
        let mut seen = Seen::nothing();
        let found = (0..100_000)
            .filter(|number| seen.add(&key(*number)))
            .count();
        assert!(found < 100, "{found} of 100,000 new keys");
        assert!((0..100_000).all(|number| seen.add(&key(number))));
    }

    #[test]
    fn where_nothing_is_known_every_key_may_be_there() {
        assert!(Seen::default().add(&key(1)));
    }
}
