//! Reads a packet's object as it arrives, gzip taken off.

use std::{
    io::{self, Write},
    mem,
};

use flate2::write::MultiGzDecoder;
use tokio::time::Instant;

use super::{
    failure::{Problem, Unreadable},
    store::{ObjectStore, Sink},
};

/// An object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    pub etag: String,
    /// As they lie in the bucket.
    pub bytes: u64,
}

/// Gives the packet's bytes to the sink.
pub(super) async fn read<O: ObjectStore>(
    objects: &O,
    key: &str,
    sink: Sink<'_>,
    deadline: Instant,
) -> Result<Read, Problem> {
    let mut decoder = Decoder::of(key, sink);
    let mut bytes = 0;
    let mut arrived = |piece: &[u8]| {
        bytes += piece.len() as u64;
        decoder.feed(piece);
    };
    let etag = objects.read(key, &mut arrived, deadline).await?;
    let etag = etag.ok_or_else(|| Problem::Missing(key.to_owned()))?;
    let ended = decoder.finish();
    ended.map_err(|why| Problem::unreadable(key, why))?;
    Ok(Read { etag, bytes })
}

/// Gives the packet's bytes to who can refuse them; after that it gets no more. What it says stands
/// beside what was read.
pub(super) async fn feed<O: ObjectStore, E: Send>(
    objects: &O,
    key: &str,
    mut take: impl FnMut(&[u8]) -> Result<(), E> + Send,
    deadline: Instant,
) -> Result<(Read, Result<(), E>), Problem> {
    let mut taken = Ok(());
    let mut sink = |piece: &[u8]| {
        if taken.is_ok() {
            taken = take(piece);
        }
    };
    let read = read(objects, key, &mut sink, deadline).await?;
    Ok((read, taken))
}

/// What no JSON begins with, and every gzip does.
const GZIP: u8 = 0x1f;

/// What takes an object's spelling off.
enum Decoder<'s> {
    /// Its first byte says what it is.
    Unopened(Sink<'s>),
    Plain(Sink<'s>),
    Gzip(Box<MultiGzDecoder<Onward<'s>>>),
    Broken,
}

/// Writes into a sink.
struct Onward<'s>(Sink<'s>);

impl Write for Onward<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'s> Decoder<'s> {
    fn of(key: &str, sink: Sink<'s>) -> Self {
        if key.rsplit('.').next() == Some("gz") {
            Self::gzip(sink)
        } else {
            Self::Unopened(sink)
        }
    }

    fn gzip(sink: Sink<'s>) -> Self {
        Self::Gzip(Box::new(MultiGzDecoder::new(Onward(sink))))
    }

    fn opened(self, first: Option<&u8>) -> Self {
        match (self, first) {
            (Self::Unopened(sink), Some(&GZIP)) => Self::gzip(sink),
            (Self::Unopened(sink), Some(_)) => Self::Plain(sink),
            (other, _) => other,
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        *self = mem::replace(self, Self::Broken).opened(piece.first());
        match self {
            Self::Plain(sink) => sink(piece),
            Self::Gzip(decoder) => {
                if decoder.write_all(piece).is_err() {
                    drop(mem::replace(self, Self::Broken));
                }
            }
            Self::Unopened(_) | Self::Broken => {}
        }
    }

    fn finish(self) -> Result<(), Unreadable> {
        match self {
            Self::Unopened(_) | Self::Plain(_) => Ok(()),
            Self::Gzip(mut decoder) => decoder.try_finish().map_err(|_| Unreadable::Gzip),
            Self::Broken => Err(Unreadable::Gzip),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_taken_off_in_pieces_and_a_part_of_it_is_unreadable() {
        #[track_caller]
        fn check(key: &str, bytes: &[u8], expected: Result<&[u8], Unreadable>) {
            for length in [1, 7, bytes.len().max(1)] {
                let mut read = Vec::new();
                let mut sink = |piece: &[u8]| read.extend_from_slice(piece);
                let mut decoder = Decoder::of(key, &mut sink);
                for piece in bytes.chunks(length) {
                    decoder.feed(piece);
                }
                let ended = decoder.finish();
                assert_eq!(ended.map(|()| read.as_slice()), expected, "{key} {length}");
            }
        }
        let text = b"{\"a\":1}\n".repeat(99);
        let packed = gzip(&text);
        check("a.jsonl", &text, Ok(&text));
        check("a.jsonl.gz", &packed, Ok(&text));
        check("a.jsonl", &packed, Ok(&text));
        check("a.jsonl.gz", &packed.repeat(2), Ok(&text.repeat(2)));
        check(
            "a.jsonl.gz",
            &packed[..packed.len() - 1],
            Err(Unreadable::Gzip),
        );
        check("a.jsonl.gz", &text, Err(Unreadable::Gzip));
    }
}
