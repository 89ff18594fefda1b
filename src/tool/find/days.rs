//! The days that are looked at.

use std::path::Path;

use chrono::{Days as DayCount, Months, NaiveDate};
use clap::Args;

use crate::tool::times::{midnight, read_time};

const DAY_MILLISECONDS: i64 = 86_400_000;

#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct SoughtDays {
    /// Only this day: 2026-11-20
    #[arg(long, value_name = "DATE", value_parser = read_time, conflicts_with_all = ["since", "until"])]
    day: Option<i64>,

    /// Only what is of then or later: 2026-11-20 or 2026-11-20T23:00:00Z
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    since: Option<i64>,

    /// Only what is of before then
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    until: Option<i64>,
}

impl SoughtDays {
    /// From the first millisecond on, and before the second; none is no bound.
    fn bounds(self) -> (Option<i64>, Option<i64>) {
        let day = self.day;
        let end = day.map(|day| day + DAY_MILLISECONDS);
        (day.or(self.since), end.or(self.until))
    }

    /// What is of no known time may be of any.
    pub(super) fn cover(self, milliseconds: Option<i64>) -> bool {
        let (since, until) = self.bounds();
        milliseconds.is_none_or(|time| {
            since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until)
        })
    }

    /// Whether a file may hold something of these days, by the folders that it lies in.
    pub(super) fn may_lie_in(self, name: &str) -> bool {
        let (since, until) = self.bounds();
        let Some((first, end)) = folder_days(name) else {
            return true;
        };
        since.is_none_or(|since| end > since) && until.is_none_or(|until| first < until)
    }
}

/// From which millisecond to which a folder holds what it holds: that of `year=`, and as far as they
/// are there `month=` and `day=`.
fn folder_days(name: &str) -> Option<(i64, i64)> {
    let part = |key: &str| {
        let mut parts = Path::new(name).iter().filter_map(|part| part.to_str());
        parts.find_map(|part| {
            part.strip_prefix(key)?
                .strip_prefix('=')?
                .parse::<u32>()
                .ok()
        })
    };
    let year = i32::try_from(part("year")?).ok()?;
    let (month, day) = (
        part("month"),
        part("day").filter(|_| part("month").is_some()),
    );
    let first = NaiveDate::from_ymd_opt(year, month.unwrap_or(1), day.unwrap_or(1))?;
    let end = match (month, day) {
        (_, Some(_)) => first.checked_add_days(DayCount::new(1)),
        (Some(_), None) => first.checked_add_months(Months::new(1)),
        (None, None) => first.checked_add_months(Months::new(12)),
    };
    Some((midnight(first), midnight(end?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(since: Option<&str>, until: Option<&str>) -> SoughtDays {
        let time = |text: Option<&str>| text.map(|text| read_time(text).unwrap());
        SoughtDays {
            day: None,
            since: time(since),
            until: time(until),
        }
    }

    #[test]
    fn a_folder_of_another_day_is_passed_over() {
        #[track_caller]
        fn check(name: &str, expected: bool) {
            let day = SoughtDays {
                day: Some(read_time("2026-11-20").unwrap()),
                ..SoughtDays::default()
            };
            assert_eq!(day.may_lie_in(name), expected, "{name}");
        }
        check("events/year=2026/month=11/day=20/a", true);
        check("events/year=2026/month=11/day=19/a", false);
        check("events/year=2026/month=11/day=21/a", false);
        check("events/year=2026/month=11/a", true);
        check("events/year=2026/month=10/a", false);
        check("events/year=2026/a", true);
        check("events/year=2025/day=20/a", false);
        check("events/month=10/day=19/a", true);
        check("events/year=x/a", true);
        check("dead-letters/a", true);
        let night = days(Some("2026-11-19T23:00:00Z"), Some("2026-11-20"));
        assert!(night.may_lie_in("year=2026/month=11/day=19/a"));
        assert!(!night.may_lie_in("year=2026/month=11/day=20/a"));
        assert!(days(None, None).may_lie_in("year=2026/a"));
    }

    #[test]
    fn what_is_of_no_known_time_may_be_of_any() {
        let from = days(Some("1970-01-02"), None);
        for (time, expected) in [(None, true), (Some(0), false), (Some(86_400_000), true)] {
            assert_eq!(from.cover(time), expected, "{time:?}");
        }
        let until = days(None, Some("1970-01-02"));
        assert!(until.cover(Some(86_399_999)) && !until.cover(Some(86_400_000)));
    }
}
