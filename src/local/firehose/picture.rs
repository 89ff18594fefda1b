//! What a run looked like, gathered for who wants to see it, in memory that no input makes large.
//! It goes on from an interrupted run's, as the summary does.

pub mod course;
pub mod sizes;
pub mod spread;
pub mod timeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use course::Course;
use sizes::Sizes;
use timeline::Timeline;

/// Places that are kept for each reason.
const EXAMPLES_MAX: usize = 3;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Picture {
    /// Records that an interrupted run had finished before anybody wanted a picture.
    pub unseen_records: u64,
    /// Of what was delivered.
    pub timeline: Timeline,
    /// Where refused records stand, by reason.
    pub examples: BTreeMap<String, Vec<String>>,
    pub sizes: Sizes,
    pub course: Course,
}

impl Picture {
    /// Of a run that has finished so many records already.
    #[must_use]
    pub fn after(unseen_records: u64) -> Self {
        Self {
            unseen_records,
            ..Self::default()
        }
    }

    pub fn add_refused(&mut self, reason: &str, place: impl FnOnce() -> String) {
        if !self.examples.contains_key(reason) {
            self.examples.insert(reason.to_owned(), Vec::new());
        }
        if let Some(places) = self.examples.get_mut(reason)
            && places.len() < EXAMPLES_MAX
        {
            places.push(place());
        }
    }
}
