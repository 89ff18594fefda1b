//! A point in time in every spelling: read exactly, from numbers of any unit and from RFC 3339
//! text, and written in digits of one width.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use crate::json::{Cursor, Value};

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;

/// The first second of the year 10000.
const SECONDS_END: i64 = 253_402_300_800;

/// A number with at most so many digits before its point is of the unit that has so many fraction
/// digits left to the nanosecond.
const UNITS: [(i64, i64); 3] = [(11, 9), (14, 6), (17, 3)];

/// A point in time in the years 1970 to 9999, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

/// An instant as people write it, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    pub year: u32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub microsecond: u32,
}

impl Calendar {
    /// UTC, always of the same width, so that it sorts as text.
    #[must_use]
    pub fn datetime(&self) -> [u8; 27] {
        let mut text = *b"YYYY-MM-DDTHH:MM:SS.ffffffZ";
        put::<4>(&mut text, 0, self.year);
        put::<2>(&mut text, 5, self.month);
        put::<2>(&mut text, 8, self.day);
        put::<2>(&mut text, 11, self.hour);
        put::<2>(&mut text, 14, self.minute);
        put::<2>(&mut text, 17, self.second);
        put::<6>(&mut text, 20, self.microsecond);
        text
    }
}

/// So many digits at a place: of a width that is known, they take no loop.
#[inline]
fn put<const WIDTH: usize>(text: &mut [u8; 27], start: usize, number: u32) {
    if let Some(digits) = text.get_mut(start..start + WIDTH) {
        write_digits(digits, number);
    }
}

/// Why a text or a number is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    #[error("it is neither Unix time nor RFC 3339 text")]
    Unreadable,
    #[error("it does not lie in the years 1970 to 9999")]
    OutOfRange,
}

impl Instant {
    fn new(seconds: i64, nanoseconds: u32) -> Result<Self, InstantError> {
        if (0..SECONDS_END).contains(&seconds) {
            Ok(Self {
                seconds,
                nanoseconds,
            })
        } else {
            Err(InstantError::OutOfRange)
        }
    }

    /// Reads Unix time from a JSON number; its size tells the unit.
    pub fn from_number(number: &str) -> Result<Self, InstantError> {
        if let Some(nanoseconds) = plain_nanoseconds(number) {
            let rest = (nanoseconds % 1_000_000_000) as u32;
            return Self::new((nanoseconds / 1_000_000_000).cast_signed(), rest);
        }
        let nanoseconds = nanoseconds(number).ok_or(InstantError::OutOfRange)?;
        let seconds = i64::try_from(nanoseconds / NANOSECONDS_PER_SECOND);
        let rest = u32::try_from(nanoseconds % NANOSECONDS_PER_SECOND);
        match (seconds, rest) {
            (Ok(seconds), Ok(rest)) => Self::new(seconds, rest),
            _ => Err(InstantError::OutOfRange),
        }
    }

    /// Reads a numeric string or RFC 3339 text.
    pub fn from_text(text: &str) -> Result<Self, InstantError> {
        match Cursor::new(text).value() {
            Ok(Value::Number(number)) if number == text && !text.contains(['e', 'E']) => {
                Self::from_number(number)
            }
            _ => {
                let (seconds, nanoseconds) = read_rfc_3339(text).ok_or(InstantError::Unreadable)?;
                Self::new(seconds, nanoseconds)
            }
        }
    }

    /// Since 1970; more than 64 bits from the year 2554 on.
    #[must_use]
    pub fn nanoseconds(self) -> i128 {
        i128::from(self.seconds) * NANOSECONDS_PER_SECOND + i128::from(self.nanoseconds)
    }

    /// Since 1970; finer digits are cut.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        self.seconds * 1000 + i64::from(self.nanoseconds / 1_000_000)
    }

    /// Writes them as a number.
    pub fn push_nanoseconds(self, out: &mut String) {
        let nanoseconds = self.nanoseconds();
        let mut buffer = itoa::Buffer::new();
        out.push_str(match u64::try_from(nanoseconds) {
            Ok(short) => buffer.format(short),
            Err(_) => buffer.format(nanoseconds),
        });
    }

    #[must_use]
    pub fn calendar(self) -> Calendar {
        let date = DateTime::from_timestamp(self.seconds, self.nanoseconds).unwrap_or_default();
        Calendar {
            year: date.year().unsigned_abs(),
            month: date.month(),
            day: date.day(),
            hour: date.hour(),
            minute: date.minute(),
            second: date.second(),
            microsecond: self.nanoseconds / 1000,
        }
    }
}

/// The most decimal digits that 64 bits always hold.
const PLAIN_DIGITS_MAX: usize = 19;

/// The same as [`nanoseconds`] for digits and a point alone, as most senders write them; none for
/// any other number, and for what 64 bits may not hold.
fn plain_nanoseconds(number: &str) -> Option<u64> {
    if number.len() > PLAIN_DIGITS_MAX {
        return None;
    }
    let mut digits: u64 = 0;
    let mut point = None;
    for (index, byte) in number.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' => point = Some(index),
            _ => return None,
        }
    }
    let whole_length = point.unwrap_or(number.len());
    let fraction_length = number.len().saturating_sub(whole_length + 1);
    let missing_digits = fraction_digits(places(whole_length)) - places(fraction_length);
    digits.checked_mul(10_u64.pow(u32::try_from(missing_digits).ok()?))
}

/// The exact decimal of a JSON number as nanoseconds, digits past them cut; none if it is negative
/// or out of all range.
fn nanoseconds(number: &str) -> Option<i128> {
    let is_negative = number.starts_with('-');
    let PointedNumber {
        whole,
        fraction,
        zeros,
        digits_before_point,
    } = PointedNumber::of(number);
    let digits = || whole.bytes().chain(fraction.bytes());
    if zeros == whole.len() + fraction.len() {
        return Some(0);
    }
    let digits_wanted = digits_before_point.saturating_add(fraction_digits(digits_before_point));
    let digits_wanted = usize::try_from(digits_wanted.max(0))
        .ok()
        .filter(|wanted| *wanted <= 21)?;
    let padded = digits().skip(zeros).chain(std::iter::repeat(b'0'));
    let nanoseconds = padded
        .take(digits_wanted)
        .fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    (nanoseconds == 0 || !is_negative).then_some(nanoseconds)
}

/// A JSON number's digits, whatever its sign, and where its point is.
struct PointedNumber<'a> {
    whole: &'a str,
    fraction: &'a str,
    /// So many of the first digits say nothing.
    zeros: usize,
    /// The point is behind so many of those that say something.
    digits_before_point: i64,
}

impl<'a> PointedNumber<'a> {
    fn of(number: &'a str) -> Self {
        let number = number.strip_prefix('-').unwrap_or(number);
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        let zeros = digits.take_while(|digit| *digit == b'0').count();
        Self {
            whole,
            fraction,
            zeros,
            digits_before_point: read_exponent(exponent)
                .saturating_add(places(whole.len()) - places(zeros)),
        }
    }
}

/// In which unit a JSON number is Unix time: its size tells.
#[must_use]
pub fn unit(number: &str) -> &'static str {
    match fraction_digits(PointedNumber::of(number).digits_before_point) {
        9 => "seconds",
        6 => "milliseconds",
        3 => "microseconds",
        _ => "nanoseconds",
    }
}

/// How many digits behind the point are left to the nanosecond.
fn fraction_digits(digits_before_point: i64) -> i64 {
    UNITS
        .iter()
        .find(|(digits_max, _)| digits_before_point <= *digits_max)
        .map_or(0, |(_, fraction_digits)| *fraction_digits)
}

fn places(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An exponent too large for any number is as good as the largest.
fn read_exponent(exponent: &str) -> i64 {
    let too_large = if exponent.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    exponent.parse().unwrap_or(too_large)
}

/// `2024-04-07T17:42:01.022075+02:00`: seconds and nanoseconds since 1970. A `T`, `t` or space,
/// up to 9 fraction digits, the offset optional.
fn read_rfc_3339(text: &str) -> Option<(i64, u32)> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = read_parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = read_parts(clock, ':', [2, 2, 2])?;
    let (nanoseconds, offset) = read_fraction(rest)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let seconds = date
        .and_hms_opt(hour, minute, second)?
        .and_utc()
        .timestamp();
    Some((seconds - read_offset_seconds(offset)?, nanoseconds))
}

fn read_fraction(rest: &str) -> Option<(u32, &str)> {
    let Some(rest) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = rest.split_at_checked(length)?;
    let scale = 10_u32.pow(9_u32.checked_sub(u32::try_from(length).ok()?)?);
    Some((read_digits(digits, length)? * scale, rest))
}

fn read_offset_seconds(offset: &str) -> Option<i64> {
    if matches!(offset, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, offset) = match offset.strip_prefix('-') {
        Some(offset) => (-1, offset),
        None => (1, offset.strip_prefix('+')?),
    };
    let [hours, minutes] = read_parts(offset, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * i64::from(hours * 3600 + minutes * 60))
}

/// Numbers of exactly so many digits, and nothing else, between separators.
fn read_parts<const N: usize>(
    text: &str,
    separator: char,
    lengths: [usize; N],
) -> Option<[u32; N]> {
    let mut parts = text.split(separator);
    let numbers = lengths.map(|length| parts.next().and_then(|part| read_digits(part, length)));
    if parts.next().is_some() || numbers.contains(&None) {
        return None;
    }
    Some(numbers.map(Option::unwrap_or_default))
}

fn read_digits(text: &str, length: usize) -> Option<u32> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Writes a number with leading zeros.
pub fn push_digits<const WIDTH: usize>(out: &mut Vec<u8>, number: u32) {
    let mut digits = [0; WIDTH];
    write_digits(&mut digits, number);
    out.extend_from_slice(&digits);
}

/// Fills all of this with a number's digits.
#[inline]
pub fn write_digits(digits: &mut [u8], number: u32) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAST: i128 = 253_402_300_799_999_999_999;

    #[test]
    fn a_numbers_size_tells_its_unit() {
        for (number, expected) in [
            ("0", "seconds"),
            ("-1712511721.5", "seconds"),
            ("99999999999", "seconds"),
            ("100000000000", "milliseconds"),
            ("1.7e14", "microseconds"),
            ("1e17", "nanoseconds"),
            ("1e400", "nanoseconds"),
        ] {
            assert_eq!(unit(number), expected, "{number}");
        }
    }

    #[track_caller]
    fn check_number(number: &str, expected: Result<i128, InstantError>) {
        assert_eq!(
            Instant::from_number(number).map(Instant::nanoseconds),
            expected,
            "{number}"
        );
    }

    #[track_caller]
    fn check_text(text: &str, expected: Result<i128, InstantError>) {
        assert_eq!(
            Instant::from_text(text).map(Instant::nanoseconds),
            expected,
            "{text}"
        );
    }

    const OUT: Result<i128, InstantError> = Err(InstantError::OutOfRange);
    const UNREADABLE: Result<i128, InstantError> = Err(InstantError::Unreadable);

    #[test]
    fn the_size_of_a_number_is_its_unit() {
        check_number("1712511721", Ok(1_712_511_721_000_000_000));
        check_number("99999999999", Ok(99_999_999_999_000_000_000));
        check_number("99999999999.999999999", Ok(99_999_999_999_999_999_999));
        check_number("100000000000", Ok(100_000_000_000_000_000));
        check_number("99999999999999", Ok(99_999_999_999_999_000_000));
        check_number("99999999999999.9999999", Ok(99_999_999_999_999_999_999));
        check_number("100000000000000", Ok(100_000_000_000_000_000));
        check_number("99999999999999999", Ok(99_999_999_999_999_999_000));
        check_number("100000000000000000", Ok(100_000_000_000_000_000));
        check_number("253402300799999999999", Ok(LAST));
        check_number("253402300800000000000", OUT);
        check_number("1e21", OUT);
        check_number("1e22", OUT);
    }

    #[test]
    fn a_number_is_read_exactly_and_cut_at_nanoseconds() {
        check_number("1712511721.022075", Ok(1_712_511_721_022_075_000));
        check_number("0.1234567899", Ok(123_456_789));
        check_number("0.000000001", Ok(1));
        check_number("0.0000000009", Ok(0));
        check_number("1712511721022.0750009", Ok(1_712_511_721_022_075_000));
        check_number("1712511721022075.5559", Ok(1_712_511_721_022_075_555));
        check_number("1712511721022075123.9", Ok(1_712_511_721_022_075_123));
        check_number("1.712511721e9", Ok(1_712_511_721_000_000_000));
        check_number("1.712511721022E+12", Ok(1_712_511_721_022_000_000));
        check_number("17125117210000e-4", Ok(1_712_511_721_000_000_000));
        check_number(&format!("0.{}5", "0".repeat(400)), Ok(0));
        check_number(
            &format!("17125117210000e-4{}", ""),
            Ok(1_712_511_721_000_000_000),
        );
        check_number(
            &format!("1{}e-400", "0".repeat(410)),
            Ok(10_000_000_000_000_000_000),
        );
    }

    #[test]
    fn zero_and_extreme_exponents_are_numbers_too() {
        for zero in [
            "0",
            "-0",
            "-0.0",
            "0e999999999999999999999",
            "1e-999999999999999999999",
            "-0.0000000009",
            "-1e-99999",
        ] {
            check_number(zero, Ok(0));
        }
        for out in [
            "-1",
            "-0.000000001",
            "-1712511721",
            "1e999999999",
            "-1e999999999999999999999",
            "1e9223372036854775807",
        ] {
            check_number(out, OUT);
        }
    }

    #[test]
    fn a_numeric_string_is_a_number_without_exponent_and_nothing_around_it() {
        check_text("1712511721.022075", Ok(1_712_511_721_022_075_000));
        check_text("-0", Ok(0));
        check_text("-1", OUT);
        for text in [
            "", " ", " 1", "1 ", "1e9", "1E9", "+1", "01", "1.", ".5", "-", "0x1", "1_000", "NaN",
            "\u{661}",
        ] {
            check_text(text, UNREADABLE);
        }
    }

    #[test]
    fn rfc_3339_is_read_with_its_usual_variants() {
        let expected = 1_712_511_721_000_000_000;
        for text in [
            "2024-04-07T17:42:01Z",
            "2024-04-07t17:42:01z",
            "2024-04-07 17:42:01",
            "2024-04-07T17:42:01.0",
            "2024-04-07T19:42:01+02:00",
            "2024-04-07T17:42:01-00:00",
            "2024-04-06T18:42:01-23:00",
        ] {
            check_text(text, Ok(expected));
        }
        check_text("2024-04-07T17:42:01.022075Z", Ok(expected + 22_075_000));
        check_text(
            "2024-04-07T17:42:01.123456789+00:00",
            Ok(expected + 123_456_789),
        );
        check_text("2024-02-29T00:00:00Z", Ok(1_709_164_800_000_000_000));
        check_text("1970-01-01T00:00:00Z", Ok(0));
        check_text("9999-12-31T23:59:59.999999999Z", Ok(LAST));
    }

    #[test]
    fn an_instant_outside_1970_to_9999_is_out_of_range() {
        for text in [
            "1969-12-31T23:59:59.999999999Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00Z",
        ] {
            check_text(text, OUT);
        }
    }

    #[test]
    fn other_text_is_unreadable() {
        for text in [
            "now",
            "2024-04-07",
            "2024-04-07T17:42",
            "2024-04-07T17:42:01.Z",
            "2024-04-07T17:42:01.1234567890Z",
            "2024-04-07T17:42:60Z",
            "2024-04-07T24:00:00Z",
            "2024-04-07T17:60:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-04-07  17:42:01",
            "2024-04-07_17:42:01",
            "2024-4-7T17:42:01Z",
            "2024-04-07T17:42:01+24:00",
            "2024-04-07T17:42:01+02:60",
            "2024-04-07T17:42:01+0200",
            "2024-04-07T17:42:01+02",
            "2024-04-07T17:42:01 Z",
            "2024-04-07T17:42:01ZZ",
            " 2024-04-07T17:42:01Z",
            "+024-04-07T17:42:01Z",
            "10000-01-01T00:00:00Z",
            "2024/04/07T17:42:01Z",
            "2024-04-07T17-42-01Z",
            "２024-04-07T17:42:01Z",
            "2024-04-07T17:42:01,5Z",
            "2024-04-07T17:42:01.5é",
        ] {
            check_text(text, UNREADABLE);
        }
    }

    #[test]
    fn the_calendar_is_utc() {
        let calendar = |text| Instant::from_text(text).unwrap().calendar();
        let expected = Calendar {
            year: 2024,
            month: 4,
            day: 7,
            hour: 17,
            minute: 42,
            second: 1,
            microsecond: 22_075,
        };
        assert_eq!(calendar("2024-04-07T19:42:01.022075999+02:00"), expected);
        assert_eq!(calendar("9999-12-31T23:59:59.9").year, 9999);
        assert_eq!(calendar("0").year, 1970);
    }

    #[test]
    fn digits_and_a_point_alone_take_the_short_way_if_64_bits_hold_them() {
        assert_eq!(plain_nanoseconds("0"), Some(0));
        assert_eq!(
            plain_nanoseconds("1712511721.022075"),
            Some(1_712_511_721_022_075_000)
        );
        assert_eq!(
            plain_nanoseconds("1712511721022075123"),
            Some(1_712_511_721_022_075_123)
        );
        for other in ["17125117210220751234", "18446744074", "-1", "1e9", "1E9"] {
            assert_eq!(plain_nanoseconds(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn plain_digits_are_read_like_any_number(number in "(0|[1-9][0-9]{0,21})(\\.[0-9]{1,12})?") {
            if let Some(plain) = plain_nanoseconds(&number) {
                prop_assert_eq!(nanoseconds(&number), Some(i128::from(plain)));
            }
        }
    }
}
