//! A Firehose for one machine: it cuts input into batches, gives each to a function, checks the
//! answer, and writes the lake.
//!
//! Threads with little room between them, so that memory is bounded whatever the input's size: the
//! reader cuts batches, the function answers them, the delivery writes what was answered. A *window*
//! is what becomes durable at once, files and claims together; while the committer sees to one, the
//! others are at work on the next.

pub mod answer;
pub mod attempts;
pub mod batch;
pub mod commit;
pub mod error_object;
pub mod gauge;
pub mod in_process;
pub mod invocation;
pub mod invoke_url;
pub mod lake;
pub mod name_forms;
pub mod names;
pub mod picture;
pub mod pipeline;
pub mod prefix;
pub mod prefixes;
pub mod progress;
pub mod run;
pub mod summary;
pub mod timestamp;
pub mod window;
