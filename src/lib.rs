//! Nozzle puts an event stream into a lake.
pub mod dedup;
