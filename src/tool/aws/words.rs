//! What AWS says of a request, in words for the person who has to act.

use std::error::Error;

use anyhow::anyhow;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::aws::Failure;

/// What cannot be done, and what to do about it.
pub(super) fn in_words<E>(doing: &str, permission: &str, error: &SdkError<E>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let advice = match error.code() {
        Some("AccessDenied" | "AccessDeniedException") => format!("; you need {permission}"),
        Some("NoSuchBucket" | "ResourceNotFoundException") => {
            "; is that its name, and is it in this account and region?".to_owned()
        }
        _ => String::new(),
    };
    anyhow!("{doing}: {}{advice}", said(error))
}

fn said<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => Failure::from(error).to_string(),
    }
}
