//! What AWS says of a request, in words for the person who has to act.

use std::error::Error;

use anyhow::anyhow;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::{
    aws::{Cause, Failure},
    config::environment,
};

/// What cannot be done, and what to do about it.
pub(super) fn in_words<E>(doing: &str, permission: &str, error: &SdkError<E>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let failure = Failure::from(error);
    if failure.cause() == Some(Cause::NoCredentials) && error.code().is_none() {
        return anyhow!(
            "{doing}, for want of credentials ({failure}): log in, name a profile in AWS_PROFILE, or \
             set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        );
    }
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    let advice = match error.code() {
        Some("AccessDenied" | "AccessDeniedException") => format!("; you need {permission}"),
        None if status == Some(403) => format!("; do you have {permission}?"),
        None if matches!(error, SdkError::DispatchFailure(_)) => at_address(permission),
        Some("NoSuchBucket" | "ResourceNotFoundException") => {
            "; is that its name, and is it in this account and region?".to_owned()
        }
        _ => String::new(),
    };
    let said = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => failure.to_string(),
    };
    anyhow!("{doing}: {said}{advice}")
}

/// Where the service is that the permission is of, if somebody has said so.
fn at_address(permission: &str) -> String {
    let service = permission.split(':').next().unwrap_or_default();
    let names = [
        format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()),
        "AWS_ENDPOINT_URL".to_owned(),
    ];
    let mut addresses = names
        .iter()
        .filter_map(|name| Some(format!("; {name} is {}", environment(name)?)));
    addresses.next().unwrap_or_default()
}
