//! How a packet begins, which tells how it is spelled.

use super::{scan::Scan, unreadable::PacketUnreadable};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the bytes that came so far tell, and where the rows begin.
#[derive(Debug)]
pub(super) enum Head {
    Undecided,
    /// The names have begun.
    InNames,
    Lines(usize),
    Array(usize),
    /// An array in an object, which ends behind it.
    Wrapped(usize),
    Named(Vec<String>, usize),
    Unreadable(PacketUnreadable),
}

/// The next thing is another, or it has not come yet.
enum Miss {
    Other,
    Later,
}

impl Head {
    pub(super) fn read(bytes: &[u8], table: &str) -> Self {
        let mut reading = Reading { bytes, position: 0 };
        if BYTE_ORDER_MARK.starts_with(bytes) && !bytes.is_empty() && bytes != BYTE_ORDER_MARK {
            return Self::Undecided;
        }
        if bytes.starts_with(BYTE_ORDER_MARK) {
            reading.position = BYTE_ORDER_MARK.len();
        }
        let start = reading.position;
        let wrapper = match reading.peek() {
            Some(b'[') => return Self::Array(reading.position + 1),
            Some(b'{') => reading.wrapper(),
            Some(_) => Err(Miss::Other),
            None => Err(Miss::Later),
        };
        match wrapper {
            Ok(b"column_names") => reading.names(),
            Ok(b"data") => match reading.expect(b'[') {
                Ok(()) => Self::Unreadable(PacketUnreadable::NoData),
                Err(Miss::Other) => Self::Lines(start),
                Err(Miss::Later) => Self::Undecided,
            },
            Ok(key) if key == b"table" || key == table.as_bytes() => {
                Self::Wrapped(reading.position)
            }
            Ok(_) | Err(Miss::Other) => Self::Lines(start),
            Err(Miss::Later) => Self::Undecided,
        }
    }
}

struct Reading<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reading<'a> {
    /// The first key of an object whose value is an array; behind its bracket.
    fn wrapper(&mut self) -> Result<&'a [u8], Miss> {
        self.expect(b'{')?;
        let key = self.member()?;
        self.expect(b'[')?;
        Ok(key)
    }

    fn member(&mut self) -> Result<&'a [u8], Miss> {
        self.expect(b'"')?;
        let rest = self.rest();
        let length = memchr::memchr2(b'"', b'\n', rest).ok_or(Miss::Later)?;
        self.position += length;
        self.expect(b'"')?;
        self.expect(b':')?;
        rest.get(..length).ok_or(Miss::Later)
    }

    /// The names and the bracket of the data.
    fn names(&mut self) -> Head {
        let start = self.position - 1;
        let Some(length) = array_length(self.bytes.get(start..).unwrap_or_default()) else {
            return Head::InNames;
        };
        self.position = start + length;
        let names = self.bytes.get(start..self.position).unwrap_or_default();
        let Ok(names) = serde_json::from_slice(names) else {
            return Head::Unreadable(PacketUnreadable::NoNames);
        };
        match self.data() {
            Ok(b"data") => Head::Named(names, self.position),
            Ok(_) | Err(Miss::Other) => Head::Unreadable(PacketUnreadable::NoData),
            Err(Miss::Later) => Head::InNames,
        }
    }

    fn data(&mut self) -> Result<&'a [u8], Miss> {
        self.expect(b',')?;
        let key = self.member()?;
        self.expect(b'[')?;
        Ok(key)
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.position += blank.count();
        self.bytes.get(self.position).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Miss> {
        match self.peek() {
            Some(next) if next == byte => {
                self.position += 1;
                Ok(())
            }
            Some(_) => Err(Miss::Other),
            None => Err(Miss::Later),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }
}

/// How long the array of texts is that begins here, if it ends.
fn array_length(bytes: &[u8]) -> Option<usize> {
    let mut scan = Scan::default();
    let inside = bytes.get(1..)?;
    inside
        .iter()
        .position(|byte| {
            let ends = scan.is_at_top() && *byte == b']';
            scan.pass(*byte);
            ends
        })
        .map(|at| at + 2)
}
