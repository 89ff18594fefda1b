//! Commands that a person is shown to be typed.

/// A word as a shell takes it for one.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+~".contains(&byte);
    if !word.is_empty() && !word.starts_with('~') && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one() {
        for (word, expected) in [
            ("s3://lake/errors/a=1:4", "s3://lake/errors/a=1:4"),
            ("my events.jsonl:4", "'my events.jsonl:4'"),
            ("it's", r"'it'\''s'"),
            ("~/x", "'~/x'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
