//! Where a record ends being JSON, with what stands there.

use serde::Serialize;

use crate::json::Cursor;

/// So many bytes are shown on each side, or fewer where a character would be cut.
const SHOWN_BYTES: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Broken {
    /// As many bytes stand before it.
    at_byte: usize,
    #[serde(skip)]
    before: String,
    #[serde(skip)]
    after: String,
}

impl Broken {
    /// None where the record begins with a whole value.
    pub(super) fn find(record: &[u8]) -> Option<Self> {
        let text = str::from_utf8(record).ok()?;
        let mut cursor = Cursor::new(text);
        cursor.value().err()?;
        let at_byte = cursor.position();
        let (before, after) = text.split_at_checked(at_byte)?;
        let start = before.ceil_char_boundary(at_byte.saturating_sub(SHOWN_BYTES));
        let end = after.floor_char_boundary(SHOWN_BYTES);
        Some(Self {
            at_byte,
            before: before.get(start..)?.to_owned(),
            after: after.get(..end)?.to_owned(),
        })
    }

    pub(super) fn to_text(&self) -> String {
        let Self {
            at_byte,
            before,
            after,
        } = self;
        if after.is_empty() {
            format!("at byte {at_byte}, where it ends after `{before}`")
        } else {
            format!("at byte {at_byte}, between `{before}` and `{after}`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_breaks_where_no_json_could_go_on() {
        #[track_caller]
        fn check(record: &str, expected: Option<&str>) {
            let broken = Broken::find(record.as_bytes());
            let text = broken.as_ref().map(Broken::to_text);
            assert_eq!(text.as_deref(), expected, "{record}");
        }
        check(r#"{"a":1}"#, None);
        check(
            r#"{"a":1,}"#,
            Some(r#"at byte 7, between `{"a":1,` and `}`"#),
        );
        check(
            r#"{"a":nan}"#,
            Some(r#"at byte 5, between `{"a":` and `nan}`"#),
        );
        check(
            r#"{"a":"b"#,
            Some(r#"at byte 7, where it ends after `{"a":"b`"#),
        );
        check("no", Some("at byte 0, between `` and `no`"));
        check("[\"a\nb\"]", Some("at byte 3, between `[\"a` and `\nb\"]`"));
        let long = format!("[\"{0}\\x{0}\"]", "ä".repeat(30));
        let around = format!("`{}` and `\\x{}`", "ä".repeat(10), "ä".repeat(9));
        check(&long, Some(&format!("at byte 62, between {around}")));
    }
}
