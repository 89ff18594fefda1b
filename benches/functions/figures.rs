//! What was measured, and the middle of it.

use std::{collections::HashMap, time::Duration};

use crate::{
    measure::Taken,
    peers::{Peer, Task},
    requests::{Batch, Shape},
    store::Seen,
};

/// Which samples belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cell {
    pub(crate) peer: Peer,
    pub(crate) task: Task,
    pub(crate) shape: Shape,
    pub(crate) records: usize,
}

impl Cell {
    pub(crate) fn of(peer: Peer, task: Task, batch: &Batch) -> Self {
        Self {
            peer,
            task,
            shape: batch.shape,
            records: batch.records,
        }
    }
}

/// A process's first moments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// From its start until it asked for the first invocation.
    pub(crate) polling: Duration,
    /// ... until the first answer was there.
    pub(crate) answered: Duration,
    pub(crate) first: Taken,
    pub(crate) tenth: Taken,
}

/// A batch's time by how many requests are under way at once.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) requests_at_once: usize,
    /// With connections to open.
    pub(crate) first: Vec<Taken>,
    pub(crate) next: Vec<Taken>,
}

impl Bound {
    pub(crate) fn new(requests_at_once: usize) -> Self {
        Self {
            requests_at_once,
            first: Vec::new(),
            next: Vec::new(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Figures {
    /// An event's share, a sample a round.
    samples: HashMap<Cell, Vec<Taken>>,
    pub(crate) starts: HashMap<(Peer, Task), Vec<Start>>,
    pub(crate) peak_bytes: HashMap<(Peer, Task), u64>,
    /// What a batch of a stream asks of the table and the bucket: of a new process, and once more.
    pub(crate) writes: HashMap<Cell, [Seen; 2]>,
    pub(crate) full_requests: Vec<(Task, Batch, u64)>,
    pub(crate) bounds: Vec<Bound>,
    /// A hundred events of the event processor over TLS and with latency.
    pub(crate) hundred_far_away: Vec<Bound>,
    pub(crate) zip_bytes: HashMap<(Peer, Task), u64>,
}

impl Figures {
    pub(crate) fn add(&mut self, cell: Cell, an_event: Taken) {
        self.samples.entry(cell).or_default().push(an_event);
    }

    /// Whether anything of this was measured.
    pub(crate) fn has(&self, task: Task) -> bool {
        self.starts.contains_key(&(Peer::Nozzle, task))
    }

    /// Microseconds of the processor's time an event.
    pub(crate) fn processor(&self, cell: Cell) -> Option<f64> {
        let samples = self.samples.get(&cell)?;
        Some(middle(samples, |taken| taken.processor).as_secs_f64() * 1e6)
    }

    pub(crate) fn events_a_second(&self, cell: Cell) -> Option<f64> {
        let samples = self.samples.get(&cell)?;
        Some(1.0 / middle(samples, |taken| taken.wall).as_secs_f64())
    }
}

/// The median of what `part` says of each.
pub(crate) fn middle<T>(samples: &[T], part: impl Fn(&T) -> Duration) -> Duration {
    let mut parts: Vec<_> = samples.iter().map(part).collect();
    parts.sort();
    parts[parts.len() / 2]
}
