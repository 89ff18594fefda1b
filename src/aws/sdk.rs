//! What the SDK is told, and what its errors are.

use std::{error::Error, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::{
    Builder, ConnectorBuilder,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse, result::SdkError, runtime_components::RuntimeComponents,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use tokio::time::timeout;

use super::failure::{Cause, Failure, chain, sources};

/// How long a connection may take to open.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// Region, credentials and addresses, as the SDK's usual settings name them, and one HTTP client for
/// all of its clients: each by itself would read the machine's certificates.
pub async fn configure() -> SdkConfig {
    let http = Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    defaults.http_client(http).load().await
}

/// The same for clients that neither retry nor give up by themselves: who asks does both, because
/// only who asks knows what is still open, and until when.
#[must_use]
pub fn without_retries(shared: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_PATIENCE);
    let builder = shared.to_builder();
    builder
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// A request's answer, or why there is none.
pub async fn answered<T, E: Into<Failure>>(
    sent: impl Future<Output = Result<T, E>>,
    patience: Duration,
) -> Result<T, Failure> {
    match timeout(patience, sent).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(Failure::Passing(format!("no answer within {patience:?}"))),
    }
}

/// None where the service says that there is no such thing.
pub fn present<T, E, R>(
    sent: Result<T, SdkError<E, R>>,
    is_absent: impl FnOnce(&E) -> bool,
) -> Result<Option<T>, SdkError<E, R>> {
    match sent {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.as_service_error().is_some_and(is_absent) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A request that failed as a whole.
impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        Self::from(&error)
    }
}

impl<E> From<&SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: &SdkError<E, HttpResponse>) -> Self {
        match error {
            SdkError::TimeoutError(_) => Self::Passing("no answer in time".to_owned()),
            SdkError::ResponseError(answer) => Self::Passing(format!(
                "an answer that cannot be read, HTTP {}: {}",
                answer.raw().status(),
                root(error)
            )),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::Passing("no connection in time".to_owned())
            }
            // Hyper's "connection closed before message completed" comes as other.
            SdkError::DispatchFailure(failure)
                if failure.is_io() || failure.as_other().is_some() =>
            {
                Self::Passing(format!("no connection: {}", root(error)))
            }
            SdkError::ServiceError(answer) => told(answer.raw().status().as_u16(), error),
            _ => unsent(error),
        }
    }
}

/// What went wrong first, on one line: those around it only say that something did.
fn root(error: &(dyn Error + 'static)) -> String {
    let root = sources(error).last();
    let said = root.map(ToString::to_string).unwrap_or_default();
    said.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

fn told<E>(status: u16, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match (status, error.code()) {
        (408 | 429 | 500.., code) => Failure::Passing(format!(
            "HTTP {status}{}",
            code.map(|code| format!(" {code}")).unwrap_or_default()
        )),
        (_, Some(code)) => Failure::coded(code, error.message()),
        (200, None) => Failure::senseless(&chain(error)),
        (_, None) => Failure::senseless(&format!("HTTP {status} without a code")),
    }
}

fn unsent<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Failure {
    let credentials = sources(error).find_map(|source| source.downcast_ref::<CredentialsError>());
    match credentials {
        Some(CredentialsError::ProviderTimedOut(_)) => Failure::Passing(root(error)),
        // It lists where there are none.
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            let said = "none are found where the SDK looks".to_owned();
            Failure::Lasting(Cause::NoCredentials, said)
        }
        Some(_) => Failure::Lasting(Cause::NoCredentials, root(error)),
        None => Failure::Lasting(Cause::Refused, root(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_dynamodb::operation::batch_execute_statement::BatchExecuteStatementError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::retry::ErrorKind;

    use super::*;

    type RequestError = SdkError<BatchExecuteStatementError, HttpResponse>;

    #[test]
    fn a_broken_way_to_the_store_passes_and_a_request_that_cannot_be_sent_does_not() {
        #[track_caller]
        fn check(error: RequestError, expected: Option<Cause>) {
            let text = chain(&error);
            assert_eq!(Failure::from(error).cause(), expected, "{text}");
        }
        let dispatch = |error| RequestError::dispatch_failure(error);
        check(RequestError::timeout_error("late"), None);
        check(dispatch(ConnectorError::io("reset".into())), None);
        check(dispatch(ConnectorError::timeout("late".into())), None);
        let transient = Some(ErrorKind::TransientError);
        let closed = ConnectorError::other("closed".into(), transient);
        check(dispatch(closed), None);
        let unknown = dispatch(ConnectorError::other("?".into(), None));
        check(unknown, Some(Cause::Refused));
        let wrong = dispatch(ConnectorError::user("no such scheme".into()));
        check(wrong, Some(Cause::Refused));
        let unsent = |error| RequestError::construction_failure(error);
        let late = CredentialsError::provider_timed_out(Duration::from_secs(1));
        check(unsent(late), None);
        let missing = CredentialsError::not_loaded_no_source();
        check(unsent(missing), Some(Cause::NoCredentials));
        let unwritten = RequestError::construction_failure("no body");
        check(unwritten, Some(Cause::Refused));
    }
}
