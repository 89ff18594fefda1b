//! What the tests share; each uses the part it needs.
#![allow(dead_code, reason = "each test uses the part it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

pub(crate) mod browser;
#[cfg(feature = "dynamodb")]
pub(crate) mod client;
pub(crate) mod contract;
#[cfg(feature = "kinesis")]
pub(crate) mod depot_stub;
pub(crate) mod effort;
#[cfg(feature = "dynamodb")]
pub(crate) mod emulators;
#[cfg(feature = "tool")]
pub(crate) mod error_objects;
#[cfg(feature = "aws")]
pub(crate) mod firehose_stub;
pub(crate) mod folder;
pub(crate) mod golden;
pub(crate) mod hostile;
#[cfg(feature = "tool")]
pub(crate) mod lake;
#[cfg(feature = "kinesis")]
pub(crate) mod log_items;
pub(crate) mod memory;
#[cfg(feature = "tool")]
pub(crate) mod place;
#[cfg(feature = "dynamodb")]
pub(crate) mod proxy;
pub(crate) mod requests;
#[cfg(feature = "lambda")]
pub(crate) mod runtime_api;
#[cfg(feature = "tool")]
pub(crate) mod said;
pub(crate) mod soak;
#[cfg(feature = "tool")]
pub(crate) mod stream;
pub(crate) mod table;
pub(crate) mod takes_all;
pub(crate) mod variables;
