//! The SDK's client as the function has it, over a socket to whatever listens there, or straight
//! to a fault proxy, so that a test can own the clock.

use std::{fmt, fmt::Display, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use hyper::body::Bytes;
use nozzle::dedup::dynamodb::DynamoDbStore;

use super::proxy::Proxy;

pub(crate) const TABLE: &str = "claims";

/// The store behind `http://address`.
pub(crate) fn store_at(address: impl Display) -> DynamoDbStore {
    table_at(address, TABLE)
}

/// The store in another table there.
pub(crate) fn table_at(address: impl Display, table: &str) -> DynamoDbStore {
    store(&settings(address), table)
}

/// The store behind `proxy`, without a socket in between.
pub(crate) fn store_behind(proxy: &Arc<Proxy>) -> DynamoDbStore {
    store(&settings_behind(proxy), TABLE)
}

/// What leads to `proxy`, without a socket in between.
pub(crate) fn settings_behind(proxy: &Arc<Proxy>) -> SdkConfig {
    let connector = SharedHttpConnector::new(InMemory(Arc::clone(proxy)));
    let client = http_client_fn(move |_, _| connector.clone());
    settings("memory")
        .into_builder()
        .http_client(client)
        .build()
}

fn store(settings: &SdkConfig, table: &str) -> DynamoDbStore {
    DynamoDbStore::new(settings, table.to_owned())
}

pub(crate) fn settings(address: impl Display) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "the test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(format!("http://{address}"))
        .build()
}

#[derive(Clone)]
struct InMemory(Arc<Proxy>);

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory")
    }
}

impl HttpConnector for InMemory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let proxy = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let target = request
                .headers()
                .get("x-amz-target")
                .unwrap_or_default()
                .to_owned();
            let body = Bytes::copy_from_slice(request.body().bytes().unwrap());
            let answered = proxy.answer(&target, body);
            #[cfg(feature = "tool")]
            let answered = nozzle::local::kinesis::strikes::request(answered);
            match answered.await {
                Ok((status, body)) => Ok(HttpResponse::new(
                    status.try_into().unwrap(),
                    SdkBody::from(body),
                )),
                Err(broken) => Err(ConnectorError::io(broken.into())),
            }
        })
    }
}
