//! The star-schema loader: settings, clients, run.

use std::process::ExitCode;

use nozzle::{
    aws,
    config::{SettingsError, environment},
    functions::star_schema::{
        Settings, StarSchema,
        aws::star_schema,
        settings::Whereabouts,
        store::{s3::S3Store, ssm::SsmParameters},
    },
    lambda,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run("star-schema", make).await
}

async fn make() -> Result<StarSchema<S3Store, SsmParameters>, SettingsError> {
    let settings = Settings::read(environment)?;
    let whereabouts = Whereabouts::read(environment)?;
    star_schema(&aws::configure().await, settings, whereabouts).await
}
