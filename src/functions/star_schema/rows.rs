//! A packet's bytes as they arrive, cut into rows, in every spelling that a packet may have. What a
//! row says is left to others.

mod head;
mod scan;
mod unreadable;

use head::Head;
use scan::Scan;
pub use unreadable::PacketUnreadable;

/// A row, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// From 1: the line's where each line is a row (blank ones count), else the row's in its array.
    pub number: u64,
    /// Without white space around it; bytes where they are not UTF-8.
    pub text: Result<&'a str, &'a [u8]>,
    /// Where a row is an array of values: what they are called.
    pub names: Option<&'a [String]>,
}

/// Cuts one packet of a table into rows. It holds no more than a row that is not whole yet.
///
/// - What begins with `[` is an array of rows, however it is broken into lines.
/// - `{"table": [ … ]}`, under the table's name or under `table`, is one too.
/// - `{"column_names": […], "data": [[…]]}` has its names once, each row an array.
/// - All else has a row a line. A blank line is none.
///
/// What stands between two commas of an array is a row, so that bad JSON in one spares the others.
#[derive(Debug)]
pub struct Splitter {
    table: String,
    spelling: Spelling,
    /// What is not a whole row yet.
    held: Vec<u8>,
    /// Of the row that comes last.
    number: u64,
}

#[derive(Debug)]
enum Spelling {
    /// Not known yet; looked at again when so many bytes are held, twice as many each time.
    Unknown {
        look_at_bytes: usize,
    },
    Lines,
    Array(Array),
    /// Behind the array.
    Tail {
        ends_in_brace: bool,
    },
}

#[derive(Debug)]
struct Array {
    scan: Scan,
    /// It stands in an object, which ends behind it.
    is_wrapped: bool,
    names: Option<Vec<String>>,
}

impl Splitter {
    #[must_use]
    pub fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            spelling: Spelling::Unknown { look_at_bytes: 0 },
            held: Vec::new(),
            number: 0,
        }
    }

    /// Takes the next bytes, any number of them, and hands over each row that they end.
    pub fn feed<E: From<PacketUnreadable>>(
        &mut self,
        piece: &[u8],
        take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.spelling {
            Spelling::Unknown { look_at_bytes } => {
                let look_at_bytes = *look_at_bytes;
                self.held.extend_from_slice(piece);
                if self.held.len() < look_at_bytes {
                    return Ok(());
                }
                self.begin(take)
            }
            Spelling::Lines => self.lines(piece, take),
            Spelling::Array(_) => self.elements(piece, take),
            Spelling::Tail { ends_in_brace } => Ok(pass_tail(ends_in_brace, piece)?),
        }
    }

    /// Hands over what is left when all bytes have come.
    pub fn finish<E: From<PacketUnreadable>>(
        mut self,
        take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if matches!(self.spelling, Spelling::Unknown { .. }) {
            self.begin(take)?;
        }
        match self.spelling {
            Spelling::Unknown { .. }
                if matches!(Head::read(&self.held, &self.table), Head::InNames) =>
            {
                Err(PacketUnreadable::Unfinished.into())
            }
            Spelling::Unknown { .. } => {
                let bytes = std::mem::take(&mut self.held);
                self.spelling = Spelling::Lines;
                self.lines(&bytes, take)?;
                self.finish(take)
            }
            Spelling::Lines => {
                self.number += 1;
                line(&self.held, self.number, take)
            }
            Spelling::Array(_)
            | Spelling::Tail {
                ends_in_brace: true,
            } => Err(PacketUnreadable::Unfinished.into()),
            Spelling::Tail { .. } => Ok(()),
        }
    }

    fn begin<E: From<PacketUnreadable>>(
        &mut self,
        take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let array = |is_wrapped, names| {
            let scan = Scan::default();
            Spelling::Array(Array {
                scan,
                is_wrapped,
                names,
            })
        };
        let start;
        (self.spelling, start) = match Head::read(&self.held, &self.table) {
            Head::Undecided | Head::InNames => {
                let look_at_bytes = 2 * self.held.len();
                self.spelling = Spelling::Unknown { look_at_bytes };
                return Ok(());
            }
            Head::Lines(start) => (Spelling::Lines, start),
            Head::Array(start) => (array(false, None), start),
            Head::Wrapped(start) => (array(true, None), start),
            Head::Named(names, start) => (array(true, Some(names)), start),
            Head::Unreadable(why) => return Err(why.into()),
        };
        let bytes = std::mem::take(&mut self.held);
        self.feed(bytes.get(start..).unwrap_or_default(), take)
    }

    fn lines<E>(
        &mut self,
        piece: &[u8],
        take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut piece = piece;
        if !self.held.is_empty() {
            let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (first, rest) = piece.split_at(end);
            self.held.extend_from_slice(first);
            if !first.ends_with(b"\n") {
                return Ok(());
            }
            self.number += 1;
            line(&self.held, self.number, take)?;
            self.held.clear();
            piece = rest;
        }
        let whole = memchr::memrchr(b'\n', piece).map_or(0, |at| at + 1);
        let (whole, rest) = piece.split_at(whole);
        self.held.extend_from_slice(rest);
        self.whole_lines(whole, take)
    }

    fn whole_lines<E>(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let text = simdutf8::basic::from_utf8(bytes).ok();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.number += 1;
            match text {
                Some(text) => {
                    let line = text.get(start..end).unwrap_or_default();
                    checked_line(line, self.number, take)?;
                }
                None => line(bytes.get(start..end).unwrap_or_default(), self.number, take)?,
            }
            start = end + 1;
        }
        Ok(())
    }

    fn elements<E: From<PacketUnreadable>>(
        &mut self,
        piece: &[u8],
        take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Spelling::Array(array) = &mut self.spelling else {
            return Ok(());
        };
        let mut rest = piece;
        while let Some((length, end)) = array.scan.element(rest) {
            let (element, behind) = rest.split_at(length);
            rest = behind.get(1..).unwrap_or_default();
            let element = if self.held.is_empty() {
                element.trim_ascii()
            } else {
                self.held.extend_from_slice(element);
                self.held.trim_ascii()
            };
            let is_empty_array = end == b']' && self.number == 0 && element.is_empty();
            if !is_empty_array {
                self.number += 1;
                let text = simdutf8::basic::from_utf8(element).map_err(|_| element);
                let names = array.names.as_deref();
                take(Row {
                    number: self.number,
                    text,
                    names,
                })?;
            }
            self.held.clear();
            if end == b']' {
                let ends_in_brace = array.is_wrapped;
                self.spelling = Spelling::Tail { ends_in_brace };
                return self.feed(rest, take);
            }
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }
}

/// Hands over a line that is not blank.
fn line<E>(
    bytes: &[u8],
    number: u64,
    take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => checked_line(text, number, take),
        Err(_) => take(Row {
            number,
            text: Err(bytes.trim_ascii()),
            names: None,
        }),
    }
}

#[inline]
fn checked_line<E>(
    text: &str,
    number: u64,
    take: &mut impl FnMut(Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(());
    }
    take(Row {
        number,
        text: Ok(text),
        names: None,
    })
}

/// Passes what may stand behind the array: the end of its object, and white space. What else does
/// could be rows, which are not to be lost.
fn pass_tail(ends_in_brace: &mut bool, bytes: &[u8]) -> Result<(), PacketUnreadable> {
    for byte in bytes {
        match byte {
            b'}' if *ends_in_brace => *ends_in_brace = false,
            byte if byte.is_ascii_whitespace() => {}
            _ => return Err(PacketUnreadable::ManyValues),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Rows = Vec<(u64, String)>;

    fn split(pieces: &[&[u8]]) -> Result<(Rows, Vec<String>), PacketUnreadable> {
        let mut rows = Rows::new();
        let mut names = Vec::new();
        let mut take = |row: Row<'_>| {
            let text = match row.text {
                Ok(text) => text.to_owned(),
                Err(bytes) => format!("{bytes:?}"),
            };
            rows.push((row.number, text));
            names = row.names.unwrap_or_default().to_vec();
            Ok::<_, PacketUnreadable>(())
        };
        let mut splitter = Splitter::new("staff");
        for piece in pieces {
            splitter.feed(piece, &mut take)?;
        }
        splitter.finish(&mut take)?;
        Ok((rows, names))
    }

    /// Whole, and byte by byte.
    #[track_caller]
    fn check(packet: &[u8], expected: &[(u64, &str)]) {
        let expected: Rows = expected
            .iter()
            .map(|(n, text)| (*n, (*text).to_owned()))
            .collect();
        let text = String::from_utf8_lossy(packet);
        assert_eq!(split(&[packet]).unwrap().0, expected, "{text}");
        let bytes: Vec<_> = packet.chunks(1).collect();
        assert_eq!(split(&bytes).unwrap().0, expected, "byte by byte: {text}");
    }

    #[test]
    fn each_line_is_a_row() {
        check(b"", &[]);
        check(b" \n\r\n\t", &[]);
        check(b"\xef\xbb\xbf{\"a\":1}", &[(1, r#"{"a":1}"#)]);
        check(
            b"{\"a\":1}\n{\"a\":2}",
            &[(1, r#"{"a":1}"#), (2, r#"{"a":2}"#)],
        );
        check(
            b"{\"a\":1}\r\n{\"a\":2}\r\n",
            &[(1, r#"{"a":1}"#), (2, r#"{"a":2}"#)],
        );
        check(b"\n{}\n\n \n{}\n", &[(2, "{}"), (5, "{}")]);
        check(b"x\n{}\ny", &[(1, "x"), (2, "{}"), (3, "y")]);
        check(b"{\"a\":[1]}\n{", &[(1, r#"{"a":[1]}"#), (2, "{")]);
        check(
            b"{\"data\":[1]}\n{\"table\":1}",
            &[(1, r#"{"data":[1]}"#), (2, r#"{"table":1}"#)],
        );
        check(b"{\"a\n", &[(1, "{\"a")]);
        check(b"a\n\xff\nb", &[(1, "a"), (2, "[255]"), (3, "b")]);
    }

    #[test]
    fn each_element_of_an_array_is_a_row() {
        check(b"[]", &[]);
        check(b" [ \n ] \n", &[]);
        check(
            b"[{\"a\":1},{\"a\":2}]",
            &[(1, r#"{"a":1}"#), (2, r#"{"a":2}"#)],
        );
        check(
            b"[\n  {\n    \"a\": 1\n  },\n  {}\n]\n",
            &[(1, "{\n    \"a\": 1\n  }"), (2, "{}")],
        );
        check(
            br#"[{"a":"],[\"\\"},{"a":[1,{"b":","}]}]"#,
            &[(1, r#"{"a":"],[\"\\"}"#), (2, r#"{"a":[1,{"b":","}]}"#)],
        );
        check(b"[{},]", &[(1, "{}"), (2, "")]);
        check(b"[1,,x y]", &[(1, "1"), (2, ""), (3, "x y")]);
        check(b"[{]},\xff]", &[(1, "{]}"), (2, "[255]")]);
        check(br#"{"staff":[{"a":1}]}"#, &[(1, r#"{"a":1}"#)]);
        check(b"\n{ \"table\" :\n[{},\n{}]\n}\n", &[(1, "{}"), (2, "{}")]);
    }

    #[test]
    fn values_in_arrays_have_their_names_once() {
        let packet = br#"{"column_names": ["a", "b\u0063]"], "data": [[1, "x"], [2]]}"#;
        check(packet, &[(1, r#"[1, "x"]"#), (2, "[2]")]);
        assert_eq!(split(&[packet]).unwrap().1, ["a", "bc]"]);
        check(br#"{"column_names": [], "data": []}"#, &[]);
    }

    #[test]
    fn what_cannot_be_read_as_a_whole_says_why() {
        use PacketUnreadable::{ManyValues, NoData, NoNames, Unfinished};
        for (packet, expected) in [
            ("[", Unfinished),
            ("[{}", Unfinished),
            ("[{},", Unfinished),
            (r#"[{"a":"]"#, Unfinished),
            (r#"{"staff":[{}"#, Unfinished),
            (r#"{"staff":[{}]"#, Unfinished),
            (r#"{"column_names":["a""#, Unfinished),
            (r#"{"column_names":["a"]"#, Unfinished),
            ("[] []", ManyValues),
            ("[1]\n[2]\n", ManyValues),
            (r#"{"staff":[]} {}"#, ManyValues),
            (r#"{"staff":[],"staff":[{}]}"#, ManyValues),
            (r#"{"staff":[{}],"count":1}"#, ManyValues),
            (r#"{"staff":[{}],,}"#, ManyValues),
            (
                r#"{"column_names":["a"],"data":[[1]],"data":[[2]]}"#,
                ManyValues,
            ),
            (r#"{"column_names":[1],"data":[]}"#, NoNames),
            (r#"{"column_names":["a"]}"#, NoData),
            (r#"{"column_names":["a"],"rows":[]}"#, NoData),
            (r#"{"column_names":["a"],"data":{}}"#, NoData),
            (r#"{"data":[[1]],"column_names":["a"]}"#, NoData),
        ] {
            assert_eq!(split(&[packet.as_bytes()]), Err(expected), "{packet}");
            let bytes: Vec<_> = packet.as_bytes().chunks(1).collect();
            assert_eq!(split(&bytes), Err(expected), "byte by byte: {packet}");
        }
    }

    fn any_packet() -> impl Strategy<Value = Vec<u8>> {
        let token = prop_oneof![
            prop::sample::select(vec![
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                "\"",
                "\\",
                "\n",
                "\r\n",
                " ",
                "\"staff\"",
                "\"table\"",
                "\"column_names\"",
                "\"data\"",
                "1",
                "é",
                "{\"a\":1}",
            ])
            .prop_map(|token| token.as_bytes().to_vec()),
            any::<u8>().prop_map(|byte| vec![byte]),
        ];
        prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn where_a_packet_is_cut_does_not_matter(packet in any_packet(), size in 1..20_usize) {
            let pieces: Vec<_> = packet.chunks(size).collect();
            prop_assert_eq!(split(&pieces), split(&[&packet]));
        }

        #[test]
        fn every_line_that_is_not_blank_is_a_row(
            lines in prop::collection::vec("[^\r\n]{0,20}", 0..8)
        ) {
            let packet = format!("x\n{}", lines.join("\n"));
            let rows = split(&[packet.as_bytes()]).unwrap().0;
            let is_row = |line: &&String| !line.trim_ascii().is_empty();
            prop_assert_eq!(rows.len(), 1 + lines.iter().filter(is_row).count());
        }
    }
}
