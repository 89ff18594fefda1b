//! Nozzle puts an event stream into a lake.
pub mod config;
pub mod dedup;
pub mod event;
pub mod firehose;
pub mod json;
pub mod partition;
pub mod telemetry;
pub mod transform;
