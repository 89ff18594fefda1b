//! The function that a batch is given to, and how often Firehose tries.

use std::{
    future::Future,
    io, thread,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

use super::{
    answer::{Answer, AnswerError, Partitioning},
    batch::Batch,
};
use crate::local::random::Random;

/// Transforms batches: in this process, or behind an address.
pub trait Function {
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

/// How long to wait before each further attempt.
pub type Pauses = [Duration; 3];

/// Firehose waits longer.
pub const PAUSES: Pauses = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// How often a batch is tried before it goes to the error prefix.
pub const ATTEMPTS_MAX: u32 = 4;

/// A batch that is not given to the function any more.
pub struct Settled {
    pub batch: Batch,
    /// The last attempt's.
    pub answer: Result<(Answer, Told), FunctionError>,
    /// How long the first attempt took.
    pub took: Duration,
}

/// Calls a function from a thread.
pub struct Invoker<'a, F> {
    function: &'a F,
    pauses: Pauses,
    runtime: Runtime,
    random: Random,
}

impl<'a, F: Function> Invoker<'a, F> {
    pub fn new(function: &'a F, pauses: Pauses) -> io::Result<Self> {
        Ok(Self {
            function,
            pauses,
            runtime: Builder::new_current_thread().enable_all().build()?,
            random: Random::default(),
        })
    }

    /// Tries until there is an answer that Firehose can act on. What is claimed meanwhile belongs to
    /// the same window as the batch's lines, so no window is cut before.
    pub fn settle(&mut self, mut batch: Batch, keys: &[String]) -> Settled {
        let started = Instant::now();
        let mut answer = check(self.invoke(&batch), &batch, keys);
        let took = started.elapsed();
        for pause in self.pauses {
            if answer.is_ok() {
                break;
            }
            thread::sleep(pause);
            batch.renew_invocation(&mut self.random);
            answer = check(self.invoke(&batch), &batch, keys);
        }
        Settled {
            batch,
            answer,
            took,
        }
    }

    fn invoke(&self, batch: &Batch) -> Result<Invocation, FunctionError> {
        if batch.is_empty() {
            let answer = br#"{"records":[]}"#.to_vec();
            let told = Told::default();
            return Ok(Invocation { answer, told });
        }
        self.runtime.block_on(self.function.invoke(batch.request()))
    }
}

fn check(
    invocation: Result<Invocation, FunctionError>,
    batch: &Batch,
    keys: &[String],
) -> Result<(Answer, Told), FunctionError> {
    let Invocation { answer, told } = invocation?;
    let answer = Answer::check(&answer, batch, Partitioning::By(keys))?;
    Ok((answer, told))
}
