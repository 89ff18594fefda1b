//! A bucket and a queue, each where its name is set.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::primitives::ByteStream;
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
        let putting = Putting { client, name };
        ask_until(&putting, objects.iter().collect(), deadline).await
    }

    async fn tell(&self, messages: &[String], deadline: Instant) -> Asked<()> {
        let Some((client, url)) = &self.queue else {
            return Asked::all(0);
        };
        let telling = Telling { client, url };
        let messages = messages.iter().map(String::as_str);
        ask_until(&telling, messages.collect(), deadline).await
    }
}

struct Putting<'a> {
    client: &'a aws_sdk_s3::Client,
    name: &'a str,
}

impl<'a> Inquiry for Putting<'a> {
    type Question = &'a Object<'a>;
    type Answer = ();

    fn manner(&self) -> Manner {
        MANNER
    }

    async fn ask(
        &self,
        objects: &[&'a Object<'a>],
        patience: Duration,
    ) -> Vec<Reply<&'a Object<'a>, ()>> {
        let place = Place {
            name: format!("bucket \"{}\"", self.name),
            asker: Asker::Function,
            named_by: "S3_BUCKET",
            permissions: "s3:PutObject",
            shape: "takes no such object",
            purpose: "is a bucket's name",
            service: Service::S3,
        };
        let mut replies = Vec::with_capacity(objects.len());
        for object in objects {
            let request = self.client.put_object().bucket(self.name);
            let request = request
                .key(&object.key)
                .content_type(object.content_type)
                .body(ByteStream::from(object.bytes.to_vec()));
            let sent = answered(Box::pin(request.send()), patience).await.map(drop);
            replies.push(reply(*object, sent, &place));
        }
        replies
    }
}

struct Telling<'a> {
    client: &'a aws_sdk_sqs::Client,
    url: &'a str,
}

impl<'a> Inquiry for Telling<'a> {
    type Question = &'a str;
    type Answer = ();

    fn manner(&self) -> Manner {
        MANNER
    }

    async fn ask(&self, messages: &[&'a str], patience: Duration) -> Vec<Reply<&'a str, ()>> {
        let place = Place {
            name: format!("queue {}", self.url),
            asker: Asker::Function,
            named_by: "DLQ_URL",
            permissions: "sqs:SendMessage",
            shape: "takes no such message",
            purpose: "is a queue's URL",
            service: Service::Sqs,
        };
        let mut replies = Vec::with_capacity(messages.len());
        for message in messages {
            let request = self.client.send_message().queue_url(self.url);
            let request = request.message_body(*message);
            let sent = answered(Box::pin(request.send()), patience).await.map(drop);
            replies.push(reply(*message, sent, &place));
        }
        replies
    }
}

fn reply<Q>(question: Q, sent: Result<(), Failure>, place: &Place) -> Reply<Q, ()> {
    match sent {
        Ok(()) => Reply::Answered(()),
        Err(failure) => Reply::Failed(question, place.in_words(failure)),
    }
}
