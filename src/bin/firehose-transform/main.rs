//! The Lambda function: settings, clients, run.

mod invocations;

use std::process::ExitCode;

use aws_config::BehaviorVersion;
use lambda_runtime::Error;
use nozzle::{
    config::{environment, read_function_name, read_log_settings, read_settings, read_table_name},
    dedup::dynamodb::DynamoDbStore,
    firehose::FirehoseTransform,
    telemetry::{self, LogSettings, MetricsLog},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let log = read_log_settings(environment);
    telemetry::init(&log);
    match run(&log).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function stops");
            ExitCode::FAILURE
        }
    }
}

async fn run(log: &LogSettings) -> Result<(), Error> {
    let with_table = |settings| Ok((settings, read_table_name(environment)?));
    let (settings, table) = match read_settings(environment).and_then(with_table) {
        Ok(read) => read,
        Err(error) => return Err(invocations::refuse_to_start(error).await),
    };
    let shared = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let store = DynamoDbStore::new(&shared, table);
    if let Err(error) = store.warm_up().await {
        tracing::error!(%error, "claims will fail until this is put right");
    }
    let metrics = MetricsLog::new(read_function_name(environment), log);
    invocations::serve(FirehoseTransform::new(settings, store), metrics).await
}
