//! Which days a column's dates touch, a bit each.

use std::collections::BTreeSet;

use crate::functions::star_schema::timestamp::{DAYS, year};

const WORD_BITS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Days(Vec<u64>);

impl Days {
    pub(super) fn touch(&mut self, days: &[i32]) {
        self.0.resize(DAYS.count().div_ceil(WORD_BITS), 0);
        for day in days {
            let Ok(index) = usize::try_from(day - DAYS.start()) else {
                continue;
            };
            if let Some(word) = self.0.get_mut(index / WORD_BITS) {
                *word |= 1 << (index % WORD_BITS);
            }
        }
    }

    pub(super) fn years(&self) -> BTreeSet<i32> {
        let touched = DAYS.enumerate().filter(|(index, _)| {
            let word = self.0.get(index / WORD_BITS).copied().unwrap_or_default();
            word & (1 << (index % WORD_BITS)) != 0
        });
        touched.map(|(_, day)| year(day)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_years_are_those_of_the_days() {
        let mut days = Days::default();
        assert!(days.years().is_empty());
        days.touch(&[*DAYS.start(), 0, -1]);
        days.touch(&[
            0,
            364,
            *DAYS.end(),
            *DAYS.end() + 1_000_000,
            i32::MIN + 30_000,
        ]);
        assert_eq!(Vec::from_iter(days.years()), [1900, 1969, 1970, 2199]);
    }
}
