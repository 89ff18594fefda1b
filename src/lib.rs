//! Nozzle puts an event stream into a lake.
//!
//! Amazon Data Firehose collects *records* and calls a function for every batch of them. This is
//! that function. Of each record it makes a *verdict*: the record's *event* is delivered with its
//! added fields and its *partition keys*, or it is a duplicate, or refused, or overflow. Nothing
//! else can become of a record, and no record changes what becomes of another, copies of one event
//! aside.
//!
//! A batch comes in as JSON ([`firehose::wire`]) and goes through [`firehose::FirehoseTransform`]:
//!
//! 1. each record by itself through [`transform`], which reads an [`event`] with a cursor over
//!    [`json`] and writes the line that is delivered and the keys of its [`partition`];
//! 2. copies within the batch are found, and what does not fit into the response
//!    ([`firehose::budget`]) is set aside;
//! 3. what is left is claimed in a store ([`dedup`]): DynamoDB in Lambda, a folder on one machine.
//!    A claim names its owner, so a record that Firehose sends again is not taken for a duplicate;
//! 4. the answer is written, every record in the order it came.
//!
//! Steps 1 and 2 are pure: the same bytes under the same [`config`] have the same answer on every
//! machine. Step 3 alone waits, and alone can fail; then the whole batch fails, and Firehose sends
//! it again. [`telemetry`] says what happened, in log lines and counts.
//!
//! [`local`] is a Firehose for one machine, and [`tool`] what a person gives commands to.
//!
//! The binaries do nothing but read settings, make clients and run.
//! `firehose-transform` is the Lambda function, `nozzle` the tool.

pub mod json;

pub mod event;
pub mod partition;
pub mod transform;

pub mod dedup;
pub mod firehose;

pub mod config;
pub mod telemetry;

#[cfg(feature = "tool")]
pub mod local;
#[cfg(feature = "tool")]
pub mod tool;
