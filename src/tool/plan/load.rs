//! What comes in: how much, of what shape, from where, to how many partitions.

use clap::ValueEnum;
use serde::Serialize;

use super::{measure::EventShape, partitions::PartitionGroups};

/// Where Firehose reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum InflowSource {
    /// Producers put into Firehose
    DirectPut,
    /// Firehose reads a Kinesis stream
    Kinesis,
}

/// What comes in.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Load {
    pub(super) source: InflowSource,
    /// Over the month.
    pub(super) events_per_second: f64,
    pub(super) peak_factor: f64,
    /// Of all records.
    pub(super) duplicate_share: f64,
    /// Of all records.
    pub(super) refused_share: f64,
    #[serde(flatten)]
    pub(super) shape: EventShape,
    /// How many times smaller objects are than the lines in them.
    pub(super) compression: f64,
    #[serde(serialize_with = "PartitionGroups::serialize_count")]
    pub(super) partitions: PartitionGroups,
}

impl Load {
    /// More or less of the same: of the same shape, to the same partitions.
    pub(super) fn scaled(&self, scale: f64) -> Self {
        Self {
            events_per_second: self.events_per_second * scale,
            ..self.clone()
        }
    }

    pub(super) fn at_peak(&self) -> Self {
        self.scaled(self.peak_factor)
    }

    pub(super) fn new_share(&self) -> f64 {
        (1.0 - self.duplicate_share - self.refused_share).max(0.0)
    }

    pub(super) fn delivered_per_second(&self) -> f64 {
        self.events_per_second * self.new_share()
    }

    pub(super) fn bytes_per_second(&self) -> f64 {
        self.events_per_second * self.shape.record_bytes
    }

    pub(super) fn delivered_bytes_per_second(&self) -> f64 {
        self.delivered_per_second() * self.shape.line_bytes
    }
}
