//! Looking claims up in the table and giving them back, for a redrive.

use std::time::Duration;

use aws_sdk_dynamodb::types::BatchStatementResponse;
use tokio::time::Instant;

use super::{
    super::{Claim, Held, ReleaseStore, Released, StoreError},
    DynamoDbStore, STATEMENTS_MAX,
    statement::{Statement, Texts, read_held, read_released},
};
use crate::aws::{Asked, Asker, Failure, Inquiry, Manner, Reply, ask_until};

/// Fewer than the function's: nobody waits for milliseconds here.
const REQUESTS_AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);

impl ReleaseStore for DynamoDbStore {
    async fn look_up(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> Result<Vec<Option<Held>>, StoreError> {
        let (write, read) = (Texts::look_up as Write, read_held as Read<_>);
        self.ask_each(claims, deadline, write, read).await
    }

    async fn release(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> Result<Vec<Released>, StoreError> {
        let (write, read) = (Texts::release as Write, read_released as Read<_>);
        self.ask_each(claims, deadline, write, read).await
    }
}

/// Writes the statement for a claim.
type Write = for<'s> fn(&'s Texts, &Claim<'s>) -> Statement<'s>;
/// Reads the answer to it.
type Read<T> = fn(&BatchStatementResponse) -> Result<T, Failure>;

impl DynamoDbStore {
    async fn ask_each<T: Send>(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
        write: Write,
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        let store = self;
        let asking = Asking { store, write, read };
        let Asked { answers, failure } =
            ask_until(&asking, claims.iter().collect(), deadline).await;
        match failure {
            None => Ok(answers.into_iter().flatten().collect()),
            Some(failure) => Err(self.error(Asker::Operator, failure)),
        }
    }
}

/// Claims that are asked for, one statement each.
struct Asking<'a, T> {
    store: &'a DynamoDbStore,
    write: Write,
    read: Read<T>,
}

impl<'a, T: Send> Inquiry for Asking<'a, T> {
    type Question = &'a Claim<'a>;
    type Answer = T;

    fn manner(&self) -> Manner {
        Manner {
            together: STATEMENTS_MAX,
            requests_at_once: REQUESTS_AT_ONCE,
            patience: PATIENCE,
        }
    }

    async fn ask(
        &self,
        claims: &[&'a Claim<'a>],
        patience: Duration,
    ) -> Vec<Reply<&'a Claim<'a>, T>> {
        let statements = claims
            .iter()
            .map(|claim| (self.write)(&self.store.texts, claim));
        let answered = self.store.send(statements.collect(), patience).await;
        let failed = |claim, failure| Reply::Failed(claim, failure);
        match answered {
            Ok(answer) => {
                let read = |(claim, response): (&&'a Claim<'a>, _)| match (self.read)(response) {
                    Ok(answer) => Reply::Answered(answer),
                    Err(failure) => failed(*claim, failure),
                };
                claims.iter().zip(&answer.responses).map(read).collect()
            }
            Err(failure) => claims
                .iter()
                .map(|claim| failed(*claim, failure.clone()))
                .collect(),
        }
    }
}
