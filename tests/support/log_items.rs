//! An event log's table in memory, which takes and refuses what DynamoDB does.

use std::collections::{BTreeMap, BTreeSet};

use nozzle::functions::event_log::{item::ITEM_BYTES_MAX, number};
use serde_json::{Map, Value, json};

pub(crate) const LOG_TABLE: &str = "EventLogs";
const KEY_BYTES_MAX: usize = 2048;
/// Stands in an item that is refused, as if DynamoDB had a rule that we do not know.
pub(crate) const UNWANTED: &str = "nobody takes this";

/// Items by their `eventId`.
#[derive(Default)]
pub(crate) struct LogItems {
    pub(crate) items: BTreeMap<String, Value>,
    pub(crate) write_units: usize,
}

/// Why a request or a statement fails.
type Refusal = (&'static str, &'static str);

const NO_SUCH_TABLE: Refusal = ("ResourceNotFoundException", "Requested resource not found");

impl LogItems {
    /// The answer to an operation, and its HTTP status.
    pub(crate) fn answer(&mut self, target: &str, request: &Value) -> (u16, Value) {
        let answer = match target.rsplit_once('.').unwrap().1 {
            "BatchWriteItem" => self.put(request),
            "BatchExecuteStatement" => self.insert(request),
            "BatchGetItem" => self.get(request),
            other => panic!("{other}"),
        };
        answer.map_or_else(
            |(code, message)| (400, json!({ "__type": code, "message": message })),
            |answer| (200, answer),
        )
    }

    fn put(&mut self, request: &Value) -> Result<Value, Refusal> {
        let puts = request["RequestItems"]
            .get(LOG_TABLE)
            .ok_or(NO_SUCH_TABLE)?;
        let items = puts.as_array().unwrap().iter();
        let items: Vec<_> = items.map(|put| &put["PutRequest"]["Item"]).collect();
        check_distinct(items.iter().map(|item| id(item)))?;
        items.iter().try_for_each(|item| check(item))?;
        let units: usize = items.iter().map(|item| self.keep(item)).sum();
        let consumed = json!([{ "TableName": LOG_TABLE, "CapacityUnits": units }]);
        Ok(json!({ "UnprocessedItems": {}, "ConsumedCapacity": consumed }))
    }

    fn insert(&mut self, request: &Value) -> Result<Value, Refusal> {
        let statements = request["Statements"].as_array().unwrap();
        let items: Vec<_> = statements.iter().map(inserted).collect();
        check_distinct(items.iter().map(id))?;
        let mut units = 0;
        let each = items.iter().map(|item| {
            if let Err((_, message)) = check(item) {
                return json!({ "Error": { "Code": "ValidationError", "Message": message } });
            }
            units += 1;
            if self.items.contains_key(id(item)) {
                return json!({ "Error": { "Code": "DuplicateItem", "Message": "it is there" } });
            }
            units += self.keep(item) - 1;
            json!({ "TableName": LOG_TABLE })
        });
        let responses: Vec<_> = each.collect();
        let consumed = json!([{ "TableName": LOG_TABLE, "CapacityUnits": units }]);
        Ok(json!({ "Responses": responses, "ConsumedCapacity": consumed }))
    }

    fn get(&self, request: &Value) -> Result<Value, Refusal> {
        let asked = request["RequestItems"]
            .get(LOG_TABLE)
            .ok_or(NO_SUCH_TABLE)?;
        assert_eq!(asked["ConsistentRead"], true);
        let keys = asked["Keys"].as_array().unwrap();
        check_distinct(keys.iter().map(id))?;
        let found = keys.iter().filter_map(|key| self.items.get(id(key)));
        let found: Vec<_> = found.collect();
        Ok(json!({ "Responses": { LOG_TABLE: found }, "UnprocessedKeys": {} }))
    }

    /// How many write units it takes.
    fn keep(&mut self, item: &Value) -> usize {
        self.items.insert(id(item).to_owned(), given_back(item));
        let units = item_bytes(item).div_ceil(1024);
        self.write_units += units;
        units
    }
}

fn id(item: &Value) -> &str {
    item["eventId"]["S"].as_str().unwrap()
}

/// The item of an `INSERT`.
fn inserted(statement: &Value) -> Value {
    let text = statement["Statement"].as_str().unwrap();
    let start = format!("INSERT INTO \"{LOG_TABLE}\" VALUE {{");
    let names = text
        .strip_prefix(&start)
        .unwrap()
        .strip_suffix('}')
        .unwrap();
    let names = names.split(',').map(|name| {
        name.strip_prefix('\'')
            .unwrap()
            .strip_suffix("':?")
            .unwrap()
    });
    let values = statement["Parameters"].as_array().unwrap();
    let members: Map<_, _> = names.map(ToOwned::to_owned).zip(values.clone()).collect();
    assert_eq!(members.len(), values.len());
    Value::Object(members)
}

fn check_distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let ids: Vec<_> = ids.collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    match ids.len() {
        26.. => Err(("ValidationException", "Too many items requested")),
        count if count > distinct.len() => Err((
            "ValidationException",
            "Provided list of item keys contains duplicates",
        )),
        _ => Ok(()),
    }
}

fn check(item: &Value) -> Result<(), Refusal> {
    let is_key = (1..=KEY_BYTES_MAX).contains(&id(item).len());
    let is_held = item_bytes(item) <= ITEM_BYTES_MAX;
    let levels = item.as_object().unwrap().values().map(levels).max();
    let is_wanted = !item.to_string().contains(UNWANTED);
    if is_key && is_held && levels <= Some(32) && is_wanted {
        Ok(())
    } else {
        Err(("ValidationException", "it cannot be kept"))
    }
}

fn item_bytes(item: &Value) -> usize {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum()
}

fn value_bytes(value: &Value) -> usize {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(text)) => number::hold(text).unwrap().1,
        ("B", Value::String(text)) => base64_simd::STANDARD.decode_to_vec(text).unwrap().len(),
        ("L", Value::Array(elements)) => {
            3 + elements
                .iter()
                .map(|one| value_bytes(one) + 1)
                .sum::<usize>()
        }
        ("M", value) => 3 + item_bytes(value) + value.as_object().unwrap().len(),
        ("BOOL" | "NULL", _) => 1,
        other => panic!("{other:?}"),
    }
}

/// A list or a map is a level, and so is what is in it.
fn levels(value: &Value) -> usize {
    let inside = match value.as_object().unwrap().iter().next().unwrap() {
        (kind, Value::Array(elements)) if kind == "L" => elements.iter().map(levels).max(),
        (kind, Value::Object(members)) if kind == "M" => members.values().map(levels).max(),
        _ => return 1,
    };
    1 + inside.unwrap_or(0)
}

/// Numbers come back without zeros behind.
fn given_back(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(kind, value)| match value {
                Value::String(text) if kind == "N" && text.contains('.') => {
                    let text = text.trim_end_matches('0').trim_end_matches('.');
                    (kind.clone(), text.into())
                }
                value => (kind.clone(), given_back(value)),
            });
            Value::Object(members.collect())
        }
        Value::Array(elements) => elements.iter().map(given_back).collect(),
        value => value.clone(),
    }
}
