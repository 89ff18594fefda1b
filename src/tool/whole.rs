//! Whole numbers that a person gives.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

/// Reads one that lies between these.
pub(super) fn whole<T>(
    allowed: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync,
{
    move |text| {
        let number = text.parse().ok().filter(|number| allowed.contains(number));
        number.ok_or_else(|| {
            let (first, last) = (allowed.start(), allowed.end());
            format!("it must be a whole number from {first} to {last}")
        })
    }
}
