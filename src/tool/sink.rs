//! Where records are sent. What a stream and a lake have in common.

use anyhow::{Error, Result};

/// Takes records, in batches.
pub(super) trait Sink {
    fn limits(&self) -> SendLimits;
    fn send(&mut self, records: &[&[u8]]) -> Receipt;
    /// Whether all that was sent would outlive a crash.
    fn is_settled(&self) -> bool;
    /// Sees to it that it does.
    fn settle(&mut self) -> Result<()>;
}

/// What goes at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct SendLimits {
    pub(super) records_max: usize,
    pub(super) bytes_max: usize,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    /// Which of its records were not taken, and why.
    pub(super) failed: Vec<(usize, String)>,
    /// Which were taken and refused again, where that is seen at once.
    pub(super) refused: Vec<usize>,
    /// Why nothing more can be sent.
    pub(super) broken: Option<Error>,
}
