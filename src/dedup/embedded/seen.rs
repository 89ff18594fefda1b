//! Which hashes no claim has for certain, so that what is new need not be looked for.

/// Four megabytes, however many hashes there are: of 2 million, one new one in a hundred is taken
/// for an old one.
const WORDS: usize = 1 << 19;

/// Two bits a hash, in one word.
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

    /// Adds a hash; whether it may have been there.
    pub(super) fn add(&mut self, hash: u64) -> bool {
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
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn hash(number: u64) -> u64 {
        xxh3_64(&number.to_be_bytes())
    }

    #[test]
    fn what_was_added_is_there_and_hardly_anything_else() {
        let mut seen = Seen::nothing();
        let found = (0..100_000)
            .filter(|number| seen.add(hash(*number)))
            .count();
        assert!(found < 100, "{found} of 100,000 new ones");
        assert!((0..100_000).all(|number| seen.add(hash(number))));
    }

    #[test]
    fn where_nothing_is_known_everything_may_be_there() {
        assert!(Seen::default().add(hash(1)));
    }
}
