//! What is known as JSON lines of this machine: an assignment or an experiment a line, with the
//! attributes that the tables have.

use std::{
    collections::HashMap,
    io::{self, BufRead},
};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    Assignment, AssignmentFields, Experiment, Lookup, Pair, Sources, read_assignment,
    read_experiment,
};
use crate::aws::Asked;

/// Assignments and experiments in memory.
#[derive(Debug, Default)]
pub struct Listed {
    sources: Sources,
    assignments: HashMap<Pair, Assignment>,
    experiments: HashMap<String, Experiment>,
}

/// A line that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("line {0} is no JSON object")]
    NotAnObject(usize),
    #[error("line {line} has no text {field:?}")]
    Missing { line: usize, field: String },
    #[error("no line has {0:?}, text or number; what is it called there?")]
    Nowhere(String),
}

impl Listed {
    /// Adds assignments; of several of one user and experiment the last stands. A name that is not
    /// the usual one has to be somewhere.
    pub fn add_assignments(
        &mut self,
        lines: impl BufRead,
        names: &AssignmentFields,
    ) -> Result<(), LineError> {
        self.sources.assignments = true;
        let mut awaited = names.unusual();
        each_line(lines, |line, object| {
            awaited.retain(|name| text(object, name).is_none());
            let pair = Pair {
                user: required(object, "user_id", line)?,
                experiment: required(object, "experiment_id", line)?,
            };
            let assignment = read_assignment(names, |name| text(object, name));
            self.assignments.insert(pair, assignment);
            Ok(())
        })?;
        match awaited.first().filter(|_| !self.assignments.is_empty()) {
            Some(name) => Err(LineError::Nowhere((*name).to_owned())),
            None => Ok(()),
        }
    }

    /// Whether there are assignments, and none says a variant.
    #[must_use]
    pub fn lacks_variants(&self) -> bool {
        let mut assignments = self.assignments.values();
        !self.assignments.is_empty() && assignments.all(|assignment| assignment.variant.is_none())
    }

    /// Adds experiments, each under its value of `key`.
    pub fn add_experiments(&mut self, lines: impl BufRead, key: &str) -> Result<(), LineError> {
        self.sources.experiments = true;
        each_line(lines, |line, object| {
            let experiment = read_experiment(|name| text(object, name));
            self.experiments
                .insert(required(object, key, line)?, experiment);
            Ok(())
        })
    }
}

fn each_line(
    lines: impl BufRead,
    mut take: impl FnMut(usize, &Map<String, Value>) -> Result<(), LineError>,
) -> Result<(), LineError> {
    for (number, line) in (1..).zip(lines.lines()) {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let object = serde_json::from_str(&line).map_err(|_| LineError::NotAnObject(number))?;
        take(number, &object)?;
    }
    Ok(())
}

fn required(object: &Map<String, Value>, field: &str, line: usize) -> Result<String, LineError> {
    text(object, field).ok_or_else(|| LineError::Missing {
        line,
        field: field.to_owned(),
    })
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Lookup for Listed {
    fn sources(&self) -> Sources {
        self.sources
    }

    async fn assignments(&self, wanted: &[Pair], _: Instant) -> Asked<Option<Assignment>> {
        known(&self.assignments, wanted)
    }

    async fn experiments(&self, wanted: &[String], _: Instant) -> Asked<Option<Experiment>> {
        known(&self.experiments, wanted)
    }
}

fn known<K: Eq + std::hash::Hash, V: Clone>(all: &HashMap<K, V>, wanted: &[K]) -> Asked<Option<V>> {
    let answers = wanted.iter().map(|key| Some(all.get(key).cloned()));
    Asked {
        answers: answers.collect(),
        failure: None,
    }
}
