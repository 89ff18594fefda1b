//! Claims: which record an event belongs to, and until when.
//!
//! A claim names its owner, so that a record which Firehose sends again is not taken for a
//! duplicate of itself. A store only remembers; what a held claim means for a record is decided
//! here, by [`Owner::owns`].

#[cfg(feature = "tool")]
pub mod embedded;

#[cfg(feature = "dynamodb")]
pub mod dynamodb;

use std::{fmt, future::Future, str::FromStr};

use tokio::time::Instant;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// A `ttl` that never comes.
pub const NEVER: u64 = u64::MAX;

/// What a record wants: this identity, in the name of this owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The item's `id`: a JSON array of what makes two events the same.
    pub identity: &'a str,
    /// `created_at` in nanoseconds where it is part of the identity: claims of one time lie together.
    pub led_by: Option<i128>,
    pub owner: Owner,
}

/// When a claim is made, how long it lives, and how long the store may try.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Epoch seconds; an item whose `ttl` is not after this counts as absent.
    pub now_seconds: u64,
    /// Epoch seconds, or [`NEVER`].
    pub ttl_seconds: u64,
    /// When the store must have answered.
    pub deadline: Instant,
}

/// What the store says of one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It was absent or expired, and is ours now.
    Taken,
    /// It is alive and was made by this owner, who may be the very record that asks.
    Held(Owner),
    /// The store did not say. The claim may or may not have been made.
    Unanswered,
}

/// What the store says of a batch: one answer a claim, in order, and why some are missing.
#[derive(Debug, Default)]
pub struct Answers {
    pub claimed: Vec<Claimed>,
    /// Set exactly when a claim is [`Claimed::Unanswered`].
    pub failure: Option<StoreError>,
    /// As the store itself counts them.
    pub write_units: f64,
}

/// Remembers claims.
pub trait ClaimStore {
    /// Takes every claim that is absent or expired, and names the owner of each that is not.
    ///
    /// Identities are distinct within a call. Of several calls at once that want the same
    /// identity, exactly one takes it. Never fails for a single claim: what could not be
    /// answered until the deadline is [`Claimed::Unanswered`].
    fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> impl Future<Output = Answers> + Send;
}

impl<S: ClaimStore + Sync> ClaimStore for &S {
    fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> impl Future<Output = Answers> + Send {
        (**self).claim(claims, terms)
    }
}

/// Gives claims back: what a redrive needs of a store.
pub trait ReleaseStore {
    /// The claim on each identity, expired or not, in order. Who asks makes no difference.
    ///
    /// Identities are distinct within a call. An error means that not all could be answered until
    /// the deadline.
    fn look_up(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Option<Held>>, StoreError>> + Send;

    /// Removes each claim that is still exactly this owner's, in order; identities are distinct.
    ///
    /// After an error some may be removed and others not.
    fn release(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Released>, StoreError>> + Send;
}

impl<S: ReleaseStore + Sync> ReleaseStore for &S {
    fn look_up(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Option<Held>>, StoreError>> + Send {
        (**self).look_up(claims, deadline)
    }

    fn release(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Released>, StoreError>> + Send {
        (**self).release(claims, deadline)
    }
}

/// A claim as it lies in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub owner: Owner,
    /// Epoch seconds, or [`NEVER`].
    pub ttl_seconds: u64,
}

/// What became of a claim that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// There is no claim on the identity now.
    Free,
    /// Another record has it by now; it stays.
    Others,
}

/// Why a store could not answer, in words for the person who has to act.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Passing: it was tried again until the deadline.
    #[error("the claim store did not answer in time: {0}")]
    Away(String),
    /// Lasting: trying again would not help.
    #[error("the claim store refuses: {0}")]
    Refused(String),
}

/// Which record made a claim: its arrival, its `recordId` and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Epoch milliseconds; a record without an arrival time has none that could agree.
    pub arrival_milliseconds: Option<i64>,
    pub record_id_hash: u64,
    pub bytes_hash: u128,
}

impl Owner {
    /// Who only looks: that makes no difference to what is found.
    pub const NOBODY: Self = Self {
        arrival_milliseconds: None,
        record_id_hash: 0,
        bytes_hash: 0,
    };

    /// The owner that a record is. The hashes are the same on every machine and in every version.
    #[must_use]
    pub fn of(record_id: &str, arrival_milliseconds: Option<i64>, bytes: &[u8]) -> Self {
        Self {
            arrival_milliseconds,
            record_id_hash: xxh3_64(record_id.as_bytes()),
            bytes_hash: xxh3_128(bytes),
        }
    }

    /// Whether the claim of `self` was made by the record `other`: the same bytes, and the same
    /// arrival time or `recordId`. Both survive Firehose's retries; one is enough.
    #[must_use]
    pub fn owns(&self, other: &Owner) -> bool {
        self.same_bytes(other)
            && (self.same_record_id(other)
                || (self.arrival_milliseconds.is_some()
                    && self.arrival_milliseconds == other.arrival_milliseconds))
    }

    #[must_use]
    pub fn same_bytes(&self, other: &Owner) -> bool {
        self.bytes_hash == other.bytes_hash
    }

    #[must_use]
    pub fn same_record_id(&self, other: &Owner) -> bool {
        self.record_id_hash == other.record_id_hash
    }
}

/// As it stands in a claim's item: `arrival:recordId:bytes`, the hashes in hexadecimal digits,
/// an arrival time that is not known as `-`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.arrival_milliseconds {
            Some(milliseconds) => write!(f, "{milliseconds}")?,
            None => f.write_str("-")?,
        }
        write!(f, ":{:016x}:{:032x}", self.record_id_hash, self.bytes_hash)
    }
}

/// The text is not an owner.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an owner, which is written arrival:recordId:bytes")]
pub struct OwnerUnreadable;

impl FromStr for Owner {
    type Err = OwnerUnreadable;

    fn from_str(text: &str) -> Result<Self, OwnerUnreadable> {
        let mut parts = text.split(':');
        let (Some(arrival), Some(record_id), Some(bytes), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(OwnerUnreadable);
        };
        let arrival_milliseconds = match arrival {
            "-" => None,
            digits => Some(digits.parse().map_err(|_| OwnerUnreadable)?),
        };
        let record_id_hash = u64::from_str_radix(record_id, 16).map_err(|_| OwnerUnreadable)?;
        let bytes_hash = u128::from_str_radix(bytes, 16).map_err(|_| OwnerUnreadable)?;
        Ok(Self {
            arrival_milliseconds,
            record_id_hash,
            bytes_hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"{\"event_uuid\":\"1\"}";

    #[track_caller]
    fn check(held: &Owner, asks: &Owner, owns: bool) {
        assert_eq!(held.owns(asks), owns, "{held} and {asks}");
        assert_eq!(asks.owns(held), owns, "{asks} and {held}");
    }

    #[test]
    fn the_same_bytes_and_arrival_or_record_id_are_the_same_record() {
        let held = Owner::of("a", Some(5), BYTES);
        check(&held, &Owner::of("a", Some(5), BYTES), true);
        check(&held, &Owner::of("b", Some(5), BYTES), true);
        check(&held, &Owner::of("a", Some(6), BYTES), true);
        check(&held, &Owner::of("a", None, BYTES), true);
        check(&held, &Owner::of("b", Some(6), BYTES), false);
        check(&held, &Owner::of("b", None, BYTES), false);
        check(&held, &Owner::of("a", Some(5), b"other"), false);
    }

    #[test]
    fn arrival_times_that_are_not_known_do_not_agree() {
        check(
            &Owner::of("a", None, BYTES),
            &Owner::of("b", None, BYTES),
            false,
        );
        check(
            &Owner::of("a", None, BYTES),
            &Owner::of("a", None, BYTES),
            true,
        );
    }

    #[test]
    fn an_owner_is_written_the_same_for_ever() {
        let owner = Owner::of(
            "49546986683135544286507457936321625675700192471156785154",
            Some(1_495_072_949_453),
            BYTES,
        );
        assert_eq!(
            owner.to_string(),
            "1495072949453:57002c696d820f09:a22f940d75944a1a4fcfaa8dedf6a4a1"
        );
        assert_eq!(owner.to_string().parse(), Ok(owner));
        let timeless = Owner {
            arrival_milliseconds: None,
            ..owner
        };
        assert_eq!(timeless.to_string().parse(), Ok(timeless));
    }

    #[test]
    fn text_that_is_no_owner_is_refused() {
        for text in [
            "", "1", "1:2", "1:2:3:4", "x:2:3", "1:x:3", "1:2:x", "-1x:2:3",
        ] {
            assert_eq!(text.parse::<Owner>(), Err(OwnerUnreadable), "{text}");
        }
    }
}
