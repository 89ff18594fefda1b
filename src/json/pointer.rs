//! A JSON pointer: where in a text a value stands.

use std::{borrow::Cow, str::FromStr};

use super::{Cursor, Problem, Value};

/// The keys and indices that lead to a value (RFC 6901); none lead to the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a JSON pointer, such as /event_uuid or /user/id: each part after a `/`, `~1` for `/` and `~0` for `~` in it"
)]
pub struct NotPointer;

impl FromStr for Pointer {
    type Err = NotPointer;

    fn from_str(text: &str) -> Result<Self, NotPointer> {
        let parts = text.strip_prefix('/').ok_or(NotPointer)?.split('/');
        parts
            .map(unescape)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(NotPointer)
    }
}

fn unescape(part: &str) -> Option<String> {
    let is_escaped = |rest: &str| rest.starts_with(['0', '1']);
    let escapes = part.split('~').skip(1);
    escapes
        .clone()
        .all(is_escaped)
        .then(|| part.replace("~1", "/").replace("~0", "~"))
}

/// Writes one part of a pointer, its slash before it.
pub fn push_part(out: &mut String, part: &str) {
    out.push('/');
    out.push_str(&part.replace('~', "~0").replace('/', "~1"));
}

impl Pointer {
    /// To a member at the top, whatever its name.
    #[must_use]
    pub fn to_member(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The value in a text that is JSON; of a key that stands twice the first.
    #[must_use]
    pub fn find<'a>(&self, text: &'a str) -> Option<Value<'a>> {
        self.lead(text)?.value().ok()
    }

    /// The same as it is spelled, whatever it is.
    #[must_use]
    pub fn find_spelled<'a>(&self, text: &'a str) -> Option<&'a str> {
        let mut cursor = self.lead(text)?;
        cursor.peek();
        let start = cursor.position();
        cursor.value().ok()?;
        text.get(start..cursor.position())
    }

    /// To before the value.
    fn lead<'a>(&self, text: &'a str) -> Option<Cursor<'a>> {
        let mut cursor = Cursor::new(text);
        for part in &self.0 {
            enter(&mut cursor, part).ok().flatten()?;
        }
        Some(cursor)
    }

    /// The text or the number there; a number by its spelling.
    #[must_use]
    pub fn find_text<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        match self.find(text)? {
            Value::String(spelled) => spelled.decode(),
            Value::Number(number) => Some(number.into()),
            Value::Object(_) | Value::Null | Value::Other => None,
        }
    }
}

/// Goes to the member or element that a part names, if it is there.
fn enter(cursor: &mut Cursor<'_>, part: &str) -> Result<Option<()>, Problem> {
    match cursor.peek() {
        Some(b'{') => {
            cursor.enter_object()?;
            while let Some(key) = cursor.next_key()? {
                if key.decode().is_some_and(|key| key == part) {
                    return Ok(Some(()));
                }
                cursor.value()?;
            }
            Ok(None)
        }
        Some(b'[') => {
            let Some(index) = element(part) else {
                return Ok(None);
            };
            cursor.enter_array()?;
            for _ in 0..index {
                if !cursor.next_element()? {
                    return Ok(None);
                }
                cursor.value()?;
            }
            Ok(cursor.next_element()?.then_some(()))
        }
        _ => Ok(None),
    }
}

fn element(part: &str) -> Option<usize> {
    let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
    let has_zeros = part.len() > 1 && part.starts_with('0');
    (is_number && !has_zeros)
        .then(|| part.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_what_its_parts_name() {
        #[track_caller]
        fn check(pointer: &str, expected: Option<&str>) {
            let text = r#" {"a": {"b": [10, {"c": "x"}], "": 1, "~/": 2, "\u0065": 3}, "a": 9, "n": null} "#;
            let found = pointer.parse::<Pointer>().unwrap().find(text);
            let found = found.map(|value| match value {
                Value::String(spelled) => spelled.text,
                Value::Number(number) => number,
                Value::Object(_) => "object",
                Value::Null | Value::Other => "other",
            });
            assert_eq!(found, expected, "{pointer}");
        }
        check("/a", Some("object"));
        check("/a/b", Some("other"));
        check("/a/b/0", Some("10"));
        check("/a/b/1/c", Some("x"));
        check("/a/b/2", None);
        check("/a/b/01", None);
        check("/a/b/-", None);
        check("/a/b/c", None);
        check("/a/", Some("1"));
        check("/a/~0~1", Some("2"));
        check("/a/e", Some("3"));
        check("/n", Some("other"));
        check("/n/a", None);
        check("/z", None);
    }

    #[test]
    fn a_value_is_found_as_it_is_spelled() {
        for (pointer, expected) in [
            ("/a", Some("[1, {\"b\" :2}]")),
            ("/a/1/b", Some("2")),
            ("/t", Some("\"\\u0065\"")),
            ("/f", Some("false")),
            ("/z", None),
        ] {
            let text = r#" {"a": [1, {"b" :2}] , "t":"\u0065", "f": false} "#;
            let pointer: Pointer = pointer.parse().unwrap();
            assert_eq!(pointer.find_spelled(text), expected, "{pointer:?}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_told_apart() {
        for text in ["", "a", "a/b", "/~", "/a~2", "#/a"] {
            assert_eq!(text.parse::<Pointer>(), Err(NotPointer), "{text}");
        }
    }
}
