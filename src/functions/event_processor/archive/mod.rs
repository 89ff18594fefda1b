//! Objects under names: where events are archived. What they are called and what is in them is the
//! plan's; how they are put so that each is there once is `putting`'s.

#[cfg(feature = "tool")]
pub mod folder;
pub mod plan;
pub mod putting;
#[cfg(feature = "s3")]
pub mod s3;

use std::{future::Future, time::Duration};

use crate::aws::Failure;

/// Keeps objects.
pub trait Objects {
    /// Puts an object where the condition holds.
    fn put(
        &self,
        key: &str,
        object: &Object,
        on: &PutOn,
        patience: Duration,
    ) -> impl Future<Output = Result<Put, Failure>> + Send;

    /// What is there; none where nothing is.
    fn head(
        &self,
        key: &str,
        patience: Duration,
    ) -> impl Future<Output = Result<Option<Head>, Failure>> + Send;
}

impl<O: Objects + Sync> Objects for &O {
    fn put(
        &self,
        key: &str,
        object: &Object,
        on: &PutOn,
        patience: Duration,
    ) -> impl Future<Output = Result<Put, Failure>> + Send {
        (**self).put(key, object, on, patience)
    }

    fn head(
        &self,
        key: &str,
        patience: Duration,
    ) -> impl Future<Output = Result<Option<Head>, Failure>> + Send {
        (**self).head(key, patience)
    }
}

/// An archive file: gzip of JSON lines, and what is said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub gzip: Vec<u8>,
    pub events: usize,
    /// The segment's sequence numbers.
    pub first: String,
    pub last: String,
    /// The version of the plan that it belongs to.
    pub plan: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOn {
    Absent,
    /// Exactly this is there.
    Match(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Written,
    /// The condition does not hold, or did not for a moment: look what is there.
    Refused,
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub etag: String,
    pub plan: u64,
}
