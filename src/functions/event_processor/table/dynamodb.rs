//! Items in a DynamoDB table whose keys are `partition_key` and `sort_key`: statements as PartiQL,
//! and what its answers mean.

use std::{collections::HashMap, hash::BuildHasher, time::Duration};

use super::{
    Action, Change, Condition, Executed, Is, Item, Key, Outcome, PATIENCE, Statement, Table, Value,
};

use crate::aws::{
    self, Asker, Failure, Place, Service,
    dynamodb::{of_each, statement_failure, table_in_words, units},
    without_retries,
};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    operation::batch_execute_statement::BatchExecuteStatementOutput,
    primitives::Blob,
    types::{
        AttributeValue, BatchStatementErrorCodeEnum as Code, BatchStatementRequest,
        BatchStatementResponse, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    },
};

const PARTITION_KEY: &str = "partition_key";
const SORT_KEY: &str = "sort_key";
const WHERE_KEY: &str = r#"WHERE "partition_key"=? AND "sort_key"=?"#;

#[derive(Debug, Clone)]
pub struct DynamoDbTable {
    client: Client,
    table: String,
}

impl DynamoDbTable {
    #[must_use]
    pub fn new(shared: &SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(&without_retries(shared)),
            table,
        }
    }

    fn place(&self) -> Place {
        Place {
            name: table_in_words(&self.client, &self.table),
            asker: Asker::Function,
            named_by: "DYNAMODB_TABLE",
            permissions: "dynamodb:PartiQLSelect, dynamodb:PartiQLInsert and dynamodb:PartiQLUpdate",
            shape: "cannot hold counters; its keys have to be \"partition_key\" and \"sort_key\", both strings",
            purpose: "is a table of counters, users and ledgers only",
            service: Service::DynamoDb,
        }
    }

    /// Opens a connection and learns whether the table is there and can be read. An error is worth
    /// saying, not worth stopping for.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let nobody = || "nobody's".to_owned();
        let read = Statement {
            key: Key {
                partition: nobody(),
                sort: nobody(),
            },
            action: Action::Read,
        };
        let executed = Box::pin(self.execute(&[read], PATIENCE)).await;
        executed
            .outcomes
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map(drop)
    }

    async fn send(
        &self,
        statements: &[&Statement],
        patience: Duration,
    ) -> Result<BatchExecuteStatementOutput, Failure> {
        let requests = statements
            .iter()
            .map(|statement| request(&self.table, statement));
        let requests: Result<_, _> = requests.collect();
        let request = self
            .client
            .batch_execute_statement()
            .set_statements(Some(requests?))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        aws::answered(request.send(), patience).await
    }

    /// All of one kind: DynamoDB takes no request that both reads and writes.
    async fn execute_kind(&self, statements: &[&Statement], patience: Duration) -> Executed {
        let asked = statements.len();
        let failed = |failure: Failure| Executed {
            outcomes: vec![Err(failure); asked],
            write_units: 0.0,
        };
        if statements.is_empty() {
            return Executed::default();
        }
        let answer = match self.send(statements, patience).await {
            Ok(answer) => answer,
            Err(failure) => return failed(failure),
        };
        let units = units(answer.consumed_capacity());
        let responses = match of_each(answer.responses, asked) {
            Ok(responses) => responses,
            Err(failure) => return failed(failure),
        };
        let writes = statements.iter().any(|statement| statement.action.writes());
        Executed {
            outcomes: statements.iter().zip(&responses).map(read).collect(),
            write_units: if writes { units } else { 0.0 },
        }
    }
}

impl Table for DynamoDbTable {
    const STATEMENTS_MAX: usize = 25;

    async fn execute(&self, statements: &[Statement], patience: Duration) -> Executed {
        let is_write = |statement: &&Statement| statement.action.writes();
        let (writes, reads): (Vec<_>, Vec<_>) = statements.iter().partition(is_write);
        let (written, found) = tokio::join!(
            self.execute_kind(&writes, patience),
            self.execute_kind(&reads, patience),
        );
        let (mut written_in_turn, mut found) =
            (written.outcomes.into_iter(), found.outcomes.into_iter());
        let outcomes = statements.iter().filter_map(|statement| {
            if statement.action.writes() {
                written_in_turn.next()
            } else {
                found.next()
            }
        });
        let in_words =
            |outcome: Result<_, _>| outcome.map_err(|failure| self.place().in_words(failure));
        Executed {
            outcomes: outcomes.map(in_words).collect(),
            write_units: written.write_units,
        }
    }
}

fn request(table: &str, statement: &Statement) -> Result<BatchStatementRequest, Failure> {
    let (text, parameters) = write(table, statement);
    let mut request = BatchStatementRequest::builder()
        .statement(text)
        .set_parameters(Some(parameters));
    request = match statement.action {
        Action::Read => request.consistent_read(true),
        Action::Insert(_) => request,
        Action::Update { .. } => request
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld),
    };
    request.build().map_err(|error| Failure::unsent(&error))
}

/// A statement's text and its parameters.
fn write(table: &str, statement: &Statement) -> (String, Vec<AttributeValue>) {
    let [partition, sort] =
        [&statement.key.partition, &statement.key.sort].map(|text| AttributeValue::S(text.clone()));
    match &statement.action {
        Action::Read => (
            format!(r#"SELECT * FROM "{table}" {WHERE_KEY}"#),
            vec![partition, sort],
        ),
        Action::Insert(item) => {
            let names: Vec<_> = item.keys().map(|name| format!(",'{name}':?")).collect();
            let names = names.concat();
            let key = [partition, sort].into_iter();
            (
                format!(
                    r#"INSERT INTO "{table}" VALUE {{'{PARTITION_KEY}':?,'{SORT_KEY}':?{names}}}"#
                ),
                key.chain(item.values().map(parameter)).collect(),
            )
        }
        Action::Update { changes, on } => {
            let (clauses, mut parameters) = write_changes(changes);
            let (condition, bound) = write_condition(on);
            parameters.extend([partition, sort]);
            parameters.extend(bound);
            (
                format!(r#"UPDATE "{table}"{clauses} {WHERE_KEY} AND {condition}"#),
                parameters,
            )
        }
    }
}

fn write_changes(changes: &[(String, Change)]) -> (String, Vec<AttributeValue>) {
    let written = changes.iter().map(|(name, change)| match change {
        Change::Set(value) => (format!(r#" SET "{name}"=?"#), Some(parameter(value))),
        Change::Add(number) => (
            format!(r#" SET "{name}"="{name}"+?"#),
            Some(AttributeValue::N(number.to_string())),
        ),
        Change::Remove => (format!(r#" REMOVE "{name}""#), None),
    });
    let (clauses, parameters): (Vec<_>, Vec<_>) = written.unzip();
    (clauses.concat(), parameters.into_iter().flatten().collect())
}

fn write_condition(condition: &Condition) -> (String, Option<AttributeValue>) {
    let name = &condition.attribute;
    match &condition.is {
        Is::Equal(value) => (format!(r#""{name}"=?"#), Some(parameter(value))),
        Is::Less(value) => (format!(r#""{name}"<?"#), Some(parameter(value))),
        Is::Missing => (format!(r#""{name}" IS MISSING"#), None),
    }
}

fn parameter(value: &Value) -> AttributeValue {
    match value {
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Bytes(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        Value::Texts(texts) => AttributeValue::Ss(texts.iter().cloned().collect()),
    }
}

fn read((statement, response): (&&Statement, &BatchStatementResponse)) -> Result<Outcome, Failure> {
    let Some(error) = response.error() else {
        return Ok(match statement.action {
            Action::Read => Outcome::Found(response.item().and_then(read_item)),
            _ => Outcome::Done,
        });
    };
    match (&statement.action, error.code()) {
        (Action::Insert(_), Some(Code::DuplicateItem)) => Ok(Outcome::Exists),
        (Action::Update { .. }, Some(Code::ConditionalCheckFailed)) => {
            Ok(Outcome::Refused(error.item().and_then(read_item)))
        }
        _ => Err(statement_failure(error)),
    }
}

/// What is there of attributes that are ours; none where there is no item at all.
fn read_item<S>(item: &HashMap<String, AttributeValue, S>) -> Option<Item> {
    let attributes = item
        .iter()
        .filter(|(name, _)| ![PARTITION_KEY, SORT_KEY].contains(&name.as_str()));
    let values = attributes.filter_map(|(name, value)| Some((name.clone(), read_value(value)?)));
    (!item.is_empty()).then(|| values.collect())
}

/// An item's key and attributes; none where it is named in another way.
#[must_use]
pub fn read_entry<S: BuildHasher>(
    item: &HashMap<String, AttributeValue, S>,
) -> Option<(Key, Item)> {
    let text = |name| item.get(name)?.as_s().ok().cloned();
    let key = Key {
        partition: text(PARTITION_KEY)?,
        sort: text(SORT_KEY)?,
    };
    Some((key, read_item(item)?))
}

fn read_value(value: &AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::N(number) => number.parse().ok().map(Value::Number),
        AttributeValue::B(bytes) => Some(Value::Bytes(bytes.as_ref().to_vec())),
        AttributeValue::Ss(texts) => Some(Value::Texts(texts.iter().cloned().collect())),
        _ => None,
    }
}
