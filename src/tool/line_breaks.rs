//! Texts in lines for a terminal, which would break them within their words.

use unicode_width::UnicodeWidthStr;

/// Written as a space, at which no line is broken.
pub(super) const UNBROKEN: &str = "\u{a0}";

/// The lines that a text has in so many columns: its own, broken between words.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        // An amount is not parted from its dollars.
        for word in paragraph.replace(" $", &format!("{UNBROKEN}$")).split(' ') {
            let word = word.replace(UNBROKEN, " ");
            if line.is_empty() {
                line = word;
            } else if line.width() + 1 + word.width() > columns {
                lines.push(std::mem::replace(&mut line, word));
            } else {
                line.push(' ');
                line.push_str(&word);
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_alone() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one\ntwo", 7), ["one", "two"]);
        assert_eq!(wrap("costs 12 $ now", 9), ["costs", "12 $ now"]);
        assert_eq!(wrap("much-too-long a", 7), ["much-too-long", "a"]);
        assert_eq!(wrap("", 7), [""; 0]);
    }
}
