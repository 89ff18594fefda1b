//! The Rust functions that are compared: the same function over two stores. Each is a process that
//! does to one batch what a line on its standard input says, and answers with what that took.

use std::{
    error::Error,
    io::{self, BufRead},
    time::{Duration, SystemTime},
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::{StreamExt, stream::FuturesUnordered};
use nozzle::{
    config::read_settings,
    dedup::{
        Answers, Claim, ClaimStore, Claimed, Owner, StoreError, Terms, dynamodb::DynamoDbStore,
    },
    firehose::{FirehoseTransform, Moment},
};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::{TABLE, batch};

type Outcome = Result<(), Box<dyn Error>>;

pub(crate) async fn nozzle(requests_at_once: usize) -> Outcome {
    let store = DynamoDbStore::new(&shared_settings().await, TABLE.to_owned());
    serve(store.with_requests_at_once(requests_at_once)).await
}

pub(crate) async fn put_item(requests_at_once: usize) -> Outcome {
    let client = Client::new(&shared_settings().await);
    serve(PutItemStore {
        client,
        requests_at_once,
    })
    .await
}

async fn shared_settings() -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::latest()).await
}

/// Obeys `claim` and `answer` until the input ends.
async fn serve<S: ClaimStore + Clone>(store: S) -> Outcome {
    let identities = batch::identities();
    let claims: Vec<_> = identities.iter().map(|identity| claim(identity)).collect();
    let request = batch::request();
    let function = FirehoseTransform::new(read_settings(|_| None)?, store.clone());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (processor, started) = (processor_time(), Instant::now());
        match &*line {
            "claim" => check(&store.claim(&claims, terms()).await)?,
            _ => drop(function.answer(&request, moment()).await?),
        }
        report(
            processor_time().saturating_sub(processor),
            started.elapsed(),
        );
    }
    Ok(())
}

fn claim(identity: &str) -> Claim<'_> {
    Claim {
        identity,
        led_by: None,
        owner: Owner::of(identity, Some(1_800_000_000_000), identity.as_bytes()),
    }
}

fn terms() -> Terms {
    Terms {
        now_seconds: 1_800_000_000,
        ttl_seconds: 1_800_086_400,
        deadline: moment().deadline,
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs now")]
fn moment() -> Moment {
    Moment {
        now: SystemTime::now(),
        deadline: Instant::now() + Duration::from_mins(1),
    }
}

fn check(answers: &Answers) -> Outcome {
    if answers.claimed.iter().any(|one| *one != Claimed::Taken) {
        return Err(format!("not all taken: {:?}", answers.failure).into());
    }
    Ok(())
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}

#[expect(clippy::print_stdout, reason = "whoever started it reads the line")]
fn report(processor: Duration, wall: Duration) {
    println!("{} {}", processor.as_micros(), wall.as_micros());
}

/// The obvious way: one conditional `PutItem` an event, many at once.
#[derive(Clone)]
struct PutItemStore {
    client: Client,
    requests_at_once: usize,
}

impl ClaimStore for PutItemStore {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let mut claimed = vec![Claimed::Unanswered; claims.len()];
        let mut failure = None;
        let mut under_way = FuturesUnordered::new();
        let mut waiting = claims.iter().enumerate();
        loop {
            let next = waiting
                .by_ref()
                .take(self.requests_at_once - under_way.len());
            under_way.extend(next.map(|(index, claim)| self.put(index, claim, terms)));
            match under_way.next().await {
                Some((index, Ok(()))) => claimed[index] = Claimed::Taken,
                Some((_, Err(error))) => failure = Some(error),
                None => return Answers { claimed, failure },
            }
        }
    }
}

impl PutItemStore {
    async fn put(
        &self,
        index: usize,
        claim: &Claim<'_>,
        terms: Terms,
    ) -> (usize, Result<(), StoreError>) {
        let answer = self
            .client
            .put_item()
            .table_name(TABLE)
            .item("id", AttributeValue::S(claim.identity.to_owned()))
            .item("owner", AttributeValue::S(claim.owner.to_string()))
            .item("ttl", AttributeValue::N(terms.ttl_seconds.to_string()))
            .condition_expression("attribute_not_exists(id) OR #ttl <= :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", AttributeValue::N(terms.now_seconds.to_string()))
            .send()
            .await;
        let failed = |error| StoreError::Away(format!("{error:?}"));
        (index, answer.map(drop).map_err(failed))
    }
}
