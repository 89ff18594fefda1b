//! Assignments and experiments in DynamoDB tables that others fill.

use std::{collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use tokio::time::Instant;

use super::{
    super::settings::{Assignments, Experiments, Resources},
    Assignment, AssignmentKeys, Experiment, Lookup, Pair, Sources, read_assignment,
    read_experiment,
};
use crate::aws::{
    self, Asked, Asker, Failure, Inquiry, Manner, Place, Reply, Service, ask_until,
    dynamodb::table_in_words, without_retries,
};

type Item = HashMap<String, AttributeValue>;

/// What DynamoDB takes in one `BatchGetItem`.
const KEYS_MAX: usize = 100;
const REQUESTS_AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct DynamoDbLookup {
    client: Client,
    assignments: Option<Assignments>,
    experiments: Option<Experiments>,
}

impl DynamoDbLookup {
    #[must_use]
    pub fn new(shared: &SdkConfig, resources: &Resources) -> Self {
        Self {
            client: Client::new(&without_retries(shared)),
            assignments: resources.assignments.clone(),
            experiments: resources.experiments.clone(),
        }
    }

    async fn find<T: Send>(
        &self,
        finding: Finding<'_, T>,
        keys: Vec<Item>,
        deadline: Instant,
    ) -> Asked<Option<T>> {
        let place = finding.place();
        let mut asked = ask_until(&finding, keys, deadline).await;
        asked.failure = asked.failure.map(|failure| place.in_words(failure));
        asked
    }
}

impl Lookup for DynamoDbLookup {
    fn sources(&self) -> Sources {
        Sources {
            assignments: self.assignments.is_some(),
            experiments: self.experiments.is_some(),
        }
    }

    async fn assignments(&self, wanted: &[Pair], deadline: Instant) -> Asked<Option<Assignment>> {
        let Some(Assignments {
            table,
            keys,
            fields,
        }) = &self.assignments
        else {
            return nothing(wanted.len());
        };
        let (keyed, user, experiment) = match keys {
            AssignmentKeys::Table { user, experiment } => {
                (Keyed::InTable, user.as_str(), experiment.as_str())
            }
            AssignmentKeys::Index(index) => (Keyed::InIndex(index), "user_id", "experiment_id"),
        };
        let key = |pair: &Pair| {
            let attribute =
                |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
            Item::from([
                attribute(user, &pair.user),
                attribute(experiment, &pair.experiment),
            ])
        };
        let finding = Finding {
            client: &self.client,
            table,
            named_by: "ASSIGNMENTS_TABLE",
            keyed,
            read: &|item| read_assignment(fields, |name| text(item, name)),
        };
        self.find(finding, wanted.iter().map(key).collect(), deadline)
            .await
    }

    async fn experiments(&self, wanted: &[String], deadline: Instant) -> Asked<Option<Experiment>> {
        let Some(Experiments { table, key }) = &self.experiments else {
            return nothing(wanted.len());
        };
        let finding = Finding {
            client: &self.client,
            table,
            named_by: "EXPERIMENTS_TABLE",
            keyed: Keyed::InTable,
            read: &|item| read_experiment(|name| text(item, name)),
        };
        let keys = wanted
            .iter()
            .map(|id| Item::from([(key.clone(), AttributeValue::S(id.clone()))]));
        self.find(finding, keys.collect(), deadline).await
    }
}

fn nothing<T>(wanted: usize) -> Asked<Option<T>> {
    Asked {
        answers: (0..wanted).map(|_| Some(None)).collect(),
        failure: None,
    }
}

fn text(item: &Item, name: &str) -> Option<String> {
    match item.get(name)? {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Keyed<'a> {
    InTable,
    InIndex(&'a str),
}

/// Items that are asked for by their keys.
struct Finding<'a, T> {
    client: &'a Client,
    table: &'a str,
    named_by: &'static str,
    keyed: Keyed<'a>,
    read: &'a (dyn Fn(&Item) -> T + Sync),
}

impl<T: Send> Inquiry for Finding<'_, T> {
    type Question = Item;
    type Answer = Option<T>;

    fn manner(&self) -> Manner {
        Manner {
            together: match self.keyed {
                Keyed::InTable => KEYS_MAX,
                Keyed::InIndex(_) => 1,
            },
            requests_at_once: REQUESTS_AT_ONCE,
            patience: PATIENCE,
        }
    }

    async fn ask(&self, keys: &[Item], patience: Duration) -> Vec<Reply<Item, Option<T>>> {
        let answered = match self.keyed {
            Keyed::InTable => aws::answered(self.get(keys), patience).await,
            Keyed::InIndex(index) => aws::answered(self.query(index, keys), patience).await,
        };
        match answered {
            Ok(replies) => replies,
            Err(failure) => keys
                .iter()
                .map(|key| Reply::Failed(key.clone(), failure.clone()))
                .collect(),
        }
    }
}

impl<T> Finding<'_, T> {
    fn place(&self) -> Place {
        Place {
            name: table_in_words(self.client, self.table),
            asker: Asker::Function,
            named_by: self.named_by,
            permissions: "dynamodb:BatchGetItem and dynamodb:Query",
            shape: "has other keys than are named; correct ASSIGNMENTS_LOOKUP or EXPERIMENT_KEY",
            purpose: "is a table's name",
            service: Service::DynamoDb,
        }
    }

    async fn get(&self, keys: &[Item]) -> Result<Vec<Reply<Item, Option<T>>>, Failure> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.to_vec()));
        let wanted = wanted.build().map_err(|error| Failure::unsent(&error))?;
        let request = self
            .client
            .batch_get_item()
            .request_items(self.table, wanted);
        let answer = request.send().await.map_err(Failure::from)?;
        let found = answer.responses().and_then(|tables| tables.get(self.table));
        let open = answer
            .unprocessed_keys()
            .and_then(|tables| tables.get(self.table));
        let is_of = |key: &Item, item: &Item| {
            key.iter()
                .all(|(name, value)| item.get(name) == Some(value))
        };
        let reply = |key: &Item| {
            let item = found.and_then(|items| items.iter().find(|item| is_of(key, item)));
            let is_open = || open.is_some_and(|open| open.keys().contains(key));
            match item {
                Some(item) => Reply::Answered(Some((self.read)(item))),
                None if is_open() => {
                    Reply::Failed(key.clone(), Failure::Passing("not processed".to_owned()))
                }
                None => Reply::Answered(None),
            }
        };
        Ok(keys.iter().map(reply).collect())
    }

    async fn query(
        &self,
        index: &str,
        keys: &[Item],
    ) -> Result<Vec<Reply<Item, Option<T>>>, Failure> {
        let mut replies = Vec::with_capacity(keys.len());
        for key in keys {
            let mut request = self
                .client
                .query()
                .table_name(self.table)
                .index_name(index)
                .limit(1)
                .key_condition_expression("#a = :a AND #b = :b");
            for (letter, (name, value)) in ["a", "b"].iter().zip(key) {
                request = request
                    .expression_attribute_names(format!("#{letter}"), name)
                    .expression_attribute_values(format!(":{letter}"), value.clone());
            }
            let found = request.send().await.map_err(Failure::from)?;
            replies.push(Reply::Answered(found.items().first().map(self.read)));
        }
        Ok(replies)
    }
}
