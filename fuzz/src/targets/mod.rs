//! What holds for any bytes: a function for each way in, which panics where a promise is broken.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a broken promise is to panic"
)]

mod answer;
mod batch;
mod event;
mod event_log;
mod event_processor;
mod kinesis;
mod line;
mod packet;
mod tool;

pub use answer::answer;
pub use batch::{batch, request};
pub use event::event;
pub use event_log::event_log;
pub use event_processor::event_processor;
pub use kinesis::{aggregate, dead_letter, envelope};
pub use line::{error_object, prefix};
pub use packet::packet;
pub use tool::{arguments, settings};

/// What a target is called, and what it is given.
pub type Target = (&'static str, fn(&[u8]));

pub const ALL: &[Target] = &[
    ("aggregate", aggregate),
    ("answer", answer),
    ("arguments", arguments),
    ("batch", batch),
    ("dead_letter", dead_letter),
    ("envelope", envelope),
    ("error_object", error_object),
    ("event", event),
    ("event_log", event_log),
    ("event_processor", event_processor),
    ("packet", packet),
    ("prefix", prefix),
    ("request", request),
    ("settings", settings),
];

/// Pieces of an input, separated by a byte that no UTF-8 holds.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0xff)
}
