//! What every part that speaks to AWS shares: what the SDK is told, which failures pass and which
//! last, and asking until a deadline. Knows no function.

mod asking;
mod failure;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};

pub use asking::{Asked, Inquiry, Manner, Reply, ask_until};
pub use failure::{Asker, Cause, Failure, Place, Service};

/// How long a connection may take to open.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

/// Region, credentials and addresses, as the SDK's usual settings name them.
pub async fn configure() -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::latest()).await
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
