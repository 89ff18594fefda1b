//! Unique users in few bytes: which there are while they are few, then a sketch that estimates them.
//! The same users have the same bytes, in whatever order and however often they came.

use std::collections::BTreeSet;

use datasketches::cpc::{CpcSketch, CpcUnion};
use xxhash_rust::xxh3::xxh3_64;

/// The most users that are kept one by one.
const EXACT_MAX: usize = 96;

/// What a sketch's first byte says follows.
const EXACT: u8 = 1;
const CPC: u8 = 2;

/// What a user is counted by.
#[must_use]
pub fn user_hash(user_id: &str) -> u64 {
    xxh3_64(user_id.as_bytes())
}

/// Users who were seen.
#[derive(Debug, Clone)]
pub struct Sketch(Seen);

#[derive(Debug, Clone)]
enum Seen {
    Exact(BTreeSet<u64>),
    /// That a union has given, so that what it says depends on who was seen alone.
    Estimated(Box<CpcSketch>),
}

/// The bytes are no sketch.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no sketch of users that is known")]
pub struct SketchUnreadable;

impl Default for Sketch {
    fn default() -> Self {
        Self(Seen::Exact(BTreeSet::new()))
    }
}

impl FromIterator<u64> for Sketch {
    fn from_iter<I: IntoIterator<Item = u64>>(users: I) -> Self {
        let mut sketch = Self::default();
        sketch.add(users.into_iter());
        sketch
    }
}

impl Sketch {
    pub fn read(bytes: &[u8]) -> Result<Self, SketchUnreadable> {
        match bytes {
            [EXACT, hashes @ ..] => {
                let (hashes, rest) = hashes.as_chunks();
                let users: BTreeSet<_> = hashes
                    .iter()
                    .map(|hash| u64::from_be_bytes(*hash))
                    .collect();
                if rest.is_empty() && users.len() <= EXACT_MAX {
                    Ok(Self(Seen::Exact(users)))
                } else {
                    Err(SketchUnreadable)
                }
            }
            [CPC, sketch @ ..] => {
                let sketch = CpcSketch::deserialize(sketch).map_err(|_| SketchUnreadable)?;
                Ok(Self(Seen::Estimated(Box::new(sketch))))
            }
            _ => Err(SketchUnreadable),
        }
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Seen::Exact(users) => {
                let hashes = users.iter().flat_map(|user| user.to_be_bytes());
                std::iter::once(EXACT).chain(hashes).collect()
            }
            // A union sees anew which of a sketch's columns are full.
            Seen::Estimated(sketch) => [&[CPC][..], &unite([sketch]).serialize()].concat(),
        }
    }

    /// How many users there are: exact up to 96, then within about 1.7 %.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate is finite and not negative"
    )]
    pub fn users(&self) -> u64 {
        match &self.0 {
            Seen::Exact(users) => users.len() as u64,
            Seen::Estimated(sketch) => sketch.estimate().round() as u64,
        }
    }

    /// Adds whoever the other has seen; whether anything is new, and so in its bytes.
    pub fn merge(&mut self, other: &Self) -> bool {
        match (&mut self.0, &other.0) {
            (_, Seen::Exact(users)) => self.add(users.iter().copied()),
            (Seen::Estimated(sketch), Seen::Estimated(other)) => {
                let before = sketch.estimate();
                **sketch = unite([sketch, other]);
                sketch.estimate() > before
            }
            (Seen::Exact(users), Seen::Estimated(_)) => {
                let users = std::mem::take(users);
                self.0.clone_from(&other.0);
                self.add(users.into_iter());
                true
            }
        }
    }

    /// Whatever is new to a sketch raises its estimate.
    fn add(&mut self, users: impl Iterator<Item = u64>) -> bool {
        match &mut self.0 {
            Seen::Estimated(sketch) => {
                let before = sketch.estimate();
                update(sketch, users);
                sketch.estimate() > before
            }
            Seen::Exact(seen) => {
                let before = seen.len();
                seen.extend(users);
                let is_new = seen.len() > before;
                if seen.len() > EXACT_MAX {
                    let mut sketch = CpcSketch::default();
                    update(&mut sketch, std::mem::take(seen).into_iter());
                    self.0 = Seen::Estimated(Box::new(unite([&sketch])));
                }
                is_new
            }
        }
    }
}

fn update(sketch: &mut CpcSketch, users: impl Iterator<Item = u64>) {
    for user in users {
        sketch.update(user);
    }
}

fn unite<const N: usize>(sketches: [&CpcSketch; N]) -> CpcSketch {
    let mut union = CpcUnion::default();
    for sketch in sketches {
        let united = union.update(sketch);
        debug_assert!(united.is_ok(), "a seed of its own");
    }
    union.to_sketch()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn users(range: std::ops::Range<u64>) -> Sketch {
        range
            .map(|user| user_hash(&format!("user-{user}")))
            .collect()
    }

    #[test]
    fn up_to_96_users_are_kept_one_by_one_and_then_estimated() {
        for (number, kind, bytes) in [(0, EXACT, 1), (1, EXACT, 9), (96, EXACT, 769)] {
            let sketch = users(0..number);
            let written = sketch.to_bytes();
            assert_eq!((written[0], written.len()), (kind, bytes));
            assert_eq!(sketch.users(), number);
        }
        let sketch = users(0..97);
        assert_eq!(sketch.to_bytes()[0], CPC);
        assert!((95..=99).contains(&sketch.users()));
    }

    #[test]
    fn an_estimate_is_near_the_truth_and_its_bytes_are_few() {
        let mut sketch = Sketch::default();
        let mut before = 0;
        for number in [97, 200, 1_000, 10_000, 100_000, 1_000_000] {
            sketch.merge(&users(before..number));
            before = number;
            let off = sketch.users().abs_diff(number);
            assert!(off * 1000 <= number * 60, "{off} off at {number}");
            assert!(sketch.to_bytes().len() < 1_400);
        }
    }

    #[test]
    fn the_default_sketch_has_the_size_that_is_promised() {
        assert_eq!(
            (CpcSketch::default().lg_k(), CpcUnion::default().lg_k()),
            (11, 11)
        );
    }

    #[test]
    fn other_bytes_are_no_sketch() {
        for bytes in [
            &[][..],
            &[0],
            &[3],
            &[1, 0],
            &[2],
            &[2, 1, 2, 3],
            &[1; 1 + 8 * 97],
        ] {
            let read = Sketch::read(bytes).map(|sketch| sketch.users());
            // The same hash 97 times is one user.
            if bytes.len() < 100 {
                assert_eq!(read, Err(SketchUnreadable), "{bytes:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn bytes_depend_on_who_was_seen_alone(
            parts in prop::collection::vec((0..4_000_u64, 0..600_u64), 1..6),
        ) {
            let sketches: Vec<_> = parts.iter().map(|(start, length)| users(*start..start + length)).collect();
            let merged = |order: Vec<&Sketch>| {
                let mut all = Sketch::default();
                for part in order {
                    let before = all.to_bytes();
                    let is_new = all.merge(part);
                    assert_eq!(is_new, all.to_bytes() != before);
                    // Written and read between any two.
                    all = Sketch::read(&all.to_bytes()).unwrap();
                }
                all.to_bytes()
            };
            let once = merged(sketches.iter().collect());
            prop_assert_eq!(&once, &merged(sketches.iter().rev().collect()));
            prop_assert_eq!(&once, &merged(sketches.iter().chain(&sketches).collect()));
            let everyone: BTreeSet<u64> = parts.iter().flat_map(|(start, length)| *start..start + length).collect();
            let at_once: Sketch = everyone.into_iter().map(|user| user_hash(&format!("user-{user}"))).collect();
            prop_assert_eq!(&once, &at_once.to_bytes());
        }
    }
}
