//! Nozzle's function over another store than the deployed one: `unclaimed`, which takes every
//! claim, or DynamoDB with so many requests at once. All else is the deployed program's.

#[path = "../../../src/bin/firehose-transform/invocations.rs"]
mod invocations;
#[path = "../../../tests/support/takes_all.rs"]
mod takes_all;

use std::env;

use aws_config::BehaviorVersion;
use lambda_runtime::Error;
use nozzle::{
    config::{environment, read_function_name, read_log_settings, read_settings, read_table_name},
    dedup::{ClaimStore, dynamodb::DynamoDbStore},
    firehose::FirehoseTransform,
    telemetry::{self, MetricsLog},
};
use takes_all::TakesAll;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(&read_log_settings(environment));
    match env::args().nth(1).as_deref() {
        Some("unclaimed") => serve(TakesAll).await,
        Some(requests_at_once) => serve(dynamodb(requests_at_once.parse()?).await?).await,
        None => Err(invocations::refuse_to_start("which store?").await),
    }
}

async fn serve<S: ClaimStore + Send + Sync + 'static>(store: S) -> Result<(), Error> {
    let log = read_log_settings(environment);
    let metrics = MetricsLog::new(read_function_name(environment), &log);
    let function = FirehoseTransform::new(read_settings(environment)?, store);
    invocations::serve(function, metrics).await
}

async fn dynamodb(requests_at_once: usize) -> Result<DynamoDbStore, Error> {
    let shared = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let store = DynamoDbStore::new(&shared, read_table_name(environment)?);
    Ok(store.with_requests_at_once(requests_at_once))
}
