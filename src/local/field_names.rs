//! How a record's fields are called, never what they say: for who has to be told what an event has in
//! place of the fields that are looked for.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::json::{Cursor, Spelled};

/// So many are kept, each up to so many characters.
const NAMES_MAX: usize = 32;
const CHARACTERS_MAX: usize = 40;

/// Those at a record's top level, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldNames(Vec<String>);

impl FieldNames {
    pub const NONE: Self = Self(Vec::new());

    /// Of what is no object there are none, of what is broken those before.
    #[must_use]
    pub fn of(record: &[u8]) -> Self {
        let text = record.utf8_chunks().next();
        let mut cursor = Cursor::new(text.map_or("", |chunk| chunk.valid()));
        if cursor.enter_object().is_err() {
            return Self::NONE;
        }
        let keys = std::iter::from_fn(|| {
            let key = cursor.next_key().ok()??;
            cursor.value().ok()?;
            Some(Spelled::decode(key))
        });
        keys.collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// What a name says, where text can.
impl<'a> FromIterator<Option<Cow<'a, str>>> for FieldNames {
    fn from_iter<I: IntoIterator<Item = Option<Cow<'a, str>>>>(names: I) -> Self {
        let names = names.into_iter().take(NAMES_MAX);
        Self(
            names
                .map(|name| shortened(name.as_deref().unwrap_or("…")))
                .collect(),
        )
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_and_bounded_whatever_they_say() {
        #[track_caller]
        fn check(record: &[u8], expected: &[&str]) {
            let names = FieldNames::of(record);
            assert_eq!(names.iter().collect::<Vec<_>>(), expected);
        }
        check(
            br#" {"id":"secret","a\u0062":{"c":1}, "\ud800":2}"#,
            &["id", "ab", "…"],
        );
        check(br#"{"id":1,"name":"cut o"#, &["id"]);
        check(b"{\"id\":1,\"a\":\"\xff\"}", &["id"]);
        for none in [&b""[..], b"[1]", b"{}", b"text", b"\xff{"] {
            check(none, &[]);
        }
        let long = "ä".repeat(CHARACTERS_MAX + 1);
        let kept = format!("{}…", "ä".repeat(CHARACTERS_MAX));
        check(format!(r#"{{"{long}":1}}"#).as_bytes(), &[&kept]);
        let many: Vec<_> = (0..NAMES_MAX + 9)
            .map(|name| format!(r#""{name}":1"#))
            .collect();
        let many = FieldNames::of(format!("{{{}}}", many.join(",")).as_bytes());
        assert_eq!(many.iter().count(), NAMES_MAX);
    }
}
