//! The event log on a Kinesis stream: settings, clients, run.

use std::process::ExitCode;

use nozzle::{
    aws,
    config::{SettingsError, environment},
    functions::event_log::{
        EventLog, Settings,
        settings::{read_queue_url, read_table_name},
        table::dynamodb::DynamoDbLog,
    },
    kinesis::depot::aws::AwsDepot,
    lambda,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run("event-log", make).await
}

async fn make() -> Result<EventLog<DynamoDbLog, AwsDepot>, SettingsError> {
    let settings = Settings::read(environment)?;
    let table = read_table_name(environment)?;
    let queue = read_queue_url(environment)?;
    let shared = aws::configure().await;
    let depot = AwsDepot::new(&shared, settings.bucket.clone(), queue);
    let table = DynamoDbLog::new(&shared, table);
    if let Err(error) = table.warm_up().await {
        tracing::error!(%error, "nothing will be stored until this is put right");
    }
    Ok(EventLog::new(settings, table, depot))
}
