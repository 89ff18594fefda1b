//! In place of AWS in a tool that was built without it: everything that would need it says so.

use std::{
    convert::Infallible,
    rc::Rc,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::{runtime::Runtime, time::Instant};

use super::{objects::Objects, sink::Sink};
use crate::{
    dedup::{Claim, Held, ReleaseStore, Released, StoreError},
    functions::{
        event_log::table::embedded::Span,
        event_processor::table::{Executed, Item, Key, Statement},
    },
};

/// There is none, nor anything that is there.
pub(super) struct Aws(Infallible);

pub(super) type AwsClaims = Aws;
pub(super) type AwsCounters = Aws;
pub(super) type AwsLog = Aws;

type Items<'a> = Box<dyn Iterator<Item = Result<Value>> + 'a>;

impl Aws {
    pub(super) fn connect(_: Rc<Runtime>) -> Result<Self> {
        bail!(
            "this nozzle was built without AWS, so it knows folders of this machine only; build it with: \
             cargo install --path . --bin nozzle --no-default-features --features aws"
        )
    }

    pub(super) fn bucket(&self, _: &str, _: &str) -> Result<Box<dyn Objects>> {
        match self.0 {}
    }

    pub(super) fn queue(&self, _: &str) -> Box<dyn Objects> {
        match self.0 {}
    }

    pub(super) fn stream(&self, _: &str, _: Arc<AtomicBool>) -> Box<dyn Sink> {
        match self.0 {}
    }

    pub(super) fn kinesis(&self, _: &str, _: Arc<AtomicBool>) -> Box<dyn Sink> {
        match self.0 {}
    }

    pub(super) fn table(&self, _: &str) -> AwsClaims {
        match self.0 {}
    }

    pub(super) fn counters(&self, _: &str) -> AwsCounters {
        match self.0 {}
    }

    pub(super) fn log(&self, _: &str) -> AwsLog {
        match self.0 {}
    }

    pub(super) fn execute(&self, _: &[Statement], _: Duration) -> Executed {
        match self.0 {}
    }

    pub(super) fn items(&self) -> Box<dyn Iterator<Item = Result<(Key, Item)>> + '_> {
        match self.0 {}
    }

    pub(super) fn get(&self, _: &str) -> Result<Option<Value>> {
        match self.0 {}
    }

    pub(super) fn search(&self, _: &str, _: &str, _: &Span) -> Items<'_> {
        match self.0 {}
    }

    pub(super) fn scan(&self) -> Items<'_> {
        match self.0 {}
    }
}

impl ReleaseStore for Aws {
    async fn look_up(&self, _: &[Claim<'_>], _: Instant) -> Result<Vec<Option<Held>>, StoreError> {
        match self.0 {}
    }

    async fn release(&self, _: &[Claim<'_>], _: Instant) -> Result<Vec<Released>, StoreError> {
        match self.0 {}
    }
}
