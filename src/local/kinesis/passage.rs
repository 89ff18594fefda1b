//! A window's way through a stream and its mapping, to its end: when it is over, every record of it
//! is done, so that what a function has kept of it can be made durable with how far that is.

use std::cell::RefCell;

use futures_util::future::join;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    clock::Clock,
    feed::{Event, Window},
    mapping::{Listener, Mapping, Settings, Totals},
    record::{PutError, RECORD_BYTES_MAX},
    stream::{Progress, Stream},
};
use crate::{
    functions::{Function, Response},
    json::pointer::Pointer,
};

/// What the records of a stream are spread by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionKey {
    /// A hash of the line.
    Line,
    /// What the event has there; a hash where that cannot be a key.
    At(Pointer),
}

impl PartitionKey {
    fn of(&self, data: &[u8]) -> String {
        let own = match self {
            Self::Line => None,
            Self::At(pointer) => str::from_utf8(data)
                .ok()
                .and_then(|text| pointer.find_text(text))
                .filter(|key| (1..=CHARACTERS_MAX).contains(&key.chars().count())),
        };
        own.map_or_else(
            || format!("{:032x}", xxh3_128(data)),
            std::borrow::Cow::into_owned,
        )
    }
}

/// What Kinesis takes.
const CHARACTERS_MAX: usize = 256;

/// A stream that windows go through, and a function on it.
pub struct Passage<'a, F> {
    pub function: &'a F,
    pub shards: u32,
    pub partition_key: &'a PartitionKey,
    pub mapping: Settings,
}

/// What a window has come to.
#[derive(Debug)]
pub struct Passed {
    pub progress: Progress,
    pub totals: Totals,
    /// Lines that the stream did not take: source, line and why.
    pub not_taken: Vec<(usize, u64, PutError)>,
}

/// The function has failed on a window, and says why.
#[derive(Debug, thiserror::Error)]
#[error("the function has failed: {0}")]
pub struct FunctionFailed(String);

impl<F: Function> Passage<'_, F> {
    /// Goes on where the stream had come. Records get the numbers that they would get again.
    pub async fn take(
        &self,
        window: &Window,
        progress: &Progress,
        clock: Clock,
        count: impl Fn(&F::Counts),
    ) -> Result<Passed, FunctionFailed> {
        let stream = Stream::resume(self.shards, clock, progress);
        let listener = Heard {
            stream: &stream,
            failure: RefCell::default(),
            count,
        };
        let mapping = Mapping::new(&stream, self.function, listener, self.mapping.clone());
        let (not_taken, totals) = join(self.put(&stream, window), mapping.run()).await;
        match mapping.listener.failure.take() {
            Some(failure) => Err(FunctionFailed(failure)),
            None => Ok(Passed {
                progress: stream.progress(),
                totals,
                not_taken,
            }),
        }
    }

    async fn put(&self, stream: &Stream, window: &Window) -> Vec<(usize, u64, PutError)> {
        let mut not_taken = Vec::new();
        for event in window.events() {
            if let Err(error) = self.put_one(stream, &event).await {
                not_taken.push((event.source, event.line, error));
            }
        }
        stream.end();
        not_taken
    }

    async fn put_one(&self, stream: &Stream, event: &Event<'_>) -> Result<(), PutError> {
        if event.bytes > RECORD_BYTES_MAX {
            return Err(PutError::TooLarge(event.bytes));
        }
        let key = self.partition_key.of(event.data);
        stream.put(&key, event.data).await.map(drop)
    }
}

/// On this machine nothing passes by itself: what fails once is for a person to mend.
struct Heard<'s, C> {
    stream: &'s Stream,
    failure: RefCell<Option<String>>,
    count: C,
}

impl<F: Function, C: Fn(&F::Counts)> Listener<F> for Heard<'_, C> {
    fn answered(&self, response: &Response<F::Counts>) {
        (self.count)(&response.counts);
    }

    fn failed(&self, failure: &F::Failure) {
        let mut first = self.failure.borrow_mut();
        first.get_or_insert_with(|| failure.to_string());
        self.stream.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_key_is_what_the_event_has_there_or_a_hash() {
        let at: PartitionKey = PartitionKey::At("/user/id".parse().unwrap());
        let of = |data: &str| at.of(data.as_bytes());
        assert_eq!(of(r#"{"user":{"id":"u-1"}}"#), "u-1");
        assert_eq!(of(r#"{"user":{"id":1.50}}"#), "1.50");
        let longest = "é".repeat(CHARACTERS_MAX);
        assert_eq!(of(&format!(r#"{{"user":{{"id":"{longest}"}}}}"#)), longest);
        let longer = format!(r#"{{"user":{{"id":"{longest}x"}}}}"#);
        for data in [
            "{}",
            r#"{"user":{"id":""}}"#,
            r#"{"user":{"id":null}}"#,
            "no json",
            &longer,
        ] {
            assert_eq!(of(data), PartitionKey::Line.of(data.as_bytes()), "{data}");
        }
        assert_eq!(at.of(b"\xff"), PartitionKey::Line.of(b"\xff"));
        assert_ne!(PartitionKey::Line.of(b"1"), PartitionKey::Line.of(b"2"));
    }
}
