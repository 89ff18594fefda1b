//! The response's size: what still fits when each record gets the longest answer it may still get.

/// The most bytes a response may have; one more, and the whole batch counts as failed.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// What a response has left once every record is sure of its shortest answer.
#[derive(Debug)]
pub struct Budget {
    bytes_left: usize,
}

impl Budget {
    /// None if not even the shortest answers fit.
    #[must_use]
    pub fn new(bytes_max: usize, bytes_shortest: usize) -> Option<Self> {
        bytes_max
            .checked_sub(bytes_shortest)
            .map(|bytes_left| Self { bytes_left })
    }

    /// Takes what a longer answer needs beyond the shortest, if that is left.
    #[must_use]
    pub fn take(&mut self, bytes_shortest: usize, bytes_longest: usize) -> bool {
        match self
            .bytes_left
            .checked_sub(bytes_longest.saturating_sub(bytes_shortest))
        {
            Some(bytes_left) => {
                self.bytes_left = bytes_left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_leaves_room_for_what_is_smaller() {
        let mut budget = Budget::new(100, 40).unwrap();
        let longest = [30, 31, 60, 20, 11, 10];
        let taken = longest.map(|longest| budget.take(10, longest));
        assert_eq!(taken, [true, true, false, true, true, true]);
        assert_eq!(budget.bytes_left, 8);
    }

    #[test]
    fn a_budget_fits_to_the_byte() {
        assert!(Budget::new(10, 10).unwrap().take(5, 5));
        assert!(!Budget::new(10, 10).unwrap().take(5, 6));
        assert!(Budget::new(10, 11).is_none());
    }
}
