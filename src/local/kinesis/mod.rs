//! A Kinesis for one machine: a stream whose shards take records in, and a mapping that gives them to
//! a function as Lambda's does, in memory that is bounded.
//!
//! ```text
//! put ─> Stream: shard by the key's hash ─> Mapping: a batch ─> request ─> function ─> what it means
//!                      └ checkpoint <──────────────────────── done, from here on again, all again, given up
//! ```
//!
//! Time is a [`Clock`] that goes as tokio's does, so a test owns it. On demand, and from a seed,
//! [`strikes`] befall invocations.

pub mod aggregate;
pub mod answer;
pub mod clock;
pub mod feed;
pub mod given_up;
pub mod mapping;
pub mod names;
pub mod passage;
pub mod record;
mod shard;
pub mod stream;
pub mod strikes;

pub use clock::Clock;
pub use mapping::Mapping;
pub use stream::Stream;
