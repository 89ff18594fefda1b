//! The function that is probed: behind an address, or started by a command.

use std::{fmt, time::Duration};

use anyhow::{Context, Result};

use super::environment::{Environments, Output};
use crate::local::firehose::{
    invocation::{FunctionError, Invocation, Invoke},
    invoke_url::{InvokeUrl, Invoked},
};

pub(super) enum Subject {
    Behind(Invoked),
    StartedBy(Environments),
}

impl Subject {
    pub(super) fn behind(url: InvokeUrl, timeout: Duration) -> Self {
        Self::Behind(Invoked { url, timeout })
    }

    pub(super) fn started_by(command: String, timeout: Duration, output: Output) -> Self {
        Self::StartedBy(Environments::new(command, timeout, output))
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

    /// Why there is nothing more to be probed. A command is started anew.
    pub(super) async fn gone(&self) -> Option<String> {
        match self {
            Self::Behind(_) => Some(format!("{:#}", self.reach().await.err()?)),
            Self::StartedBy(_) => None,
        }
    }

    pub(super) async fn invoke(&self, request: &[u8]) -> Result<Invocation, FunctionError> {
        match self {
            Self::Behind(invoked) => invoked.invoke(request).await,
            Self::StartedBy(environments) => environments.invoke(request).await,
        }
    }

    /// The end of what the function has written since it was asked last; what is behind an address
    /// writes elsewhere.
    pub(super) fn take_output(&self) -> Vec<String> {
        match self {
            Self::Behind(_) => Vec::new(),
            Self::StartedBy(environments) => environments.take_output(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(invoked) => invoked.url.fmt(f),
            Self::StartedBy(environments) => f.write_str(&environments.command),
        }
    }
}
