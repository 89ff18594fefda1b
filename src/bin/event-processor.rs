//! The event processor on a Kinesis stream: settings, clients, run.

use std::process::ExitCode;

use nozzle::{
    aws,
    config::{SettingsError, environment},
    functions::event_processor::{
        EventProcessor, Settings, services::aws::AwsServices, settings::Resources,
    },
    lambda,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run("event-processor", make).await
}

async fn make() -> Result<EventProcessor<AwsServices>, SettingsError> {
    let settings = Settings::read(environment)?;
    let resources = Resources::read(environment)?;
    let services = AwsServices::new(&aws::configure().await, resources);
    services.warm_up().await;
    Ok(EventProcessor::new(settings, services))
}
