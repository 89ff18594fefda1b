//! JSON as DynamoDB has it: objects are maps, arrays lists, strings and numbers as they are
//! spelled. What a map cannot say is told apart.

use super::{item::ITEM_BYTES_MAX, number};
use crate::json::{Cursor, Problem, Spelled, Value, object::Unreadable, pointer::push_part};

/// How deep maps and lists may nest, the attribute that holds them being the first of 32 levels.
const LEVELS_MAX: usize = 31;

/// What a list or a map takes beside its elements, and each of them beside itself.
const CONTAINER_BYTES: usize = 3;
const ELEMENT_BYTES: usize = 1;

/// Why JSON is no attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMap {
    /// It is JSON that a map cannot say: too deep, a key twice or empty, a lone surrogate.
    Unsayable,
    Unreadable(Unreadable),
}

/// What was written, and what it takes in an item.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    pub bytes: usize,
    /// How many numbers became text.
    pub text_numbers: usize,
    /// JSON pointers to them: no more than what is too large for an item already.
    pub pointers: Vec<String>,
    pointer_bytes: usize,
}

/// Writes a text's one value behind `out`.
pub fn write_map(text: &str, out: &mut Vec<u8>) -> Result<Mapped, NoMap> {
    let start = out.len();
    let mut mapping = Mapping {
        cursor: Cursor::new(text),
        text,
        out,
        mapped: Mapped::default(),
        path: Vec::new(),
        keys: Vec::new(),
    };
    if let Ok(bytes) = mapping.value()
        && mapping.cursor.is_at_end()
    {
        return Ok(Mapped {
            bytes,
            ..mapping.mapped
        });
    }
    out.truncate(start);
    check(text).map_err(NoMap::Unreadable)?;
    Err(NoMap::Unsayable)
}

/// Whether the text is one JSON value.
pub fn check(text: &str) -> Result<(), Unreadable> {
    let mut cursor = Cursor::new(text);
    cursor.value()?;
    if cursor.is_at_end() {
        Ok(())
    } else {
        Err(Unreadable::ManyValues)
    }
}

/// The value cannot be written; what it is instead is found out apart.
struct Stopped;

impl From<Problem> for Stopped {
    fn from(_: Problem) -> Self {
        Self
    }
}

struct Mapping<'a, 'o> {
    cursor: Cursor<'a>,
    text: &'a str,
    out: &'o mut Vec<u8>,
    mapped: Mapped,
    path: Vec<Step<'a>>,
    /// Of the objects that are open, each behind those around it.
    keys: Vec<Spelled<'a>>,
}

enum Step<'a> {
    Key(Spelled<'a>),
    Index(usize),
}

impl Mapping<'_, '_> {
    /// How many bytes the value takes.
    fn value(&mut self) -> Result<usize, Stopped> {
        match self.cursor.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            _ => self.scalar(),
        }
    }

    fn object(&mut self) -> Result<usize, Stopped> {
        self.cursor.enter_object()?;
        let first_key = self.open(b"{\"M\":{")?;
        let mut bytes = CONTAINER_BYTES;
        while let Some(key) = self.cursor.next_key()? {
            self.comma(bytes);
            let key_bytes = said_bytes(key)?;
            if key_bytes == 0 {
                return Err(Stopped);
            }
            self.quoted(key.text);
            self.out.push(b':');
            self.keys.push(key);
            self.path.push(Step::Key(key));
            bytes += key_bytes + self.value()? + ELEMENT_BYTES;
            self.path.pop();
        }
        self.out.extend_from_slice(b"}}");
        if has_twins(self.keys.get_mut(first_key..).unwrap_or_default()) {
            return Err(Stopped);
        }
        self.keys.truncate(first_key);
        Ok(bytes)
    }

    fn array(&mut self) -> Result<usize, Stopped> {
        self.cursor.enter_array()?;
        self.open(b"{\"L\":[")?;
        let mut bytes = CONTAINER_BYTES;
        let mut index = 0;
        while self.cursor.next_element()? {
            self.comma(bytes);
            self.path.push(Step::Index(index));
            bytes += self.value()? + ELEMENT_BYTES;
            self.path.pop();
            index += 1;
        }
        self.out.extend_from_slice(b"]}");
        Ok(bytes)
    }

    /// Begins a container; where its keys will begin.
    fn open(&mut self, beginning: &[u8]) -> Result<usize, Stopped> {
        if self.path.len() >= LEVELS_MAX {
            return Err(Stopped);
        }
        self.out.extend_from_slice(beginning);
        Ok(self.keys.len())
    }

    fn comma(&mut self, bytes: usize) {
        if bytes > CONTAINER_BYTES {
            self.out.push(b',');
        }
    }

    fn scalar(&mut self) -> Result<usize, Stopped> {
        let start = self.cursor.position();
        match self.cursor.value()? {
            Value::String(spelled) => {
                let bytes = said_bytes(spelled)?;
                self.typed(b"{\"S\":", spelled.text);
                Ok(bytes)
            }
            Value::Number(number) => Ok(self.number(number)),
            Value::Object(_) | Value::Null | Value::Other => {
                let word = self.text.get(start..self.cursor.position());
                let kind: &[u8] = match word {
                    Some("true") => b"{\"BOOL\":true}",
                    Some("false") => b"{\"BOOL\":false}",
                    _ => b"{\"NULL\":true}",
                };
                self.out.extend_from_slice(kind);
                Ok(1)
            }
        }
    }

    fn number(&mut self, number: &str) -> usize {
        if let Some((held, bytes)) = number::hold(number) {
            self.typed(b"{\"N\":", &held);
            return bytes;
        }
        self.typed(b"{\"S\":", number);
        self.mapped.text_numbers += 1;
        if self.mapped.pointer_bytes <= ITEM_BYTES_MAX {
            let pointer = self.pointer();
            self.mapped.pointer_bytes += pointer.len();
            self.mapped.pointers.push(pointer);
        }
        number.len()
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => push_part(&mut pointer, &key.decode().unwrap_or_default()),
                Step::Index(index) => push_part(&mut pointer, &index.to_string()),
            }
        }
        pointer
    }

    fn typed(&mut self, kind: &[u8], text: &str) {
        self.out.extend_from_slice(kind);
        self.quoted(text);
        self.out.push(b'}');
    }

    fn quoted(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }
}

/// How many bytes a string says; one with a lone surrogate says nothing.
fn said_bytes(spelled: Spelled<'_>) -> Result<usize, Stopped> {
    if spelled.escaped {
        spelled.decode().map(|text| text.len()).ok_or(Stopped)
    } else {
        Ok(spelled.text.len())
    }
}

fn has_twins(keys: &mut [Spelled<'_>]) -> bool {
    if keys.iter().any(|key| key.escaped) {
        let mut said: Vec<_> = keys.iter().map(|key| key.decode()).collect();
        said.sort_unstable();
        return said
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one == other));
    }
    keys.sort_unstable_by_key(|key| key.text);
    keys.windows(2)
        .any(|pair| matches!(pair, [one, other] if one.text == other.text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::functions::event_log::number::Decimal;

    fn write(text: &str) -> Result<(String, Mapped), NoMap> {
        let mut out = b"before".to_vec();
        let mapped = write_map(text, &mut out);
        let out = String::from_utf8(out).unwrap();
        let written = out.strip_prefix("before").unwrap().to_owned();
        if mapped.is_err() {
            assert_eq!(written, "", "{text}");
        }
        mapped.map(|mapped| (written, mapped))
    }

    #[test]
    fn json_is_written_as_dynamodb_has_it() {
        #[track_caller]
        fn check(text: &str, expected: &str, bytes: usize) {
            let (written, mapped) = write(text).unwrap();
            assert_eq!(
                (written.as_str(), mapped.bytes),
                (expected, bytes),
                "{text}"
            );
        }
        check("null", r#"{"NULL":true}"#, 1);
        check(" true ", r#"{"BOOL":true}"#, 1);
        check("false", r#"{"BOOL":false}"#, 1);
        check("22.5", r#"{"N":"22.5"}"#, 3);
        check(r#""a\u00e4""#, r#"{"S":"a\u00e4"}"#, 3);
        check(r#""""#, r#"{"S":""}"#, 0);
        check("{}", r#"{"M":{}}"#, 3);
        check("[]", r#"{"L":[]}"#, 3);
        check("[1, []]", r#"{"L":[{"N":"1"},{"L":[]}]}"#, 3 + 3 + 4);
        check(
            r#"{"sensor": "temperature", "value": 22.5}"#,
            r#"{"M":{"sensor":{"S":"temperature"},"value":{"N":"22.5"}}}"#,
            3 + 6 + 11 + 1 + 5 + 3 + 1,
        );
    }

    #[test]
    fn a_number_that_is_not_held_becomes_text_and_is_pointed_to() {
        let (written, mapped) = write(r#"{"a/b":[1,{"c~":1e999}],"d":1e999}"#).unwrap();
        assert_eq!(mapped.pointers, ["/a~1b/1/c~0", "/d"]);
        assert_eq!(mapped.text_numbers, 2);
        assert!(written.contains(r#""d":{"S":"1e999"}"#), "{written}");
        let (_, mapped) = write("1e999").unwrap();
        assert_eq!(mapped.pointers, [""]);
    }

    #[test]
    fn pointers_take_no_more_than_an_item_may_have() {
        let key = "k".repeat(100_000);
        let numbers = vec!["1e999"; 50_000].join(",");
        let (_, mapped) = write(&format!(r#"{{"{key}":[{numbers}]}}"#)).unwrap();
        assert_eq!((mapped.text_numbers, mapped.pointers.len()), (50_000, 5));
    }

    #[test]
    fn what_a_map_cannot_say_is_told_apart() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(write(&nested(31)).is_ok());
        assert!(write(&format!("{}1{}", r#"{"a":"#.repeat(31), "}".repeat(31))).is_ok());
        for text in [
            &nested(32),
            &nested(33),
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"a":1,"\u0061":3}"#,
            r#"[{"":1}]"#,
            r#"{"a":"\ud800"}"#,
            r#"{"\ud800":1}"#,
        ] {
            assert_eq!(write(text), Err(NoMap::Unsayable), "{text}");
        }
        assert!(write(r#"{"a":{"a":{"b":1}},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn what_is_no_json_is_told_by_what_the_parser_meets_first() {
        for (text, expected) in [
            ("", Unreadable::NotJson),
            ("{", Unreadable::NotJson),
            (r#"{"":x}"#, Unreadable::NotJson),
            ("{} {}", Unreadable::ManyValues),
            (&"[".repeat(200), Unreadable::TooDeep),
        ] {
            assert_eq!(write(text), Err(NoMap::Unreadable(expected)), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let scalar = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            ".{0,8}".prop_map(Json::from),
        ];
        scalar.prop_recursive(4, 40, 6, |inside| {
            prop_oneof![
                prop::collection::vec(inside.clone(), 0..6).prop_map(Json::from),
                prop::collection::hash_map(".{1,6}", inside, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// Whether an attribute says what the JSON says.
    fn says(attribute: &Json, json: &Json) -> bool {
        let (kind, value) = attribute.as_object().unwrap().iter().next().unwrap();
        match (kind.as_str(), value, json) {
            ("NULL", Json::Bool(true), Json::Null) => true,
            ("BOOL", value, json @ Json::Bool(_)) | ("S", value, json @ Json::String(_)) => {
                value == json
            }
            ("N", Json::String(held), Json::Number(number)) => {
                Decimal::of(held) == Decimal::of(&number.to_string())
            }
            ("S", Json::String(text), Json::Number(number)) => *text == number.to_string(),
            ("L", Json::Array(said), Json::Array(elements)) => {
                let mut pairs = said.iter().zip(elements);
                said.len() == elements.len() && pairs.all(|(one, other)| says(one, other))
            }
            ("M", Json::Object(said), Json::Object(members)) => {
                let mut pairs = said.iter().map(|(key, value)| (value, members.get(key)));
                said.len() == members.len()
                    && pairs.all(|(one, other)| other.is_some_and(|other| says(one, other)))
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_map_says_what_the_json_says(json in any_json()) {
            for text in [json.to_string(), format!("{json:#}")] {
                let (written, _) = write(&text).unwrap();
                let attribute = serde_json::from_str(&written).unwrap();
                prop_assert!(says(&attribute, &json), "{} from {}", written, text);
            }
        }

        #[test]
        fn a_number_is_held_by_its_value_or_not_at_all(
            number in "-?(0|[1-9][0-9]{0,44})([.][0-9]{1,44})?([eE][+-]?[0-9]{1,4})?",
        ) {
            let (_, mapped) = write(&number).unwrap();
            let held = number::hold(&number);
            prop_assert_eq!(mapped.text_numbers, usize::from(held.is_none()));
            if let Some((held, bytes)) = held {
                prop_assert_eq!(Decimal::of(&held), Decimal::of(&number));
                prop_assert!((1..=21).contains(&bytes));
            }
        }
    }
}
