//! An item of an event log as a person reads it: plain JSON in place of DynamoDB's, each number as it is
//! spelled there.

use serde_json::{Map, Value};

use crate::json::{self, Cursor};

/// What comes first, in this order; the data comes last.
const FIRST: &[&str] = &[
    "eventId",
    "timestamp",
    "partitionKey",
    "searchKey",
    "idMissing",
    "refused",
    "ttl",
];

/// One line.
pub(super) fn plain(item: &Value) -> String {
    let nothing = Map::new();
    let attributes = item.as_object().unwrap_or(&nothing);
    let first = FIRST
        .iter()
        .filter_map(|name| attributes.get_key_value(*name));
    let rest = attributes
        .iter()
        .filter(|(name, _)| !FIRST.contains(&name.as_str()));
    let mut line = String::new();
    push_members(first.chain(rest), &mut line);
    line
}

fn push_members<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut String) {
    out.push('{');
    for (place, (name, attribute)) in members.enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_text(name, out);
        out.push(':');
        push_attribute(attribute, out);
    }
    out.push('}');
}

fn push_list<T>(elements: &[T], mut push: impl FnMut(&T, &mut String), out: &mut String) {
    out.push('[');
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push(element, out);
    }
    out.push(']');
}

/// Bytes are an object whose one member is `base64`.
fn push_attribute(attribute: &Value, out: &mut String) {
    let typed = attribute.as_object().and_then(|typed| typed.iter().next());
    match typed.map(|(kind, value)| (kind.as_str(), value)) {
        Some(("M", Value::Object(members))) => push_members(members.iter(), out),
        Some(("L", Value::Array(elements))) => push_list(elements, push_attribute, out),
        Some(("N", Value::String(number))) => push_number(number, out),
        Some(("NS", Value::Array(numbers))) => {
            let push = |number: &Value, out: &mut String| {
                push_number(number.as_str().unwrap_or_default(), out);
            };
            push_list(numbers, push, out);
        }
        Some(("B", Value::String(base64))) => {
            out.push_str("{\"base64\":");
            push_text(base64, out);
            out.push('}');
        }
        Some(("NULL", _)) | None => out.push_str("null"),
        Some((_, value)) => out.push_str(&value.to_string()),
    }
}

/// What is no number in JSON is text.
fn push_number(number: &str, out: &mut String) {
    let mut cursor = Cursor::new(number);
    match cursor.value() {
        Ok(json::Value::Number(spelled)) if spelled == number => out.push_str(number),
        _ => push_text(number, out),
    }
}

fn push_text(text: &str, out: &mut String) {
    out.push_str(&Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_plain_json_with_its_numbers_as_they_are() {
        let item = json!({
            "data": {"M": {
                "n": {"N": "12345678901234567890.123456789012345678"},
                "e": {"N": "1E+125"},
                "odd": {"N": "+1"},
                "l": {"L": [{"BOOL": true}, {"NULL": true}, {"S": "a\"ä"}, {"M": {}}]},
                "set": {"NS": ["1", "2.50"]},
            }},
            "raw": {"B": "/w=="},
            "eventId": {"S": "1"},
            "ttl": {"N": "1200"},
            "timestamp": {"S": "2024"},
        });
        let expected = concat!(
            r#"{"eventId":"1","timestamp":"2024","ttl":1200,"#,
            r#""data":{"e":1E+125,"l":[true,null,"a\"ä",{}],"#,
            r#""n":12345678901234567890.123456789012345678,"odd":"+1","set":[1,2.50]},"#,
            r#""raw":{"base64":"/w=="}}"#,
        );
        assert_eq!(plain(&item), expected);
    }
}
