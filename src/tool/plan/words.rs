//! Numbers as people read them.

use indicatif::{BinaryBytes, HumanCount};

use super::limits::{HOURS_A_MONTH, SECONDS_A_HOUR};

/// With as many digits as matter.
pub(super) fn number(value: f64) -> String {
    match value {
        _ if value >= 1e15 => format!("{value:.2e}"),
        _ if value >= 9.995 || value.fract().abs() < 5e-7 => HumanCount(whole(value)).to_string(),
        _ if value >= 0.0995 => format!("{value:.1}"),
        _ if value >= 0.000_995 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

pub(super) fn bytes(value: f64) -> String {
    BinaryBytes(whole(value)).to_string()
}

pub(super) fn dollars(value: f64) -> String {
    match value {
        _ if value >= 1e15 => format!("{value:.2e} $"),
        _ if value >= 999.5 => format!("{} $", HumanCount(whole(value))),
        _ if value >= 0.005 || value <= 0.0 => format!("{value:.2} $"),
        _ => "< 0.01 $".to_owned(),
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// By the hour, the day or the month, so that there is one at least.
pub(super) fn times(per_hour: f64) -> String {
    let (count, unit) = match per_hour {
        _ if per_hour >= SECONDS_A_HOUR => (per_hour / SECONDS_A_HOUR, "s"),
        _ if per_hour >= 1.0 || per_hour <= 0.0 => (per_hour, "h"),
        _ if per_hour * 24.0 >= 1.0 => (per_hour * 24.0, "day"),
        _ => (per_hour * HOURS_A_MONTH, "month"),
    };
    format!("{}/{unit}", number(count))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is no less than 0, and what is too large is shown as the largest"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: &str, expected: &str) {
        assert_eq!(shown, expected);
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        check(&number(0.0), "0");
        check(&number(3.0), "3");
        check(&number(0.000_01), "1.0e-5");
        check(&number(0.003), "0.003");
        check(&number(0.25), "0.2");
        check(&number(9.99), "10.0");
        check(&number(1_234_567.8), "1,234,568");
        check(&number(1e21), "1.00e21");
    }

    #[test]
    fn money_has_cents_until_a_thousand() {
        check(&dollars(0.0), "0.00 $");
        check(&dollars(0.001), "< 0.01 $");
        check(&dollars(358.429), "358.43 $");
        check(&dollars(12_359.62), "12,360 $");
    }

    #[test]
    fn what_is_rare_is_counted_by_a_longer_time() {
        check(&times(7_200.0), "2/s");
        check(&times(240.0), "240/h");
        check(&times(0.5), "12/day");
        check(&times(0.01), "7.2/month");
        check(&times(0.0), "0/h");
    }

    #[test]
    fn sizes_are_binary() {
        check(&bytes(0.0), "0 B");
        check(&bytes(1_572_864.0), "1.50 MiB");
    }
}
