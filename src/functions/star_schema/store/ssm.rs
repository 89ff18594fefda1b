//! Parameters in Systems Manager's parameter store.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::{
    Client,
    operation::{get_parameter::GetParameterError, put_parameter::PutParameterOutput},
    types::ParameterType,
};
use tokio::time::Instant;

use super::{Parameter, ParameterStore};
use crate::aws::{Asker, Failure, Place, Service, answered, ask_one, present, without_retries};

const PATIENCE: Duration = Duration::from_secs(5);

/// The parameters `{prefix}{table}/latest_packet_id`.
#[derive(Debug, Clone)]
pub struct SsmParameters {
    client: Client,
    prefix: String,
}

impl SsmParameters {
    #[must_use]
    pub fn new(shared: &SdkConfig, prefix: String) -> Self {
        Self {
            client: Client::new(&without_retries(shared)),
            prefix,
        }
    }

    fn name(&self, table: &str) -> String {
        format!("{}{table}/latest_packet_id", self.prefix)
    }

    async fn get_once(&self, name: &str, patience: Duration) -> Result<Option<Parameter>, Failure> {
        let sent = async {
            let sent = self.client.get_parameter().name(name).send().await;
            present(sent, GetParameterError::is_parameter_not_found)
        };
        let found = answered(Box::pin(sent), patience).await?;
        let found = found.and_then(|found| found.parameter);
        let read = found.map(|found| Some((found.value?, u64::try_from(found.version).ok()?)));
        match read {
            None => Ok(None),
            Some(Some((value, version))) => Ok(Some(Parameter { value, version })),
            Some(None) => Err(Failure::senseless("a parameter without value or version")),
        }
    }
}

impl ParameterStore for SsmParameters {
    async fn get(&self, table: &str, deadline: Instant) -> Result<Option<Parameter>, Failure> {
        let name = self.name(table);
        let ask = |patience| self.get_once(&name, patience);
        let got = ask_one(PATIENCE, deadline, ask).await;
        got.map_err(|failure| in_words(failure, &name))
    }

    async fn put(&self, table: &str, value: &str, _: Instant) -> Result<u64, Failure> {
        let name = self.name(table);
        let request = self.client.put_parameter().name(&name).value(value);
        let request = request.r#type(ParameterType::String).overwrite(true);
        let put = answered(Box::pin(request.send()), PATIENCE).await;
        let version = put.and_then(|put| version(&put));
        version.map_err(|failure| in_words(failure, &name))
    }
}

fn version(put: &PutParameterOutput) -> Result<u64, Failure> {
    let version = u64::try_from(put.version());
    version.map_err(|_| Failure::senseless("a version below zero"))
}

fn in_words(failure: Failure, name: &str) -> Failure {
    let place = Place {
        name: format!("parameter {name}"),
        asker: Asker::Function,
        named_by: "PARAMETER_PREFIX",
        permissions: "ssm:GetParameter and ssm:PutParameter",
        shape: "is no parameter for a text",
        purpose: "is the beginning of parameters' names",
        service: Service::Ssm,
    };
    place.in_words(failure)
}
