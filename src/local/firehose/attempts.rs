//! How often a batch is tried.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

use super::{
    answer::{Answer, Partitioning},
    batch::Batch,
    invocation::{FunctionError, Invocation, Invoke, Told},
};
use crate::local::random::Random;

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

/// Gives batches to a function, from one thread.
pub struct Attempts<'a, F> {
    function: &'a F,
    pauses: Pauses,
    runtime: Runtime,
    random: Random,
}

impl<'a, F: Invoke> Attempts<'a, F> {
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
