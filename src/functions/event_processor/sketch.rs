//! Unique users in few bytes: which there are while they are few, then a sketch that estimates them.
//! The same users have the same bytes, in whatever order and however often they came.

use std::collections::BTreeSet;

use datasketches::cpc::{CpcSketch, CpcUnion};
use xxhash_rust::xxh3::xxh3_64;

/// The most users that are kept one by one.
const EXACT_MAX: usize = 96;
const LG_K: u8 = 11;

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
    Estimated(Box<CpcUnion>),
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
        sketch.add(users.into_iter().collect());
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
                let mut union = union()?;
                union.update(&sketch).map_err(|_| SketchUnreadable)?;
                Ok(Self(Seen::Estimated(Box::new(union))))
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
            // What a union gives depends on who was seen alone, unlike what a sketch has learned.
            Seen::Estimated(union) => [&[CPC][..], &union.to_sketch().serialize()].concat(),
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
            Seen::Estimated(union) => union.to_sketch().estimate().round() as u64,
        }
    }

    /// Adds whoever the other has seen.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (_, Seen::Exact(users)) => self.add(users.clone()),
            (Seen::Estimated(union), Seen::Estimated(other)) => unite(union, &other.to_sketch()),
            (Seen::Exact(users), Seen::Estimated(_)) => {
                let users = std::mem::take(users);
                self.0.clone_from(&other.0);
                self.add(users);
            }
        }
    }

    fn add(&mut self, users: BTreeSet<u64>) {
        match &mut self.0 {
            Seen::Exact(seen) => {
                seen.extend(users);
                if seen.len() > EXACT_MAX
                    && let Ok(mut union) = union()
                {
                    unite(&mut union, &sketch_of(std::mem::take(seen)));
                    self.0 = Seen::Estimated(Box::new(union));
                }
            }
            Seen::Estimated(union) => unite(union, &sketch_of(users)),
        }
    }
}

fn union() -> Result<CpcUnion, SketchUnreadable> {
    CpcUnion::new(LG_K).map_err(|_| SketchUnreadable)
}

fn sketch_of(users: BTreeSet<u64>) -> CpcSketch {
    let mut sketch = CpcSketch::default();
    for user in users {
        sketch.update(user);
    }
    sketch
}

/// Sketches of one seed always unite.
fn unite(union: &mut CpcUnion, sketch: &CpcSketch) {
    let united = union.update(sketch);
    debug_assert!(united.is_ok(), "a seed of its own");
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
        assert_eq!(CpcSketch::default().lg_k(), LG_K);
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
                    all.merge(part);
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
