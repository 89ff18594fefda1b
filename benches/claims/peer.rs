//! The Rust functions that are compared: the same function over two stores. Each is a process that
//! does what a line on its standard input says to one batch, and answers with what that took.

use std::{
    error::Error,
    fs,
    io::{self, BufRead},
    time::{Duration, SystemTime},
};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::{StreamExt, stream::FuturesUnordered};
use nozzle::{
    config::read_settings,
    dedup::{
        Answers, Claim, ClaimStore, Claimed, Owner, StoreError, Terms, dynamodb::DynamoDbStore,
    },
    firehose::{FirehoseTransform, Moment},
};
use tokio::time::Instant;

use crate::{TABLE, batch};

type Outcome = Result<(), Box<dyn Error>>;

pub(crate) async fn nozzle(address: &str) -> Outcome {
    let shared = shared_settings(address).await;
    serve(DynamoDbStore::new(&shared, TABLE.to_owned())).await
}

pub(crate) async fn put_item(address: &str) -> Outcome {
    let client = Client::new(&shared_settings(address).await);
    serve(PutItemStore { client }).await
}

async fn shared_settings(address: &str) -> aws_config::SdkConfig {
    let settings = aws_config::defaults(BehaviorVersion::latest());
    settings.endpoint_url(address).load().await
}

/// Obeys `claim` and `answer` until the input ends.
async fn serve<S: ClaimStore + Clone>(store: S) -> Outcome {
    let identities = batch::identities();
    let claims: Vec<_> = identities.iter().map(|identity| claim(identity)).collect();
    let request = batch::request();
    let function = FirehoseTransform::new(read_settings(|_| None)?, store.clone());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (processor, started) = (processor_time()?, Instant::now());
        match &*line {
            "claim" => check(&store.claim(&claims, terms()).await)?,
            _ => drop(function.answer(&request, moment()).await?),
        }
        report(processor_time()? - processor, started.elapsed());
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
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

fn check(answers: &Answers) -> Outcome {
    match answers.claimed.iter().all(|one| *one == Claimed::Taken) {
        true => Ok(()),
        false => Err(format!("not all taken: {:?}", answers.failure).into()),
    }
}

/// What all threads of this process had of the processors.
fn processor_time() -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let running = text
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        nanoseconds += running.unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

#[expect(clippy::print_stdout, reason = "whoever started it reads the line")]
fn report(processor: Duration, wall: Duration) {
    println!("{} {}", processor.as_micros(), wall.as_micros());
}

/// The obvious way: one conditional `PutItem` an event, many at once.
#[derive(Clone)]
struct PutItemStore {
    client: Client,
}

const AT_ONCE: usize = 32;

impl ClaimStore for PutItemStore {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let mut claimed = vec![Claimed::Unanswered; claims.len()];
        let mut failure = None;
        let mut under_way = FuturesUnordered::new();
        let mut waiting = claims.iter().enumerate();
        loop {
            let next = waiting.by_ref().take(AT_ONCE - under_way.len());
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
