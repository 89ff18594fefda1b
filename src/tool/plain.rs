//! Texts from elsewhere, shown so that they steer nothing: no terminal, no reader's eye.

use std::fmt::{self, Display, Write};

/// A text whose hidden characters are shown by their numbers.
pub(super) struct Plain<'a>(pub(super) &'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        characters.try_for_each(|character| write_plain(character, f))
    }
}

/// One character of it.
pub(super) fn write_plain(character: char, f: &mut impl Write) -> fmt::Result {
    if is_hidden(character) {
        write!(f, "⟨U+{:04X}⟩", u32::from(character))
    } else {
        f.write_char(character)
    }
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_by_its_number_and_all_else_as_it_is() {
        let text = "é 日本 🦀 \"<&\\\u{1b}[2J\u{9b}31m\u{202e}\n";
        let shown = "é 日本 🦀 \"<&\\⟨U+001B⟩[2J⟨U+009B⟩31m⟨U+202E⟩⟨U+000A⟩";
        assert_eq!(Plain(text).to_string(), shown);
    }
}
