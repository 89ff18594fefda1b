//! What comes in: how much, of what shape, from where, to how many partitions.

use clap::ValueEnum;
use serde::Serialize;

use super::{float::float_count, measure::EventShape};

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

/// The partitions that live events go to.
#[derive(Debug, Clone)]
pub(super) struct PartitionGroups {
    groups: Vec<Group>,
}

/// Partitions that get as many events as each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) partitions: f64,
    /// Of all events, what one of them gets.
    pub(super) share: f64,
}

impl PartitionGroups {
    /// All alike.
    pub(super) fn alike(count: u32) -> Self {
        let partitions = f64::from(count.max(1));
        let share = 1.0 / partitions;
        Self {
            groups: vec![Group { partitions, share }],
        }
    }

    /// By how many events each got.
    pub(super) fn of_counts(counts: impl Iterator<Item = u64> + Clone) -> Self {
        let all = float_count(counts.clone().sum::<u64>().max(1));
        let groups = counts.map(|count| Group {
            partitions: 1.0,
            share: float_count(count) / all,
        });
        Self {
            groups: groups.collect(),
        }
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = Group> {
        self.groups.iter().copied()
    }

    pub(super) fn count(&self) -> f64 {
        self.groups().map(|group| group.partitions).sum()
    }

    /// What the busiest gets.
    pub(super) fn largest_share(&self) -> f64 {
        self.groups().map(|group| group.share).fold(0.0, f64::max)
    }

    fn serialize_count<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.count())
    }
}
