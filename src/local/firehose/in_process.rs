//! The function in this process, on claims in a folder.

use std::time::{Duration, SystemTime};

use super::invocation::{FunctionError, Invocation, Invoke, Told};
use crate::{
    dedup::embedded::EmbeddedStore,
    functions::firehose_transform::{FirehoseTransform, Settings},
    local::in_process::InProcess,
};

/// What Firehose lets a function take.
const INVOCATION_MAX: Duration = Duration::from_mins(5);

pub type TransformInProcess<'a> = InProcess<FirehoseTransform<&'a EmbeddedStore>>;

#[must_use]
pub fn transform_in_process(
    settings: Settings,
    store: &EmbeddedStore,
    clock: fn() -> SystemTime,
) -> TransformInProcess<'_> {
    let function = FirehoseTransform::new(settings, store);
    InProcess::new(function, INVOCATION_MAX, clock)
}

impl Invoke for TransformInProcess<'_> {
    async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        let answer = self.answer(request).await;
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
