//! Numbers that a person gives.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

/// Reads a whole one that lies between these.
pub(super) fn whole<T>(
    allowed: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync,
{
    between("whole number", allowed)
}

/// Reads one that may have decimals.
pub(super) fn number(
    allowed: RangeInclusive<f64>,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    between("number", allowed)
}

fn between<T>(
    what: &str,
    allowed: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync,
{
    move |text| {
        let number = text.parse().ok().filter(|number| allowed.contains(number));
        number.ok_or_else(|| {
            let (first, last) = (allowed.start(), allowed.end());
            format!("it must be a {what} from {first} to {last}")
        })
    }
}
