//! A row's values under the names that are read of it, as they are spelled.

use std::{borrow::Cow, collections::BTreeSet};

use super::{refusal::RowRefusal, rows::Row};
use crate::json::{Cursor, Problem, Spelled, Value};

/// How many columns that no description names are remembered, and of which length.
const UNKNOWN_MAX: usize = 100;
const UNKNOWN_BYTES_MAX: usize = 256;

/// A value as it is spelled, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    Missing,
    Null,
    Text(Spelled<'a>),
    Number(&'a str),
    Bool(bool),
    /// An array or an object.
    Nested,
}

/// Why a row is refused, and for which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRow {
    pub reason: RowRefusal,
    /// None where the row as a whole is refused.
    pub field: Option<usize>,
}

impl RefusedRow {
    #[must_use]
    pub fn at(field: usize, reason: RowRefusal) -> Self {
        let field = Some(field);
        Self { reason, field }
    }
}

impl From<RowRefusal> for RefusedRow {
    fn from(reason: RowRefusal) -> Self {
        Self {
            reason,
            field: None,
        }
    }
}

impl From<Problem> for RefusedRow {
    fn from(_: Problem) -> Self {
        RowRefusal::NotJson.into()
    }
}

/// The fields that are read of a source's rows.
#[derive(Debug, Clone)]
pub struct FieldNames {
    names: Vec<String>,
    /// Each name as it stands before its value.
    spelled: Vec<String>,
    /// Which field stood at each place in the row before: rows of one table are alike.
    order: Vec<usize>,
    unknown: BTreeSet<String>,
}

/// The first field that stands twice in a row.
#[derive(Debug, Default)]
struct Doubled(Option<usize>);

impl FieldNames {
    /// Names of columns, which JSON spells as they are.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        let spelled = names.iter().map(|name| format!("\"{name}\":")).collect();
        Self {
            names,
            spelled,
            order: Vec::new(),
            unknown: BTreeSet::new(),
        }
    }

    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Columns that were met and are not read.
    #[must_use]
    pub fn into_unknown(self) -> BTreeSet<String> {
        self.unknown
    }

    /// Reads a row's values. Where it is refused, those that were read so far stand.
    pub fn read<'a>(
        &mut self,
        row: &Row<'a>,
        values: &mut Vec<FieldValue<'a>>,
    ) -> Result<(), RefusedRow> {
        values.clear();
        values.resize(self.names.len(), FieldValue::Missing);
        let text = row.text.map_err(|_| RowRefusal::NotJson)?;
        let mut cursor = Cursor::new(text);
        let begins_with = cursor.peek();
        let doubled = match (row.names, begins_with) {
            (None, Some(b'{')) => self.members(&mut cursor, values)?,
            (Some(names), Some(b'[')) => self.elements(names, &mut cursor, values)?,
            _ => {
                cursor.value()?;
                return Err(ended(&mut cursor, RowRefusal::NotAnObject.into()));
            }
        };
        match doubled.0 {
            Some(field) => Err(ended(
                &mut cursor,
                RefusedRow::at(field, RowRefusal::FieldDoubled),
            )),
            None if cursor.is_at_end() => Ok(()),
            None => Err(RowRefusal::NotJson.into()),
        }
    }

    fn members<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        values: &mut [FieldValue<'a>],
    ) -> Result<Doubled, Problem> {
        let mut doubled = Doubled::default();
        let mut place = 0;
        cursor.enter_object()?;
        while cursor.next_member()? {
            let mut field = self.expected(place, cursor);
            let key = match field {
                Some(_) => None,
                None => Some(cursor.key()?),
            };
            let value = value(cursor)?;
            if let Some(key) = key {
                field = self.field(place, key);
            }
            if let Some(field) = field {
                doubled.set(values, field, value);
            }
            place += 1;
        }
        Ok(doubled)
    }

    /// The values of an array, in the order of their names. More than those is no row.
    fn elements<'a>(
        &mut self,
        names: &[String],
        cursor: &mut Cursor<'a>,
        values: &mut [FieldValue<'a>],
    ) -> Result<Doubled, RefusedRow> {
        let mut doubled = Doubled::default();
        let mut names = names.iter().enumerate();
        let mut is_too_long = false;
        cursor.enter_array()?;
        while cursor.next_element()? {
            let value = value(cursor)?;
            let Some((place, name)) = names.next() else {
                is_too_long = true;
                continue;
            };
            let key = Spelled {
                text: name,
                escaped: false,
            };
            if let Some(field) = self.field(place, key) {
                doubled.set(values, field, value);
            }
        }
        if is_too_long {
            return Err(ended(cursor, RowRefusal::NotAnObject.into()));
        }
        Ok(doubled)
    }

    /// The field that stood at this place in the row before, if its key comes next.
    #[inline]
    fn expected(&self, place: usize, cursor: &mut Cursor<'_>) -> Option<usize> {
        let field = *self.order.get(place)?;
        let spelled = self.spelled.get(field)?;
        cursor.pass_key(spelled).then_some(field)
    }

    #[inline]
    fn field(&mut self, place: usize, key: Spelled<'_>) -> Option<usize> {
        let expected = self.order.get(place).copied();
        let name = expected.and_then(|field| self.names.get(field));
        if !key.escaped && name.is_some_and(|name| name == key.text) {
            return expected;
        }
        self.look_up(place, &key.decode()?)
    }

    fn look_up(&mut self, place: usize, key: &str) -> Option<usize> {
        let found = self.names.iter().position(|name| name == key);
        let Some(field) = found else {
            self.remember_unknown(key);
            return None;
        };
        if self.order.len() <= place && place < self.names.len() + UNKNOWN_MAX {
            self.order.resize(place + 1, usize::MAX);
        }
        if let Some(expected) = self.order.get_mut(place) {
            *expected = field;
        }
        found
    }

    fn remember_unknown(&mut self, key: &str) {
        let has_room = self.unknown.len() < UNKNOWN_MAX && key.len() <= UNKNOWN_BYTES_MAX;
        if has_room && !self.unknown.contains(key) {
            self.unknown.insert(key.to_owned());
        }
    }
}

impl Doubled {
    #[inline]
    fn set<'a>(&mut self, values: &mut [FieldValue<'a>], field: usize, value: FieldValue<'a>) {
        if let Some(held) = values.get_mut(field) {
            if *held != FieldValue::Missing {
                self.0.get_or_insert(field);
            }
            *held = value;
        }
    }
}

/// What is wrong with a row, if nothing stands behind it.
fn ended(cursor: &mut Cursor<'_>, why: RefusedRow) -> RefusedRow {
    if cursor.is_at_end() {
        why
    } else {
        RowRefusal::NotJson.into()
    }
}

#[inline]
fn value<'a>(cursor: &mut Cursor<'a>) -> Result<FieldValue<'a>, Problem> {
    let begins_with = cursor.peek();
    Ok(match cursor.value()? {
        Value::String(text) => FieldValue::Text(text),
        Value::Number(number) => FieldValue::Number(number),
        Value::Null => FieldValue::Null,
        Value::Object(_) => FieldValue::Nested,
        Value::Other if begins_with == Some(b'[') => FieldValue::Nested,
        Value::Other => FieldValue::Bool(begins_with == Some(b't')),
    })
}

/// An empty list for values of another row, in the memory of this one.
#[must_use]
pub fn recycle<'b>(mut values: Vec<FieldValue<'_>>) -> Vec<FieldValue<'b>> {
    values.clear();
    values.into_iter().map_while(|_| None).collect()
}

impl<'a> FieldValue<'a> {
    /// What a text says; a lone surrogate says nothing.
    pub fn said(text: Spelled<'a>) -> Result<Cow<'a, str>, RowRefusal> {
        text.decode().ok_or(RowRefusal::WrongType)
    }

    /// Writes it as JSON; what is missing is null.
    pub fn push_json(self, out: &mut String) {
        match self {
            Self::Text(text) => {
                out.push('"');
                out.push_str(text.text);
                out.push('"');
            }
            Self::Number(number) => out.push_str(number),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Missing | Self::Null | Self::Nested => out.push_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, names: Option<&[String]>) -> Result<String, RefusedRow> {
        let mut fields = FieldNames::new(vec!["a".to_owned(), "b".to_owned()]);
        let mut out = Vec::new();
        // A row before it, of the same shape or of another, changes nothing.
        for before in ["{}", r#"{"b":1,"a":2}"#, r#"{"x":1,"y":2,"a":3,"b":4}"#] {
            let row = Row {
                number: 1,
                text: Ok(before),
                names: None,
            };
            fields.read(&row, &mut Vec::new()).unwrap();
            let row = Row {
                number: 2,
                text: Ok(text),
                names,
            };
            let mut values = Vec::new();
            let read = fields.read(&row, &mut values);
            let mut json = String::new();
            for value in values {
                value.push_json(&mut json);
                json.push(' ');
            }
            out.push(read.map(|()| json));
        }
        out.dedup();
        assert_eq!(out.len(), 1, "{out:?}");
        out.remove(0)
    }

    const NOT_JSON: RefusedRow = RefusedRow {
        reason: RowRefusal::NotJson,
        field: None,
    };
    const NOT_AN_OBJECT: RefusedRow = RefusedRow {
        reason: RowRefusal::NotAnObject,
        field: None,
    };

    #[test]
    fn values_are_found_by_their_names() {
        for (text, expected) in [
            ("{}", "null null "),
            (r#"{"a":1,"b":"x"}"#, r#"1 "x" "#),
            (r#" { "b" : true , "c" : [1], "a" : 1.50 } "#, "1.50 true "),
            (r#"{"\u0061":"\u00e4","c":{"a":2}}"#, r#""\u00e4" null "#),
            (r#"{"b":false,"\ud800":1,"c":1,"c":2}"#, "null false "),
            (r#"{"a":null,"b":"NULL"}"#, r#"null "NULL" "#),
        ] {
            assert_eq!(read(text, None).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_row_that_is_no_object_says_why() {
        for text in [
            "",
            "{",
            "x",
            r#"{"a":1}{"#,
            r#"{"a":1} {"a":1}"#,
            "[] []",
            r#"{"a":1,"a":2"#,
        ] {
            assert_eq!(read(text, None), Err(NOT_JSON), "{text}");
        }
        for text in ["[]", "1", "null", r#""a""#, "[{}]"] {
            assert_eq!(read(text, None), Err(NOT_AN_OBJECT), "{text}");
        }
        for (text, field) in [
            (r#"{"a":1,"b":2,"a":1}"#, 0),
            (r#"{"b":1,"\u0062":null}"#, 1),
        ] {
            let expected = RefusedRow::at(field, RowRefusal::FieldDoubled);
            assert_eq!(read(text, None), Err(expected), "{text}");
        }
    }

    #[test]
    fn values_of_an_array_have_its_names() {
        let names = ["b", "c", "a"].map(str::to_owned);
        assert_eq!(read("[1,2,3]", Some(&names)).as_deref(), Ok("3 1 "));
        assert_eq!(read("[1]", Some(&names)).as_deref(), Ok("null 1 "));
        assert_eq!(read("[1,2,3,4]", Some(&names)), Err(NOT_AN_OBJECT));
        assert_eq!(read(r#"{"a":1}"#, Some(&names)), Err(NOT_AN_OBJECT));
        assert_eq!(read("[1,2", Some(&names)), Err(NOT_JSON));
        let twice = ["a", "a"].map(str::to_owned);
        let expected = RefusedRow::at(0, RowRefusal::FieldDoubled);
        assert_eq!(read("[1,2]", Some(&twice)), Err(expected));
    }

    #[test]
    fn unknown_columns_are_remembered_up_to_a_hundred() {
        let mut fields = FieldNames::new(vec!["a".to_owned()]);
        let long = "x".repeat(1000);
        let members: Vec<_> = (0..200).map(|n| format!("\"c{n}\":1")).collect();
        let text = format!(r#"{{"a":1,"{long}":2,{}}}"#, members.join(","));
        let row = Row {
            number: 1,
            text: Ok(&text),
            names: None,
        };
        fields.read(&row, &mut Vec::new()).unwrap();
        let unknown = fields.into_unknown();
        assert_eq!(unknown.len(), UNKNOWN_MAX);
        assert!(unknown.contains("c0") && !unknown.contains("a") && !unknown.contains(&long));
    }
}
