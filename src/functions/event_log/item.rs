//! An item of the log's table, as DynamoDB's JSON: what it takes, byte for byte, and whether two
//! say the same.

use std::{convert::Infallible, ops::Range};

use base64_simd::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::number::{Decimal, plain_bytes};

/// What DynamoDB takes.
pub const ITEM_BYTES_MAX: usize = 400 * 1024;
/// What a key may have: of the table, and of its index.
pub const KEY_BYTES_MAX: usize = 2048;

pub const EVENT_ID: &str = "eventId";
pub const TIMESTAMP: &str = "timestamp";
pub const SEARCH_KEY: &str = "searchKey";
pub const TTL: &str = "ttl";
const DATA: &str = "data";
const RAW: &str = "raw";
pub const DATA_REF: &str = "dataRef";
/// JSON pointers to the texts in the data that are numbers which DynamoDB cannot hold.
pub const TEXT_NUMBERS: &str = "textNumbers";

/// What an item may hold in memory beside its JSON.
const WASTE_MAX: usize = 64 * 1024;
/// How many attributes most items have.
const ATTRIBUTES: usize = 6;

/// An item, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    /// `{"eventId":{"S":"…"},…}`
    pub json: Vec<u8>,
    attributes: Vec<(&'static str, Range<usize>)>,
    /// As DynamoDB counts: names and values.
    pub bytes: usize,
}

impl Item {
    #[must_use]
    pub fn new(id: String) -> Self {
        let mut item = Self::with_room(0);
        item.push_id(id);
        item
    }

    /// Without an id yet; so many bytes of JSON are expected.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self {
            id: String::new(),
            json: Vec::with_capacity(bytes),
            attributes: Vec::with_capacity(ATTRIBUTES),
            bytes: 0,
        }
    }

    pub fn push_id(&mut self, id: String) {
        self.push_text(EVENT_ID, &id);
        self.id = id;
    }

    /// Gives back what was reserved in vain, where that is much.
    pub fn trim(&mut self) {
        if self.json.capacity() - self.json.len() > WASTE_MAX {
            self.json.shrink_to_fit();
        }
    }

    pub fn push_text(&mut self, name: &'static str, text: &str) {
        self.push(name, |out| {
            out.extend_from_slice(b"{\"S\":");
            push_string(out, text);
            out.push(b'}');
            text.len()
        });
    }

    pub fn push_binary(&mut self, name: &'static str, bytes: &[u8]) {
        self.push(name, |out| {
            out.extend_from_slice(b"{\"B\":\"");
            STANDARD.encode_append(bytes, out);
            out.extend_from_slice(b"\"}");
            bytes.len()
        });
    }

    pub fn push_number(&mut self, name: &'static str, number: u64) {
        let digits = number.to_string();
        self.push(name, |out| {
            out.extend_from_slice(format!("{{\"N\":\"{digits}\"}}").as_bytes());
            plain_bytes(&digits)
        });
    }

    pub fn push_true(&mut self, name: &'static str) {
        self.push(name, |out| {
            out.extend_from_slice(b"{\"BOOL\":true}");
            1
        });
    }

    /// An attribute that is written already, and what it takes.
    pub fn push_written(&mut self, name: &'static str, written: &[u8], bytes: usize) {
        self.push(name, |out| {
            out.extend_from_slice(written);
            bytes
        });
    }

    fn push(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>) -> usize) {
        let written: Result<_, Infallible> = self.try_push(name, |out| {
            let bytes = write(out);
            Ok((bytes, ()))
        });
        let Ok(()) = written;
    }

    /// An attribute that `write` puts behind what is there, and says what it takes. Where it fails,
    /// there is none.
    pub fn try_push<T, E>(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(usize, T), E>,
    ) -> Result<T, E> {
        self.json.pop();
        let end = self.json.len();
        self.json.push(if end == 0 { b'{' } else { b',' });
        self.json.push(b'"');
        self.json.extend_from_slice(name.as_bytes());
        self.json.extend_from_slice(b"\":");
        let start = self.json.len();
        let written = write(&mut self.json);
        if let Ok((bytes, _)) = &written {
            self.bytes += name.len() + bytes;
            self.attributes.push((name, start..self.json.len()));
        } else {
            self.json.truncate(end);
        }
        if !self.json.is_empty() {
            self.json.push(b'}');
        }
        written.map(|(_, said)| said)
    }

    /// The same under another id.
    #[must_use]
    pub fn renamed(&self, id: String) -> Self {
        let mut item = Self::new(id);
        for (name, value) in self.attributes().filter(|(name, _)| *name != EVENT_ID) {
            item.push_written(name, value, 0);
        }
        item.bytes = self.bytes - self.id.len() + item.id.len();
        item
    }

    /// Each attribute's name and value.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let value = |range: &Range<usize>| self.json.get(range.clone()).unwrap_or_default();
        self.attributes
            .iter()
            .map(move |(name, range)| (*name, value(range)))
    }

    /// Whether it has the same data as an item that stands in the table, in DynamoDB's JSON.
    #[must_use]
    pub fn says_the_same(&self, stored: &Value) -> bool {
        self.said() == Said::of(stored)
    }

    #[must_use]
    pub fn said(&self) -> Said {
        Said::of(&serde_json::from_slice(&self.json).unwrap_or_default())
    }
}

/// The text of an attribute, of an item in DynamoDB's JSON.
#[must_use]
pub fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

/// What an item's data says: equal for equal values, however DynamoDB spells its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said([u8; 32]);

impl Said {
    /// Of an item in DynamoDB's JSON.
    #[must_use]
    pub fn of(item: &Value) -> Self {
        let raw = item.get(RAW).cloned().map(leveled);
        let sha256 = item.pointer("/dataRef/M/sha256");
        let said = json!([data(item).map(leveled), raw, sha256]);
        Self(Sha256::digest(said.to_string()).into())
    }
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// The data, in which what is text only because DynamoDB cannot hold it is a number again.
fn data(item: &Value) -> Option<Value> {
    let mut data = item.get(DATA)?.clone();
    let pointers = item.get(TEXT_NUMBERS).and_then(|list| list.get("L"));
    let pointers = pointers.and_then(Value::as_array).into_iter().flatten();
    for pointer in pointers.filter_map(|pointer| pointer.get("S")?.as_str()) {
        if let Some(attribute) = attribute_at(&mut data, pointer)
            && let Some(number) = attribute.get("S").filter(|number| is_bounded(number))
        {
            *attribute = json!({ "N": number });
        }
    }
    Some(data)
}

/// Where a JSON pointer leads to in maps and lists.
fn attribute_at<'v>(data: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    pointer
        .split('/')
        .skip(1)
        .try_fold(data, |attribute, part| {
            if attribute.get("M").is_some() {
                let name = part.replace("~1", "/").replace("~0", "~");
                attribute.get_mut("M")?.get_mut(name)
            } else {
                attribute.get_mut("L")?.get_mut(part.parse::<usize>().ok()?)
            }
        })
}

/// Whether its exponent is one that [`Decimal`] tells apart from every other.
fn is_bounded(number: &Value) -> bool {
    let exponent = number
        .as_str()
        .and_then(|number| number.split_once(['e', 'E']));
    exponent.is_none_or(|(_, exponent)| exponent.parse::<i32>().is_ok())
}

/// The attribute with each number in one spelling, since DynamoDB gives back another than it got.
fn leveled(attribute: Value) -> Value {
    match attribute {
        Value::Object(members) => {
            let members = members.into_iter().map(|(kind, value)| match value {
                Value::String(number) if kind == "N" => {
                    let decimal = Decimal::of(&number);
                    (kind, format!("{decimal:?}").into())
                }
                value => (kind, leveled(value)),
            });
            Value::Object(members.collect())
        }
        Value::Array(elements) => elements.into_iter().map(leveled).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_dynamodbs_json_and_its_bytes_are_counted() {
        let mut item = Item::new("a\"b".to_owned());
        item.push_text("timestamp", "ä");
        item.push_binary("raw", b"\xff");
        item.push_number("ttl", 1200);
        item.push_true("idMissing");
        item.push_written("data", br#"{"M":{}}"#, 3);
        let expected = json!({
            "eventId": {"S": "a\"b"},
            "timestamp": {"S": "ä"},
            "raw": {"B": "/w=="},
            "ttl": {"N": "1200"},
            "idMissing": {"BOOL": true},
            "data": {"M": {}},
        });
        assert_eq!(
            serde_json::from_slice::<Value>(&item.json).unwrap(),
            expected
        );
        assert_eq!(item.bytes, 7 + 3 + 9 + 2 + 3 + 1 + 3 + 2 + 9 + 1 + 4 + 3);
        let attributes: Vec<_> = item.attributes().collect();
        assert_eq!(attributes[0], ("eventId", br#"{"S":"a\"b"}"#.as_slice()));
        assert_eq!(attributes[5], ("data", br#"{"M":{}}"#.as_slice()));
    }

    #[test]
    fn an_attribute_that_cannot_be_written_leaves_no_trace() {
        let fail = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"half");
            Err::<(usize, ()), ()>(())
        };
        let mut item = Item::with_room(10);
        assert_eq!(item.try_push("data", fail), Err(()));
        item.push_id("1".to_owned());
        assert_eq!(item.try_push("data", fail), Err(()));
        assert_eq!(item, Item::new("1".to_owned()));
        assert_eq!(item.json, br#"{"eventId":{"S":"1"}}"#);
    }

    #[test]
    fn items_say_the_same_by_the_value_of_their_data() {
        #[track_caller]
        fn check(name: &'static str, ours: &str, stored: &Value, same: bool) {
            let mut item = Item::new("1".to_owned());
            item.push_text("timestamp", "now");
            item.push_written(name, ours.as_bytes(), 0);
            assert_eq!(item.says_the_same(stored), same, "{ours} and {stored}");
        }
        let data = r#"{"M":{"a":{"N":"1.50"},"b":{"L":[{"N":"-0"}]}}}"#;
        let stored = json!({"data": {"M": {"b": {"L": [{"N": "0"}]}, "a": {"N": "1.5"}}}, "timestamp": {"S": "then"}});
        check("data", data, &stored, true);
        check("data", r#"{"M":{"a":{"S":"1.50"}}}"#, &stored, false);
        check("raw", r#"{"S":"x"}"#, &stored, false);
        check("raw", r#"{"S":"x"}"#, &json!({"raw": {"S": "x"}}), true);
        check("raw", r#"{"S":"x"}"#, &json!({"raw": {"B": "x"}}), false);
        let reference = r#"{"M":{"key":{"S":"ours"},"sha256":{"S":"ab"}}}"#;
        check(
            "dataRef",
            reference,
            &json!({"dataRef": {"M": {"sha256": {"S": "ab"}}}}),
            true,
        );
        check(
            "dataRef",
            reference,
            &json!({"dataRef": {"M": {"sha256": {"S": "cd"}}}}),
            false,
        );
        check("dataRef", reference, &stored, false);
    }

    #[test]
    fn a_text_that_is_a_number_is_told_from_one_that_is_text() {
        #[track_caller]
        fn check(ours: [&str; 2], stored: [&str; 2], same: bool) {
            let item = |[data, pointers]: [&str; 2]| {
                let mut item = Item::new("1".to_owned());
                item.push_written("data", data.as_bytes(), 0);
                item.push_written(TEXT_NUMBERS, pointers.as_bytes(), 0);
                item
            };
            let stood = serde_json::from_slice(&item(stored).json).unwrap();
            let is_same = item(ours).says_the_same(&stood);
            assert_eq!(is_same, same, "{ours:?} and {stored:?}");
        }
        let of = |number: &str| format!(r#"{{"M":{{"a/b":{{"L":[{{"S":"{number}"}}]}}}}}}"#);
        let [plain, other] = [of("1e999"), of("10e998")];
        let here = r#"{"L":[{"S":"/a~1b/0"}]}"#;
        let nowhere = r#"{"L":[]}"#;
        check([&plain, here], [&plain, nowhere], false);
        check([&plain, here], [&plain, here], true);
        check([&plain, here], [&other, here], true);
        check([&plain, nowhere], [&other, nowhere], false);
        check([&plain, here], [&of("1e998"), here], false);
        let endless = [8, 9].map(|last| of(&format!("1e{}{last}", "9".repeat(30))));
        check([&endless[0], here], [&endless[1], here], false);
        check(
            [r#"{"S":"1e999"}"#, r#"{"L":[{"S":""}]}"#],
            [r#"{"S":"1e999"}"#, nowhere],
            false,
        );
    }
}
