//! The transformation Lambda of Amazon Data Firehose: settings, clients, run.

use std::process::ExitCode;

use nozzle::{
    aws,
    config::{SettingsError, environment},
    dedup::dynamodb::DynamoDbStore,
    functions::firehose_transform::{FirehoseTransform, Settings, settings::read_table_name},
    lambda,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run("firehose-transform", make).await
}

async fn make() -> Result<FirehoseTransform<DynamoDbStore>, SettingsError> {
    let settings = Settings::read(environment)?;
    let table = read_table_name(environment)?;
    let store = DynamoDbStore::new(&aws::configure().await, table);
    if let Err(error) = store.warm_up().await {
        tracing::error!(%error, "claims will fail until this is put right");
    }
    Ok(FirehoseTransform::new(settings, store))
}
