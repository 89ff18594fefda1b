//! The star-schema loader, end to end, on folders and on emulators.
#![cfg(feature = "tool")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "star-schema")]
mod binary;
mod bounds;
mod conservation;
mod contract;
mod fixtures;
mod plot;
mod privacy;
mod rows;
mod situations;
mod stores;
#[cfg(feature = "star-schema")]
mod uploads;
mod world;
