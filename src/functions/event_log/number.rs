//! Which numbers DynamoDB holds: 38 digits, from 1e-130 to just below 1e126. Never through floating
//! point.

use std::borrow::Cow;

const DIGITS_MAX: usize = 38;
/// Powers of ten of a number's first digit.
const EXPONENT_MIN: i64 = -130;
const EXPONENT_MAX: i64 = 125;
/// What the longest number takes.
const BYTES_MAX: usize = 21;

/// A number's value: its digits without zeros around them, and the power of ten of the first one.
/// Zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    pub is_negative: bool,
    pub digits: String,
    pub exponent: i64,
}

impl Decimal {
    /// Of a JSON number.
    #[must_use]
    pub fn of(number: &str) -> Self {
        let (is_negative, number) = number
            .strip_prefix('-')
            .map_or((false, number), |number| (true, number));
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0');
        let zeros = all.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            };
        }
        Self {
            is_negative,
            digits: digits.to_owned(),
            exponent: read_exponent(exponent)
                .saturating_add(places(whole.len()) - places(zeros) - 1),
        }
    }

    fn is_held(&self) -> bool {
        self.digits.len() <= DIGITS_MAX && (EXPONENT_MIN..=EXPONENT_MAX).contains(&self.exponent)
    }

    fn bytes(&self) -> usize {
        match self.digits.len().checked_sub(1) {
            Some(more) => {
                let last = self.exponent.saturating_sub(places(more));
                bytes(usize::from(self.is_negative), self.exponent, last)
            }
            None => 1,
        }
    }

    fn spelled(&self) -> String {
        let sign = if self.is_negative { "-" } else { "" };
        match self.digits.split_at_checked(1) {
            None => "0".to_owned(),
            Some((first, "")) => format!("{sign}{first}e{}", self.exponent),
            Some((first, rest)) => format!("{sign}{first}.{rest}e{}", self.exponent),
        }
    }
}

fn places(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An exponent too large for any number is as good as the largest.
fn read_exponent(exponent: &str) -> i64 {
    let too_large = if exponent.starts_with('-') {
        i64::MIN / 2
    } else {
        i64::MAX / 2
    };
    exponent.parse().unwrap_or(too_large)
}

/// A number as DynamoDB is told it, and what it takes in an item; none if it cannot be held.
#[must_use]
pub fn hold(number: &str) -> Option<(Cow<'_, str>, usize)> {
    if number.len() <= DIGITS_MAX && !number.contains(['e', 'E']) {
        return Some((Cow::Borrowed(number), plain_bytes(number)));
    }
    let decimal = Decimal::of(number);
    let bytes = decimal.bytes();
    decimal
        .is_held()
        .then(|| (Cow::Owned(decimal.spelled()), bytes))
}

/// The same as [`Decimal::bytes`] for digits and a point alone.
#[must_use]
pub fn plain_bytes(number: &str) -> usize {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let point = digits.find('.').unwrap_or(digits.len());
    let exponent = |place: usize| match point.checked_sub(place + 1) {
        Some(before) => places(before),
        None => -places(place - point),
    };
    let is_significant = |byte: u8| matches!(byte, b'1'..=b'9');
    let first = digits.bytes().position(is_significant);
    let last = digits.bytes().rposition(is_significant);
    match (first, last) {
        (Some(first), Some(last)) => {
            let signs = number.len() - digits.len();
            bytes(signs, exponent(first), exponent(last))
        }
        _ => 1,
    }
}

/// A byte for each pair of digits, which are paired from the point on, one for the power of ten,
/// and one for a sign, of which there is none or one.
fn bytes(signs: usize, first_exponent: i64, last_exponent: i64) -> usize {
    let pair = |exponent: i64| exponent.div_euclid(2);
    let more_pairs = pair(first_exponent).abs_diff(pair(last_exponent));
    usize::try_from(more_pairs).map_or(BYTES_MAX, |more| BYTES_MAX.min(more + 2 + signs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_held_to_the_border_of_digits_and_of_both_exponents() {
        #[track_caller]
        fn check(number: &str, expected: Option<&str>) {
            let held = hold(number).map(|(text, _)| text.into_owned());
            assert_eq!(held.as_deref(), expected, "{number}");
        }
        check("0", Some("0"));
        check("-0", Some("-0"));
        check("1.50", Some("1.50"));
        check("22.5", Some("22.5"));
        let digits_38 = "1".repeat(38);
        check(&digits_38, Some(&digits_38));
        check(&"1".repeat(39), None);
        let zeros_behind = format!("1{}", "0".repeat(125));
        check(&zeros_behind, Some("1e125"));
        check(&format!("{zeros_behind}0"), None);
        check("1e125", Some("1e125"));
        check("9.9e125", Some("9.9e125"));
        check("1e126", None);
        check("10e125", None);
        check("-1E+125", Some("-1e125"));
        check("1e-130", Some("1e-130"));
        check("0.1e-129", Some("1e-130"));
        check("1e-131", None);
        check("0.0e999999999999999999999", Some("0"));
        check("1e99999999999999999999", None);
        check("1e-99999999999999999999", None);
        let nines = format!("0.{}", "9".repeat(38));
        let spelled = format!("9.{}e-1", "9".repeat(37));
        check(&nines, Some(&spelled));
        check(&format!("{nines}9"), None);
    }

    #[test]
    fn a_numbers_digits_are_paired_from_the_point_on() {
        #[track_caller]
        fn check(number: &str, expected: usize) {
            assert_eq!(plain_bytes(number), expected, "{number}");
            assert_eq!(Decimal::of(number).bytes(), expected, "{number}");
        }
        for zero in ["0", "-0", "0.00"] {
            check(zero, 1);
        }
        for one_pair in ["1", "10", "99", "100", "1200", "0.1", "0.01", "0.0012"] {
            check(one_pair, 2);
        }
        check("-1", 3);
        for two_pairs in ["120", "123", "1.5", "0.001234", "0.012", "22.5"] {
            check(two_pairs, 3);
        }
        check("-12.500", 4);
        check("-123", 4);
        check("123456789", 6);
        let digits_38 = "1".repeat(38);
        check(&digits_38, 20);
        check(&format!("-{digits_38}"), 21);
        check(&format!("-1{digits_38}"), 21);
        assert_eq!(Decimal::of("1e125").bytes(), 2);
    }

    #[test]
    fn one_value_is_one_decimal_however_it_is_spelled() {
        for (one, other) in [
            ("1.50", "1.5"),
            ("15e-1", "1.5"),
            ("-0.0", "0"),
            ("100", "1E2"),
        ] {
            assert_eq!(Decimal::of(one), Decimal::of(other), "{one} and {other}");
        }
        assert_ne!(Decimal::of("1"), Decimal::of("10"));
        assert_ne!(Decimal::of("1"), Decimal::of("-1"));
    }
}
