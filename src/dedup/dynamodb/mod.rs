//! Claims in a DynamoDB table: 25 statements a request, requests side by side, and whatever was
//! not answered asked again until the deadline.

mod claiming;
mod client;
mod failure;
mod release;
mod statement;

use std::{mem, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{Client, error::SdkError, types::BatchStatementResponse};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout, timeout_at};

use self::{
    claiming::{Claiming, Open},
    failure::{Asker, Failure},
    statement::{Ask, Reply, Request, Statement, Texts},
};
use super::{Answers, Claim, ClaimStore, StoreError, Terms};

/// How many statements DynamoDB takes in one request.
const STATEMENTS_MAX: usize = 25;
/// How many requests are under way at once, each on its own connection. With 8 ms of latency over
/// TLS fewer take longer for a batch, and more lose in handshakes what they win: see
/// `benches/RESULTS.md`.
const REQUESTS_AT_ONCE: usize = 64;
/// How long a request may take until it is asked again; doubles after every round in which nothing
/// was answered, so that a store which is merely slow is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest pause after the first round in which something failed; doubles with every other.
/// How much of it is waited is random, so that functions which failed together come back apart.
const PAUSE: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What one request came to.
type Answer = Result<Vec<BatchStatementResponse>, Failure>;

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
        let mut claiming = Claiming::of(claims);
        // Late is no failure by itself: what is open then says so.
        let _ = timeout_at(terms.deadline, self.settle(&mut claiming, &terms)).await;
        let (claimed, failure) = claiming.end();
        Answers {
            claimed,
            failure: failure.map(|failure| self.error(Asker::Function, failure)),
        }
    }
}

impl DynamoDbStore {
    #[must_use]
    pub fn new(shared: &SdkConfig, table: String) -> Self {
        let client = Client::from_conf(client::settings(shared));
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
        let failure = match self.send(vec![self.texts.probe()], PATIENCE).await {
            Ok(responses) => match responses.as_slice() {
                [response] => Reply::read(Ask::Take, response).failure(),
                _ => Some(Failure::miscounted(responses.len(), 1)),
            },
            Err(failure) => Some(failure),
        };
        failure.map_or(Ok(()), |failure| Err(self.error(Asker::Function, failure)))
    }

    /// Asks until nothing is open, or until asking again would not help.
    async fn settle(&self, claiming: &mut Claiming<'_>, terms: &Terms) {
        let (mut patience, mut pause_max) = (PATIENCE, PAUSE);
        while claiming.is_open() {
            let asked = claiming.open.len();
            self.ask_once(claiming, terms, patience).await;
            let failed = claiming.reopen_failed();
            if failed == asked {
                patience = patience.saturating_mul(2);
            }
            if failed > 0 && claiming.is_open() {
                sleep(pause_max.mul_f64(fastrand::f64())).await;
                pause_max = PAUSE_MAX.min(pause_max * 2);
            }
        }
    }

    /// Asks everything that is open, once. What was answered counts, even when this is dropped
    /// before the rest is.
    async fn ask_once(&self, claiming: &mut Claiming<'_>, terms: &Terms, patience: Duration) {
        let open = mem::take(&mut claiming.open);
        let mut requests = open.chunks(STATEMENTS_MAX);
        let mut under_way = FuturesUnordered::new();
        while !claiming.is_hopeless() {
            let free = self.requests_at_once - under_way.len();
            let next = requests.by_ref().take(free);
            under_way.extend(next.map(|asked| self.ask(asked, terms, patience)));
            match under_way.next().await {
                Some((asked, answer)) => claiming.read(asked, answer),
                None => break,
            }
        }
    }

    async fn ask<'o, 'a>(
        &self,
        asked: &'o [Open<'a>],
        terms: &Terms,
        patience: Duration,
    ) -> (&'o [Open<'a>], Answer) {
        let statements = asked
            .iter()
            .map(|open| self.texts.statement(open.ask, open.claim, terms));
        (asked, self.send(statements.collect(), patience).await)
    }

    async fn send(&self, statements: Vec<Statement<'_>>, patience: Duration) -> Answer {
        let body = Request { statements }.body();
        let body = body.map_err(SdkError::construction_failure)?;
        let statements = client::written(body).map_err(SdkError::construction_failure)?;
        let request = self.client.batch_execute_statement();
        let answer = request.set_statements(Some(statements)).send();
        match timeout(patience, answer).await {
            Ok(answer) => answer?
                .responses
                .ok_or_else(|| Failure::senseless("an answer without responses")),
            Err(_) => Err(Failure::Passing(format!("no answer within {patience:?}"))),
        }
    }

    fn error(&self, asker: Asker, failure: Failure) -> StoreError {
        let region = self.client.config().region();
        let region = region.map_or("no region", |region| region.as_ref());
        failure.in_words(asker, &format!("table \"{}\" in {region}", self.table))
    }
}
