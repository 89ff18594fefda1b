//! One stream of bytes, as lines: counted as it lies there, unpacked if it is gzip, and read in
//! parts, so that a line without an end needs no more memory than another.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use flate2::bufread::MultiGzDecoder;
use memchr::memchr;

const BUFFER_BYTES: usize = 256 * 1024;
pub(super) const GZIP_MAGIC: &[u8; 2] = &[0x1f, 0x8b];

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The line ends here.
    Last,
    /// More of the line follows.
    Open,
}

/// A stream whose first bytes say whether it is gzip, so that standard input may be gzip too.
pub enum Unpacked<R> {
    Plain(BufReader<CountedReader<R>>),
    Gzip(Box<BufReader<Gunzip<BufReader<CountedReader<R>>>>>),
}

/// Bytes that may be late.
pub trait Awaited: Read {
    /// Whether they are there, or their end is, within so long a time.
    fn wait(&mut self, most: Duration) -> bool;

    /// What is there of a line whose end is late.
    fn begun(&self) -> &[u8];
}

impl<R: Awaited> Unpacked<R> {
    /// The same, of what is unpacked.
    pub fn wait(&mut self, most: Duration) -> bool {
        let plain = match self {
            Self::Plain(plain) => plain,
            Self::Gzip(gunzip) if !gunzip.buffer().is_empty() => return true,
            Self::Gzip(gunzip) => gunzip.get_mut().0.get_mut(),
        };
        !plain.buffer().is_empty() || plain.get_mut().inner.wait(most)
    }

    /// The same, of what is not packed.
    pub fn begun(&self) -> &[u8] {
        match self {
            Self::Plain(plain) => plain.get_ref().inner.begun(),
            Self::Gzip(_) => &[],
        }
    }
}

impl<R: Read> Unpacked<R> {
    /// What is known not to be packed, whether there is something of it or not.
    pub fn plain(raw: R, read_bytes: &Arc<AtomicU64>) -> Self {
        Self::Plain(counted(raw, read_bytes))
    }

    /// `read_bytes` counts what is read as it lies there.
    pub fn open(raw: R, read_bytes: &Arc<AtomicU64>) -> io::Result<Self> {
        let mut plain = counted(raw, read_bytes);
        if !plain.fill_buf()?.starts_with(GZIP_MAGIC) {
            return Ok(Self::Plain(plain));
        }
        let gunzip = Gunzip(MultiGzDecoder::new(plain));
        let gunzip = BufReader::with_capacity(BUFFER_BYTES, gunzip);
        Ok(Self::Gzip(Box::new(gunzip)))
    }

    /// The same of what has a name: what that says to be gzip is.
    pub fn open_named(raw: R, name: &Path, read_bytes: &Arc<AtomicU64>) -> io::Result<Self> {
        let unpacked = Self::open(raw, read_bytes)?;
        let named_gzip = name.extension().is_some_and(|extension| extension == "gz");
        if named_gzip && matches!(unpacked, Self::Plain(_)) {
            return Err(io::Error::other(
                "it is not gzip, though its name ends in .gz",
            ));
        }
        Ok(unpacked)
    }

    fn inner(&mut self) -> &mut dyn BufRead {
        match self {
            Self::Plain(plain) => plain,
            Self::Gzip(gunzip) => gunzip,
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner().read(buffer)
    }
}

impl<R: Read> BufRead for Unpacked<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner().fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.inner().consume(bytes);
    }
}

fn counted<R: Read>(raw: R, read_bytes: &Arc<AtomicU64>) -> BufReader<CountedReader<R>> {
    let counted = CountedReader {
        inner: raw,
        bytes: Arc::clone(read_bytes),
    };
    BufReader::with_capacity(BUFFER_BYTES, counted)
}

/// Appends the next part of a line, its end with it, of `bytes_max` at most; `None` behind the last
/// line. When the stream fails, nothing of the part is appended.
pub fn read_part(
    reader: &mut (impl BufRead + ?Sized),
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Option<Part>> {
    let start = line.len();
    loop {
        let buffer = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            filled => filled.inspect_err(|_| line.truncate(start))?,
        };
        if buffer.is_empty() {
            return Ok((line.len() > start).then_some(Part::Last));
        }
        let room = bytes_max - (line.len() - start);
        let line_end = memchr(b'\n', buffer).map(|position| position + 1);
        let taken = line_end.unwrap_or(buffer.len()).min(room);
        line.extend_from_slice(buffer.split_at(taken).0);
        reader.consume(taken);
        if line_end == Some(taken) {
            return Ok(Some(Part::Last));
        }
        if taken == room {
            return Ok(Some(Part::Open));
        }
    }
}

/// Reads the next line without its end; `None` behind the last. Of a line of more than `bytes_max`,
/// its end counted, the beginning is kept, and it is said to be open.
pub fn read_line(
    reader: &mut (impl BufRead + ?Sized),
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Option<Part>> {
    keep_first(line, |line| read_part(reader, line, bytes_max))
}

/// Reads a line's parts to the last and keeps the first.
pub(super) fn keep_first<E>(
    line: &mut Vec<u8>,
    mut read_part: impl FnMut(&mut Vec<u8>) -> Result<Option<Part>, E>,
) -> Result<Option<Part>, E> {
    line.clear();
    let first = read_part(line)?;
    let kept = line.len();
    let mut last = first;
    while last == Some(Part::Open) {
        last = read_part(line)?;
        line.truncate(kept);
    }
    line.pop_if(|end| *end == b'\n');
    Ok(first)
}

/// Counts what is read, for the progress bar.
pub struct CountedReader<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for CountedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Says of damage that it is the gzip's.
pub struct Gunzip<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof => io::Error::new(
                error.kind(),
                format!("its gzip is cut off or damaged ({error})"),
            ),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const LINE_BYTES_MAX: usize = 1_000_000;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The lines, whether each is whole, and how it ended.
    fn read(bytes: &[u8]) -> (Vec<(Vec<u8>, Part)>, io::Result<()>) {
        let mut reader = Unpacked::open(bytes, &Arc::default()).unwrap();
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        loop {
            match read_line(&mut reader, &mut line, LINE_BYTES_MAX) {
                Ok(Some(part)) => lines.push((line.clone(), part)),
                Ok(None) => return (lines, Ok(())),
                Err(error) => return (lines, Err(error)),
            }
        }
    }

    fn whole(line: &[u8]) -> (Vec<u8>, Part) {
        (line.to_vec(), Part::Last)
    }

    #[test]
    fn lines_are_the_same_packed_or_not() {
        let twice = [gzip(b"a\n\n"), gzip(b"b")].concat();
        for bytes in [&b"a\n\nb"[..], b"a\n\nb\n", &gzip(b"a\n\nb\n"), &twice] {
            let (lines, ended) = read(bytes);
            assert_eq!(lines, [b"a".as_slice(), b"", b"b"].map(whole));
            ended.unwrap();
        }
        assert_eq!(read(b"").0, []);
    }

    #[test]
    fn what_comes_before_broken_gzip_is_read() {
        let mut broken = gzip(b"a\nb\nc\n");
        broken.extend_from_within(..broken.len() / 2);
        let (lines, ended) = read(&broken);
        assert!(lines.len() >= 3, "{lines:?}");
        assert!(ended.unwrap_err().to_string().contains("damaged"));
    }

    #[test]
    fn of_a_line_that_is_too_long_the_beginning_is_kept() {
        let long = vec![b'x'; LINE_BYTES_MAX + 1];
        let longest = &long[..LINE_BYTES_MAX - 1];
        let bytes = [b"a\n", &long[..], b"\n", longest, b"\nb"].concat();
        let (lines, _) = read(&bytes);
        let cut = (long[..LINE_BYTES_MAX].to_vec(), Part::Open);
        assert!(lines == [whole(b"a"), cut, whole(longest), whole(b"b")]);
    }
}
