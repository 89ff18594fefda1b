//! Objects in S3: what every bucket of ours is asked.

use aws_sdk_s3::{
    Client,
    error::SdkError,
    operation::head_object::{HeadObjectError, HeadObjectOutput},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// What is said beside an object; none where there is none.
pub async fn head(
    client: &Client,
    bucket: &str,
    key: &str,
) -> Result<Option<HeadObjectOutput>, SdkError<HeadObjectError, HttpResponse>> {
    match client.head_object().bucket(bucket).key(key).send().await {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_absent<R>(error: &SdkError<HeadObjectError, R>) -> bool {
    error
        .as_service_error()
        .is_some_and(HeadObjectError::is_not_found)
}
