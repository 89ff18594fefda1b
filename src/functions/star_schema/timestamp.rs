//! Dates and points in time of a source table, to the microsecond: as they are written where they
//! have no offset, else in UTC.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use super::refusal::RowRefusal;
use crate::instant::write_digits;

const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
pub const MICROSECONDS_PER_DAY: i64 = 86_400 * MICROSECONDS_PER_SECOND;

/// What a DATE may be, 1900-01-01 to 2199-12-31, in days since 1970: a star has a calendar of each
/// year that is touched.
pub const DAYS: std::ops::RangeInclusive<i32> = -25_567..=84_005;

/// The years of those days.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2199;

/// The first day of each month of those years, and of the one behind them.
const MONTHS: [i32; MONTH_COUNT + 1] = {
    let mut months = [*DAYS.start(); MONTH_COUNT + 1];
    let mut month = 0;
    while month < MONTH_COUNT {
        let year = *YEARS.start() as usize + month / 12;
        let is_leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month % 12 {
            1 if is_leap => 29,
            1 => 28,
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        };
        #[expect(clippy::indexing_slicing, reason = "it is read when this is built")]
        {
            months[month + 1] = months[month] + days;
        }
        month += 1;
    }
    months
};
const MONTH_COUNT: usize = 12 * (*YEARS.end() - *YEARS.start() + 1) as usize;

/// Microseconds since 1970, in the years that a DATE may lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    fn new(microseconds: i64) -> Result<Self, RowRefusal> {
        let timestamp = Self(microseconds);
        if DAYS.contains(&timestamp.date()) {
            Ok(timestamp)
        } else {
            Err(RowRefusal::OutOfRange)
        }
    }

    /// Reads `2022-11-03T14:20:52.186+01:00`: a `T` or a space, 0 to 9 fraction digits, of which
    /// those behind the sixth are cut, `Z` or an offset or neither.
    pub fn from_text(text: &str) -> Result<Self, RowRefusal> {
        let unreadable = RowRefusal::TimestampUnreadable;
        let (date, rest) = text.as_bytes().split_first_chunk().ok_or(unreadable)?;
        let days = days(*date).ok_or(unreadable)?;
        let [b'T' | b't' | b' ', clock @ ..] = rest else {
            return Err(unreadable);
        };
        let (time, offset) = read_time(clock).ok_or(unreadable)?;
        let offset = offset_seconds(offset).ok_or(unreadable)?;
        Self::new(i64::from(days) * MICROSECONDS_PER_DAY + time - offset * MICROSECONDS_PER_SECOND)
    }

    /// Reads milliseconds since 1970, exactly; what is finer than a microsecond is cut.
    pub fn from_milliseconds(number: &str) -> Result<Self, RowRefusal> {
        if let Ok(milliseconds) = number.parse::<i64>() {
            let microseconds = milliseconds.checked_mul(1000);
            return Self::new(microseconds.ok_or(RowRefusal::OutOfRange)?);
        }
        let cut = super::decimal::cut(number, 3).ok_or(RowRefusal::OutOfRange)?;
        Self::new(i64::try_from(cut).map_err(|_| RowRefusal::OutOfRange)?)
    }

    /// Days since 1970.
    #[inline]
    #[must_use]
    pub fn date(self) -> i32 {
        i32::try_from(self.0.div_euclid(MICROSECONDS_PER_DAY)).unwrap_or(i32::MAX)
    }

    /// Microseconds since midnight.
    #[inline]
    #[must_use]
    pub fn time(self) -> i64 {
        self.0.rem_euclid(MICROSECONDS_PER_DAY)
    }

    /// As the name of a file has it, always of the same width, so that it sorts as text.
    #[must_use]
    pub fn in_file_name(self) -> String {
        let moment = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        let mut text = *b"YYYYMMDDTHHMMSSffffff";
        for (digits, number) in [
            (0..4, moment.year().unsigned_abs()),
            (4..6, moment.month()),
            (6..8, moment.day()),
            (9..11, moment.hour()),
            (11..13, moment.minute()),
            (13..15, moment.second()),
            (15..21, moment.timestamp_subsec_micros()),
        ] {
            let digits = text.get_mut(digits).unwrap_or_default();
            write_digits(digits, number);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Reads `2022-11-03` as days since 1970.
pub fn read_date(text: &str) -> Result<i32, RowRefusal> {
    let date = text.as_bytes().try_into().ok().and_then(days);
    let days = date.ok_or(RowRefusal::DateUnreadable)?;
    if DAYS.contains(&days) {
        Ok(days)
    } else {
        Err(RowRefusal::OutOfRange)
    }
}

/// Reads `14:20:52.186` as microseconds since midnight.
pub fn read_time_of_day(text: &str) -> Result<i64, RowRefusal> {
    match read_time(text.as_bytes()) {
        Some((time, [])) => Ok(time),
        _ => Err(RowRefusal::TimestampUnreadable),
    }
}

/// The year of a day since 1970.
#[must_use]
pub fn year(days: i32) -> i32 {
    NaiveDate::from_epoch_days(days).map_or(0, |date| date.year())
}

#[inline]
fn days(date: [u8; 10]) -> Option<i32> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = date else {
        return None;
    };
    let year = pair(y0, y1)? * 100 + pair(y2, y3)?;
    let (month, day) = (pair(m0, m1)?, pair(d0, d1)?);
    if YEARS.contains(&year) {
        return days_at_hand(year, month, day);
    }
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), month, day)?;
    Some(date.to_epoch_days())
}

/// Of a year that a DATE may lie in: a third of the time that a calendar of all years takes.
#[inline]
fn days_at_hand(year: u32, month: u32, day: u32) -> Option<i32> {
    let month = month.checked_sub(1).filter(|month| *month < 12)?;
    let index = (year - YEARS.start()) * 12 + month;
    let [first, next] = *MONTHS.get(index as usize..)?.first_chunk()?;
    let found = first + day.checked_sub(1)?.cast_signed();
    (found < next).then_some(found)
}

/// A time of day in microseconds, and what stands behind it.
#[inline]
fn read_time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (clock, rest) = bytes.split_first_chunk()?;
    let [h0, h1, b':', m0, m1, b':', s0, s1] = *clock else {
        return None;
    };
    let (hour, minute, second) = (pair(h0, h1)?, pair(m0, m1)?, pair(s0, s1)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    let (microseconds, rest) = read_fraction(rest)?;
    Some((seconds * MICROSECONDS_PER_SECOND + microseconds, rest))
}

/// Up to nine digits behind a point, those behind the sixth cut.
#[inline]
fn read_fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', rest @ ..] = bytes else {
        return Some((0, bytes));
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(length)?;
    let padded = digits
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(6);
    let microseconds = padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    (1..=9).contains(&length).then_some((microseconds, rest))
}

/// `Z`, `+01`, `+0100`, `+01:00` or nothing.
#[inline]
fn offset_seconds(offset: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *offset {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h0, h1] => (sign, pair(h0, h1)?, 0),
        [sign, h0, h1, m0, m1] | [sign, h0, h1, b':', m0, m1] => {
            (sign, pair(h0, h1)?, pair(m0, m1)?)
        }
        _ => return None,
    };
    let seconds = i64::from(hours * 3600 + minutes * 60);
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// A number of two digits.
#[inline]
fn pair(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a file's name has it.
    #[track_caller]
    fn check(text: &str, expected: Result<&str, RowRefusal>) {
        let read = Timestamp::from_text(text).map(Timestamp::in_file_name);
        assert_eq!(read.as_deref().map_err(|why| *why), expected, "{text}");
    }

    #[test]
    fn a_timestamp_is_read_in_every_spelling() {
        for (text, expected) in [
            ("2022-11-03T14:20:52", "20221103T142052000000"),
            ("2022-11-03 14:20:52", "20221103T142052000000"),
            ("2022-11-03T14:20:52.1", "20221103T142052100000"),
            ("2022-11-03T14:20:52.186", "20221103T142052186000"),
            ("2022-11-03T14:20:52.186123", "20221103T142052186123"),
            ("2022-11-03T14:20:52.186123999", "20221103T142052186123"),
            ("2022-11-03T14:20:52Z", "20221103T142052000000"),
            ("2022-11-03 14:20:52.5+00", "20221103T142052500000"),
            ("2022-11-03T14:20:52+01:00", "20221103T132052000000"),
            ("2022-12-31T23:30:00-0130", "20230101T010000000000"),
            ("2024-02-29T00:00:00", "20240229T000000000000"),
            ("1900-01-01T00:00:00", "19000101T000000000000"),
            ("1969-12-31T23:59:59.999999", "19691231T235959999999"),
            ("2199-12-31T23:59:59.999999999", "21991231T235959999999"),
        ] {
            check(text, Ok(expected));
        }
    }

    #[test]
    fn a_timestamp_in_other_words_is_unreadable() {
        for text in [
            "",
            "now",
            "2022-11-03",
            "2022-11-03T14:20",
            "2022-11-03T14:20:52.",
            "2022-11-03T14:20:52.1234567890",
            "2022-11-03T14:20:60",
            "2022-11-03T24:00:00",
            "2022-11-03T14:20:52+1",
            "2022-11-03T14:20:52+24:00",
            "2022-11-03T14:20:52*01:00",
            "2022-11-03_14:20:52",
            "2022-13-03T14:20:52",
            "2023-02-29T14:20:52",
            "1900-02-29T14:20:52",
            "2022-11-03T14:20:52 ",
            "1667485252186",
            "2022-11-0éT14:20:52",
        ] {
            check(text, Err(RowRefusal::TimestampUnreadable));
        }
        for text in [
            "1899-12-31T23:59:59",
            "2200-01-01T00:00:00",
            "1900-01-01T00:00:00+00:01",
            "2199-12-31T23:59:59-00:01",
        ] {
            check(text, Err(RowRefusal::OutOfRange));
        }
    }

    #[test]
    fn a_number_is_milliseconds() {
        #[track_caller]
        fn check(number: &str, expected: Result<&str, RowRefusal>) {
            let read = Timestamp::from_milliseconds(number).map(Timestamp::in_file_name);
            assert_eq!(read.as_deref().map_err(|why| *why), expected, "{number}");
        }
        check("0", Ok("19700101T000000000000"));
        check("-1", Ok("19691231T235959999000"));
        check("1667485252186", Ok("20221103T142052186000"));
        check("1667485252186.1239", Ok("20221103T142052186123"));
        check("1.667485252186e12", Ok("20221103T142052186000"));
        check("-0.0001", Ok("19691231T235959999999"));
        check("7258118399999", Ok("21991231T235959999000"));
        check("7258118400000", Err(RowRefusal::OutOfRange));
        check("1e300", Err(RowRefusal::OutOfRange));
    }

    #[test]
    fn a_date_is_ten_characters() {
        use RowRefusal::{DateUnreadable, OutOfRange};
        for (text, expected) in [
            ("1970-01-01", Ok(0)),
            ("1900-01-01", Ok(*DAYS.start())),
            ("2199-12-31", Ok(*DAYS.end())),
            ("2024-02-29", Ok(19_782)),
            ("2000-02-29", Ok(11_016)),
            ("1899-12-31", Err(OutOfRange)),
            ("2200-01-01", Err(OutOfRange)),
            ("2023-02-29", Err(DateUnreadable)),
            ("2100-02-29", Err(DateUnreadable)),
            ("2022-11-31", Err(DateUnreadable)),
            ("2022-11-3", Err(DateUnreadable)),
            ("03/11/2022", Err(DateUnreadable)),
            ("2022-11-03T00:00:00", Err(DateUnreadable)),
            ("", Err(DateUnreadable)),
        ] {
            assert_eq!(read_date(text), expected, "{text}");
        }
        assert_eq!((year(*DAYS.start()), year(*DAYS.end())), (1900, 2199));
    }

    #[test]
    fn a_date_is_one_of_the_calendars() {
        for year in YEARS {
            for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
                let date = NaiveDate::from_ymd_opt(year.cast_signed(), month, day);
                let expected = date.map(|date| date.to_epoch_days());
                assert_eq!(
                    days_at_hand(year, month, day),
                    expected,
                    "{year}-{month}-{day}"
                );
            }
        }
    }

    #[test]
    fn a_time_is_read_to_the_microsecond() {
        for (text, expected) in [
            ("00:00:00", Some(0)),
            ("23:59:59.999999", Some(MICROSECONDS_PER_DAY - 1)),
            ("14:20:52.1860009", Some(51_652_186_000)),
            ("14:20:52Z", None),
            ("24:00:00", None),
        ] {
            assert_eq!(read_time_of_day(text).ok(), expected, "{text}");
        }
    }
}
