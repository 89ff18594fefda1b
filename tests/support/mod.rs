//! What the tests share.

#[allow(dead_code, reason = "each test uses the part it needs")]
pub(crate) mod contract;
#[allow(dead_code, reason = "each test uses the part it needs")]
pub(crate) mod memory;
#[allow(dead_code, reason = "each test uses the part it needs")]
pub(crate) mod requests;
