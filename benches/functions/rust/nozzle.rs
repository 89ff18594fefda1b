//! Nozzle's function over another store than the deployed one: `unclaimed`, which takes every
//! claim, or DynamoDB with so many requests at once. All else is the deployed program's.

#[path = "../../../tests/support/takes_all.rs"]
mod takes_all;

use std::{env, process::ExitCode};

use nozzle::{
    aws,
    config::{SettingsError, environment},
    dedup::{ClaimStore, dynamodb::DynamoDbStore},
    functions::firehose_transform::{FirehoseTransform, Settings, settings::read_table_name},
    lambda,
};
use takes_all::TakesAll;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let store = env::args().nth(1).unwrap_or_default();
    match store.parse() {
        Ok(requests_at_once) => serve(async || dynamodb(requests_at_once).await).await,
        Err(_) => serve(async || Ok(TakesAll)).await,
    }
}

async fn serve<S: ClaimStore + Send + Sync + 'static>(
    open: impl AsyncFnOnce() -> Result<S, SettingsError>,
) -> ExitCode {
    let make = async || {
        let settings = Settings::read(environment)?;
        Ok(FirehoseTransform::new(settings, open().await?))
    };
    lambda::run("nozzle-stores", make).await
}

async fn dynamodb(requests_at_once: usize) -> Result<DynamoDbStore, SettingsError> {
    let table = read_table_name(environment)?;
    let store = DynamoDbStore::new(&aws::configure().await, table);
    Ok(store.with_requests_at_once(requests_at_once))
}
