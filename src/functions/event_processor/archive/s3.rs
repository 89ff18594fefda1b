//! The archive in an S3 bucket.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata,
    operation::{head_object::HeadObjectOutput, put_object::builders::PutObjectFluentBuilder},
};

use super::{Head, Object, Objects, Put, PutOn};
use crate::aws::{self, Asker, Failure, Place, Service, objects, without_retries};

const CONTENT_TYPE: &str = "application/x-ndjson";
const PLAN: &str = "plan";

/// What S3 says where a condition does not hold: at all, under contention, or because what was to
/// be replaced is gone.
const REFUSALS: [&str; 3] = [
    "PreconditionFailed",
    "ConditionalRequestConflict",
    "NoSuchKey",
];

#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    bucket: String,
}

impl Bucket {
    #[must_use]
    pub fn new(shared: &SdkConfig, bucket: String) -> Self {
        Self {
            client: Client::new(&without_retries(shared)),
            bucket,
        }
    }

    fn place(&self) -> Place {
        Place {
            name: format!("bucket \"{}\"", self.bucket),
            asker: Asker::Function,
            named_by: "S3_BUCKET",
            permissions: "s3:PutObject and s3:GetObject",
            shape: "takes no such object",
            purpose: "is a bucket's name",
            service: Service::S3,
        }
    }
}

impl Objects for Bucket {
    async fn put(
        &self,
        key: &str,
        object: &Object,
        on: &PutOn,
        patience: Duration,
    ) -> Result<Put, Failure> {
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = describe(request, object);
        let request = match on {
            PutOn::Absent => request.if_none_match("*"),
            PutOn::Match(etag) => request.if_match(etag),
        };
        let sent = async {
            match request.send().await {
                Ok(_) => Ok(Put::Written),
                Err(error) if error.code().is_some_and(|code| REFUSALS.contains(&code)) => {
                    Ok(Put::Refused)
                }
                Err(error) => Err(error),
            }
        };
        let put = aws::answered(Box::pin(sent), patience).await;
        put.map_err(|failure| self.place().in_words(failure))
    }

    async fn head(&self, key: &str, patience: Duration) -> Result<Option<Head>, Failure> {
        let sent = objects::head(&self.client, &self.bucket, key);
        let found = aws::answered(Box::pin(sent), patience)
            .await
            .and_then(|found| found.map(read).transpose());
        found.map_err(|failure| self.place().in_words(failure))
    }
}

fn read(found: HeadObjectOutput) -> Result<Head, Failure> {
    let plan = found.metadata().and_then(|metadata| metadata.get(PLAN));
    Ok(Head {
        plan: plan.and_then(|plan| plan.parse().ok()).unwrap_or_default(),
        etag: found
            .e_tag
            .ok_or_else(|| Failure::senseless("an object without an etag"))?,
    })
}

fn describe(request: PutObjectFluentBuilder, object: &Object) -> PutObjectFluentBuilder {
    request
        .content_type(CONTENT_TYPE)
        .metadata("event_count", object.events.to_string())
        .metadata("compression", "gzip")
        .metadata("first", &object.first)
        .metadata("last", &object.last)
        .metadata(PLAN, object.plan.to_string())
        .body(object.gzip.clone().into())
}
