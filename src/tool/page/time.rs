//! A time axis that shows where the events are: the few that lie far away are counted, not drawn.

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};

use super::{chart::Tick, figures::Second};
use crate::local::firehose::picture::timeline::MONDAY;

const COLUMNS_MAX: i64 = 96;
const COLUMNS_MIN: i64 = 12;
const TICKS_MAX: i64 = 8;
/// So much longer than where most events are is the whole, if only that is drawn.
const FAR: i64 = 16;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

#[rustfmt::skip]
const WIDTHS: [i64; 27] = [
    1, 5, 15, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR,
    12 * HOUR, DAY, 2 * DAY, WEEK, 2 * WEEK, 4 * WEEK, 8 * WEEK, 13 * WEEK, 26 * WEEK, 52 * WEEK,
    104 * WEEK, 260 * WEEK, 520 * WEEK, 5_200 * WEEK, 15_600 * WEEK,
];

#[rustfmt::skip]
const TICK_STEPS: [i64; 23] = [
    1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 4 * DAY, WEEK, 2 * WEEK,
];
const TICK_MONTHS: [u32; 12] = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 12_000];

/// Columns of one width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tool) struct TimeAxis {
    pub(in crate::tool) start: i64,
    pub(in crate::tool) width: i64,
    pub(in crate::tool) columns: i64,
    pub(in crate::tool) before: Option<Undrawn>,
    pub(in crate::tool) after: Option<Undrawn>,
}

/// Events that are not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) struct Undrawn {
    pub(in crate::tool) events: u64,
    /// The farthest of them.
    pub(in crate::tool) second: i64,
}

impl TimeAxis {
    /// For events by the second that their cell begins with; `None` without events.
    pub(in crate::tool) fn of(counts: &BTreeMap<i64, u64>, cell_seconds: i64) -> Option<Self> {
        let (first, last) = (*counts.keys().next()?, *counts.keys().next_back()?);
        let dense = densest(counts, cell_seconds);
        let dense_seconds = dense.end - dense.start;
        let mut shown = first..last + cell_seconds;
        if shown.end - shown.start > FAR * dense_seconds {
            let around = dense.start - dense_seconds / 2..dense.end + dense_seconds / 2;
            let inside = || counts.range(around.clone()).map(|(second, _)| *second);
            shown = inside().min()?..inside().max()? + cell_seconds;
        }
        let mut axis = Self::over(&shown, cell_seconds);
        axis.before = farthest(counts.range(..axis.start));
        axis.after = farthest(counts.range(axis.end()..).rev());
        Some(axis)
    }

    pub(in crate::tool) fn end(&self) -> i64 {
        self.start + self.width * self.columns
    }

    /// Which column a second lies in, if any.
    pub(in crate::tool) fn column(&self, second: i64) -> Option<usize> {
        let column = (second - self.start).div_euclid(self.width);
        usize::try_from(column)
            .ok()
            .filter(|_| column < self.columns)
    }

    /// Of its columns.
    pub(in crate::tool) fn numbers(&self) -> Range<usize> {
        0..usize::try_from(self.columns).unwrap_or_default()
    }

    /// The second that a column begins with.
    fn second(&self, column: usize) -> i64 {
        self.start + self.width * i64::try_from(column).unwrap_or_default()
    }

    /// The beginning of a column.
    pub(in crate::tool) fn name(&self, column: usize) -> String {
        self.name_of(self.second(column))
    }

    /// As finely as the axis is cut.
    pub(in crate::tool) fn name_of(&self, second: i64) -> String {
        let format = match self.width {
            ..MINUTE => "%-d %b %Y %H:%M:%S",
            MINUTE..DAY => "%-d %b %Y %H:%M",
            _ => "%-d %b %Y",
        };
        Second(second).formatted(format)
    }

    pub(in crate::tool) fn width_name(&self) -> String {
        let (number, unit) = match self.width {
            ..MINUTE => (self.width, "second"),
            MINUTE..HOUR => (self.width / MINUTE, "minute"),
            HOUR..DAY => (self.width / HOUR, "hour"),
            DAY..WEEK => (self.width / DAY, "day"),
            _ => (self.width / WEEK, "week"),
        };
        match number {
            1 => format!("1 {unit}"),
            _ => format!("{number} {unit}s"),
        }
    }

    pub(in crate::tool) fn ticks(&self) -> Vec<Tick> {
        let length = self.end() - self.start;
        let step = TICK_STEPS
            .into_iter()
            .find(|step| length / step <= TICKS_MAX);
        let ticks = match step {
            Some(step) => self.even_ticks(step),
            None => self.month_ticks(),
        };
        let place = |(second, text)| Tick {
            percent: percent(second - self.start, length),
            text,
        };
        ticks.into_iter().map(place).collect()
    }

    fn over(shown: &Range<i64>, cell_seconds: i64) -> Self {
        let covering = |width: i64| {
            let start = (shown.start - MONDAY).div_euclid(width) * width + MONDAY;
            (start, (shown.end - start + width - 1).div_euclid(width))
        };
        let mut widths = WIDTHS.into_iter().filter(|width| width % cell_seconds == 0);
        let width = widths.find(|width| covering(*width).1 <= COLUMNS_MAX);
        let width = width.unwrap_or(cell_seconds);
        let (start, columns) = covering(width);
        let missing = (COLUMNS_MIN - columns).max(0);
        Self {
            start: start - missing / 2 * width,
            width,
            columns: columns + missing,
            before: None,
            after: None,
        }
    }

    fn even_ticks(&self, step: i64) -> Vec<(i64, String)> {
        let first = (self.start - MONDAY + step - 1).div_euclid(step);
        let seconds = (first..).map(|tick| tick * step + MONDAY);
        let text = |second: i64| match step {
            DAY.. => "%-d %b",
            _ if second % DAY == 0 => "%-d %b",
            ..MINUTE => "%H:%M:%S",
            _ => "%H:%M",
        };
        seconds
            .take_while(|second| *second < self.end())
            .map(|second| (second, Second(second).formatted(text(second))))
            .collect()
    }

    fn month_ticks(&self) -> Vec<(i64, String)> {
        let mut ticks = Vec::new();
        for months in TICK_MONTHS {
            ticks = self.firsts(months);
            if i64::try_from(ticks.len()).is_ok_and(|ticks| ticks <= TICKS_MAX) {
                break;
            }
        }
        ticks
    }

    /// The first days of every so manieth month, counted from a January.
    fn firsts(&self, months: u32) -> Vec<(i64, String)> {
        let start = DateTime::<Utc>::from_timestamp(self.start, 0).unwrap_or_default();
        let years = i32::try_from(months.div_ceil(12)).unwrap_or(1);
        let year = start.year().div_euclid(years) * years;
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
        let format = if months < 12 { "%b %Y" } else { "%Y" };
        (0..)
            .map_while(|number: u32| first.checked_add_months(Months::new(number * months)))
            .map(|date| date.and_time(NaiveTime::MIN).and_utc().timestamp())
            .skip_while(|second| *second < self.start)
            .take_while(|second| *second < self.end())
            .map(|second| (second, Second(second).formatted(format)))
            .collect()
    }
}

/// The shortest time that has 95 of 100 events.
fn densest(counts: &BTreeMap<i64, u64>, cell_seconds: i64) -> Range<i64> {
    let wanted = (counts.values().sum::<u64>() * 95).div_ceil(100);
    let mut best: Option<Range<i64>> = None;
    let (mut starts, mut inside) = (counts.iter(), 0);
    for (second, count) in counts {
        inside += count;
        while inside >= wanted
            && let Some((start, first)) = starts.next()
        {
            let range = *start..second + cell_seconds;
            if best
                .as_ref()
                .is_none_or(|best| range.end - range.start < best.end - best.start)
            {
                best = Some(range);
            }
            inside -= first;
        }
    }
    best.unwrap_or_default()
}

/// The first is the farthest.
fn farthest<'a>(mut counts: impl Iterator<Item = (&'a i64, &'a u64)>) -> Option<Undrawn> {
    let (second, first) = counts.next()?;
    Some(Undrawn {
        events: first + counts.map(|(_, count)| count).sum::<u64>(),
        second: *second,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
fn percent(part: i64, whole: i64) -> f64 {
    100.0 * part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, 6 Feb 2025, 00:00.
    const START: i64 = 1_738_800_000;

    fn axis(counts: impl IntoIterator<Item = (i64, u64)>, cell: i64) -> TimeAxis {
        TimeAxis::of(&counts.into_iter().collect(), cell).expect("an axis")
    }

    fn drawn(axis: &TimeAxis, counts: &[(i64, u64)]) -> u64 {
        let inside = counts
            .iter()
            .filter(|(second, _)| axis.column(*second).is_some());
        inside.map(|(_, count)| count).sum()
    }

    #[track_caller]
    fn check_ticks(axis: &TimeAxis, expected: &[&str]) {
        let ticks = axis.ticks();
        let texts: Vec<_> = ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(texts, expected);
        assert!(
            ticks
                .iter()
                .all(|tick| (0.0..100.0).contains(&tick.percent))
        );
    }

    #[test]
    fn a_week_is_cut_into_hours() {
        let counts: Vec<_> = (0..7 * 24).map(|hour| (START + hour * HOUR, 5)).collect();
        let axis = axis(counts.clone(), HOUR);
        assert_eq!((axis.width_name().as_str(), axis.columns), ("2 hours", 84));
        assert_eq!(axis.name(1), "6 Feb 2025 02:00");
        assert_eq!(drawn(&axis, &counts), 7 * 24 * 5);
        check_ticks(
            &axis,
            &[
                "6 Feb", "7 Feb", "8 Feb", "9 Feb", "10 Feb", "11 Feb", "12 Feb",
            ],
        );
    }

    #[test]
    fn bad_clocks_do_not_flatten_the_rest_and_are_counted() {
        let day = (0..24).map(|hour| (START + hour * HOUR, 100));
        let far = [(0, 3), (DAY, 4), (253_402_300_000, 5)];
        let counts: Vec<_> = day.chain(far).collect();
        let axis = axis(counts.clone(), 1);
        assert_eq!(
            (axis.start, axis.end()),
            (START, START + DAY - HOUR + axis.width)
        );
        let before = Undrawn {
            events: 7,
            second: 0,
        };
        let after = Undrawn {
            events: 5,
            second: 253_402_300_000,
        };
        assert_eq!((axis.before, axis.after), (Some(before), Some(after)));
        assert_eq!(drawn(&axis, &counts), 2_400);
    }

    #[test]
    fn a_thin_beginning_is_drawn() {
        let counts: Vec<_> = (0..1_000)
            .map(|day: i64| (START + day * DAY, 1 + day.unsigned_abs()))
            .collect();
        let axis = axis(counts.clone(), DAY);
        assert_eq!((axis.before, axis.after), (None, None));
        assert_eq!(
            drawn(&axis, &counts),
            counts.iter().map(|(_, count)| count).sum::<u64>()
        );
        check_ticks(
            &axis,
            &["Jul 2025", "Jan 2026", "Jul 2026", "Jan 2027", "Jul 2027"],
        );
    }

    #[test]
    fn one_moment_is_one_column_with_room_around_it() {
        let axis = axis([(START, 9)], 1);
        assert_eq!((axis.columns, axis.column(START)), (12, Some(5)));
        assert_eq!(axis.ticks().len(), 6);
        assert_eq!(TimeAxis::of(&BTreeMap::new(), 1), None);
    }

    #[test]
    fn thousands_of_years_fit() {
        let counts: Vec<_> = (0..80).map(|century| (century * 36_400 * DAY, 1)).collect();
        let axis = axis(counts.clone(), 36_400 * DAY);
        assert_eq!(drawn(&axis, &counts), 80);
        assert!(axis.columns <= COLUMNS_MAX && !axis.ticks().is_empty());
    }
}
