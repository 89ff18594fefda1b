//! Times that a person gives.

use anyhow::{Result, anyhow};
use chrono::{DateTime, NaiveDate};

/// RFC 3339, or a date: its first moment, in UTC. In epoch milliseconds.
pub(super) fn read_time(text: &str) -> Result<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_millis());
    }
    let date: NaiveDate = text
        .parse()
        .map_err(|_| anyhow!("{text:?} is no time; write 2026-11-20 or 2026-11-20T23:00:00Z"))?;
    let midnight = date.and_hms_opt(0, 0, 0);
    midnight
        .map(|midnight| midnight.and_utc().timestamp_millis())
        .ok_or_else(|| anyhow!("{text:?} is out of range"))
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
