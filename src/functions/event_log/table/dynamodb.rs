//! The log in DynamoDB: 25 items a request, requests side by side, bodies written by us.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeValue, BatchStatementErrorCodeEnum as Code, BatchStatementResponse,
        ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity, WriteRequest,
    },
};
use base64_simd::STANDARD;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Fate, LogTable, Placing, Spent, Written};
use crate::{
    aws::{
        self, Asker, Cause, Failure, Inquiry, Manner, Place, Reply, Service, ask_until,
        dynamodb::{of_each, statement_failure, table_in_words, units},
    },
    functions::event_log::item::{EVENT_ID, Item},
};

/// How many items or statements DynamoDB takes in one request.
const ITEMS_MAX: usize = 25;
/// DynamoDB takes 16 MB in a request; less, so that few large bodies are in memory at once, and few
/// large answers: what is throttled comes back, and takes ten times as much once it is read.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const REQUESTS_AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(1);
/// The id of no item: records are never called so.
const NOBODY: &str = "nobody's";

/// A table whose key is `eventId`, a string.
#[derive(Debug, Clone)]
pub struct DynamoDbLog {
    client: Client,
    table: String,
}

impl LogTable for DynamoDbLog {
    async fn write(&self, items: &[Item], placing: Placing, deadline: Instant) -> Written {
        let step = match placing {
            Placing::Put => Step::Put(Company::Others),
            Placing::Insert => Step::Insert(Company::Others),
        };
        let writing = Writing {
            log: self,
            spent: Mutex::default(),
        };
        let questions = items.iter().map(|item| Question { item, step });
        let mut asked = ask_until(&writing, questions.collect(), deadline).await;
        asked.failure = asked.failure.map(|failure| self.place().in_words(failure));
        let spent = writing.spent.into_inner();
        Written {
            asked,
            spent: spent.unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl DynamoDbLog {
    #[must_use]
    pub fn new(shared: &SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(&aws::without_retries(shared)),
            table,
        }
    }

    /// Opens a connection and learns whether the table is there. An error is worth saying, not
    /// worth stopping for.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let read = self.read(&[NOBODY], PATIENCE).await.map(drop);
        read.map_err(|failure| self.place().in_words(failure))
    }

    fn place(&self) -> Place {
        Place {
            name: table_in_words(&self.client, &self.table),
            asker: Asker::Function,
            named_by: "TABLE_NAME",
            permissions: "dynamodb:BatchWriteItem, dynamodb:PartiQLInsert and dynamodb:BatchGetItem",
            shape: "cannot hold events; its key has to be \"eventId\", a string, and nothing else",
            purpose: "is a table of events only",
            service: Service::DynamoDb,
        }
    }

    /// The items that stand under these ids, and the ids that were not looked up.
    async fn read(&self, ids: &[&str], patience: Duration) -> Result<Found, Failure> {
        let key =
            |id: &&str| HashMap::from([(EVENT_ID.to_owned(), AttributeValue::S((*id).to_owned()))]);
        let keys = KeysAndAttributes::builder()
            .consistent_read(true)
            .set_keys(Some(ids.iter().map(key).collect()));
        let keys = keys.build().map_err(|error| Failure::unsent(&error))?;
        let request = self
            .client
            .batch_get_item()
            .request_items(&self.table, keys);
        let answer = aws::answered(request.send(), patience).await?;
        let items = answer.responses.unwrap_or_default().remove(&self.table);
        let open = answer
            .unprocessed_keys
            .unwrap_or_default()
            .remove(&self.table);
        let open = open.map(|open| open.keys).unwrap_or_default();
        Ok(Found {
            items: by_id(&items.unwrap_or_default()),
            open: by_id(&open).into_keys().collect(),
        })
    }
}

struct Found {
    items: HashMap<String, Value>,
    open: HashSet<String>,
}

fn by_id(items: &[HashMap<String, AttributeValue>]) -> HashMap<String, Value> {
    let named = items.iter().filter_map(|item| {
        let id = item.get(EVENT_ID)?.as_s().ok()?;
        let attributes = item
            .iter()
            .map(|(name, value)| (name.clone(), to_json(value)));
        Some((id.clone(), Value::Object(attributes.collect())))
    });
    named.collect()
}

/// An attribute in DynamoDB's JSON.
#[must_use]
pub fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(truth) => json!({ "BOOL": truth }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode_to_string(bytes) }),
        AttributeValue::L(elements) => {
            json!({ "L": elements.iter().map(to_json).collect::<Vec<_>>() })
        }
        AttributeValue::M(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)));
            json!({ "M": Value::Object(members.collect()) })
        }
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        _ => json!({ "NULL": true }),
    }
}

/// An item to be written, and how it is asked for next.
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    item: &'a Item,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Put(Company),
    Insert(Company),
    /// Of what stands in its place.
    Read,
}

/// With which a request goes: a request that is refused as a whole is sent again item by item, so
/// that the guilty one is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Others,
    Nobody,
}

impl Question<'_> {
    fn to(self, step: Step) -> Reply<Self, Fate> {
        Reply::Next(Self { step, ..self })
    }

    fn failed(self, failure: &Failure) -> Reply<Self, Fate> {
        Reply::Failed(self, failure.clone())
    }
}

struct Writing<'a> {
    log: &'a DynamoDbLog,
    spent: Mutex<Spent>,
}

type Replies<'a> = Vec<Reply<Question<'a>, Fate>>;

impl<'a> Inquiry for Writing<'a> {
    type Question = Question<'a>;
    type Answer = Fate;

    fn manner(&self) -> Manner {
        Manner {
            together: ITEMS_MAX,
            requests_at_once: REQUESTS_AT_ONCE,
            patience: PATIENCE,
        }
    }

    /// Most often all are at one step, and go in one request.
    async fn ask(&self, questions: &[Question<'a>], patience: Duration) -> Replies<'a> {
        let mut replies: Vec<_> = questions.iter().map(|_| None).collect();
        for step in steps(questions) {
            let at_step = questions
                .iter()
                .enumerate()
                .filter(|(_, asked)| asked.step == step);
            let (places, asked): (Vec<_>, Vec<_>) = at_step.unzip();
            let told = self.ask_step(step, &asked, patience).await;
            for (place, reply) in places.into_iter().zip(told) {
                if let Some(room) = replies.get_mut(place) {
                    *room = Some(reply);
                }
            }
        }
        replies.into_iter().flatten().collect()
    }
}

fn steps(questions: &[Question<'_>]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(1);
    for question in questions {
        if !steps.contains(&question.step) {
            steps.push(question.step);
        }
    }
    steps
}

impl<'a> Writing<'a> {
    async fn ask_step(
        &self,
        step: Step,
        asked: &[&Question<'a>],
        patience: Duration,
    ) -> Replies<'a> {
        let mut replies = Vec::with_capacity(asked.len());
        for together in step.requests(asked) {
            replies.extend(match step {
                Step::Put(_) => self.put(together, patience).await,
                Step::Insert(_) => self.insert(together, patience).await,
                Step::Read => self.compare(together, patience).await,
            });
        }
        replies
    }

    async fn put(&self, asked: &[&Question<'a>], patience: Duration) -> Replies<'a> {
        let body = put_body(&self.log.table, asked);
        let request = self.log.client.batch_write_item().customize();
        let sent = request.interceptor(aws::Written::new(body)).send();
        match aws::answered(sent, patience).await {
            Ok(answer) => {
                self.spend(answer.consumed_capacity());
                let open = answer.unprocessed_items.unwrap_or_default();
                let open = open
                    .get(&self.log.table)
                    .map(|open| ids(open))
                    .unwrap_or_default();
                let busy = Failure::Passing("throttled".to_owned());
                let reply = |asked: &&Question<'a>| {
                    if open.contains(asked.item.id.as_str()) {
                        asked.failed(&busy)
                    } else {
                        Reply::Answered(Fate::Stored)
                    }
                };
                asked.iter().map(reply).collect()
            }
            Err(failure) => self.refused(asked, &failure, patience).await,
        }
    }

    async fn insert(&self, asked: &[&Question<'a>], patience: Duration) -> Replies<'a> {
        let body = insert_body(&self.log.table, asked);
        let request = self.log.client.batch_execute_statement().customize();
        let sent = request.interceptor(aws::Written::new(body)).send();
        let answer = match aws::answered(sent, patience).await {
            Ok(answer) => answer,
            Err(failure) => return self.refused(asked, &failure, patience).await,
        };
        self.spend(answer.consumed_capacity());
        let responses = match of_each(answer.responses, asked.len()) {
            Ok(responses) => responses,
            Err(failure) => return asked.iter().map(|asked| asked.failed(&failure)).collect(),
        };
        let mut replies = Vec::with_capacity(asked.len());
        for (asked, response) in asked.iter().zip(&responses) {
            replies.push(self.inserted(asked, response, patience).await);
        }
        replies
    }

    async fn inserted(
        &self,
        asked: &Question<'a>,
        response: &BatchStatementResponse,
        patience: Duration,
    ) -> Reply<Question<'a>, Fate> {
        let Some(error) = response.error() else {
            return Reply::Answered(Fate::Stored);
        };
        if error.code() == Some(&Code::DuplicateItem) {
            return asked.to(Step::Read);
        }
        self.judge(asked, &statement_failure(error), patience).await
    }

    /// Whether what stands in an item's place says the same.
    async fn compare(&self, asked: &[&Question<'a>], patience: Duration) -> Replies<'a> {
        let ids: Vec<_> = asked.iter().map(|asked| asked.item.id.as_str()).collect();
        let found = match self.log.read(&ids, patience).await {
            Ok(found) => found,
            Err(failure) => return asked.iter().map(|asked| asked.failed(&failure)).collect(),
        };
        self.count(0.0);
        let busy = Failure::Passing("throttled".to_owned());
        let reply = |asked: &&Question<'a>| match found.items.get(&asked.item.id) {
            Some(stored) if asked.item.says_the_same(stored) => Reply::Answered(Fate::Same),
            Some(_) => Reply::Answered(Fate::Other),
            None if found.open.contains(&asked.item.id) => asked.failed(&busy),
            // It has expired meanwhile.
            None => asked.to(Step::Insert(Company::Others)),
        };
        asked.iter().map(reply).collect()
    }

    /// What a request that was refused as a whole means for each of its items.
    async fn refused(
        &self,
        asked: &[&Question<'a>],
        failure: &Failure,
        patience: Duration,
    ) -> Replies<'a> {
        self.count(0.0);
        match asked {
            [alone] => vec![self.judge(alone, failure, patience).await],
            _ if failure.cause() == Some(Cause::Unfit) => asked
                .iter()
                .map(|asked| asked.to(asked.step.alone()))
                .collect(),
            _ => asked.iter().map(|asked| asked.failed(failure)).collect(),
        }
    }

    /// An item that is refused by itself is guilty, unless the table is: then it would refuse a key
    /// of the right kind too.
    async fn judge(
        &self,
        asked: &Question<'a>,
        failure: &Failure,
        patience: Duration,
    ) -> Reply<Question<'a>, Fate> {
        if failure.cause() != Some(Cause::Unfit) {
            return asked.failed(failure);
        }
        match self.log.read(&[NOBODY], patience).await {
            Ok(_) => Reply::Answered(Fate::Refused),
            Err(failure) => asked.failed(&failure),
        }
    }

    fn spend(&self, consumed: &[ConsumedCapacity]) {
        self.count(units(consumed));
    }

    fn count(&self, write_units: f64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.add(Spent {
            requests: 1,
            write_units,
        });
    }
}

impl Step {
    /// What goes together, as far as there is room for it.
    fn requests<'q, 'a>(self, asked: &'q [&'q Question<'a>]) -> Vec<&'q [&'q Question<'a>]> {
        match self {
            Self::Put(Company::Nobody) | Self::Insert(Company::Nobody) => asked.chunks(1).collect(),
            Self::Put(Company::Others) | Self::Insert(Company::Others) | Self::Read => {
                with_room(asked)
            }
        }
    }

    fn alone(self) -> Self {
        match self {
            Self::Put(_) => Self::Put(Company::Nobody),
            Self::Insert(_) => Self::Insert(Company::Nobody),
            Self::Read => Self::Read,
        }
    }
}

fn with_room<'q, 'a>(mut asked: &'q [&'q Question<'a>]) -> Vec<&'q [&'q Question<'a>]> {
    let mut requests = Vec::with_capacity(1);
    while !asked.is_empty() {
        let mut bytes = 0;
        let has_room = |asked: &&&Question<'_>| {
            bytes += asked.item.json.len();
            bytes <= BODY_BYTES_MAX
        };
        let items = asked.iter().take_while(has_room).count().max(1);
        let (together, rest) = asked.split_at(items);
        requests.push(together);
        asked = rest;
    }
    requests
}

fn ids(open: &[WriteRequest]) -> HashSet<&str> {
    let items = open
        .iter()
        .filter_map(|request| Some(request.put_request()?.item()));
    let ids = items.filter_map(|item| item.get(EVENT_ID)?.as_s().ok());
    ids.map(String::as_str).collect()
}

fn put_body(table: &str, asked: &[&Question<'_>]) -> Vec<u8> {
    let items = asked.iter().map(|asked| asked.item.json.len() + 32);
    let mut body = Vec::with_capacity(items.sum::<usize>() + 128);
    body.extend_from_slice(format!("{{\"RequestItems\":{{\"{table}\":[").as_bytes());
    for (index, asked) in asked.iter().enumerate() {
        let start: &[u8] = if index > 0 {
            b",{\"PutRequest\":{\"Item\":"
        } else {
            b"{\"PutRequest\":{\"Item\":"
        };
        body.extend_from_slice(start);
        body.extend_from_slice(&asked.item.json);
        body.extend_from_slice(b"}}");
    }
    end_body(body, b"]}")
}

fn insert_body(table: &str, asked: &[&Question<'_>]) -> Vec<u8> {
    let items = asked.iter().map(|asked| asked.item.json.len() + 192);
    let mut body = Vec::with_capacity(items.sum::<usize>() + 128);
    body.extend_from_slice(b"{\"Statements\":[");
    for (index, asked) in asked.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        let names = asked
            .item
            .attributes()
            .map(|(name, _)| format!("'{name}':?"));
        let names = names.collect::<Vec<_>>().join(",");
        body.extend_from_slice(
            format!(
                "{{\"Statement\":\"INSERT INTO \\\"{table}\\\" VALUE {{{names}}}\",\"Parameters\":["
            )
            .as_bytes(),
        );
        for (place, (_, value)) in asked.item.attributes().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            body.extend_from_slice(value);
        }
        body.extend_from_slice(b"]}");
    }
    end_body(body, b"]")
}

fn end_body(mut body: Vec<u8>, end: &[u8]) -> Vec<u8> {
    body.extend_from_slice(end);
    let total = ReturnConsumedCapacity::Total;
    body.extend_from_slice(format!(",\"ReturnConsumedCapacity\":\"{total}\"}}").as_bytes());
    body
}
