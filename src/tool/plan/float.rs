//! Whole numbers for arithmetic in floats: none here comes near what a float holds.
#![expect(
    clippy::cast_precision_loss,
    reason = "2^53 bytes or events are never seen"
)]

pub(super) fn float(length: usize) -> f64 {
    length as f64
}

pub(super) fn float_count(count: u64) -> f64 {
    count as f64
}
