//! A claim table in memory, which answers the statements that claiming and giving back need as
//! DynamoDB does.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Value, json};
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Table {
    /// `ttl` and owner by `id`.
    items: HashMap<String, (u64, String)>,
    /// None where the table is on demand.
    provisioned: Option<Provisioned>,
}

/// Write units as they become free; none are saved up beyond a second's.
struct Provisioned {
    a_second: f64,
    free: f64,
    seen: Instant,
}

impl Provisioned {
    fn takes_one(&mut self) -> bool {
        let passed = self.seen.elapsed().as_secs_f64();
        self.seen = Instant::now();
        self.free = (self.free + passed * self.a_second).min(self.a_second);
        let takes = self.free >= 1.0;
        if takes {
            self.free -= 1.0;
        }
        takes
    }
}

impl Table {
    /// From now on so many statements a second are done, and the others throttled.
    pub(crate) fn provision(&mut self, a_second: u32) {
        let a_second = f64::from(a_second);
        let seen = Instant::now();
        let free = a_second;
        self.provisioned = Some(Provisioned {
            a_second,
            free,
            seen,
        });
    }

    /// The answer to a `BatchExecuteStatement`.
    pub(crate) fn execute(&mut self, request: &Value) -> Value {
        let statements = request["Statements"].as_array().unwrap();
        assert!(statements.len() <= 25, "{} statements", statements.len());
        let responses: Vec<_> = statements.iter().map(|one| self.statement(one)).collect();
        let throttled =
            |response: &&Value| response["Error"]["Code"] == "ProvisionedThroughputExceeded";
        let units = responses.len() - responses.iter().filter(throttled).count();
        let units = json!([{ "TableName": "claims", "CapacityUnits": units }]);
        json!({ "Responses": responses, "ConsumedCapacity": units })
    }

    fn statement(&mut self, request: &Value) -> Value {
        if self
            .provisioned
            .as_mut()
            .is_some_and(|units| !units.takes_one())
        {
            return json!({ "Error": {
                "Code": "ProvisionedThroughputExceeded",
                "Message": "The level of configured provisioned throughput for the table was exceeded.",
            } });
        }
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
            "SELECT \"owner\",\"ttl\" FROM \"claims\" WHERE \"id\"=?" => {
                assert_eq!(request["ConsistentRead"], true);
                self.look_up(&text(0))
            }
            "DELETE FROM \"claims\" WHERE \"id\"=? AND \"owner\"=?" => {
                assert_eq!(request["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
                self.release(&text(0), &text(1))
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
            Some(item) if item.0 <= now => {
                *item = (ttl, owner);
                json!({ "TableName": "claims" })
            }
            _ => self.check_failed(id),
        }
    }

    fn look_up(&self, id: &str) -> Value {
        match self.items.get(id) {
            None => json!({ "TableName": "claims" }),
            Some((ttl, owner)) => json!({ "TableName": "claims", "Item": {
                "owner": { "S": owner }, "ttl": { "N": ttl.to_string() },
            } }),
        }
    }

    fn release(&mut self, id: &str, owner: &str) -> Value {
        match self.items.get(id) {
            Some((_, held_by)) if held_by == owner => {
                self.items.remove(id);
                json!({ "TableName": "claims" })
            }
            _ => self.check_failed(id),
        }
    }

    fn check_failed(&self, id: &str) -> Value {
        let mut error = json!({
            "Code": "ConditionalCheckFailed", "Message": "The conditional request failed",
        });
        if let Some((ttl, owner)) = self.items.get(id) {
            error["Item"] = json!({
                "id": { "S": id }, "owner": { "S": owner }, "ttl": { "N": ttl.to_string() },
            });
        }
        json!({ "TableName": "claims", "Error": error })
    }

    /// As DynamoDB's own clean-up does, sometime.
    pub(crate) fn remove(&mut self, id: &str) {
        self.items.remove(id);
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}
