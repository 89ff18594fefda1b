//! Where records are sent. What a stream and a lake have in common.

use anyhow::{Error, Result};

/// Takes records, in batches.
pub(crate) trait Sink {
    fn limits(&self) -> SendLimits;
    fn send(&mut self, records: &[&[u8]]) -> Receipt;
    /// Whether all that was sent would outlive a crash.
    fn is_settled(&self) -> bool;
    /// Sees to it that it does.
    fn settle(&mut self) -> Result<()>;
}

/// What goes at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendLimits {
    pub(crate) records_max: usize,
    pub(crate) bytes_max: usize,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Receipt {
    /// Which of its records were not taken, and why.
    pub(crate) failed: Vec<(usize, String)>,
    /// Why nothing more can be sent.
    pub(crate) broken: Option<Error>,
}
