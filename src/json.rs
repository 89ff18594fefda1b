//! A cursor over JSON text: it checks every byte, copies none, and stops at what it meets first.
//!
//! The rules ask for what no general reader gives together: where each member stands, numbers and
//! escapes as they are spelled, lone surrogates passed on, and a limit to nesting that counts
//! skipped values too. What a string means, once it has escapes, is left to `serde_json`.

#![expect(
    clippy::inline_always,
    reason = "a cursor's place in its text stays in registers: a fifth of the time that reading takes"
)]

pub mod object;
pub mod pointer;

use std::borrow::Cow;

use wide::u8x16;

/// Levels of arrays and objects, the outermost counted.
pub const DEPTH_MAX: u32 = 128;

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
    #[inline]
    #[must_use]
    pub fn decode(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            self.decode_escapes().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(self.text))
        }
    }

    #[cold]
    fn decode_escapes(self) -> Option<String> {
        serde_json::from_str(&format!("\"{}\"", self.text)).ok()
    }
}

/// A value that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    String(Spelled<'a>),
    Number(&'a str),
    /// With its braces.
    Object(&'a str),
    Null,
    /// An array, `true` or `false`.
    Other,
}

pub struct Cursor<'a> {
    text: &'a str,
    /// What is not passed yet.
    rest: &'a [u8],
    levels: Levels,
    /// A line break was passed, which can only stand between tokens.
    pub passed_line_break: bool,
}

impl<'a> Cursor<'a> {
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.as_bytes(),
            levels: Levels::default(),
            passed_line_break: false,
        }
    }

    /// Bytes passed so far.
    #[inline(always)]
    #[must_use]
    pub fn position(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// Bytes not passed yet.
    #[must_use]
    pub fn rest_length(&self) -> usize {
        self.rest.len()
    }

    /// The next byte that is not white space.
    #[inline(always)]
    pub fn peek(&mut self) -> Option<u8> {
        while let [byte, after @ ..] = self.rest {
            match *byte {
                byte if byte > b' ' => return Some(byte),
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.passed_line_break = true,
                byte => return Some(byte),
            }
            self.rest = after;
        }
        None
    }

    /// Whether nothing but white space is left.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Enters an object. Its members follow by [`Cursor::next_key`].
    #[inline(always)]
    pub fn enter_object(&mut self) -> Result<(), Problem> {
        self.expect(b'{')?;
        self.levels.open(Level::Object)
    }

    /// Enters an array. Its elements follow by [`Cursor::next_element`].
    #[inline(always)]
    pub fn enter_array(&mut self) -> Result<(), Problem> {
        self.expect(b'[')?;
        self.levels.open(Level::Array)
    }

    /// The key of the object's next member, whose value comes next; none where the object ends.
    #[inline(always)]
    pub fn next_key(&mut self) -> Result<Option<Spelled<'a>>, Problem> {
        if self.next_member()? {
            self.key().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Whether the object has one more member, whose key comes next.
    #[inline(always)]
    pub fn next_member(&mut self) -> Result<bool, Problem> {
        Ok(!self.leaves(b'}')?)
    }

    /// Passes a key that is spelled so, its quotes and the colon behind them with it; whether it came.
    #[inline(always)]
    pub fn pass_key(&mut self, spelled: &str) -> bool {
        self.peek();
        let after = self.rest.strip_prefix(spelled.as_bytes());
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Whether the array has one more element, which comes next.
    #[inline(always)]
    pub fn next_element(&mut self) -> Result<bool, Problem> {
        Ok(!self.leaves(b']')?)
    }

    /// Passes one value, whatever is in it.
    #[inline(always)]
    pub fn value(&mut self) -> Result<Value<'a>, Problem> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'{') => self.object().map(Value::Object),
            Some(b'[') => self.nested().map(|()| Value::Other),
            Some(b'n') => self.literal().map(|()| Value::Null),
            _ => self.literal().map(|()| Value::Other),
        }
    }

    #[inline(always)]
    fn object(&mut self) -> Result<&'a str, Problem> {
        let start = self.position();
        self.nested()?;
        self.text.get(start..self.position()).ok_or(Problem::Syntax)
    }

    #[inline(always)]
    fn nested(&mut self) -> Result<(), Problem> {
        let (passed_line_break, passed);
        (self.rest, passed_line_break, passed) =
            behind_nested(self.text, self.rest, self.levels.count);
        self.passed_line_break |= passed_line_break;
        passed
    }

    #[inline(always)]
    fn pass_nested(&mut self) -> Result<(), Problem> {
        let outside = self.levels.count;
        loop {
            match self.peek() {
                Some(b'"') => self.pass_string().map(drop)?,
                Some(b'-' | b'0'..=b'9') => self.pass_number()?,
                Some(b'{') => self.enter_object()?,
                Some(b'[') => self.enter_array()?,
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
    #[inline(always)]
    fn goes_on(&mut self) -> Result<bool, Problem> {
        match self.levels.innermost() {
            Level::Array => self.next_element(),
            Level::Object if self.leaves(b'}')? => Ok(false),
            Level::Object => {
                self.peek();
                self.pass_string()?;
                self.expect(b':').map(|()| true)
            }
        }
    }

    /// Leaves the innermost level if it ends here, else passes the comma before its next part.
    #[inline(always)]
    fn leaves(&mut self, closing: u8) -> Result<bool, Problem> {
        let is_first = std::mem::take(&mut self.levels.is_fresh);
        match self.peek() {
            Some(b',') if !is_first => {
                self.pass_byte();
                Ok(false)
            }
            Some(byte) if byte == closing => {
                self.pass_byte();
                self.levels.close();
                Ok(true)
            }
            Some(_) if is_first => Ok(false),
            _ => Err(Problem::Syntax),
        }
    }

    /// The key of a member, however it is spelled.
    #[inline(always)]
    pub fn key(&mut self) -> Result<Spelled<'a>, Problem> {
        self.peek();
        let key = self.string()?;
        self.expect(b':').map(|()| key)
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Spelled<'a>, Problem> {
        let start = self.position() + 1;
        let escaped = self.pass_string()?;
        let text = self.text.get(start..self.position() - 1);
        Ok(Spelled {
            text: text.ok_or(Problem::Syntax)?,
            escaped,
        })
    }

    /// Passes a string with its quotes; whether it has escapes.
    #[inline(always)]
    fn pass_string(&mut self) -> Result<bool, Problem> {
        let [b'"', inside @ ..] = self.rest else {
            return Err(Problem::Syntax);
        };
        self.rest = behind_plain(self.text, inside);
        if let [b'"', after @ ..] = self.rest {
            self.rest = after;
            return Ok(false);
        }
        let passed;
        (self.rest, passed) = behind_escaped(self.text, self.rest);
        passed.map(|()| true)
    }

    #[inline(always)]
    fn number(&mut self) -> Result<&'a str, Problem> {
        let start = self.position();
        self.pass_number()?;
        self.text.get(start..self.position()).ok_or(Problem::Syntax)
    }

    #[inline(always)]
    fn pass_number(&mut self) -> Result<(), Problem> {
        self.skip([b'-']);
        let starts_with_zero = self.rest.first() == Some(&b'0');
        if self.pass_digits()? > 1 && starts_with_zero {
            return Err(Problem::Syntax);
        }
        if self.skip([b'.']) {
            self.pass_digits()?;
        }
        if self.skip([b'e', b'E']) {
            self.skip([b'+', b'-']);
            self.pass_digits()?;
        }
        Ok(())
    }

    /// Passes one digit or more; how many.
    #[inline(always)]
    fn pass_digits(&mut self) -> Result<usize, Problem> {
        let after = behind_digits(self.text, self.rest);
        let length = self.rest.len() - after.len();
        self.rest = after;
        if length == 0 {
            Err(Problem::Syntax)
        } else {
            Ok(length)
        }
    }

    #[inline(always)]
    fn literal(&mut self) -> Result<(), Problem> {
        let ([b't', b'r', b'u', b'e', after @ ..]
        | [b'n', b'u', b'l', b'l', after @ ..]
        | [b'f', b'a', b'l', b's', b'e', after @ ..]) = self.rest
        else {
            return Err(Problem::Syntax);
        };
        self.rest = after;
        Ok(())
    }

    /// Passes white space and this byte.
    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.peek() == Some(byte) {
            self.pass_byte();
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    /// Passes one byte if it is one of these.
    #[inline(always)]
    fn skip<const N: usize>(&mut self, bytes: [u8; N]) -> bool {
        match self.rest {
            [byte, after @ ..] if bytes.contains(byte) => {
                self.rest = after;
                true
            }
            _ => false,
        }
    }

    /// Passes the byte that is there.
    #[inline(always)]
    fn pass_byte(&mut self) {
        if let [_, after @ ..] = self.rest {
            self.rest = after;
        }
    }
}

/// What comes behind an array or object and all in it, and whether it has line breaks; where it is
/// wrong, what is wrong and all behind that. It has a cursor of its own, which stays in registers,
/// and so does the one around it.
fn behind_nested<'a>(
    text: &'a str,
    rest: &'a [u8],
    levels: u32,
) -> (&'a [u8], bool, Result<(), Problem>) {
    let mut cursor = Cursor {
        rest,
        levels: Levels {
            count: levels,
            ..Levels::default()
        },
        ..Cursor::new(text)
    };
    let passed = cursor.pass_nested();
    (cursor.rest, cursor.passed_line_break, passed)
}

/// What comes behind the inside of a string, from an escape on, and its quote; where it is wrong,
/// what is wrong and all behind that.
#[cold]
fn behind_escaped<'a>(text: &'a str, inside: &'a [u8]) -> (&'a [u8], Result<(), Problem>) {
    let mut rest = inside;
    loop {
        rest = match rest {
            [b'"', after @ ..] => return (after, Ok(())),
            [
                b'\\',
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                after @ ..,
            ] => after,
            [b'\\', b'u', a, b, c, d, after @ ..]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
            {
                after
            }
            _ => return (rest, Err(Problem::Syntax)),
        };
        rest = behind_plain(text, rest);
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
    #[inline(always)]
    fn open(&mut self, level: Level) -> Result<(), Problem> {
        if self.count == DEPTH_MAX {
            return Err(Problem::TooDeep);
        }
        self.count += 1;
        self.objects = (self.objects << 1) + u128::from(level == Level::Object);
        self.is_fresh = true;
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self) {
        self.count -= 1;
        self.objects >>= 1;
    }

    #[inline(always)]
    fn innermost(&self) -> Level {
        if self.objects & 1 == 1 {
            Level::Object
        } else {
            Level::Array
        }
    }
}

/// What comes behind the bytes of a string that need no look: no quote, backslash or control.
#[inline(always)]
fn behind_plain<'a>(text: &'a str, rest: &'a [u8]) -> &'a [u8] {
    from_first(text.as_bytes(), rest, specials)
}

#[inline(always)]
fn behind_digits<'a>(text: &'a str, rest: &'a [u8]) -> &'a [u8] {
    from_first(text.as_bytes(), rest, others_than_digits)
}

/// The rest from its first byte on that is marked, sixteen looked at together. It ends where `text`
/// does.
#[inline(always)]
fn from_first<'a>(text: &'a [u8], rest: &'a [u8], marks: impl Fn(u8x16) -> u8x16) -> &'a [u8] {
    let mut rest = rest;
    while let Some((block, after)) = rest.split_first_chunk() {
        let marks = marks(u8x16::new(*block)).to_bitmask();
        if marks != 0 {
            return rest
                .get(marks.trailing_zeros() as usize..)
                .unwrap_or_default();
        }
        rest = after;
    }
    from_first_of_last(text, rest, marks)
}

/// The same for fewer than sixteen, together with those before them.
#[inline(never)]
fn from_first_of_last<'a>(
    text: &'a [u8],
    rest: &'a [u8],
    marks: impl Fn(u8x16) -> u8x16,
) -> &'a [u8] {
    let (block, passed) = if let Some(last) = text.last_chunk() {
        (*last, 16 - rest.len())
    } else {
        let mut padded = [0; 16];
        let bytes = padded.iter_mut().zip(rest);
        bytes.for_each(|(padded, byte)| *padded = *byte);
        (padded, 0)
    };
    let marks = marks(u8x16::new(block)).to_bitmask() >> passed;
    let length = marks.trailing_zeros() as usize;
    rest.get(length..).unwrap_or_default()
}

/// Controls and quotes are the lowest once a bit is turned.
#[inline(always)]
fn specials(bytes: u8x16) -> u8x16 {
    let turned = bytes ^ u8x16::splat(b'"' ^ b' ');
    let is_control_or_quote = turned.simd_le(u8x16::splat(b' '));
    is_control_or_quote | bytes.simd_eq(u8x16::splat(b'\\'))
}

#[inline(always)]
fn others_than_digits(bytes: u8x16) -> u8x16 {
    bytes.simd_lt(u8x16::splat(b'0')) | bytes.simd_gt(u8x16::splat(b'9'))
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
    fn what_is_passed_and_what_is_left_is_the_whole_text() {
        let mut cursor = Cursor::new(" [1, 23] ");
        assert_eq!((cursor.position(), cursor.rest_length()), (0, 9));
        cursor.enter_array().unwrap();
        assert_eq!((cursor.position(), cursor.rest_length()), (2, 7));
        while cursor.next_element().unwrap() {
            cursor.value().unwrap();
        }
        assert_eq!((cursor.position(), cursor.rest_length()), (8, 1));
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
        fn the_first_byte_that_needs_a_look_is_found(text in r#"([ a-zé😀!#\[\]\x7f]{0,70}["\\\x00\t\n\x1f]?){0,3}"#) {
            let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            check_behind(&text, |rest| behind_plain(&text, rest), is_special);
        }

        #[test]
        fn the_first_byte_that_is_no_digit_is_found(text in r"([0-9]{0,40}[ -~é]?){0,3}") {
            check_behind(&text, |rest| behind_digits(&text, rest), |byte| !byte.is_ascii_digit());
        }
    }

    #[track_caller]
    fn check_behind<'a>(
        text: &'a str,
        behind: impl Fn(&'a [u8]) -> &'a [u8],
        is_marked: fn(&u8) -> bool,
    ) {
        for start in 0..=text.len() {
            let rest = &text.as_bytes()[start..];
            let length = rest.iter().take_while(|byte| !is_marked(byte)).count();
            assert_eq!(behind(rest), &rest[length..], "{text:?} from {start}");
        }
    }
}
