//! Nozzle puts an event stream into a lake.
pub mod dedup;
pub mod event;
pub mod json;
pub mod partition;
pub mod transform;
