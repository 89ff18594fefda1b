//! The hours and days in which events are counted, in UTC.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;

use crate::instant::Calendar;

const SECONDS_PER_HOUR: i64 = 3600;

/// How long a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    Hour,
    Day,
}

impl Span {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    #[must_use]
    pub fn seconds(self) -> u64 {
        match self {
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }
}

/// An hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    year: u32,
    month: u32,
    day: u32,
    /// None for a day.
    hour: Option<u32>,
}

impl Window {
    #[must_use]
    pub fn of(span: Span, calendar: &Calendar) -> Self {
        let Calendar {
            year, month, day, ..
        } = *calendar;
        Self {
            year,
            month,
            day,
            hour: (span == Span::Hour).then_some(calendar.hour),
        }
    }

    #[must_use]
    pub fn span(self) -> Span {
        match self.hour {
            Some(_) => Span::Hour,
            None => Span::Day,
        }
    }

    /// `year=YYYY/month=MM/day=DD/hour=HH/`, of a day without its hour.
    #[must_use]
    pub fn path(self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        let hour = self.hour.map(|hour| format!("hour={hour:02}/"));
        format!(
            "year={year:04}/month={month:02}/day={day:02}/{}",
            hour.unwrap_or_default()
        )
    }

    /// Its day, which may be itself.
    #[must_use]
    pub fn day(self) -> Self {
        Self { hour: None, ..self }
    }

    #[must_use]
    pub fn begin_seconds(self) -> u64 {
        self.end_seconds().saturating_sub(self.span().seconds())
    }

    /// The first second that is not in it.
    #[must_use]
    pub fn end_seconds(self) -> u64 {
        let date = i32::try_from(self.year)
            .ok()
            .and_then(|year| NaiveDate::from_ymd_opt(year, self.month, self.day));
        let midnight = date.unwrap_or_default().and_time(chrono::NaiveTime::MIN);
        let hours = self.hour.map_or(24, |hour| i64::from(hour) + 1);
        let end = midnight.and_utc().timestamp() + hours * SECONDS_PER_HOUR;
        u64::try_from(end).unwrap_or_default()
    }
}

/// `2024-12-19-23`, and `2024-12-19` for a day.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        self.hour.map_or(Ok(()), |hour| write!(f, "-{hour:02}"))
    }
}

/// The text is no window.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no hour like 2024-12-19-23 and no day like 2024-12-19")]
pub struct NoWindow;

impl FromStr for Window {
    type Err = NoWindow;

    fn from_str(text: &str) -> Result<Self, NoWindow> {
        let numbers: Result<Vec<u32>, _> = text.split('-').map(str::parse).collect();
        let (year, month, day, hour) = match *numbers.map_err(|_| NoWindow)? {
            [year, month, day] => (year, month, day, None),
            [year, month, day, hour] => (year, month, day, Some(hour)),
            _ => return Err(NoWindow),
        };
        let window = Self {
            year,
            month,
            day,
            hour,
        };
        // Only what is written back as it was read is one.
        let is_hour = hour.is_none_or(|hour| hour < 24);
        let date = i32::try_from(year)
            .ok()
            .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
        if date.is_some() && is_hour && window.to_string() == text {
            Ok(window)
        } else {
            Err(NoWindow)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::Instant;

    #[track_caller]
    fn check(time: &str, hour: &str, day: &str) {
        let calendar = Instant::from_text(time).unwrap().calendar();
        for (span, expected) in [(Span::Hour, hour), (Span::Day, day)] {
            let window = Window::of(span, &calendar);
            assert_eq!(window.to_string(), expected, "{time}");
            assert_eq!(expected.parse(), Ok(window));
            assert_eq!(window.span(), span);
        }
    }

    #[test]
    fn an_event_is_in_the_hour_and_the_day_of_its_time_in_utc() {
        check(
            "2024-12-19T23:59:59.999999999Z",
            "2024-12-19-23",
            "2024-12-19",
        );
        check("2024-12-20T00:00:00Z", "2024-12-20-00", "2024-12-20");
        check("2024-12-31T23:30:00-01:00", "2025-01-01-00", "2025-01-01");
        check("2025-01-01T00:30:00+01:00", "2024-12-31-23", "2024-12-31");
        check("2024-02-29T12:00:00", "2024-02-29-12", "2024-02-29");
        check("2024-03-01T05:44:59+05:45", "2024-02-29-23", "2024-02-29");
        check("2016-12-31T23:59:59Z", "2016-12-31-23", "2016-12-31");
        check("0", "1970-01-01-00", "1970-01-01");
        check("9999-12-31T23:59:59Z", "9999-12-31-23", "9999-12-31");
    }

    #[test]
    fn a_window_ends_with_its_last_second() {
        #[track_caller]
        fn check(window: &str, end: &str) {
            let end = Instant::from_text(end).unwrap().nanoseconds() / 1_000_000_000;
            let window: Window = window.parse().unwrap();
            assert_eq!(i128::from(window.end_seconds()), end, "{window}");
            let length = window.end_seconds() - window.begin_seconds();
            assert_eq!(length, window.span().seconds());
        }
        check("2024-12-19-23", "2024-12-20T00:00:00Z");
        check("2024-12-19-00", "2024-12-19T01:00:00Z");
        check("2024-12-31", "2025-01-01T00:00:00Z");
    }

    #[test]
    fn a_path_names_each_part() {
        let window: Window = "2024-02-09-03".parse().unwrap();
        assert_eq!(window.path(), "year=2024/month=02/day=09/hour=03/");
    }

    #[test]
    fn other_text_is_no_window() {
        for text in [
            "",
            "2024",
            "2024-12",
            "2024-1-2",
            "2024-12-19-24",
            "2024-02-30",
            "2024-12-19-1",
            "2024-12-19-01-00",
            "+024-12-19",
            "x-12-19",
        ] {
            assert_eq!(text.parse::<Window>(), Err(NoWindow), "{text}");
        }
    }
}
