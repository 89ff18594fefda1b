//! The event log, end to end: in one process on stores in memory, whatever befalls it, and as the
//! program that Lambda runs.
#![cfg(all(feature = "event-log", feature = "tool"))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod conservation;
mod fixtures;
mod keeping;
mod malice;
mod privacy;
mod program;
mod world;
