//! What is known of an event's experiment: who was assigned which variant, and what the experiment
//! is. Looked up where it is not remembered.

pub mod cache;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "tool")]
pub mod listed;

use std::{future::Future, str::FromStr};

use tokio::time::Instant as Deadline;

use crate::{aws::Asked, instant::Instant};

/// A user in an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    pub user: String,
    pub experiment: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignment {
    pub id: Option<String>,
    pub variant: Option<String>,
    pub time: Option<Instant>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Experiment {
    pub key: Option<String>,
    pub name: Option<String>,
    pub status: Option<String>,
}

/// Finds what is known. What is wanted is distinct within a call; one answer each, in order.
pub trait Lookup {
    /// What there is to be found in.
    fn sources(&self) -> Sources;

    fn assignments(
        &self,
        wanted: &[Pair],
        deadline: Deadline,
    ) -> impl Future<Output = Asked<Option<Assignment>>> + Send;

    /// By what the events name as their experiment.
    fn experiments(
        &self,
        wanted: &[String],
        deadline: Deadline,
    ) -> impl Future<Output = Asked<Option<Experiment>>> + Send;
}

/// What is looked up at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sources {
    pub assignments: bool,
    pub experiments: bool,
}

impl<L: Lookup + Sync> Lookup for &L {
    fn sources(&self) -> Sources {
        (**self).sources()
    }

    fn assignments(
        &self,
        wanted: &[Pair],
        deadline: Deadline,
    ) -> impl Future<Output = Asked<Option<Assignment>>> + Send {
        (**self).assignments(wanted, deadline)
    }

    fn experiments(
        &self,
        wanted: &[String],
        deadline: Deadline,
    ) -> impl Future<Output = Asked<Option<Experiment>>> + Send {
        (**self).experiments(wanted, deadline)
    }
}

/// Under which names an assignment has what is read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentFields {
    pub id: String,
    pub variant: String,
    pub time: String,
}

impl Default for AssignmentFields {
    fn default() -> Self {
        let [id, variant, time] = ["assignment_id", "variant", "timestamp"].map(str::to_owned);
        Self { id, variant, time }
    }
}

impl AssignmentFields {
    /// The names that somebody chose.
    #[must_use]
    pub fn unusual(&self) -> Vec<&str> {
        let usual = Self::default();
        let names = [
            (&self.id, usual.id),
            (&self.variant, usual.variant),
            (&self.time, usual.time),
        ];
        let chosen = names.into_iter().filter(|(name, usual)| *name != usual);
        chosen.map(|(name, _)| name.as_str()).collect()
    }
}

impl FromStr for AssignmentFields {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names: Vec<_> = text.split(',').filter(|name| is_attribute(name)).collect();
        match *names {
            [id, variant, time] if text.matches(',').count() == 2 => {
                let [id, variant, time] = [id, variant, time].map(str::to_owned);
                Ok(Self { id, variant, time })
            }
            _ => Err(
                "three attributes for id, variant and time, such as assignment_id,variant,timestamp",
            ),
        }
    }
}

/// How an assignment is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentKeys {
    /// By the table's own key, these two attributes.
    Table { user: String, experiment: String },
    /// By an index with this name, whose keys are `user_id` and `experiment_id`.
    Index(String),
}

impl Default for AssignmentKeys {
    fn default() -> Self {
        let [user, experiment] = ["user_id", "experiment_id"].map(str::to_owned);
        Self::Table { user, experiment }
    }
}

impl FromStr for AssignmentKeys {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let keys = match text.split_once(':') {
            Some(("index", name)) if is_attribute(name) => Some(Self::Index(name.to_owned())),
            Some(("key", keys)) => keys.split_once(',').and_then(|(user, experiment)| {
                let is_pair = is_attribute(user) && is_attribute(experiment);
                is_pair.then(|| Self::Table {
                    user: user.to_owned(),
                    experiment: experiment.to_owned(),
                })
            }),
            _ => None,
        };
        keys.ok_or("key: and two attributes for user and experiment, such as key:user_id,experiment_id, or index: and an index's name")
    }
}

pub(super) fn is_attribute(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=255).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Reads an assignment; `field` gives an attribute's text.
pub(super) fn read_assignment(
    names: &AssignmentFields,
    field: impl Fn(&str) -> Option<String>,
) -> Assignment {
    let time = field(&names.time).and_then(|time| Instant::from_text(&time).ok());
    Assignment {
        id: field(&names.id),
        variant: field(&names.variant),
        time,
    }
}

pub(super) fn read_experiment(field: impl Fn(&str) -> Option<String>) -> Experiment {
    Experiment {
        key: field("key"),
        name: field("name"),
        status: field("status"),
    }
}
