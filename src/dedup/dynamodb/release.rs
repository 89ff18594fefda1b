//! Looking claims up in the table and giving them back, for a redrive: asked again until all are
//! answered, or the deadline.

use std::time::Duration;

use aws_sdk_dynamodb::types::BatchStatementResponse;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep};

use super::{
    super::{Claim, Held, ReleaseStore, Released, StoreError},
    Answer, DynamoDbStore, PAUSE, PAUSE_MAX, STATEMENTS_MAX,
    failure::{Asker, Failure},
    statement::{Statement, Texts, read_held, read_released},
};

/// Fewer than the function's: nobody waits for milliseconds here.
const REQUESTS_AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);

impl ReleaseStore for DynamoDbStore {
    async fn look_up(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> Result<Vec<Option<Held>>, StoreError> {
        self.ask_each(claims, deadline, Texts::look_up, read_held)
            .await
    }

    async fn release(
        &self,
        claims: &[Claim<'_>],
        deadline: Instant,
    ) -> Result<Vec<Released>, StoreError> {
        self.ask_each(claims, deadline, Texts::release, read_released)
            .await
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
        let mut asking = Asking::of(claims.len(), read);
        let mut pause = PAUSE;
        loop {
            let open = std::mem::take(&mut asking.open);
            for together in open.chunks(STATEMENTS_MAX * REQUESTS_AT_ONCE) {
                let mut under_way = FuturesUnordered::new();
                for indices in together.chunks(STATEMENTS_MAX) {
                    under_way.push(self.ask_some(claims, indices, write));
                }
                while let Some((indices, answer)) = under_way.next().await {
                    asking.take(indices, answer);
                }
            }
            match asking.failure.take() {
                None => return Ok(asking.answers.into_iter().flatten().collect()),
                Some(Failure::Passing(_)) if Instant::now() + pause < deadline => {}
                Some(failure) => return Err(self.error(Asker::Operator, failure)),
            }
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    async fn ask_some<'i>(
        &self,
        claims: &[Claim<'_>],
        indices: &'i [usize],
        write: Write,
    ) -> (&'i [usize], Answer) {
        let claims = indices.iter().filter_map(|index| claims.get(*index));
        let statements = claims.map(|claim| write(&self.texts, claim)).collect();
        (indices, self.send(statements, PATIENCE).await)
    }
}

/// Claims that are asked for, and what is known of each.
struct Asking<T> {
    answers: Vec<Option<T>>,
    open: Vec<usize>,
    /// The last failure, or the first that is lasting.
    failure: Option<Failure>,
    read: Read<T>,
}

impl<T> Asking<T> {
    fn of(claims: usize, read: Read<T>) -> Self {
        Self {
            answers: (0..claims).map(|_| None).collect(),
            open: (0..claims).collect(),
            failure: None,
            read,
        }
    }

    fn take(&mut self, indices: &[usize], answer: Answer) {
        let responses = match answer {
            Ok(responses) if responses.len() == indices.len() => responses,
            Ok(responses) => {
                return self.fail(indices, Failure::miscounted(responses.len(), indices.len()));
            }
            Err(failure) => return self.fail(indices, failure),
        };
        for (index, response) in indices.iter().zip(&responses) {
            match (self.read)(response) {
                Ok(answer) => {
                    if let Some(known) = self.answers.get_mut(*index) {
                        *known = Some(answer);
                    }
                }
                Err(failure) => self.fail(&[*index], failure),
            }
        }
    }

    fn fail(&mut self, indices: &[usize], failure: Failure) {
        self.open.extend(indices);
        if !matches!(self.failure, Some(Failure::Lasting(..))) {
            self.failure = Some(failure);
        }
    }
}
