//! How events are shared out to partitions.

use super::float::float_count;

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

    pub(super) fn serialize_count<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.count())
    }
}
