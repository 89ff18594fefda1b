//! What every function is: a body and a moment in; a body and counts out, or a failure.

#[cfg(feature = "kinesis")]
pub mod event_log;
#[cfg(feature = "counting")]
pub mod event_processor;
pub mod firehose_transform;
#[cfg(feature = "star")]
pub mod star_schema;

use std::{error::Error, future::Future, time::SystemTime};

use tokio::time::Instant;

use crate::telemetry::Metric;

/// When an invocation happens, and until when it has to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: SystemTime,
    pub deadline: Instant,
}

/// What a function says, and what it came to.
#[derive(Debug)]
pub struct Response<C> {
    pub body: Vec<u8>,
    pub counts: C,
}

/// What can be told in numbers.
pub trait Counted {
    fn metrics(&self) -> Vec<Metric>;
}

/// Why an invocation has no response: whoever called is to call again.
pub trait Failure: Error + Counted + Send {
    /// Lambda's word for it.
    fn kind(&self) -> &'static str;
}

/// Answers invocations. It decides what is a value in its response, and what is a failure.
pub trait Function {
    type Counts: Counted + Send;
    type Failure: Failure;

    fn answer(
        &self,
        body: &[u8],
        moment: Moment,
    ) -> impl Future<Output = Result<Response<Self::Counts>, Self::Failure>> + Send;
}
