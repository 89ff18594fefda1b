//! The function that batches are given to: in this process, or behind an address.

use std::future::Future;

use super::answer::AnswerError;

pub trait Invoke {
    /// Answers one request of Firehose's.
    fn invoke(
        &self,
        request: &[u8],
    ) -> impl Future<Output = Result<Invocation, FunctionError>> + Send;
}

/// What an invocation gave.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    pub answer: Vec<u8>,
    pub told: Told,
}

/// What no answer shows, and only a function in this process tells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    pub duplicates_differing: u64,
    /// Where it is not known, what failed without a reason is taken for overflow.
    pub overflow: Option<u64>,
}

/// Why an invocation is as good as none: Firehose tries the whole batch again.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    #[error("{0}")]
    Failed(String),
    #[error("no answer within {0} seconds")]
    TimedOut(f64),
    #[error(transparent)]
    Answer(#[from] AnswerError),
}
