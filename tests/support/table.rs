//! A claim table in memory, which answers the statements that claiming needs as DynamoDB does.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Table {
    /// `ttl` and owner by `id`.
    items: HashMap<String, (u64, String)>,
}

impl Table {
    /// The answer to a `BatchExecuteStatement`.
    pub(crate) fn execute(&mut self, request: &Value) -> Value {
        let statements = request["Statements"].as_array().unwrap();
        assert!(statements.len() <= 25, "{} statements", statements.len());
        let responses: Vec<_> = statements.iter().map(|one| self.statement(one)).collect();
        json!({ "Responses": responses })
    }

    fn statement(&mut self, request: &Value) -> Value {
        let parameters = request["Parameters"].as_array().unwrap();
        let text = |at: usize| parameters[at]["S"].as_str().unwrap().to_owned();
        let number = |at: usize| parameters[at]["N"].as_str().unwrap().parse().unwrap();
        match request["Statement"].as_str().unwrap() {
            "INSERT INTO \"claims\" VALUE {'id':?,'owner':?,'ttl':?}" => {
                self.insert(text(0), text(1), number(2))
            }
            "UPDATE \"claims\" SET \"owner\"=? SET \"ttl\"=? WHERE \"id\"=? AND \"ttl\"<=?" => {
                assert_eq!(request["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
                self.take(&text(2), text(0), number(1), number(3))
            }
            other => panic!("{other}"),
        }
    }

    fn insert(&mut self, id: String, owner: String, ttl: u64) -> Value {
        match self.items.entry(id) {
            Entry::Occupied(_) => json!({ "Error": {
                "Code": "DuplicateItem", "Message": "Duplicate primary key exists in table",
            } }),
            Entry::Vacant(entry) => {
                entry.insert((ttl, owner));
                json!({ "TableName": "claims" })
            }
        }
    }

    fn take(&mut self, id: &str, owner: String, ttl: u64, now: u64) -> Value {
        match self.items.get_mut(id) {
            None => json!({ "Error": {
                "Code": "ConditionalCheckFailed", "Message": "The conditional request failed",
            } }),
            Some(item) if item.0 <= now => {
                *item = (ttl, owner);
                json!({ "TableName": "claims" })
            }
            Some((ttl, owner)) => json!({ "TableName": "claims", "Error": {
                "Code": "ConditionalCheckFailed", "Message": "The conditional request failed",
                "Item": { "id": { "S": id }, "owner": { "S": owner }, "ttl": { "N": ttl.to_string() } },
            } }),
        }
    }

    /// As DynamoDB's own clean-up does, sometime.
    pub(crate) fn remove(&mut self, id: &str) {
        self.items.remove(id);
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}
