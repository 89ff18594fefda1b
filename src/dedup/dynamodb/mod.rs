//! Claims in a DynamoDB table: 25 statements a request, requests side by side, and whatever was
//! not answered asked again until the deadline.

mod release;
mod statement;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{Client, types::BatchStatementResponse};

use self::statement::{Ask, Request, Statement, Texts, read_claimed};
use super::{Answers, Claim, ClaimStore, Claimed, StoreError, Terms};
use crate::aws::{
    Asked, Asker, Failure, Inquiry, Manner, Place, Reply, Service, Written, answered, ask_until,
    dynamodb::{of_each, table_in_words, units},
    without_retries,
};

/// How many statements DynamoDB takes in one request.
const STATEMENTS_MAX: usize = 25;
/// How many requests are under way at once. With 8 ms of latency over TLS fewer take longer for a
/// batch, and more lose in handshakes what they win: see `benches/RESULTS.md`.
const REQUESTS_AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(1);

/// Claims in a table whose key is `id`, a string.
#[derive(Debug, Clone)]
pub struct DynamoDbStore {
    client: Client,
    table: String,
    texts: Texts,
    requests_at_once: usize,
}

impl ClaimStore for DynamoDbStore {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let open = claims.iter().map(|claim| Open {
            claim,
            ask: Ask::Insert,
            is_lost: false,
        });
        let claiming = Claiming {
            store: self,
            terms,
            write_units: Mutex::default(),
        };
        let Asked { answers, failure } = ask_until(&claiming, open.collect(), terms.deadline).await;
        let claimed = answers
            .into_iter()
            .map(|answer| answer.unwrap_or(Claimed::Unanswered));
        Answers {
            claimed: claimed.collect(),
            failure: failure.map(|failure| self.error(Asker::Function, failure)),
            write_units: claiming.into_write_units(),
        }
    }
}

/// A claim that is not answered, and what to ask for it.
#[derive(Clone, Copy)]
struct Open<'a> {
    claim: &'a Claim<'a>,
    ask: Ask,
    /// An answer was lost on the way here: the claim may have been made.
    is_lost: bool,
}

impl Open<'_> {
    /// What a statement came to, of this claim.
    fn read(self, reply: Reply<Ask, Claimed>) -> Reply<Self, Claimed> {
        match reply {
            Reply::Answered(Claimed::Held(owner)) if self.is_lost && owner == self.claim.owner => {
                Reply::Answered(Claimed::Taken)
            }
            Reply::Answered(claimed) => Reply::Answered(claimed),
            Reply::Next(ask) => Reply::Next(Self { ask, ..self }),
            Reply::Failed(ask, failure) => Reply::Failed(Self { ask, ..self }, failure),
        }
    }

    fn lost(self, failure: &Failure) -> Reply<Self, Claimed> {
        let lost = Self {
            is_lost: true,
            ..self
        };
        Reply::Failed(lost, failure.clone())
    }
}

/// What the table says of some statements: one response each.
struct Responses {
    responses: Vec<BatchStatementResponse>,
    write_units: f64,
}

/// Claims on their way to the table.
struct Claiming<'a> {
    store: &'a DynamoDbStore,
    terms: Terms,
    write_units: Mutex<f64>,
}

impl Claiming<'_> {
    fn spend(&self, write_units: f64) {
        let mut spent = self
            .write_units
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *spent += write_units;
    }

    fn into_write_units(self) -> f64 {
        let spent = self.write_units.into_inner();
        spent.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Inquiry for Claiming<'a> {
    type Question = Open<'a>;
    type Answer = Claimed;

    fn manner(&self) -> Manner {
        Manner {
            together: STATEMENTS_MAX,
            requests_at_once: self.store.requests_at_once,
            patience: PATIENCE,
        }
    }

    async fn ask(&self, asked: &[Open<'a>], patience: Duration) -> Vec<Reply<Open<'a>, Claimed>> {
        let texts = &self.store.texts;
        let statements = asked
            .iter()
            .map(|open| texts.statement(open.ask, open.claim, &self.terms));
        match self.store.send(statements.collect(), patience).await {
            Ok(Responses {
                responses,
                write_units,
            }) => {
                self.spend(write_units);
                let replies = asked.iter().zip(&responses);
                let read =
                    |(open, response): (&Open<'a>, _)| open.read(read_claimed(open.ask, response));
                replies.map(read).collect()
            }
            Err(failure) => asked.iter().map(|open| open.lost(&failure)).collect(),
        }
    }
}

impl DynamoDbStore {
    #[must_use]
    pub fn new(shared: &SdkConfig, table: String) -> Self {
        let client = Client::new(&without_retries(shared));
        let texts = Texts::on(&table);
        Self {
            client,
            table,
            texts,
            requests_at_once: REQUESTS_AT_ONCE,
        }
    }

    /// The bound that is not the usual one; it is at least 1.
    #[must_use]
    pub fn with_requests_at_once(self, requests_at_once: usize) -> Self {
        Self {
            requests_at_once: requests_at_once.max(1),
            ..self
        }
    }

    /// Opens a connection and learns what can be known before the first event: whether the table
    /// is there, and whether the function may write to it. Writes nothing.
    ///
    /// An error is worth saying, not worth stopping for.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        let probed = self.send(vec![self.texts.probe()], PATIENCE).await;
        let failure = probed.map(|answer| {
            let reply = answer
                .responses
                .first()
                .map(|told| read_claimed(Ask::Take, told));
            match reply {
                Some(Reply::Failed(Ask::Take, failure)) => Some(failure),
                _ => None,
            }
        });
        match failure.unwrap_or_else(Some) {
            Some(failure) => Err(self.error(Asker::Function, failure)),
            None => Ok(()),
        }
    }

    /// One response a statement.
    async fn send(
        &self,
        statements: Vec<Statement<'_>>,
        patience: Duration,
    ) -> Result<Responses, Failure> {
        let asked = statements.len();
        let body = Request::of(statements).body();
        let body = body.map_err(|error| Failure::unsent(&error))?;
        let request = self.client.batch_execute_statement().customize();
        let answer = request.interceptor(Written::new(body)).send();
        let answer = answered(answer, patience).await?;
        Ok(Responses {
            write_units: units(answer.consumed_capacity()),
            responses: of_each(answer.responses, asked)?,
        })
    }

    /// For the person who has to act.
    fn error(&self, asker: Asker, failure: Failure) -> StoreError {
        let name = table_in_words(&self.client, &self.table);
        match failure {
            Failure::Passing(said) => StoreError::Away(format!("{name} ({said})")),
            Failure::Lasting(cause, said) => {
                let advice = place(name, asker).advice(cause);
                StoreError::Refused(format!("{advice} ({said})"))
            }
        }
    }
}

fn place(name: String, asker: Asker) -> Place {
    let (named_by, permissions) = match asker {
        Asker::Function => (
            "EVENT_CACHE_TABLE_NAME",
            "dynamodb:PartiQLInsert and dynamodb:PartiQLUpdate",
        ),
        Asker::Operator => (
            "--table",
            "dynamodb:PartiQLSelect and dynamodb:PartiQLDelete",
        ),
    };
    Place {
        name,
        asker,
        named_by,
        permissions,
        shape: "cannot hold claims; its key has to be \"id\", a string, and nothing else",
        purpose: "is a table of claims only",
        service: Service::DynamoDb,
    }
}
