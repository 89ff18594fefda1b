//! What a stream is asked: to take records, each of which it answers for.

use std::{error::Error, rc::Rc};

use anyhow::Result;
use aws_config::{SdkConfig, retry::RetryConfig};
use aws_sdk_firehose::{
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::Record,
};
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use tokio::runtime::Runtime;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    stream::{Put, PutFailure},
    words::in_words,
};
use crate::aws::Failure;

/// Of each record that was put, why it was not taken.
type Taken = Result<Vec<Option<String>>, PutFailure>;

/// Puts into a delivery stream that takes direct puts. What to put again, and when, is for `Stream`
/// to say.
pub(super) fn into_firehose(runtime: Rc<Runtime>, shared: &SdkConfig, name: &str) -> Put {
    let settings = aws_sdk_firehose::config::Builder::from(shared)
        .retry_config(RetryConfig::disabled())
        .build();
    let client = aws_sdk_firehose::Client::from_conf(settings);
    let name = name.to_owned();
    Box::new(move |records| put_direct(&runtime, &client, &name, records))
}

/// Puts into a Kinesis stream that a delivery stream or a function reads from.
pub(super) fn into_kinesis(runtime: Rc<Runtime>, shared: &SdkConfig, name: &str) -> Put {
    let settings = aws_sdk_kinesis::config::Builder::from(shared)
        .retry_config(RetryConfig::disabled())
        .build();
    let client = aws_sdk_kinesis::Client::from_conf(settings);
    let name = name.to_owned();
    Box::new(move |records| put_kinesis(&runtime, &client, &name, records))
}

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
