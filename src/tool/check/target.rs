//! The function that is probed: behind an address, or started by a command.

use std::{fmt, time::Duration};

use anyhow::{Context, Result};

use super::environment::Environments;
use crate::local::firehose::{
    invocation::{FunctionError, Invocation, Invoke},
    invoke_url::{InvokeUrl, Invoked},
};

pub(super) enum Target {
    Behind(Invoked),
    StartedBy(Environments),
}

impl Target {
    pub(super) fn behind(url: InvokeUrl, timeout: Duration) -> Self {
        Self::Behind(Invoked { url, timeout })
    }

    pub(super) fn started_by(command: String, timeout: Duration) -> Self {
        Self::StartedBy(Environments::new(command, timeout))
    }

    /// Whether there is anything to probe.
    pub(super) async fn reach(&self) -> Result<()> {
        match self {
            Self::Behind(invoked) => {
                let reached = invoked.reach().await;
                reached.with_context(|| format!("nothing answers at {}", invoked.url))
            }
            Self::StartedBy(environments) => {
                let started = environments.warm_up().await;
                started.with_context(|| format!("--command {:?}", environments.command))
            }
        }
    }
}

impl Invoke for Target {
    async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        match self {
            Self::Behind(invoked) => invoked.invoke(request).await,
            Self::StartedBy(environments) => environments.invoke(request).await,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(invoked) => invoked.url.fmt(f),
            Self::StartedBy(environments) => f.write_str(&environments.command),
        }
    }
}
