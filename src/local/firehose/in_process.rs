//! The function in this process: the same code as in the Lambda, on claims in a folder.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::function::{Function, FunctionError, Invocation, Told};
use crate::{
    dedup::embedded::EmbeddedStore,
    functions::{
        Function as _, Moment,
        firehose_transform::{FirehoseTransform, Settings},
    },
};

/// What Firehose lets a function take.
const INVOCATION_MAX: Duration = Duration::from_mins(5);

pub struct InProcess<'a> {
    transform: FirehoseTransform<&'a EmbeddedStore>,
    clock: fn() -> SystemTime,
}

impl<'a> InProcess<'a> {
    #[must_use]
    pub fn new(settings: Settings, store: &'a EmbeddedStore, clock: fn() -> SystemTime) -> Self {
        Self {
            transform: FirehoseTransform::new(settings, store),
            clock,
        }
    }
}

impl Function for InProcess<'_> {
    async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        let moment = Moment {
            now: (self.clock)(),
            deadline: Instant::now() + INVOCATION_MAX,
        };
        let answer = self.transform.answer(request, moment).await;
        let answer = answer.map_err(|error| FunctionError::Failed(error.to_string()))?;
        Ok(Invocation {
            answer: answer.body,
            told: Told {
                duplicates_differing: answer.counts.duplicates_differing as u64,
                overflow: Some(answer.counts.overflow as u64),
            },
        })
    }
}
