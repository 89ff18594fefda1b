//! AWS for the tool: error objects in S3, streams to send to, and the table that claims are in. The
//! only files of the tool that name an SDK are this one and those below it.

mod bucket;
mod counters;
mod log;
mod put;
mod queue;
mod stream;
mod words;

use std::{
    rc::Rc,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Result, ensure};
use aws_config::SdkConfig;
use tokio::runtime::Runtime;

use super::{
    objects::Objects,
    sink::{SendLimits, Sink},
};
use crate::{aws::configure, dedup::dynamodb::DynamoDbStore};

use bucket::Bucket;
pub(super) use counters::AwsCounters;
pub(super) use log::AwsLog;
use queue::Queue;
use stream::Stream;

pub(super) type AwsClaims = DynamoDbStore;

const FIREHOSE_LIMITS: SendLimits = SendLimits {
    records_max: 500,
    bytes_max: 4 * 1024 * 1024,
};
/// 5 MiB with the partition keys.
const KINESIS_LIMITS: SendLimits = SendLimits {
    records_max: 500,
    bytes_max: 5 * 1024 * 1024 - 500 * 32,
};

/// An account and a region, as the SDK's usual settings name them.
pub(super) struct Aws {
    runtime: Rc<Runtime>,
    shared: SdkConfig,
}

impl Aws {
    pub(super) fn connect(runtime: Rc<Runtime>) -> Result<Self> {
        let shared = runtime.block_on(configure());
        ensure!(
            shared.region().is_some(),
            "no AWS region is known: set AWS_REGION, or name a profile in AWS_PROFILE"
        );
        Ok(Self { runtime, shared })
    }

    fn runtime(&self) -> Rc<Runtime> {
        Rc::clone(&self.runtime)
    }

    pub(super) fn bucket(&self, name: &str, prefix: &str) -> Result<Box<dyn Objects>> {
        let bucket = Bucket::new(self.runtime(), &self.shared, name, prefix)?;
        Ok(Box::new(bucket))
    }

    pub(super) fn queue(&self, url: &str) -> Box<dyn Objects> {
        Box::new(Queue::new(self.runtime(), self.shared.clone(), url))
    }

    pub(super) fn stream(&self, name: &str, stop: Arc<AtomicBool>) -> Box<dyn Sink> {
        let put = put::into_firehose(self.runtime(), &self.shared, name);
        Box::new(Stream::new(put, FIREHOSE_LIMITS, stop))
    }

    pub(super) fn kinesis(&self, name: &str, stop: Arc<AtomicBool>) -> Box<dyn Sink> {
        let put = put::into_kinesis(self.runtime(), &self.shared, name);
        Box::new(Stream::new(put, KINESIS_LIMITS, stop))
    }

    pub(super) fn log(&self, table: &str) -> AwsLog {
        AwsLog::new(self.runtime(), &self.shared, table)
    }

    pub(super) fn counters(&self, table: &str) -> AwsCounters {
        AwsCounters::new(self.runtime(), &self.shared, table)
    }

    pub(super) fn table(&self, name: &str) -> AwsClaims {
        DynamoDbStore::new(&self.shared, name.to_owned())
    }
}
