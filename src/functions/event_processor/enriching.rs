//! What is known of a segment's events: remembered, or looked up together.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    batch::Judged,
    enrichment::{
        Assignment, Experiment, Lookup, Pair, Sources,
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
    assignments: Mutex<Cache<Pair, Arc<Assignment>>>,
    experiments: Mutex<Cache<String, Arc<Experiment>>>,
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
pub(super) struct Knowledge<'e> {
    assignments: Found<(&'e str, &'e str), Assignment>,
    experiments: Found<&'e str, Experiment>,
    pub(super) failure: Option<Failure>,
    pub(super) sources: Sources,
}

/// What is there under a key, or that nothing is; a key that is missing was not answered.
type Found<K, V> = HashMap<K, Option<Arc<V>>>;

impl<'e> Knowledge<'e> {
    pub(super) async fn gather<L: Lookup>(
        lookup: &L,
        memory: &Memory,
        events: &[&'e Judged<'_>],
        deadline: Instant,
    ) -> Self {
        let sources = lookup.sources();
        let mut knowledge = Self {
            assignments: HashMap::new(),
            experiments: HashMap::new(),
            failure: None,
            sources,
        };
        let events = || {
            events
                .iter()
                .filter_map(|judged| judged.event.as_ref().ok())
        };
        if sources.assignments {
            let asked = async |wanted: Vec<Pair>| lookup.assignments(&wanted, deadline).await;
            let (found, failure) =
                find(events().filter_map(pair), &memory.assignments, asked).await;
            (knowledge.assignments, knowledge.failure) = (found, failure);
        }
        if sources.experiments {
            let asked = async |wanted: Vec<String>| lookup.experiments(&wanted, deadline).await;
            let wanted = events().filter_map(|event| event.experiment_id.as_deref());
            let (found, failure) = find(wanted, &memory.experiments, asked).await;
            knowledge.experiments = found;
            knowledge.failure = knowledge.failure.or(failure);
        }
        knowledge
    }

    /// What is known of an event.
    pub(super) fn of(&self, event: &Event<'_>) -> Known {
        let assignment = pair(event).map(|pair| self.assignments.get(&pair));
        let experiment = event.experiment_id.as_deref();
        let experiment = experiment.map(|id| self.experiments.get(id));
        Known {
            failed: (self.sources.assignments && assignment == Some(None))
                || (self.sources.experiments && experiment == Some(None)),
            assignment: assignment.flatten().cloned().flatten(),
            experiment: experiment.flatten().cloned().flatten(),
        }
    }
}

/// User and experiment.
fn pair<'e>(event: &'e Event<'_>) -> Option<(&'e str, &'e str)> {
    Some((&event.user_id, event.experiment_id.as_deref()?))
}

impl From<(&str, &str)> for Pair {
    fn from((user, experiment): (&str, &str)) -> Self {
        Self {
            user: user.to_owned(),
            experiment: experiment.to_owned(),
        }
    }
}

/// Finds each of `wanted` once: in memory, or by asking. What was found is remembered.
async fn find<B, K, V>(
    wanted: impl Iterator<Item = B>,
    memory: &Mutex<Cache<K, Arc<V>>>,
    ask: impl AsyncFnOnce(Vec<K>) -> Asked<Option<V>>,
) -> (Found<B, V>, Option<Failure>)
where
    B: Copy + Hash + Eq,
    K: From<B> + Hash + Eq + Clone,
{
    let now = Instant::now();
    let mut found: Found<B, V> = wanted.map(|key| (key, None)).collect();
    let mut open = Vec::new();
    if let Ok(mut memory) = memory.lock() {
        for (key, value) in &mut found {
            match memory.get(&K::from(*key), now) {
                Some(known) => *value = known,
                None => open.push(*key),
            }
        }
    }
    if open.is_empty() {
        return (found, None);
    }
    let Asked { answers, failure } = ask(open.iter().copied().map(K::from).collect()).await;
    let Ok(mut memory) = memory.lock() else {
        return (found, failure);
    };
    for (key, answer) in open.into_iter().zip(answers) {
        match answer {
            Some(value) => {
                let value = value.map(Arc::new);
                memory.put(K::from(key), value.clone(), now);
                found.insert(key, value);
            }
            None => drop(found.remove(&key)),
        }
    }
    (found, failure)
}
