//! Where in a record something stands, with what is around it.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::tool::plain::Plain;

/// So many bytes are shown on each side, or fewer where a character would be cut.
const SHOWN_BYTES: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Excerpt {
    /// As many bytes stand before it.
    at_byte: usize,
    #[serde(skip)]
    before: String,
    #[serde(skip)]
    after: String,
}

impl Excerpt {
    /// What is no text any more is shown byte by byte.
    pub(super) fn at(record: &[u8], at_byte: usize) -> Option<Self> {
        let (before, after) = record.split_at_checked(at_byte)?;
        let before = str::from_utf8(before).ok()?;
        let start = before.ceil_char_boundary(at_byte.saturating_sub(SHOWN_BYTES));
        let shown = str::from_utf8(after).map(|text| text.floor_char_boundary(SHOWN_BYTES));
        let shown = shown.unwrap_or(SHOWN_BYTES).min(after.len());
        let after = after.get(..shown)?;
        let escaped = || after.escape_ascii().to_string();
        let after = str::from_utf8(after).map_or_else(|_| escaped(), str::to_owned);
        Some(Self {
            at_byte,
            before: before.get(start..)?.to_owned(),
            after,
        })
    }

    pub(super) fn place(&self) -> String {
        match &*self.after {
            "" => format!("at byte {}, where it ends", self.at_byte),
            _ => format!("at byte {}", self.at_byte),
        }
    }

    /// The text around, and a caret below the byte. Its spaces are such that nobody breaks it there.
    pub(super) fn to_lines(&self) -> String {
        let [before, after] = [&self.before, &self.after].map(|text| Plain(text).to_string());
        let indent = " ".repeat(before.width());
        format!("{before}{after}\n{indent}^").replace(' ', "\u{a0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_below_the_byte() {
        #[track_caller]
        fn check(record: &[u8], at_byte: usize, place: &str, lines: &str) {
            let excerpt = Excerpt::at(record, at_byte).unwrap();
            assert_eq!(excerpt.place(), place);
            assert_eq!(excerpt.to_lines().replace('\u{a0}', " "), lines);
        }
        check(b"{\"a\":nan}", 5, "at byte 5", "{\"a\":nan}\n     ^");
        check(b"{\"a\"", 4, "at byte 4, where it ends", "{\"a\"\n    ^");
        check(b"", 0, "at byte 0, where it ends", "\n^");
        check(
            "日\u{1b}x".as_bytes(),
            4,
            "at byte 4",
            "日⟨U+001B⟩x\n          ^",
        );
        check(b"ok\xff\n", 2, "at byte 2", "ok\\xff\\n\n  ^");
        let long = format!("[\"{0}\\x{0}\"]", "ä".repeat(30));
        let around = format!(
            "{}\\x{}\n{}^",
            "ä".repeat(10),
            "ä".repeat(9),
            " ".repeat(10)
        );
        check(long.as_bytes(), 62, "at byte 62", &around);
        assert_eq!(Excerpt::at("ä".as_bytes(), 1), None);
        assert_eq!(Excerpt::at(b"", 1), None);
    }
}
