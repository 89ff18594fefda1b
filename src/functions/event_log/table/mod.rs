//! The log's table: what every one does, in DynamoDB and on one machine.

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "tool")]
pub mod embedded;

use std::future::Future;

use tokio::time::Instant;

use super::item::Item;
use crate::aws::Asked;

/// Keeps items by their ids.
pub trait LogTable {
    /// Writes each item; ids are distinct within a call. Never fails for a single one: what could
    /// not be written until the deadline has no fate.
    fn write(
        &self,
        items: &[Item],
        placing: Placing,
        deadline: Instant,
    ) -> impl Future<Output = Written> + Send;
}

impl<T: LogTable + Sync> LogTable for &T {
    fn write(
        &self,
        items: &[Item],
        placing: Placing,
        deadline: Instant,
    ) -> impl Future<Output = Written> + Send {
        (**self).write(items, placing, deadline)
    }
}

/// What to do where an item of this id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Replace it: it is the same one.
    Put,
    /// Leave it, and say whether it has the same data.
    Insert,
}

/// What became of each item, and what that took.
#[derive(Debug)]
pub struct Written {
    pub asked: Asked<Fate>,
    pub spent: Spent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Stored,
    /// The same data stood there.
    Same,
    /// Other data stands there and stays.
    Other,
    /// The table takes others, but not this item.
    Refused,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    pub requests: usize,
    pub write_units: f64,
}

impl Spent {
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.write_units += other.write_units;
    }
}
