//! How often numbers of each size occur.

use crate::{
    local::firehose::picture::spread::Spread,
    tool::page::{
        chart::{Plot, Scale, Shapes, Stack, Tick, one_two_five},
        figures::{Amount, Measure, Unit, ratio},
    },
};

/// Numbers that are more than so many times apart are drawn in columns that grow.
const NEAR: u64 = 8;
const EVEN_COLUMNS_MIN: usize = 7;
const EVEN_COLUMNS_MAX: u64 = 12;

pub(super) struct Histogram {
    pub(super) spread: Spread,
    /// What each number is of.
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) class: &'static str,
}

impl Histogram {
    pub(super) fn plot(&self) -> Plot {
        let bounds = self.bounds();
        let mut counts = vec![0; bounds.len().saturating_sub(1)];
        for (number, count) in self.spread.counts() {
            let column = bounds
                .partition_point(|bound| *bound <= number)
                .saturating_sub(1);
            if let Some(sum) = counts.get_mut(column) {
                *sum += count;
            }
        }
        let scale = Scale::to(
            counts.iter().copied().max().unwrap_or_default(),
            Unit::Count,
        );
        let columns = bounds.windows(2).zip(&counts);
        Plot {
            label: self.label(),
            scale,
            ticks: self.ticks(&bounds),
            shapes: Shapes {
                layers: vec![self.class],
                columns: columns
                    .map(|(bounds, count)| self.column(bounds, *count))
                    .collect(),
                top: scale.top,
            },
        }
    }

    fn column(&self, bounds: &[u64], count: u64) -> Stack {
        let bounds: Vec<_> = bounds
            .iter()
            .map(|bound| Measure(*bound, self.unit).to_string())
            .collect();
        Stack {
            title: format!("{}\n{}", bounds.join(" to "), Amount(count, self.name)),
            counts: vec![count],
        }
    }

    fn label(&self) -> String {
        let spread = &self.spread;
        let [half, largest] =
            [spread.percentile(50), spread.largest].map(|number| Measure(number, self.unit));
        format!(
            "{}: half have {half} or less, the largest has {largest}",
            Amount(spread.numbers, self.name)
        )
    }

    /// Where columns begin, and where the last one ends.
    fn bounds(&self) -> Vec<u64> {
        let mut numbers = self.spread.counts().map(|(number, _)| number);
        let Some(smallest) = numbers.next() else {
            return Vec::new();
        };
        let largest = numbers.next_back().unwrap_or(smallest);
        if largest / NEAR <= smallest {
            even(smallest, largest)
        } else {
            growing(smallest, largest)
        }
    }

    /// Few enough for a narrow page.
    fn ticks(&self, bounds: &[u64]) -> Vec<Tick> {
        let columns = bounds.len().saturating_sub(1);
        let is_even = bounds
            .windows(3)
            .all(|three| matches!(three, [a, b, c] if b - a == c - b));
        let is_told = |(column, bound): (usize, u64)| match columns {
            ..5 => true,
            _ if is_even => column % 2 == 0,
            _ => bound == 0 || bound.to_string().starts_with('1'),
        };
        let told = bounds
            .iter()
            .copied()
            .enumerate()
            .filter(|column| is_told(*column));
        told.map(|(column, bound)| Tick {
            percent: 100.0 * ratio(column as u64, columns as u64),
            text: Measure(bound, self.unit).to_string(),
        })
        .collect()
    }
}

/// Shapes of one width, none narrower than what a spread tells apart.
fn even(smallest: u64, largest: u64) -> Vec<u64> {
    let told_apart = 10_u64.pow(largest.max(1).ilog10().saturating_sub(1));
    let is_wide =
        |step: &u64| *step >= told_apart && (largest - smallest) / step < EVEN_COLUMNS_MAX - 1;
    let step = one_two_five().find(is_wide).unwrap_or(told_apart);
    let (mut first, mut last) = (smallest / step, largest / step + 1);
    while last - first < EVEN_COLUMNS_MIN as u64 {
        first = first.saturating_sub(1);
        last += 1;
    }
    (first..=last).map(|bound| bound * step).collect()
}

/// 0, 1, 2, 5, 10, 20, 50 and so on.
fn growing(smallest: u64, largest: u64) -> Vec<u64> {
    let bounds: Vec<_> = [0].into_iter().chain(one_two_five()).collect();
    let first = bounds
        .partition_point(|bound| *bound <= smallest)
        .saturating_sub(1);
    let last = bounds.partition_point(|bound| *bound <= largest);
    bounds.get(first..=last).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(numbers: &[u64], bounds: &[u64], counts: &[u64]) {
        let histogram = Histogram {
            spread: numbers.iter().copied().collect(),
            name: "file",
            unit: Unit::Bytes,
            class: "size",
        };
        assert_eq!(histogram.bounds(), bounds);
        let columns = histogram.plot().shapes.columns;
        let drawn: Vec<_> = columns.iter().map(|column| column.counts[0]).collect();
        assert_eq!(drawn, counts);
    }

    #[test]
    fn numbers_far_apart_are_in_columns_that_grow() {
        check(
            &[1, 1, 30, 99],
            &[1, 2, 5, 10, 20, 50, 100],
            &[2, 0, 0, 0, 1, 1],
        );
        check(&[0, 9], &[0, 1, 2, 5, 10], &[1, 0, 0, 1]);
    }

    #[test]
    fn numbers_that_are_near_are_in_even_columns() {
        check(
            &[640, 690, 741],
            &[640, 650, 660, 670, 680, 690, 700, 710, 720, 730, 740, 750],
            &[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        );
        check(
            &[10_000],
            &[7_000, 8_000, 9_000, 10_000, 11_000, 12_000, 13_000, 14_000],
            &[0, 0, 0, 1, 0, 0, 0],
        );
        check(&[0], &[0, 1, 2, 3, 4, 5, 6, 7], &[1, 0, 0, 0, 0, 0, 0]);
        check(&[], &[], &[]);
    }
}
