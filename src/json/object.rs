//! A record's JSON object: its top-level members handed over one by one, what passes through
//! written again without those that are replaced, and why it cannot be read.

use std::{borrow::Cow, fmt, ops::Range};

use super::{Cursor, Problem, Value};

/// Why a record's bytes are no object that can be read. In the order in which they are looked for;
/// the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unreadable {
    DataMissing,
    NotBase64,
    NotUtf8,
    NotJson,
    TooDeep,
    ManyValues,
    NotAnObject,
    FieldDoubled,
}

impl Unreadable {
    pub const ALL: [Self; 8] = [
        Self::DataMissing,
        Self::NotBase64,
        Self::NotUtf8,
        Self::NotJson,
        Self::TooDeep,
        Self::ManyValues,
        Self::NotAnObject,
        Self::FieldDoubled,
    ];

    /// Its name in metrics, logs and dead letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataMissing => "data_missing",
            Self::NotBase64 => "not_base64",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::ManyValues => "many_values",
            Self::NotAnObject => "not_an_object",
            Self::FieldDoubled => "field_doubled",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Problem> for Unreadable {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Syntax => Self::NotJson,
            Problem::TooDeep => Self::TooDeep,
        }
    }
}

/// The text that a record's bytes are.
pub fn read_text(bytes: &[u8]) -> Result<&str, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::DataMissing);
    }
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    if text.starts_with('\u{feff}') {
        return Err(Unreadable::NotUtf8);
    }
    Ok(text)
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    Passes,
    Replaced,
    /// It may stand once, and came before.
    Doubled,
}

/// The text between an object's braces, and where in it stands what is replaced.
#[derive(Debug, Default)]
pub struct Members<'a> {
    inside: &'a str,
    /// In order, each with the comma behind it.
    replaced: Vec<Range<usize>>,
    has_line_breaks: bool,
}

impl<'a> Members<'a> {
    /// Reads the one object in a text; each key and value are handed over in order.
    #[inline]
    pub fn read(
        text: &'a str,
        mut take: impl FnMut(&str, Value<'a>) -> Member,
    ) -> Result<Self, Unreadable> {
        let mut cursor = Cursor::new(text);
        if cursor.peek() != Some(b'{') {
            cursor.value()?;
            return Err(if cursor.is_at_end() {
                Unreadable::NotAnObject
            } else {
                Unreadable::ManyValues
            });
        }
        cursor.enter_object()?;
        let mut members = Self::default();
        let mut is_doubled = false;
        let inside = cursor.position();
        let mut start = inside;
        while let Some(key) = cursor.next_key()? {
            let value = cursor.value()?;
            let comma = usize::from(cursor.peek() == Some(b','));
            let end = cursor.position() + comma;
            let taken = key.decode().map(|key| take(&key, value));
            match taken {
                None | Some(Member::Passes) => {}
                Some(Member::Replaced) => members.replaced.push(start - inside..end - inside),
                Some(Member::Doubled) => is_doubled = true,
            }
            start = end;
        }
        members.inside = text.get(inside..cursor.position() - 1).unwrap_or_default();
        members.has_line_breaks = cursor.passed_line_break;
        match (cursor.is_at_end(), is_doubled) {
            (false, _) => Err(Unreadable::ManyValues),
            (true, true) => Err(Unreadable::FieldDoubled),
            (true, false) => Ok(members),
        }
    }

    /// Writes what passes through: all but replaced members and line breaks.
    pub fn write_kept(&self, out: &mut Vec<u8>) {
        self.write_kept_without(&self.replaced, out);
    }

    /// The same where, of the members to be replaced, only some are: told by which of them it is.
    /// Whether what is written ends in a comma.
    pub fn write_kept_but(&self, is_replaced: impl Fn(usize) -> bool, out: &mut Vec<u8>) -> bool {
        let replaced = self.replaced.iter().enumerate();
        let replaced = replaced.filter(|(index, _)| is_replaced(*index));
        let replaced: Vec<_> = replaced.map(|(_, range)| range.clone()).collect();
        self.write_kept_without(&replaced, out);
        replaced
            .last()
            .is_some_and(|last| last.end == self.inside.len())
    }

    fn write_kept_without(&self, replaced: &[Range<usize>], out: &mut Vec<u8>) {
        let mut start = 0;
        for range in replaced {
            self.push(out, self.inside.get(start..range.start));
            start = range.end;
        }
        self.push(out, self.inside.get(start..));
    }

    /// A line break in JSON never stands inside a string.
    fn push(&self, out: &mut Vec<u8>, piece: Option<&str>) {
        let piece = piece.unwrap_or_default();
        if self.has_line_breaks {
            let lines = piece.split(['\n', '\r']);
            lines.for_each(|line| out.extend_from_slice(line.as_bytes()));
        } else {
            out.extend_from_slice(piece.as_bytes());
        }
    }

    /// Whether what passes through ends in a comma already, its last member being replaced.
    #[must_use]
    pub fn end_in_comma(&self) -> bool {
        self.replaced
            .last()
            .is_some_and(|last| last.end == self.inside.len())
    }
}

/// Which texts are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// Only white space is as good as nothing.
    Empty,
    Text,
}

/// Why a member is not the text that it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextProblem {
    Missing,
    WrongType,
    Empty,
    TooLong,
    ControlCharacter,
}

/// A member that has to be text of at most so many bytes, without control characters.
#[inline]
pub fn required_text(
    value: Option<Value<'_>>,
    bytes_max: usize,
    blank: Blank,
) -> Result<Cow<'_, str>, TextProblem> {
    let text = match value {
        None => return Err(TextProblem::Missing),
        Some(Value::String(spelled)) => spelled.decode().ok_or(TextProblem::WrongType)?,
        Some(_) => return Err(TextProblem::WrongType),
    };
    let is_blank = || blank == Blank::Empty && text.chars().all(char::is_whitespace);
    if text.is_empty() || is_blank() {
        Err(TextProblem::Empty)
    } else if text.len() > bytes_max {
        Err(TextProblem::TooLong)
    } else if matches!(&text, Cow::Owned(unescaped) if unescaped.bytes().any(|byte| byte < b' ')) {
        // Only an escape can bring one in.
        Err(TextProblem::ControlCharacter)
    } else {
        Ok(text)
    }
}
