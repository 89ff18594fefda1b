//! How the page writes texts and numbers.

use std::fmt::{self, Display};

use chrono::{DateTime, Utc};
use indicatif::HumanCount;
use maud::{Markup, html};

/// So many of what has one name.
pub(in crate::tool) struct Amount(pub(in crate::tool) u64, pub(in crate::tool) &'static str);

impl Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, name) = *self;
        let ending = match number {
            1 => "",
            _ if name.ends_with("ch") => "es",
            _ => "s",
        };
        write!(f, "{} {name}{ending}", HumanCount(number))
    }
}

/// What a number counts, which says how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) enum Unit {
    /// Shortened: 12k.
    Count,
    Bytes,
    Microseconds,
    /// Of ten thousand.
    Share,
}

/// A number with its unit, to three digits.
pub(in crate::tool) struct Measure(pub(in crate::tool) u64, pub(in crate::tool) Unit);

impl Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, hundredths): (&[&str], u64) = match self.1 {
            Unit::Count => (&["", "k", "M", "G"], 1),
            Unit::Bytes => (&[" B", " kB", " MB", " GB", " TB"], 1),
            Unit::Microseconds => (&[" µs", " ms", " s"], 1),
            Unit::Share => (&[" %"], 100),
        };
        let mut value = ratio(self.0, hundredths);
        let mut units = units.iter();
        let mut unit = units.next();
        while value >= 999.5 && units.len() > 0 {
            value /= 1000.0;
            unit = units.next();
        }
        write!(f, "{}{}", three_digits(value), unit.unwrap_or(&""))
    }
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// How much of the whole a part is.
pub(in crate::tool) struct Share {
    pub(in crate::tool) part: u64,
    pub(in crate::tool) whole: u64,
}

impl Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * ratio(self.part, self.whole);
        match percent {
            0.0 => f.write_str("0 %"),
            ..0.1 => f.write_str("<0.1 %"),
            99.95..100.0 => f.write_str(">99.9 %"),
            _ => write!(f, "{percent:.1} %"),
        }
    }
}

/// How much of the whole a part is, as CSS measures.
pub(in crate::tool) struct Percent(pub(in crate::tool) u64, pub(in crate::tool) u64);

impl Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}%", 100.0 * ratio(self.0, self.1))
    }
}

/// Of nothing, none.
#[expect(
    clippy::cast_precision_loss,
    reason = "what is drawn or rounded needs few digits"
)]
pub(in crate::tool) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// A second since 1970, in UTC.
pub(in crate::tool) struct Second(pub(in crate::tool) i64);

impl Second {
    pub(in crate::tool) fn formatted(&self, format: &str) -> String {
        let time = DateTime::<Utc>::from_timestamp(self.0, 0).unwrap_or_default();
        time.format(format).to_string()
    }
}

/// In place of a section's content.
pub(in crate::tool) fn nothing(sentence: &str) -> Markup {
    html! { p.empty { (sentence) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: impl Display, expected: &str) {
        assert_eq!(shown.to_string(), expected);
    }

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        check(Measure(0, Unit::Bytes), "0 B");
        check(Measure(999, Unit::Bytes), "999 B");
        check(Measure(1_000, Unit::Bytes), "1 kB");
        check(Measure(1_234_567, Unit::Bytes), "1.23 MB");
        check(Measure(999_999, Unit::Bytes), "1 MB");
        check(Measure(u64::MAX, Unit::Bytes), "18446744 TB");
        check(Measure(12_300, Unit::Microseconds), "12.3 ms");
        check(Measure(100_000, Unit::Count), "100k");
        check(Measure(250, Unit::Share), "2.5 %");
        check(Amount(1, "event"), "1 event");
        check(Amount(2_000, "event"), "2,000 events");
        check(Amount(0, "batch"), "0 batches");
    }

    #[test]
    fn a_share_is_never_said_to_be_none_or_all_when_it_is_not() {
        #[track_caller]
        fn share(part: u64, whole: u64, expected: &str) {
            check(Share { part, whole }, expected);
        }
        share(0, 0, "0 %");
        share(0, 7, "0 %");
        share(1, 100_000, "<0.1 %");
        share(1, 3, "33.3 %");
        share(99_999, 100_000, ">99.9 %");
        share(7, 7, "100.0 %");
    }
}
