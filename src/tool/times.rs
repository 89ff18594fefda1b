//! Times that a person gives, and the moments that they are.

use anyhow::{Result, anyhow};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// RFC 3339, or a date: its first moment, in UTC. In epoch milliseconds.
pub(super) fn read_time(text: &str) -> Result<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_millis());
    }
    text.parse()
        .map(midnight)
        .map_err(|_| anyhow!("{text:?} is no time; write 2026-11-20 or 2026-11-20T23:00:00Z"))
}

/// A date's first moment, in UTC. In epoch milliseconds.
pub(super) fn midnight(date: NaiveDate) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_millis()
}

/// The moment so many milliseconds after the epoch; the epoch where no calendar has it.
pub(super) fn utc(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
}

/// A time as a person reads it.
pub(super) fn in_words(milliseconds: i64) -> String {
    utc(milliseconds)
        .format("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_moments() {
        assert_eq!(read_time("1970-01-02").unwrap(), 86_400_000);
        assert_eq!(read_time("1970-01-01T01:00:00.5+01:00").unwrap(), 500);
        for text in ["", "yesterday", "1970-13-01", "1970-01-01T00:00:00"] {
            assert!(read_time(text).is_err(), "{text}");
        }
    }
}
