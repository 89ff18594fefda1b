//! A run from its first batch to its last: what became of the records of each stretch, and how long
//! the function took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::spread::Spread;

/// When there are so many stretches, each becomes twice as long.
const STRETCHES_MAX: usize = 128;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Course {
    pub stretches: Vec<Stretch>,
    /// Batches of each stretch but the last.
    pub batches_each: u64,
    /// How long the function took for a batch, in microseconds.
    pub microseconds: Spread,
}

/// Batches that follow one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    pub batches: u64,
    pub tally: Tally,
    /// Of its slowest batch.
    pub microseconds_max: u64,
}

/// Records by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub delivered: u64,
    pub duplicates: u64,
    pub error_objects: u64,
}

impl Course {
    pub fn add_batch(&mut self, tally: Tally, took: Duration) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.add(microseconds);
        self.add(Stretch {
            batches: 1,
            tally,
            microseconds_max: microseconds,
        });
    }

    /// Of a record that no function has seen.
    pub fn add_too_large(&mut self) {
        self.add(Stretch {
            tally: Tally {
                error_objects: 1,
                ..Tally::default()
            },
            ..Stretch::default()
        });
    }

    fn add(&mut self, more: Stretch) {
        let batches_each = self.batches_each;
        match self.stretches.last_mut() {
            Some(last) if last.batches + more.batches <= batches_each => last.add(more),
            _ => self.begin(more),
        }
    }

    fn begin(&mut self, stretch: Stretch) {
        if self.stretches.len() >= STRETCHES_MAX {
            self.stretches = self.stretches.chunks(2).map(joined).collect();
            self.batches_each *= 2;
        }
        self.stretches.push(stretch);
    }
}

impl Default for Course {
    fn default() -> Self {
        Self {
            stretches: Vec::new(),
            batches_each: 1,
            microseconds: Spread::default(),
        }
    }
}

impl Stretch {
    fn add(&mut self, more: Self) {
        self.batches += more.batches;
        self.tally.add(more.tally);
        self.microseconds_max = self.microseconds_max.max(more.microseconds_max);
    }
}

impl Tally {
    #[must_use]
    pub fn records(self) -> u64 {
        self.delivered + self.duplicates + self.error_objects
    }

    /// What came since.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            delivered: self.delivered - before.delivered,
            duplicates: self.duplicates - before.duplicates,
            error_objects: self.error_objects - before.error_objects,
        }
    }

    fn add(&mut self, more: Self) {
        self.delivered += more.delivered;
        self.duplicates += more.duplicates;
        self.error_objects += more.error_objects;
    }
}

fn joined(stretches: &[Stretch]) -> Stretch {
    let mut joined = Stretch::default();
    for stretch in stretches {
        joined.add(*stretch);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(number: u64) -> Tally {
        Tally {
            delivered: number,
            duplicates: 1,
            error_objects: 0,
        }
    }

    #[test]
    fn a_long_run_has_longer_stretches_and_loses_no_record() {
        for batches in [0, 1, 127, 128, 129, 1_000, 70_000] {
            let mut course = Course::default();
            for number in 0..batches {
                course.add_batch(tally(number), Duration::from_micros(number));
            }
            let whole = joined(&course.stretches);
            assert_eq!(whole.batches, batches);
            assert_eq!(whole.tally.duplicates, batches);
            assert_eq!(whole.tally.delivered, (0..batches).sum::<u64>());
            assert_eq!(whole.microseconds_max, batches.saturating_sub(1));
            assert!(course.stretches.len() <= STRETCHES_MAX);
            let (_, full) = course.stretches.split_last().unwrap_or((&whole, &[]));
            assert!(
                full.iter()
                    .all(|stretch| stretch.batches == course.batches_each)
            );
        }
    }

    #[test]
    fn a_record_that_is_too_large_belongs_to_the_stretch_it_came_in() {
        let mut course = Course::default();
        course.add_too_large();
        course.add_batch(tally(5), Duration::ZERO);
        course.add_too_large();
        assert_eq!(course.stretches.len(), 1);
        assert_eq!(course.stretches[0].tally.error_objects, 2);
        assert_eq!(course.microseconds.numbers, 1);
    }
}
