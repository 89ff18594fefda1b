//! A function in this process: the same code as in the Lambda.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::functions::{Function, Moment, Response};

/// A function that is called as Lambda calls it.
pub struct InProcess<F> {
    function: F,
    invocation_max: Duration,
    clock: fn() -> SystemTime,
}

impl<F: Function> InProcess<F> {
    /// `invocation_max` is what the caller lets it take.
    #[must_use]
    pub fn new(function: F, invocation_max: Duration, clock: fn() -> SystemTime) -> Self {
        Self {
            function,
            invocation_max,
            clock,
        }
    }

    pub async fn answer(&self, body: &[u8]) -> Result<Response<F::Counts>, F::Failure> {
        let moment = Moment {
            now: (self.clock)(),
            deadline: Instant::now() + self.invocation_max,
        };
        self.function.answer(body, moment).await
    }
}
