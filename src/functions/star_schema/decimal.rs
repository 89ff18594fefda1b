//! Decimal numbers, read exactly from the digits that are written.

/// Digits that 128 bits always hold.
pub const PRECISION_MAX: u8 = 38;

/// Digits that 64 bits always hold.
const PLAIN_DIGITS_MAX: usize = 18;

/// Ten to the power of each place.
const POWERS: [i64; PLAIN_DIGITS_MAX + 1] = {
    let mut powers = [1; PLAIN_DIGITS_MAX + 1];
    let mut place = 1;
    while place <= PLAIN_DIGITS_MAX {
        #[expect(clippy::indexing_slicing, reason = "it is read when this is built")]
        {
            powers[place] = powers[place - 1] * 10;
        }
        place += 1;
    }
    powers
};

/// Why a text is no number with so many digits and so many of them behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    NotANumber,
    /// It has digits further behind the point too, or it has not.
    TooLarge {
        is_exact: bool,
    },
    Inexact,
}

/// A number times ten to the scale, which has at most `precision` digits.
#[inline]
pub fn read(text: &str, precision: u8, scale: u8) -> Result<i128, NotHeld> {
    if let Some(unscaled) = read_plain(text, precision, scale) {
        return Ok(unscaled.into());
    }
    let number = Number::of(text).ok_or(NotHeld::NotANumber)?;
    let shift = number.exponent.saturating_add(i64::from(scale));
    let length = i64::try_from(number.length()).unwrap_or(i64::MAX);
    if length == 0 {
        Ok(0)
    } else if length.saturating_add(shift) > i64::from(precision) {
        Err(NotHeld::TooLarge {
            is_exact: shift >= 0,
        })
    } else if shift < 0 {
        Err(NotHeld::Inexact)
    } else {
        Ok(number.shifted(shift))
    }
}

/// A number times ten to the scale, what is left behind the point cut, towards the smaller; none
/// where it has more digits than 128 bits hold.
#[must_use]
pub fn cut(text: &str, scale: u8) -> Option<i128> {
    let number = Number::of(text)?;
    let shift = number.exponent.saturating_add(i64::from(scale));
    let length = i64::try_from(number.length()).ok()?;
    if length == 0 || length.saturating_add(shift) > i64::from(PRECISION_MAX) {
        return (length == 0).then_some(0);
    }
    let is_cut = shift < 0;
    let whole = number.shifted(shift);
    Some(whole - i128::from(is_cut && number.is_negative))
}

/// Few digits with a point or none, as most are written.
#[inline]
fn read_plain(text: &str, precision: u8, scale: u8) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > PLAIN_DIGITS_MAX {
        return None;
    }
    let mut number: i64 = 0;
    let mut point = digits.len();
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
            b'.' if point == digits.len() && index > 0 && index + 1 < digits.len() => point = index,
            _ => return None,
        }
    }
    let places = digits.len().saturating_sub(point + 1);
    let missing = usize::from(scale).checked_sub(places)?;
    let unscaled = number.checked_mul(*POWERS.get(missing)?)?;
    let limit = POWERS
        .get(usize::from(precision))
        .copied()
        .unwrap_or(i64::MAX);
    (unscaled < limit).then_some(if is_negative { -unscaled } else { unscaled })
}

/// Its digits, without zeros around them, times ten to the exponent.
struct Number<'a> {
    is_negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (is_negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            rest => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => read_exponent(exponent)?,
            _ => return None,
        };
        let has_digits = !(whole.is_empty() && fraction.is_empty());
        has_digits.then(|| Self::trimmed(is_negative, whole, fraction, exponent))
    }

    fn trimmed(is_negative: bool, whole: &'a [u8], fraction: &'a [u8], exponent: i64) -> Self {
        let fraction = trim_end(fraction);
        let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let mut number = Self {
            is_negative,
            whole: trim_start(whole),
            fraction,
            exponent: exponent.saturating_sub(places),
        };
        if number.whole.is_empty() {
            number.fraction = trim_start(number.fraction);
        }
        if number.fraction.is_empty() {
            let length = number.whole.len();
            number.whole = trim_end(number.whole);
            let zeros = i64::try_from(length - number.whole.len()).unwrap_or(i64::MAX);
            number.exponent = number.exponent.saturating_add(zeros);
        }
        number
    }

    fn length(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    /// With so many zeros more, or digits less; it has no more digits then than 128 bits hold.
    fn shifted(&self, shift: i64) -> i128 {
        let digits = self.whole.iter().chain(self.fraction).copied();
        let kept = usize::try_from(shift.saturating_neg()).unwrap_or_default();
        let kept = self.length().saturating_sub(kept);
        let zeros = usize::try_from(shift).unwrap_or_default();
        let digits = digits.take(kept).chain(std::iter::repeat_n(b'0', zeros));
        let number = digits.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        if self.is_negative { -number } else { number }
    }
}

fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    bytes.split_at(length)
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits
        .iter()
        .rev()
        .take_while(|digit| **digit == b'0')
        .count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

/// One too large for any number is as good as the largest.
fn read_exponent(bytes: &[u8]) -> Option<i64> {
    let (is_negative, rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let (digits, behind) = digits(rest);
    if digits.is_empty() || !behind.is_empty() {
        return None;
    }
    let exponent = digits.iter().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    Some(if is_negative { -exponent } else { exponent })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, precision: u8, scale: u8, expected: Result<i128, NotHeld>) {
        assert_eq!(
            read(text, precision, scale),
            expected,
            "{text} as ({precision},{scale})"
        );
    }

    #[test]
    fn a_number_is_read_exactly_or_not_at_all() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("-0.00", 0),
            ("0e999999999999999999999", 0),
            ("3.9", 390),
            ("3.94", 394),
            ("-3.94", -394),
            ("+3.94", 394),
            ("3.940000000000000000000000000000000000000000", 394),
            ("0003.94", 394),
            (".5", 50),
            ("5.", 500),
            ("1e2", 10_000),
            ("394e-2", 394),
            ("0.000394E4", 394),
            ("99999999.99", 9_999_999_999),
            ("-99999999.99", -9_999_999_999),
        ] {
            check(text, 10, 2, Ok(expected));
        }
        for text in [
            "", "-", ".", "1.2.3", "1e", "1e+", "0x1", "NaN", "1,000.00", " 1", "1 ", "é",
        ] {
            check(text, 10, 2, Err(NotHeld::NotANumber));
        }
        check("3.941", 10, 2, Err(NotHeld::Inexact));
        check("1e-3", 10, 2, Err(NotHeld::Inexact));
        check("1e-999999999999999999999", 10, 2, Err(NotHeld::Inexact));
        check(
            "100000000",
            10,
            2,
            Err(NotHeld::TooLarge { is_exact: true }),
        );
        check(
            "-1e999999999999999999999",
            10,
            2,
            Err(NotHeld::TooLarge { is_exact: true }),
        );
        check(
            "100000000.001",
            10,
            2,
            Err(NotHeld::TooLarge { is_exact: false }),
        );
    }

    #[test]
    fn the_largest_have_38_digits() {
        let nines = "9".repeat(38);
        check(
            &nines,
            38,
            0,
            nines.parse().map_err(|_| NotHeld::NotANumber),
        );
        check(&format!("0.{nines}"), 38, 38, Ok(10_i128.pow(38) - 1));
        check(
            &format!("1{}", "0".repeat(38)),
            38,
            0,
            Err(NotHeld::TooLarge { is_exact: true }),
        );
        check("999999999999999999", 18, 0, Ok(999_999_999_999_999_999));
        check(
            "1000000000000000000",
            18,
            0,
            Err(NotHeld::TooLarge { is_exact: true }),
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.eE]{0,12}|.{0,6}") {
            let _ = (read(&text, 10, 2), cut(&text, 3));
        }

        #[test]
        fn the_short_way_and_the_long_way_agree(text in "-?[0-9]{1,9}([.][0-9]{1,6})?") {
            let long = read(&format!("{text}e0"), 10, 2);
            prop_assert_eq!(read(&text, 10, 2), long);
        }
    }
}
