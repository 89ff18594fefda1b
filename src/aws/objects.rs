//! Objects in S3: what every bucket of ours is asked.

use aws_sdk_s3::{
    Client,
    error::SdkError,
    operation::head_object::{HeadObjectError, HeadObjectOutput},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::present;

/// What is said beside an object; none where there is none.
pub async fn head(
    client: &Client,
    bucket: &str,
    key: &str,
) -> Result<Option<HeadObjectOutput>, SdkError<HeadObjectError, HttpResponse>> {
    let sent = client.head_object().bucket(bucket).key(key).send().await;
    present(sent, HeadObjectError::is_not_found)
}
