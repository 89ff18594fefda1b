//! AWS for the tool: error objects in S3, streams to send to, and the table that claims are in. The
//! only files of the tool that name an SDK are this one and those below it.

mod counters;
mod log;
mod queue;
mod words;

use std::{
    error::Error,
    io::{self, Read},
    rc::Rc,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, Result, ensure};
use aws_config::{SdkConfig, retry::RetryConfig};
use aws_sdk_firehose::{
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::Record,
};
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use aws_sdk_s3::primitives::ByteStream;
use tokio::runtime::Runtime;
use xxhash_rust::xxh3::xxh3_128;

use super::redrive::{
    objects::{Object, Objects, REDRIVEN},
    sink::{SendLimits, Sink},
    stream::{PutFailure, Stream},
};
use crate::{
    aws::{Failure, configure},
    config::environment,
    dedup::dynamodb::DynamoDbStore,
};

pub(super) use counters::AwsCounters;
pub(super) use log::AwsLog;
use words::in_words;

pub(super) type AwsClaims = DynamoDbStore;

/// Of each record that was put, why it was not taken.
type Taken = Result<Vec<Option<String>>, PutFailure>;

/// An account and a region, as the SDK's usual settings name them.
#[derive(Clone)]
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

    pub(super) fn bucket(&self, bucket: &str, prefix: &str) -> Result<Box<dyn Objects>> {
        ensure!(
            prefix.split('/').all(|part| part != REDRIVEN),
            "s3://{bucket}/{prefix} holds records of redrives, not error objects"
        );
        // An emulator's address has no room for the bucket's name before it.
        let is_elsewhere =
            self.shared.endpoint_url().is_some() || environment("AWS_ENDPOINT_URL_S3").is_some();
        let settings = aws_sdk_s3::config::Builder::from(&self.shared)
            .force_path_style(is_elsewhere)
            .build();
        Ok(Box::new(Bucket {
            runtime: Rc::clone(&self.runtime),
            client: aws_sdk_s3::Client::from_conf(settings),
            name: bucket.to_owned(),
            prefix: prefix.to_owned(),
        }))
    }

    pub(super) fn stream(&self, name: &str, stop: Arc<AtomicBool>) -> Box<dyn Sink> {
        // What to put again, and when, is for `Stream` to say.
        let settings = aws_sdk_firehose::config::Builder::from(&self.shared)
            .retry_config(RetryConfig::disabled())
            .build();
        let client = aws_sdk_firehose::Client::from_conf(settings);
        let (runtime, name) = (Rc::clone(&self.runtime), name.to_owned());
        let put = move |records: &[&[u8]]| put_direct(&runtime, &client, &name, records);
        let limits = SendLimits {
            records_max: 500,
            bytes_max: 4 * 1024 * 1024,
        };
        Box::new(Stream::new(Box::new(put), limits, stop))
    }

    pub(super) fn kinesis(&self, name: &str, stop: Arc<AtomicBool>) -> Box<dyn Sink> {
        let settings = aws_sdk_kinesis::config::Builder::from(&self.shared)
            .retry_config(RetryConfig::disabled())
            .build();
        let client = aws_sdk_kinesis::Client::from_conf(settings);
        let (runtime, name) = (Rc::clone(&self.runtime), name.to_owned());
        let put = move |records: &[&[u8]]| put_kinesis(&runtime, &client, &name, records);
        // 5 MiB with the partition keys.
        let limits = SendLimits {
            records_max: 500,
            bytes_max: 5 * 1024 * 1024 - 500 * 32,
        };
        Box::new(Stream::new(Box::new(put), limits, stop))
    }

    pub(super) fn log(&self, table: &str) -> AwsLog {
        AwsLog::new(Rc::clone(&self.runtime), &self.shared, table)
    }

    pub(super) fn table(&self, name: &str) -> AwsClaims {
        DynamoDbStore::new(&self.shared, name.to_owned())
    }
}

/// Error objects in S3. Its names are `s3://BUCKET/KEY`.
struct Bucket {
    runtime: Rc<Runtime>,
    client: aws_sdk_s3::Client,
    name: String,
    prefix: String,
}

impl Bucket {
    fn list_keys(
        &self,
        prefix: &str,
        mut visit: impl FnMut(&str, u64) -> Result<()>,
    ) -> Result<()> {
        let request = self.client.list_objects_v2();
        let request = request.bucket(&self.name).prefix(prefix);
        let mut pages = request.into_paginator().send();
        while let Some(page) = self.runtime.block_on(pages.next()) {
            let page = page.map_err(|error| {
                let doing = format!("s3://{}/{prefix} cannot be listed", self.name);
                in_words(&doing, "s3:ListBucket on the bucket", &error)
            })?;
            for object in page.contents() {
                let bytes = object.size().and_then(|size| size.try_into().ok());
                visit(object.key().unwrap_or_default(), bytes.unwrap_or(0))?;
            }
        }
        Ok(())
    }

    fn full_name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn key<'n>(&self, name: &'n str) -> Result<&'n str> {
        let key = name
            .strip_prefix("s3://")
            .and_then(|name| name.strip_prefix(&self.name));
        key.and_then(|key| key.strip_prefix('/'))
            .with_context(|| format!("{name} is not in the bucket {}", self.name))
    }

    /// The folders that the prefix lies in, the nearest first; each ends in `/` or is empty.
    fn folders_above(&self) -> impl Iterator<Item = &str> {
        let prefix = self.prefix.as_str();
        let inside = prefix.strip_suffix('/').unwrap_or(prefix);
        let slashes = inside.rmatch_indices('/');
        let folders = slashes.filter_map(|(at, _)| inside.get(..=at));
        folders.chain([""])
    }
}

impl Objects for Bucket {
    fn each(&self, visit: &mut dyn FnMut(Object) -> Result<()>) -> Result<()> {
        let mut is_empty = true;
        self.list_keys(&self.prefix, |key, bytes| {
            let is_folder = key.ends_with('/');
            if is_folder || is_redriven(key) {
                return Ok(());
            }
            is_empty = false;
            let name = self.full_name(key);
            visit(Object { name, bytes })
        })?;
        ensure!(
            !is_empty,
            "there is no object under s3://{}/{}",
            self.name,
            self.prefix
        );
        Ok(())
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read + '_>> {
        let mut body = Body {
            bucket: self,
            key: self.key(name)?.to_owned(),
            etag: None,
            stream: None,
            chunk: Vec::new(),
            taken: 0,
            position: 0,
            failures: 0,
        };
        body.connect()?;
        Ok(Box::new(body))
    }

    fn list_redriven(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in self.folders_above() {
            let prefix = format!("{folder}{REDRIVEN}/");
            self.list_keys(&prefix, |key, _| {
                names.push(self.full_name(key));
                Ok(())
            })?;
        }
        self.list_keys(&self.prefix, |key, _| {
            if is_redriven(key) {
                names.push(self.full_name(key));
            }
            Ok(())
        })?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn write_redriven(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let folder = self.folders_above().next().unwrap_or_default();
        let key = format!("{folder}{REDRIVEN}/{name}");
        let request = self.client.put_object().bucket(&self.name).key(&key);
        let request = request.body(ByteStream::from(bytes));
        self.runtime.block_on(request.send()).map_err(|error| {
            let doing = format!("{} cannot be written", self.full_name(&key));
            in_words(
                &doing,
                &format!("s3:PutObject on {folder}{REDRIVEN}/*"),
                &error,
            )
        })?;
        Ok(())
    }
}

fn is_redriven(key: &str) -> bool {
    key.split('/').any(|part| part == REDRIVEN)
}

/// An object's bytes as they come. When the connection breaks they are asked for from there on.
struct Body<'a> {
    bucket: &'a Bucket,
    key: String,
    etag: Option<String>,
    stream: Option<ByteStream>,
    chunk: Vec<u8>,
    /// Of the chunk.
    taken: usize,
    /// Of the object: where the next chunk begins.
    position: u64,
    failures: u32,
}

const FAILURES_MAX: u32 = 3;

impl Body<'_> {
    fn connect(&mut self) -> Result<()> {
        let request = self.bucket.client.get_object();
        let mut request = request.bucket(&self.bucket.name).key(&self.key);
        if self.position > 0 {
            request = request
                .range(format!("bytes={}-", self.position))
                .set_if_match(self.etag.clone());
        }
        let answer = self.bucket.runtime.block_on(request.send());
        let answer = answer.map_err(|error| {
            let doing = format!("{} cannot be read", self.bucket.full_name(&self.key));
            in_words(&doing, "s3:GetObject on it", &error)
        })?;
        self.etag = answer.e_tag;
        self.stream = Some(answer.body);
        Ok(())
    }

    /// Whether there is more.
    fn next_chunk(&mut self) -> Result<bool> {
        loop {
            if self.stream.is_none() {
                self.connect()?;
            }
            let Some(stream) = &mut self.stream else {
                return Ok(false);
            };
            match self.bucket.runtime.block_on(stream.next()) {
                None => return Ok(false),
                Some(Ok(chunk)) => {
                    self.position += chunk.len() as u64;
                    self.chunk = chunk.into();
                    self.taken = 0;
                    return Ok(true);
                }
                Some(Err(error)) => {
                    self.failures += 1;
                    self.stream = None;
                    if self.failures > FAILURES_MAX {
                        return Err(error.into());
                    }
                }
            }
        }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.chunk.len() {
            if !self.next_chunk().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let rest = self.chunk.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.taken += length;
        Ok(length)
    }
}

/// Puts into a delivery stream that takes direct puts.
fn put_direct(
    runtime: &Runtime,
    client: &aws_sdk_firehose::Client,
    name: &str,
    records: &[&[u8]],
) -> Taken {
    let record = |bytes: &&[u8]| Record::builder().data(Blob::new(*bytes)).build();
    let records: Result<Vec<_>, _> = records.iter().map(record).collect();
    let records = records.map_err(|error| PutFailure::Lasting(error.into()))?;
    let request = client.put_record_batch().delivery_stream_name(name);
    let answer = runtime.block_on(request.set_records(Some(records)).send());
    let answer = answer.map_err(|error| {
        let doing = format!("stream:{name} takes nothing");
        put_error(&doing, "firehose:PutRecordBatch on it", &error)
    })?;
    let entries = answer.request_responses().iter();
    Ok(entries
        .map(|entry| refused(entry.error_code(), entry.error_message()))
        .collect())
}

/// Puts into a Kinesis stream that a delivery stream reads from.
fn put_kinesis(
    runtime: &Runtime,
    client: &aws_sdk_kinesis::Client,
    name: &str,
    records: &[&[u8]],
) -> Taken {
    let record = |bytes: &&[u8]| {
        // Spreads over the shards, and a record that is put again goes where it went.
        let key = format!("{:032x}", xxh3_128(bytes));
        let data = aws_sdk_kinesis::primitives::Blob::new(*bytes);
        let entry = PutRecordsRequestEntry::builder().data(data);
        entry.partition_key(key).build()
    };
    let records: Result<Vec<_>, _> = records.iter().map(record).collect();
    let records = records.map_err(|error| PutFailure::Lasting(error.into()))?;
    let request = client.put_records().stream_name(name);
    let answer = runtime.block_on(request.set_records(Some(records)).send());
    let answer = answer.map_err(|error| {
        let doing = format!("kinesis:{name} takes nothing");
        put_error(&doing, "kinesis:PutRecords on it", &error)
    })?;
    let entries = answer.records().iter();
    Ok(entries
        .map(|entry| refused(entry.error_code(), entry.error_message()))
        .collect())
}

fn refused(code: Option<&str>, message: Option<&str>) -> Option<String> {
    code.map(|code| format!("{code}: {}", message.unwrap_or_default()))
}

fn put_error<E>(doing: &str, permission: &str, error: &SdkError<E>) -> PutFailure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match Failure::from(error) {
        Failure::Passing(said) => PutFailure::Passing(said),
        Failure::Lasting(..) => PutFailure::Lasting(in_words(doing, permission, error)),
    }
}
