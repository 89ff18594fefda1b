//! A rate, and the interval that the true one lies in nineteen times of twenty: Wilson's, which holds
//! for few users and for rates near 0 and 1 too.

use std::fmt;

/// The normal distribution's value for 95 %.
const Z: f64 = 1.959_963_984_540_054;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Rate {
    /// None of nobody. Estimates may say that more did it than there are; all, then.
    #[expect(clippy::cast_precision_loss, reason = "users are fewer than 2^53")]
    pub(super) fn of(converted: u64, users: u64) -> Option<Self> {
        if users == 0 {
            return None;
        }
        let number = users as f64;
        let rate = converted.min(users) as f64 / number;
        let weight = 1.0 + Z * Z / number;
        let middle = (rate + Z * Z / (2.0 * number)) / weight;
        let spread = rate * (1.0 - rate) / number + Z * Z / (4.0 * number * number);
        let half = Z / weight * spread.sqrt();
        Some(Self {
            value: rate,
            low: (middle - half).max(0.0),
            high: (middle + half).min(1.0),
        })
    }
}

/// `13.3 % (10.8 to 16.3 %)`
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rate, low, high] = [self.value, self.low, self.high].map(|part| part * 100.0);
        write!(f, "{rate:.1} % ({low:.1} to {high:.1} %)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The intervals were worked out in Python.
    #[test]
    fn a_rate_has_wilsons_interval() {
        #[track_caller]
        fn check(converted: u64, users: u64, expected: &str) {
            let rate = Rate::of(converted, users).map(|rate| rate.to_string());
            assert_eq!(rate.as_deref(), Some(expected), "{converted} of {users}");
        }
        check(0, 10, "0.0 % (0.0 to 27.8 %)");
        check(10, 10, "100.0 % (72.2 to 100.0 %)");
        check(1, 2, "50.0 % (9.5 to 90.5 %)");
        check(80, 600, "13.3 % (10.8 to 16.3 %)");
        check(11, 10, "100.0 % (72.2 to 100.0 %)");
        assert_eq!(Rate::of(0, 0), None);
    }
}
