//! What every part that speaks to AWS shares. Knows no function.

use aws_config::{BehaviorVersion, SdkConfig};

/// Region, credentials and addresses, as the SDK's usual settings name them.
pub async fn configure() -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::latest()).await
}
