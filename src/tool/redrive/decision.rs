//! Whether a record may be sent again: from whose its event's claim is, and how old the record is.

use crate::{
    dedup::{Held, Owner},
    local::firehose::error_object::read::Origin,
};

/// What is known of a record whose event is accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) arrival_milliseconds: Option<i64>,
    pub(super) bytes_hash: u128,
    /// This redrive has given its claim back before it was interrupted.
    pub(super) is_released: bool,
}

/// The time, and how long claims live; none is for ever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    pub(super) now_milliseconds: i64,
    pub(super) lifetime_seconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nobody has claimed its event.
    Send,
    /// It has claimed its event itself and was never delivered: the claim has to go first.
    Release(Owner),
    /// Another record has claimed its event, and was delivered.
    HoldBack,
    Unknown(Why),
}

/// Why it cannot be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A claim would have expired by now, its own as well as another's.
    Old,
    NoArrival,
    NoTable,
    /// Others took the claim while it was to be given back.
    Contended,
}

impl Why {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Old => "older than the claims' lifetime",
            Self::NoArrival => "no arrival time to tell by",
            Self::NoTable => "no claims to look at: name them with --table",
            Self::Contended => "its claim changes hands right now",
        }
    }
}

/// Decides by the claim that lies there, expired or not.
pub(super) fn decide(record: &Known, held: Option<&Held>, age: Age) -> Decision {
    if let Some(held) = held.filter(|held| age.is_alive(held)) {
        return match owns(record, &held.owner) {
            Some(true) => Decision::Release(held.owner),
            Some(false) => Decision::HoldBack,
            None => Decision::Unknown(Why::NoArrival),
        };
    }
    if record.is_released || age.lifetime_seconds.is_none() {
        return Decision::Send;
    }
    match record.arrival_milliseconds {
        None => Decision::Unknown(Why::NoArrival),
        Some(arrival) if age.is_older(arrival) => Decision::Unknown(Why::Old),
        Some(_) => Decision::Send,
    }
}

/// Whether this very record has made the claim, where that can be told. An error object does not
/// keep the `recordId`.
fn owns(record: &Known, owner: &Owner) -> Option<bool> {
    let same_bytes = record.bytes_hash == owner.bytes_hash;
    let same_arrival = record
        .arrival_milliseconds
        .zip(owner.arrival_milliseconds)
        .map(|(ours, owners)| ours == owners);
    match record.origin {
        Origin::Arrived if same_bytes => same_arrival,
        // No function has seen what a person made of it.
        Origin::Arrived | Origin::Repaired => Some(false),
        // The bytes may have become what was delivered.
        Origin::Later => same_arrival,
    }
}

impl Age {
    pub(super) fn is_alive(self, held: &Held) -> bool {
        i128::from(held.ttl_seconds) > i128::from(self.now_milliseconds.div_euclid(1_000))
    }

    fn is_older(self, arrival_milliseconds: i64) -> bool {
        self.lifetime_seconds.is_some_and(|seconds| {
            let age = i128::from(self.now_milliseconds) - i128::from(arrival_milliseconds);
            age >= i128::from(seconds) * 1_000
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    const NOW: i64 = 1_789_014_240_448;
    const HOUR: i64 = 3_600_000;

    fn record(origin: Origin, bytes: &[u8], arrival_milliseconds: Option<i64>) -> Known {
        Known {
            origin,
            arrival_milliseconds,
            bytes_hash: Owner::of("", None, bytes).bytes_hash,
            is_released: false,
        }
    }

    fn claim(bytes: &[u8], arrival: Option<i64>, ttl_seconds: i64) -> Held {
        Held {
            owner: Owner::of("record", arrival, bytes),
            ttl_seconds: u64::try_from(ttl_seconds).unwrap(),
        }
    }

    #[track_caller]
    fn check(record: &Known, held: Option<Held>, expected: Decision) {
        let age = Age {
            now_milliseconds: NOW,
            lifetime_seconds: Some(DAY),
        };
        assert_eq!(decide(record, held.as_ref(), age), expected);
    }

    const ALIVE: i64 = NOW / 1_000 + 1;
    const EXPIRED: i64 = NOW / 1_000;
    const YOUNG: Option<i64> = Some(NOW - HOUR);
    const OLD: Option<i64> = Some(NOW - 24 * HOUR);

    #[test]
    fn without_a_claim_age_decides() {
        for origin in [Origin::Arrived, Origin::Later, Origin::Repaired] {
            check(&record(origin, b"a", YOUNG), None, Decision::Send);
            check(
                &record(origin, b"a", Some(NOW - 24 * HOUR + 1)),
                None,
                Decision::Send,
            );
            check(
                &record(origin, b"a", OLD),
                None,
                Decision::Unknown(Why::Old),
            );
            check(
                &record(origin, b"a", None),
                None,
                Decision::Unknown(Why::NoArrival),
            );
        }
    }

    #[test]
    fn an_expired_claim_counts_as_none() {
        for arrival in [YOUNG, Some(1)] {
            let held = claim(b"a", arrival, EXPIRED);
            let young = record(Origin::Arrived, b"a", YOUNG);
            check(&young, Some(held), Decision::Send);
            let old = record(Origin::Arrived, b"a", OLD);
            check(&old, Some(held), Decision::Unknown(Why::Old));
        }
    }

    #[test]
    fn what_failed_in_the_function_owns_by_arrival_and_bytes() {
        let ours = record(Origin::Arrived, b"a", YOUNG);
        let own = claim(b"a", YOUNG, ALIVE);
        check(&ours, Some(own), Decision::Release(own.owner));
        let copy = claim(b"a", Some(NOW), ALIVE);
        check(&ours, Some(copy), Decision::HoldBack);
        let differing = claim(b"b", YOUNG, ALIVE);
        check(&ours, Some(differing), Decision::HoldBack);
        let timeless = claim(b"a", None, ALIVE);
        check(&ours, Some(timeless), Decision::Unknown(Why::NoArrival));
    }

    #[test]
    fn what_failed_later_owns_by_arrival_alone() {
        let ours = record(Origin::Later, b"a and added fields", YOUNG);
        let own = claim(b"a", YOUNG, ALIVE);
        check(&ours, Some(own), Decision::Release(own.owner));
        let copy = claim(b"a", Some(NOW), ALIVE);
        check(&ours, Some(copy), Decision::HoldBack);
        let timeless = claim(b"a", None, ALIVE);
        check(&ours, Some(timeless), Decision::Unknown(Why::NoArrival));
    }

    #[test]
    fn what_was_repaired_owns_nothing() {
        let ours = record(Origin::Repaired, b"a", YOUNG);
        let same = claim(b"a", YOUNG, ALIVE);
        check(&ours, Some(same), Decision::HoldBack);
    }

    #[test]
    fn a_living_claim_decides_at_any_age() {
        let ours = record(Origin::Arrived, b"a", OLD);
        let own = claim(b"a", OLD, ALIVE);
        check(&ours, Some(own), Decision::Release(own.owner));
        let copy = claim(b"a", Some(NOW), ALIVE);
        check(&ours, Some(copy), Decision::HoldBack);
    }

    #[test]
    fn what_this_redrive_gave_back_is_not_left_because_it_has_aged() {
        let ours = Known {
            is_released: true,
            ..record(Origin::Arrived, b"a", OLD)
        };
        check(&ours, None, Decision::Send);
        let copy = claim(b"a", Some(NOW), ALIVE);
        check(&ours, Some(copy), Decision::HoldBack);
    }

    #[test]
    fn where_claims_live_for_ever_nothing_is_old() {
        let age = Age {
            now_milliseconds: NOW,
            lifetime_seconds: None,
        };
        for arrival in [Some(0), None] {
            let ours = record(Origin::Arrived, b"a", arrival);
            assert_eq!(decide(&ours, None, age), Decision::Send);
        }
    }
}
