//! A cursor over JSON text: it checks every byte, copies none, and stops at what it meets first.
//!
//! The rules ask for what no general reader gives together: where each member stands, numbers and
//! escapes as they are spelled, lone surrogates passed on, and a limit to nesting that counts
//! skipped values too. What a string means, once it has escapes, is left to `serde_json`.

use std::borrow::Cow;

/// Levels of arrays and objects, the outermost counted.
pub const DEPTH_MAX: u32 = 128;

/// How many bytes of a string are looked at together.
const BLOCK: usize = 32;

/// Why the text ends before its value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    Syntax,
    TooDeep,
}

/// A string as it is spelled between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelled<'a> {
    pub text: &'a str,
    pub escaped: bool,
}

impl<'a> Spelled<'a> {
    /// What it says; none for a lone surrogate, which no text can hold.
    #[must_use]
    pub fn decode(self) -> Option<Cow<'a, str>> {
        if !self.escaped {
            return Some(Cow::Borrowed(self.text));
        }
        let quoted = format!("\"{}\"", self.text);
        serde_json::from_str(&quoted).ok().map(Cow::Owned)
    }
}

/// A value that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    String(Spelled<'a>),
    Number(&'a str),
    Object,
    /// An array, `true`, `false` or `null`.
    Other,
}

pub struct Cursor<'a> {
    text: &'a str,
    position: usize,
    levels: Levels,
    /// A line break was passed, which can only stand between tokens.
    pub passed_line_break: bool,
}

impl<'a> Cursor<'a> {
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            levels: Levels::default(),
            passed_line_break: false,
        }
    }

    /// Bytes passed so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The next byte that is not white space.
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.passed_line_break = true,
                byte => return Some(byte),
            }
            self.position += 1;
        }
    }

    /// Whether nothing but white space is left.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Enters an object. Its members follow by [`Cursor::next_key`].
    pub fn enter_object(&mut self) -> Result<(), Problem> {
        self.expect(b'{')?;
        self.levels.open(Level::Object)
    }

    /// Enters an array. Its elements follow by [`Cursor::next_element`].
    pub fn enter_array(&mut self) -> Result<(), Problem> {
        self.expect(b'[')?;
        self.levels.open(Level::Array)
    }

    /// The key of the object's next member, whose value comes next; none where the object ends.
    pub fn next_key(&mut self) -> Result<Option<Spelled<'a>>, Problem> {
        if self.leaves(b'}')? {
            Ok(None)
        } else {
            self.key().map(Some)
        }
    }

    /// Whether the array has one more element, which comes next.
    pub fn next_element(&mut self) -> Result<bool, Problem> {
        Ok(!self.leaves(b']')?)
    }

    /// Passes one value, whatever is in it.
    pub fn value(&mut self) -> Result<Value<'a>, Problem> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'{') => self.nested().map(|()| Value::Object),
            Some(b'[') => self.nested().map(|()| Value::Other),
            _ => self.literal().map(|()| Value::Other),
        }
    }

    /// Passes an array or object and all in it, without recursion.
    fn nested(&mut self) -> Result<(), Problem> {
        let outside = self.levels.count;
        loop {
            match self.peek() {
                Some(b'{') => self.enter_object()?,
                Some(b'[') => self.enter_array()?,
                Some(b'"') => self.string().map(drop)?,
                Some(b'-' | b'0'..=b'9') => self.number().map(drop)?,
                _ => self.literal()?,
            }
            while !self.goes_on()? {
                if self.levels.count == outside {
                    return Ok(());
                }
            }
        }
    }

    /// Whether the innermost level has one more value, which comes next; leaves it otherwise.
    fn goes_on(&mut self) -> Result<bool, Problem> {
        match self.levels.innermost() {
            Level::Object => Ok(self.next_key()?.is_some()),
            Level::Array => self.next_element(),
        }
    }

    /// Leaves the innermost level if it ends here, else passes the comma before its next part.
    fn leaves(&mut self, closing: u8) -> Result<bool, Problem> {
        let is_first = std::mem::take(&mut self.levels.is_fresh);
        match self.peek() {
            Some(byte) if byte == closing => {
                self.position += 1;
                self.levels.close();
                Ok(true)
            }
            Some(b',') if !is_first => {
                self.position += 1;
                Ok(false)
            }
            Some(_) if is_first => Ok(false),
            _ => Err(Problem::Syntax),
        }
    }

    fn key(&mut self) -> Result<Spelled<'a>, Problem> {
        self.peek();
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    fn string(&mut self) -> Result<Spelled<'a>, Problem> {
        self.expect_here(b'"')?;
        let start = self.position;
        let mut escaped = false;
        loop {
            self.position += plain_length(self.rest());
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(Problem::Syntax),
            }
            escaped = true;
        }
        let text = self.since(start)?;
        self.position += 1;
        Ok(Spelled { text, escaped })
    }

    fn escape(&mut self) -> Result<(), Problem> {
        let length = match self.rest() {
            [
                _,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                ..,
            ] => 2,
            [_, b'u', digits @ ..]
                if digits
                    .iter()
                    .take(4)
                    .filter(|digit| digit.is_ascii_hexdigit())
                    .count()
                    == 4 =>
            {
                6
            }
            _ => return Err(Problem::Syntax),
        };
        self.position += length;
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Problem> {
        let start = self.position;
        self.skip([b'-']);
        if matches!(self.rest(), [b'0', b'0'..=b'9', ..]) {
            return Err(Problem::Syntax);
        }
        self.digits()?;
        if self.skip([b'.']) {
            self.digits()?;
        }
        if self.skip([b'e', b'E']) {
            self.skip([b'+', b'-']);
            self.digits()?;
        }
        self.since(start)
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let length = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.position += length;
        if length == 0 {
            Err(Problem::Syntax)
        } else {
            Ok(())
        }
    }

    fn literal(&mut self) -> Result<(), Problem> {
        let rest = self.rest();
        let literal = ["true", "false", "null"]
            .iter()
            .find(|literal| rest.starts_with(literal.as_bytes()));
        self.position += literal.ok_or(Problem::Syntax)?.len();
        Ok(())
    }

    /// Passes white space and this byte.
    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        self.peek();
        self.expect_here(byte)
    }

    fn expect_here(&mut self, byte: u8) -> Result<(), Problem> {
        if self.skip([byte]) {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    /// Passes one byte if it is one of these.
    #[inline]
    fn skip<const N: usize>(&mut self, bytes: [u8; N]) -> bool {
        let found = self.byte().is_some_and(|byte| bytes.contains(&byte));
        self.position += usize::from(found);
        found
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text
            .as_bytes()
            .get(self.position..)
            .unwrap_or_default()
    }

    fn since(&self, start: usize) -> Result<&'a str, Problem> {
        self.text.get(start..self.position).ok_or(Problem::Syntax)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Array,
    Object,
}

/// The arrays and objects that are open, innermost in the lowest bit.
#[derive(Default)]
struct Levels {
    count: u32,
    objects: u128,
    /// The innermost was opened just now: nothing in it was read.
    is_fresh: bool,
}

impl Levels {
    fn open(&mut self, level: Level) -> Result<(), Problem> {
        if self.count == DEPTH_MAX {
            return Err(Problem::TooDeep);
        }
        self.count += 1;
        self.objects = self.objects << 1 | u128::from(level == Level::Object);
        self.is_fresh = true;
        Ok(())
    }

    fn close(&mut self) {
        self.count -= 1;
        self.objects >>= 1;
    }

    fn innermost(&self) -> Level {
        if self.objects & 1 == 1 {
            Level::Object
        } else {
            Level::Array
        }
    }
}

/// How many bytes at the start of a string's rest need no look: no quote, backslash or control.
/// Most strings end within a block; in a longer one, whole blocks are looked at together.
fn plain_length(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if (index == 0 || has_special(block))
            && let Some(offset) = first_special_in_block(block)
        {
            return index * BLOCK + offset;
        }
    }
    blocks.len() * BLOCK + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// Without a way out early, so that the compiler looks at many bytes at once.
fn has_special(block: &[u8; BLOCK]) -> bool {
    block
        .iter()
        .fold(0, |found, byte| found | u8::from(is_special(*byte)))
        != 0
}

fn first_special_in_block(block: &[u8; BLOCK]) -> Option<usize> {
    let (words, _) = block.as_chunks::<8>();
    let mut found = words
        .iter()
        .enumerate()
        .filter_map(|(index, word)| Some(index * 8 + first_special(*word)?));
    found.next()
}

fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Where the first special byte stands among eight, looked at together: the lowest of the high
/// bits set is exact, higher ones may be carried into.
fn first_special(word: [u8; 8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(word);
    let zero = |bytes: u64| bytes.wrapping_sub(LOW) & !bytes;
    let below_space = word.wrapping_sub(LOW * 0x20) & !word;
    let found = (below_space | zero(word ^ (LOW * 0x22)) | zero(word ^ (LOW * 0x5c))) & HIGH;
    (found != 0).then(|| (found.trailing_zeros() / 8) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    fn pass(text: &str) -> Result<(), Problem> {
        let mut cursor = Cursor::new(text);
        cursor.value()?;
        if cursor.is_at_end() {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Result<(), Problem>) {
        assert_eq!(pass(text), expected, "{text}");
        if expected != Err(Problem::TooDeep) {
            let serde = serde_json::from_str::<IgnoredAny>(text).map(drop);
            assert_eq!(
                serde.is_ok(),
                expected.is_ok(),
                "serde_json of {text}: {serde:?}"
            );
        }
    }

    #[test]
    fn json_is_passed_and_nothing_else() {
        for text in [
            "{}",
            "[]",
            " [ ] ",
            "[[],{}]",
            "0",
            "-0",
            "-0.0e+1",
            "10.01E-9",
            "true",
            "false",
            "null",
            r#""""#,
            r#"{"a":1}"#,
            "{\"a\" :\r\n[1 , 2]\t}",
            r#"{"":{"":[{"":""}]}}"#,
            r#""\"\\\/\b\f\n\r\t\u00e9""#,
            r#""\ud800""#,
            "\"é\u{2028}😀\u{7f}\"",
            "1e999999",
            r#"["a long text without anything special in it, on and on"]"#,
        ] {
            check(text, Ok(()));
        }
        for text in [
            "",
            " ",
            "{",
            "}",
            "[",
            "]",
            "[1",
            "[1,",
            "[,1]",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{1:2}",
            "{\"a\" 1}",
            "[}",
            "{]",
            "[1}",
            "{\"a\":1]",
            "01",
            "-",
            "-a",
            "1.",
            ".1",
            "1.e1",
            "1e",
            "1e+",
            "+1",
            "0x1",
            "NaN",
            "Infinity",
            "nul",
            "truex",
            "True",
            "'a'",
            "\"",
            "\"a",
            "\"\\",
            "\"\\x\"",
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\u123"#,
            "\"a\nb\"",
            "\"a\u{0}b\"",
            "\"a text that is long enough to be looked at in blocks, with a tab\t\"",
            "1 2",
            "{} {}",
            "[] x",
            "/**/1",
            "\u{a0}1",
            "\u{feff}1",
        ] {
            check(text, Err(Problem::Syntax));
        }
    }

    #[test]
    fn nesting_ends_at_its_limit_and_before_what_comes_later() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        check(&nested(128), Ok(()));
        check(&nested(129), Err(Problem::TooDeep));
        check(&"[".repeat(100_000), Err(Problem::TooDeep));
        check(&format!("{}x", "[".repeat(129)), Err(Problem::TooDeep));
        check(&format!("{}x", "[".repeat(128)), Err(Problem::Syntax));
        check(&"{\"a\":".repeat(129), Err(Problem::TooDeep));
        check(&format!("[{}]", vec!["[[]]"; 200].join(",")), Ok(()));
    }

    #[test]
    fn strings_are_decoded_when_asked() {
        let decode = |text: &str| match Cursor::new(text).value() {
            Ok(Value::String(spelled)) => spelled.decode().map(Cow::into_owned),
            other => panic!("{other:?}"),
        };
        assert_eq!(decode(r#""plain""#).as_deref(), Some("plain"));
        assert_eq!(decode(r#""\u0065\n\/""#).as_deref(), Some("e\n/"));
        assert_eq!(decode(r#""\ud83d\ude00""#).as_deref(), Some("😀"));
        assert_eq!(decode(r#""\ud83d""#), None);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"([\[\]{}:,"\\u0-9eE.+\- \ntrfalsn]|null|true|"a":|\PC){0,40}"#) {
            prop_assert_eq!(pass(&text).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn agrees_with_serde_json_on_what_it_wrote(parts in prop::collection::vec(any::<(String, f64)>(), 0..8), cut in 0_usize..200, put: char) {
            let mut text = serde_json::to_string(&parts).unwrap();
            prop_assert_eq!(pass(&text), Ok(()));
            let at = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(text.len());
            text.insert(at, put);
            prop_assert_eq!(pass(&text).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn the_first_special_byte_is_found(bytes in prop::collection::vec(any::<u8>(), 0..200), plain in 0_usize..150) {
            let mut bytes = bytes;
            bytes.iter_mut().take(plain).for_each(|byte| if is_special(*byte) { *byte |= 0x80 });
            let expected = bytes.iter().position(|byte| is_special(*byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_length(&bytes), expected);
        }
    }
}
