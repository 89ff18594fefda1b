//! Where what cannot go its way is kept: objects under names that are the same at every attempt,
//! and a queue that is told of dead letters where one is wanted.

#[cfg(all(feature = "s3", feature = "sqs"))]
pub mod aws;
#[cfg(feature = "tool")]
pub mod folder;

use std::{borrow::Cow, future::Future};

use tokio::time::Instant;

use super::dead_letter::DeadLetter;
use crate::aws::{Asked, Cause, Failure};

/// Bytes and their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    pub key: String,
    pub bytes: Cow<'a, [u8]>,
    pub content_type: &'static str,
}

/// Keeps objects, and tells a queue; each may be missing. Failures are in words for the person who has
/// to act.
pub trait Depot {
    /// Of the objects.
    fn bucket(&self) -> Option<&str>;

    fn has_queue(&self) -> bool;

    /// Puts each under its key; putting one again changes nothing.
    fn put(
        &self,
        objects: &[Object<'_>],
        deadline: Instant,
    ) -> impl Future<Output = Asked<()>> + Send;

    fn tell(
        &self,
        messages: &[String],
        deadline: Instant,
    ) -> impl Future<Output = Asked<()>> + Send;
}

/// There is a dead letter and nowhere to keep it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an event cannot be accepted ({reason}), and neither S3_BUCKET nor DLQ_URL says where to keep it; set one of them"
)]
pub struct Nowhere {
    reason: String,
}

/// Keeps dead letters: as objects, then as messages, wherever each is wanted. Says of each whether
/// it is kept.
pub async fn set_aside<S: Depot>(
    depot: &S,
    prefix: &str,
    letters: &[DeadLetter<'_>],
    deadline: Instant,
) -> Result<Asked<()>, Nowhere> {
    let bucket = depot.bucket();
    match letters.first() {
        Some(letter) if bucket.is_none() && !depot.has_queue() => {
            return Err(Nowhere {
                reason: letter.reason.clone().into_owned(),
            });
        }
        _ => {}
    }
    let mut kept = if bucket.is_some() {
        let objects = letters.iter().map(|letter| object(letter, prefix));
        depot.put(&objects.collect::<Vec<_>>(), deadline).await
    } else {
        Asked::all(letters.len())
    };
    if depot.has_queue() {
        let (messages, places) = messages(letters, prefix, bucket, &mut kept);
        let told = depot.tell(&messages, deadline).await;
        for (place, answer) in places.into_iter().zip(told.answers) {
            if let Some(known) = kept.answers.get_mut(place) {
                *known = answer;
            }
        }
        kept.failure = kept.failure.or(told.failure);
    }
    Ok(kept)
}

fn object<'a>(letter: &DeadLetter<'_>, prefix: &str) -> Object<'a> {
    Object {
        key: letter.key(prefix),
        bytes: letter.to_json().into_bytes().into(),
        content_type: "application/json",
    }
}

/// What the queue is told, and of which letters: what is no object yet is told later. A letter that
/// no message holds is not kept.
fn messages(
    letters: &[DeadLetter<'_>],
    prefix: &str,
    bucket: Option<&str>,
    kept: &mut Asked<()>,
) -> (Vec<String>, Vec<usize>) {
    let (mut messages, mut places) = (Vec::new(), Vec::new());
    for (place, (letter, kept_one)) in letters.iter().zip(&mut kept.answers).enumerate() {
        if kept_one.is_none() {
            continue;
        }
        let data_ref = bucket.map(|bucket| format!("s3://{bucket}/{}", letter.key(prefix)));
        if let Some(message) = letter.to_message(data_ref.as_deref()) {
            messages.push(message);
            places.push(place);
        } else {
            *kept_one = None;
            let why = "a dead letter is too long for a message; set S3_BUCKET".to_owned();
            kept.failure
                .get_or_insert(Failure::Lasting(Cause::Refused, why));
        }
    }
    (messages, places)
}
