//! What is known of a segment's events: remembered, or looked up together.

use std::{collections::HashMap, num::NonZeroUsize, sync::Mutex, time::Duration};

use tokio::time::Instant;

use super::{
    batch::Judged,
    enrichment::{
        Assignment, Experiment, Lookup, Pair,
        cache::{Cache, Lifetimes},
    },
    event::{Event, Known},
};
use crate::aws::{Asked, Failure};

const ASSIGNMENTS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99_999);
const EXPERIMENTS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);
const MISSING_LIFETIME: Duration = Duration::from_secs(30);
const EXPERIMENT_LIFETIME: Duration = Duration::from_mins(1);

/// What a warm function remembers.
pub(super) struct Memory {
    assignments: Mutex<Cache<Pair, Assignment>>,
    experiments: Mutex<Cache<String, Experiment>>,
}

impl Default for Memory {
    fn default() -> Self {
        let assignments = Lifetimes {
            found: None,
            missing: Some(MISSING_LIFETIME),
        };
        let experiments = Lifetimes {
            found: Some(EXPERIMENT_LIFETIME),
            missing: Some(MISSING_LIFETIME),
        };
        Self {
            assignments: Mutex::new(Cache::new(ASSIGNMENTS_MAX, assignments)),
            experiments: Mutex::new(Cache::new(EXPERIMENTS_MAX, experiments)),
        }
    }
}

/// What is known of events, and why of some nothing is.
#[derive(Default)]
pub(super) struct Knowledge {
    assignments: HashMap<Pair, Option<Assignment>>,
    experiments: HashMap<String, Option<Experiment>>,
    pub(super) failure: Option<Failure>,
    looks: super::enrichment::Sources,
}

impl Knowledge {
    pub(super) async fn gather<L: Lookup>(
        lookup: &L,
        memory: &Memory,
        events: &[&Judged<'_>],
        deadline: Instant,
    ) -> Self {
        let looks = lookup.sources();
        let mut knowledge = Self {
            looks,
            ..Self::default()
        };
        let events = || {
            events
                .iter()
                .filter_map(|judged| judged.event.as_ref().ok())
        };
        if looks.assignments {
            let pairs = events().filter_map(pair);
            let asked = async |wanted: Vec<Pair>| lookup.assignments(&wanted, deadline).await;
            let failure = find(
                pairs,
                &memory.assignments,
                asked,
                &mut knowledge.assignments,
            )
            .await;
            knowledge.failure = failure;
        }
        if looks.experiments {
            let ids = events().filter_map(experiment);
            let asked = async |wanted: Vec<String>| lookup.experiments(&wanted, deadline).await;
            let failure = find(ids, &memory.experiments, asked, &mut knowledge.experiments).await;
            knowledge.failure = knowledge.failure.or(failure);
        }
        knowledge
    }

    /// What is known of an event.
    pub(super) fn of(&self, event: &Event<'_>) -> Known {
        let assignment = pair(event).map(|pair| self.assignments.get(&pair).cloned());
        let experiment = experiment(event).map(|id| self.experiments.get(&id).cloned());
        Known {
            failed: (self.looks.assignments && assignment == Some(None))
                || (self.looks.experiments && experiment == Some(None)),
            assignment: assignment.flatten().flatten(),
            experiment: experiment.flatten().flatten(),
        }
    }

    pub(super) fn looks(&self) -> super::enrichment::Sources {
        self.looks
    }
}

fn pair(event: &Event<'_>) -> Option<Pair> {
    Some(Pair {
        user: event.user_id.clone().into_owned(),
        experiment: experiment(event)?,
    })
}

fn experiment(event: &Event<'_>) -> Option<String> {
    event.experiment_id.as_deref().map(str::to_owned)
}

/// Finds each of `wanted` once: in memory, or by asking. What was found is remembered.
async fn find<K: std::hash::Hash + Eq + Clone, V: Clone>(
    wanted: impl Iterator<Item = K>,
    memory: &Mutex<Cache<K, V>>,
    ask: impl AsyncFnOnce(Vec<K>) -> Asked<Option<V>>,
    found: &mut HashMap<K, Option<V>>,
) -> Option<Failure> {
    let mut open = Vec::new();
    let now = Instant::now();
    if let Ok(mut memory) = memory.lock() {
        let mut seen = std::collections::HashSet::new();
        for key in wanted.filter(|key| seen.insert(key.clone())) {
            match memory.get(&key, now) {
                Some(value) => {
                    found.insert(key, value);
                }
                None => open.push(key),
            }
        }
    }
    if open.is_empty() {
        return None;
    }
    let Asked { answers, failure } = ask(open.clone()).await;
    let answered = open.into_iter().zip(answers);
    let answered: Vec<_> = answered
        .filter_map(|(key, answer)| Some((key, answer?)))
        .collect();
    if let Ok(mut memory) = memory.lock() {
        for (key, value) in &answered {
            memory.put(key.clone(), value.clone(), now);
        }
    }
    found.extend(answered);
    failure
}
