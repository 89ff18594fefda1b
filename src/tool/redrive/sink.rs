//! Where records are sent. What a stream and a lake have in common.

use anyhow::{Error, Result};

/// Takes records, in batches.
pub(in crate::tool) trait Sink {
    fn limits(&self) -> SendLimits;
    fn send(&mut self, records: &[&[u8]]) -> Receipt;
    /// Whether all that was sent would outlive a crash.
    fn is_settled(&self) -> bool;
    /// Sees to it that it does.
    fn settle(&mut self) -> Result<()>;
}

/// What goes at once.
#[derive(Debug, Clone, Copy)]
pub(in crate::tool) struct SendLimits {
    pub(in crate::tool) records_max: usize,
    pub(in crate::tool) bytes_max: usize,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(in crate::tool) struct Receipt {
    /// Which of its records were not taken, and why.
    pub(in crate::tool) failed: Vec<(usize, String)>,
    /// Why nothing more can be sent.
    pub(in crate::tool) broken: Option<Error>,
}
