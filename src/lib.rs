//! Nozzle puts an event stream into a lake.
//!
//! Amazon Data Firehose collects *records* and calls a function for every batch of them. This is
//! that function. Of each record it makes a *verdict*: the record's *event* is delivered with its
//! added fields and its *partition keys*, or it is a duplicate, or refused, or overflow. Nothing
//! else can become of a record, and no record changes what becomes of another, copies of one event
//! aside.
//!
//! Every function is a body and a moment in, and a body and counts out ([`functions::Function`]);
//! [`lambda`] gives them the service's invocations. A batch of Firehose's is JSON and goes through
//! [`functions::firehose_transform`]:
//!
//! 1. each record by itself is read with a cursor over [`json`] and becomes the line that is
//!    delivered, its time an [`instant`], and the keys of its partition;
//! 2. copies within the batch are found, and what does not fit into the response is set aside;
//! 3. what is left is claimed in a store ([`dedup`]): DynamoDB in Lambda, a folder (`database`) on
//!    one machine. A claim names its owner, so a record that Firehose sends again is not taken for a duplicate;
//! 4. the answer is written, every record in the order it came.
//!
//! Steps 1 and 2 are pure: the same bytes under the same settings ([`config`]) have the same answer
//! on every machine. Step 3 alone waits, and alone can fail; then the whole batch fails, and Firehose sends
//! it again. [`telemetry`] says what happened, in log lines and counts.
//!
//! Three functions stand beside it. [`functions::event_log`] and [`functions::event_processor`] read
//! a stream of [`kinesis`]: a log in which each event can be looked up; counters, unique users and
//! an archive. [`functions::star_schema`] makes the Parquet files of a star of a database's packets.
//! What each writes it writes once, whatever is retried.
//!
//! The binaries do nothing but read settings, make clients and run: one a function, and `nozzle`,
//! the [`tool`]. It has a Firehose and a Kinesis for one machine inside ([`local`]), which speak the
//! same JSON to the same functions and write the same files; `disk` waits until they are there.

pub mod instant;
pub mod json;

pub mod config;
pub mod telemetry;

pub mod aws;
#[cfg(feature = "tool")]
pub mod database;
pub mod dedup;
#[cfg(feature = "tool")]
pub mod disk;
pub mod functions;
#[cfg(feature = "kinesis")]
pub mod kinesis;
#[cfg(feature = "lambda")]
pub mod lambda;

#[cfg(feature = "tool")]
pub mod local;
#[cfg(feature = "tool")]
pub mod tool;
