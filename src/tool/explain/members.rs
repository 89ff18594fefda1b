//! The members of a record's object, each with where its value stands, so that one can be taken for
//! another.

use std::borrow::Cow;

use crate::json::{Cursor, Problem, Spelled};

pub(super) struct SpelledMember<'a> {
    /// As it is spelled, and what that says.
    spelled: Cow<'a, str>,
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) value: Cow<'a, str>,
    /// As many bytes of the record stand before its value.
    pub(super) at_byte: usize,
}

impl<'a> SpelledMember<'a> {
    /// One that is not in the record.
    pub(super) fn of(key: &'a str, value: &'static str) -> Self {
        let quoted = serde_json::Value::from(key).to_string();
        Self {
            spelled: quoted.trim_matches('"').to_owned().into(),
            key: Some(key.into()),
            value: value.into(),
            at_byte: 0,
        }
    }

    /// Behind its brace, at least.
    pub(super) fn is_in_record(&self) -> bool {
        self.at_byte > 0
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.key.as_deref() == Some(name)
    }
}

/// The members of the object that a text begins with.
pub(super) fn members(text: &str) -> Result<Vec<SpelledMember<'_>>, Problem> {
    let mut cursor = Cursor::new(text);
    let mut members = Vec::new();
    cursor.enter_object()?;
    while let Some(key) = cursor.next_key()? {
        cursor.peek();
        let at_byte = cursor.position();
        cursor.value()?;
        let value = text.get(at_byte..cursor.position());
        members.push(SpelledMember {
            spelled: key.text.into(),
            key: Spelled::decode(key),
            value: value.unwrap_or_default().into(),
            at_byte,
        });
    }
    Ok(members)
}

/// The object that they make.
pub(super) fn object(members: &[SpelledMember<'_>]) -> String {
    let members = members
        .iter()
        .map(|member| format!("\"{}\":{}", member.spelled, member.value));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
