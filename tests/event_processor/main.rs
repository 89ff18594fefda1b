//! The event processor, end to end, on stores in memory, in a folder and in emulators.
#![cfg(feature = "tool")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "event-processor")]
mod binary;
mod bounds;
mod conservation;
mod contract;
mod fixtures;
mod folder;
mod malice;
mod privacy;
mod request;
mod situations;
#[cfg(feature = "event-processor")]
mod stores;
mod world;
