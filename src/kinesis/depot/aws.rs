//! A bucket and a queue, each where its name is set.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::primitives::ByteStream;
use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use tokio::time::Instant;

use super::{Depot, Object};
use crate::aws::{
    Asked, Asker, Failure, Inquiry, Manner, Place, Reply, Service, answered, ask_until,
    without_retries,
};

/// One object or message a request, so many at once.
const MANNER: Manner = Manner {
    together: 1,
    requests_at_once: 16,
    patience: Duration::from_secs(5),
};

#[derive(Debug, Clone)]
pub struct AwsDepot {
    bucket: Option<(aws_sdk_s3::Client, String)>,
    queue: Option<(aws_sdk_sqs::Client, String)>,
}

impl AwsDepot {
    #[must_use]
    pub fn new(shared: &SdkConfig, bucket: Option<String>, queue_url: Option<String>) -> Self {
        let shared = without_retries(shared);
        Self {
            bucket: bucket.map(|name| (aws_sdk_s3::Client::new(&shared), name)),
            queue: queue_url.map(|url| (aws_sdk_sqs::Client::new(&shared), url)),
        }
    }
}

impl Depot for AwsDepot {
    fn bucket(&self) -> Option<&str> {
        self.bucket.as_ref().map(|(_, name)| name.as_str())
    }

    fn has_queue(&self) -> bool {
        self.queue.is_some()
    }

    async fn put(&self, objects: &[Object<'_>], deadline: Instant) -> Asked<()> {
        let Some((client, name)) = &self.bucket else {
            return Asked::all(0);
        };
        let place = Place {
            name: format!("bucket \"{name}\""),
            asker: Asker::Function,
            named_by: "S3_BUCKET",
            permissions: "s3:PutObject",
            shape: "takes no such object",
            purpose: "is a bucket's name",
            service: Service::S3,
        };
        let putting = OneByOne {
            place,
            send: &|object: &Object<'_>, patience| {
                let request = client.put_object().bucket(name).key(&object.key);
                let request = request
                    .content_type(object.content_type)
                    .body(ByteStream::from(object.bytes.to_vec()));
                answered(request.send(), patience).map_ok(drop).boxed()
            },
        };
        ask_until(&putting, objects.iter().collect(), deadline).await
    }

    async fn tell(&self, messages: &[String], deadline: Instant) -> Asked<()> {
        let Some((client, url)) = &self.queue else {
            return Asked::all(0);
        };
        let place = Place {
            name: format!("queue {url}"),
            asker: Asker::Function,
            named_by: "DLQ_URL",
            permissions: "sqs:SendMessage",
            shape: "takes no such message",
            purpose: "is a queue's URL",
            service: Service::Sqs,
        };
        let telling = OneByOne {
            place,
            send: &|message: &String, patience| {
                let request = client.send_message().queue_url(url).message_body(message);
                answered(request.send(), patience).map_ok(drop).boxed()
            },
        };
        ask_until(&telling, messages.iter().collect(), deadline).await
    }
}

/// Sends each thing in a request of its own, to the same place.
struct OneByOne<'a, T> {
    place: Place,
    send: &'a (dyn Fn(&'a T, Duration) -> BoxFuture<'static, Result<(), Failure>> + Sync),
}

impl<'a, T: Sync> Inquiry for OneByOne<'a, T> {
    type Question = &'a T;
    type Answer = ();

    fn manner(&self) -> Manner {
        MANNER
    }

    async fn ask(&self, things: &[&'a T], patience: Duration) -> Vec<Reply<&'a T, ()>> {
        let mut replies = Vec::with_capacity(things.len());
        for thing in things {
            replies.push(match (self.send)(*thing, patience).await {
                Ok(()) => Reply::Answered(()),
                Err(failure) => Reply::Failed(*thing, self.place.in_words(failure)),
            });
        }
        replies
    }
}
