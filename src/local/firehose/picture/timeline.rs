//! Delivered events by type and by the time they were created at. How finely time is cut follows
//! from how many cells that makes; how far it spans does not matter, so a bad clock does no harm.

mod line;

#[cfg(test)]
use std::collections::BTreeMap;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use line::Line;

/// Types are told apart up to this many; what comes then is counted together.
pub const TYPES_MAX: usize = 200;
/// Beyond, time is cut less finely: a page has room for fewer than a hundred columns.
const CELLS_MAX: usize = 8_192;

const DAY: i64 = 86_400;
/// Seconds of a cell: each divides the next. With the last, all types at all times are few enough.
const WIDTHS: [i64; 15] = [
    1,
    5,
    15,
    60,
    300,
    900,
    3_600,
    3 * 3_600,
    6 * 3_600,
    12 * 3_600,
    DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
    WIDEST,
];
const WIDEST: i64 = 109_200 * DAY;

/// Weeks begin on a Monday; the first second of 1970 lay in a Thursday.
pub const MONDAY: i64 = -3 * DAY;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// Which of the widths.
    width: usize,
    cells: usize,
    /// By type, as it is spelled in JSON.
    types: HashMap<String, Series, Xxh3DefaultBuilder>,
    /// Of all further types.
    pub others: Series,
    /// Delivered lines that say no type and time.
    pub untold: u64,
}

/// Events over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    pub events: u64,
    /// By cell, counted from a Monday.
    counts: HashMap<i64, u64, Xxh3DefaultBuilder>,
}

impl Timeline {
    /// Adds a line that was delivered.
    pub fn add(&mut self, line: &[u8]) {
        let Some(line) = Line::read(line) else {
            self.untold += 1;
            return;
        };
        let cell = (line.seconds - MONDAY).div_euclid(self.width_seconds());
        let is_new = match self.types.get_mut(line.event_type) {
            Some(series) => series.add(cell),
            None => self.begin(line.event_type).add(cell),
        };
        self.cells += usize::from(is_new);
        while self.cells > CELLS_MAX && self.width + 1 < WIDTHS.len() {
            self.coarsen();
        }
    }

    #[must_use]
    pub fn width_seconds(&self) -> i64 {
        WIDTHS.get(self.width).copied().unwrap_or(WIDEST)
    }

    /// Each type, the most frequent first.
    #[must_use]
    pub fn types(&self) -> Vec<(String, &Series)> {
        let types = self.types.iter();
        let mut types: Vec<_> = types
            .map(|(spelled, series)| (line::decoded(spelled), series))
            .collect();
        types.sort_by(|(one, a), (other, b)| b.events.cmp(&a.events).then(one.cmp(other)));
        types
    }

    /// Events of all types, by the second that their cell begins with.
    #[cfg(test)]
    fn counts(&self) -> BTreeMap<i64, u64> {
        let mut counts: HashMap<i64, u64, Xxh3DefaultBuilder> = HashMap::default();
        for series in self.types.values().chain([&self.others]) {
            for (second, count) in series.counts(self.width_seconds()) {
                *counts.entry(second).or_default() += count;
            }
        }
        counts.into_iter().collect()
    }

    fn begin(&mut self, event_type: &str) -> &mut Series {
        if self.types.len() < TYPES_MAX {
            self.types.entry(event_type.to_owned()).or_default()
        } else {
            &mut self.others
        }
    }

    fn coarsen(&mut self) {
        let before = self.width_seconds();
        self.width += 1;
        let factor = self.width_seconds() / before;
        let all = self.types.values_mut().chain([&mut self.others]);
        self.cells = all.map(|series| series.coarsen(factor)).sum();
    }
}

impl Series {
    /// By the second that a cell of this width begins with, in no order.
    pub fn counts(&self, width_seconds: i64) -> impl Iterator<Item = (i64, u64)> {
        let counts = self.counts.iter();
        counts.map(move |(cell, count)| (cell * width_seconds + MONDAY, *count))
    }

    /// Whether the cell is a new one.
    fn add(&mut self, cell: i64) -> bool {
        self.events += 1;
        let count = self.counts.entry(cell).or_default();
        *count += 1;
        *count == 1
    }

    /// How many cells are left.
    fn coarsen(&mut self, factor: i64) -> usize {
        for (cell, count) in std::mem::take(&mut self.counts) {
            *self.counts.entry(cell.div_euclid(factor)).or_default() += count;
        }
        self.counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_770_000_000;

    fn line(event_type: &str, second: i64) -> String {
        let time = chrono::DateTime::from_timestamp(second, 0).expect("a time");
        let time = time.format("%Y-%m-%dT%H:%M:%S.000000Z");
        format!(
            "{{\"event_type\":\"{event_type}\",\"event_subtype\":\"x\",\"created_datetime\":\"{time}\"}}\n"
        )
    }

    fn timeline(events: impl IntoIterator<Item = (String, i64)>) -> Timeline {
        let mut timeline = Timeline::default();
        for (event_type, second) in events {
            timeline.add(line(&event_type, second).as_bytes());
        }
        timeline
    }

    #[test]
    fn events_are_counted_by_type_and_second() {
        let events = [("a", START), ("b", START + 1), ("a", START), ("a", 0)];
        let mut timeline = timeline(events.map(|(name, second)| (name.to_owned(), second)));
        timeline.add(b"{}\n");
        let types = timeline.types();
        let totals: Vec<_> = types
            .iter()
            .map(|(name, series)| (name.as_str(), series.events))
            .collect();
        assert_eq!(totals, [("a", 3), ("b", 1)]);
        let counts = BTreeMap::from([(0, 1), (START, 2), (START + 1, 1)]);
        assert_eq!(timeline.counts(), counts);
        assert_eq!(timeline.untold, 1);
    }

    #[test]
    fn the_more_times_there_are_the_wider_a_cell_is_and_no_event_is_lost() {
        let timeline = timeline(
            (START..)
                .take(CELLS_MAX + 10)
                .map(|second| ("a".to_owned(), second)),
        );
        assert_eq!(timeline.width_seconds(), 5);
        let counts = timeline.counts();
        assert_eq!(counts.values().sum::<u64>(), CELLS_MAX as u64 + 10);
        assert_eq!(counts.first_key_value(), Some((&START, &5)));
    }

    #[test]
    fn one_event_with_a_bad_clock_makes_no_cell_wider() {
        let seconds = (0..8_000)
            .map(|second| START + second)
            .chain([0, 253_402_300_799]);
        let timeline = timeline(seconds.map(|second| ("a".to_owned(), second)));
        assert_eq!(timeline.width_seconds(), 1);
        assert_eq!(timeline.counts().len(), 8_002);
    }

    #[test]
    fn any_types_at_any_times_need_little_room() {
        let mut random = 1_i64;
        let events = (0..200_000_i64).map(|number| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (
                format!("t{}", number % 1_000),
                random.rem_euclid(253_402_300_800),
            )
        });
        let timeline = timeline(events);
        assert!(timeline.cells <= CELLS_MAX, "{}", timeline.cells);
        assert_eq!(timeline.types.len(), TYPES_MAX);
        assert_eq!(timeline.others.events, 160_000);
        assert_eq!(timeline.counts().values().sum::<u64>(), 200_000);
        let json = serde_json::to_vec(&timeline).expect("JSON");
        assert!(json.len() < 2_000_000, "{}", json.len());
    }

    #[test]
    fn weeks_begin_on_a_monday() {
        let mut timeline = timeline([("a".to_owned(), START)]);
        while timeline.width_seconds() < 7 * DAY {
            timeline.coarsen();
        }
        let second = *timeline.counts().first_key_value().expect("a count").0;
        let day = chrono::DateTime::from_timestamp(second, 0).expect("a time");
        assert_eq!(day.format("%a %H:%M:%S").to_string(), "Mon 00:00:00");
    }
}
