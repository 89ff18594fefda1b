//! How numbers are spread: each is kept by its two leading digits, so that any amount of them needs
//! little room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub numbers: u64,
    pub sum: u64,
    pub largest: u64,
    /// How often, by number without its lower digits.
    counts: BTreeMap<u64, u64>,
}

impl Spread {
    pub fn add(&mut self, number: u64) {
        self.numbers += 1;
        self.sum = self.sum.saturating_add(number);
        self.largest = self.largest.max(number);
        *self.counts.entry(leading(number)).or_default() += 1;
    }

    /// What so many in a hundred numbers do not exceed, to a tenth.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> u64 {
        let rank = (self.numbers * percent).div_ceil(100);
        let mut seen = 0;
        let found = self.counts.iter().find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        found.map_or(0, |(number, _)| *number)
    }

    /// Each number that occurs, without its lower digits, and how often.
    #[must_use]
    pub fn counts(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        self.counts.iter().map(|(number, count)| (*number, *count))
    }
}

impl FromIterator<u64> for Spread {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut spread = Self::default();
        for number in numbers {
            spread.add(number);
        }
        spread
    }
}

fn leading(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    number / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_two_leading_digits() {
        for (number, expected) in [
            (0, 0),
            (7, 7),
            (99, 99),
            (100, 100),
            (109, 100),
            (12_999, 12_000),
            (u64::MAX, 18_000_000_000_000_000_000),
        ] {
            assert_eq!(leading(number), expected);
        }
    }

    #[test]
    fn percentiles_are_near_and_the_largest_is_exact() {
        let spread: Spread = (1..=1_000).collect();
        assert_eq!(spread.percentile(50), 500);
        assert_eq!(spread.percentile(95), 950);
        assert_eq!((spread.largest, spread.sum), (1_000, 500_500));
        assert_eq!(Spread::default().percentile(50), 0);
    }

    #[test]
    fn any_numbers_need_little_room() {
        let mut number = 1_u64;
        let numbers = (0..100_000).map(|_| {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            number >> (number % 64)
        });
        assert!(numbers.collect::<Spread>().counts.len() < 1_800);
    }
}
