//! What a segment's events add to: which counters, and whose users.

use std::collections::HashMap;

use super::{
    counters::{Addition, Run},
    event::Event,
    key::Subject,
    settings::Settings,
    sketch::user_hash,
    users::{Marker, Seen},
    window::{Span, Window},
};
use crate::kinesis::Sequence;

/// Events by what they are counted by. Borrows from the events: most share their texts with others.
#[derive(Debug, Default)]
pub(super) struct Tally<'a> {
    groups: HashMap<Counted<'a>, Group>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Counted<'a> {
    experiment: &'a str,
    variant: &'a str,
    event_type: &'a str,
    window: Window,
}

#[derive(Debug, Default)]
struct Group {
    runs: Vec<Run>,
    users: Vec<u64>,
}

impl Group {
    /// Those of a record come one behind the other.
    fn push(&mut self, sequence: Sequence, user: u64) {
        match self.runs.last_mut() {
            Some(run) if run.sequence == sequence => run.events += 1,
            _ => self.runs.push(Run {
                sequence,
                events: 1,
            }),
        }
        self.users.push(user);
    }
}

impl<'a> Tally<'a> {
    /// Adds the next event, in each window.
    pub(super) fn add(
        &mut self,
        sequence: Sequence,
        event: &'a Event<'_>,
        (experiment, variant): (&'a str, &'a str),
        windows: &[Span],
    ) {
        let user = user_hash(&event.user_id);
        for span in windows {
            let counted = Counted {
                experiment,
                variant,
                event_type: &event.event_type,
                window: Window::of(*span, &event.calendar),
            };
            let group = self.groups.entry(counted).or_default();
            group.push(sequence, user);
        }
    }

    #[must_use]
    pub(super) fn additions(&self, settings: &Settings, slot: u64) -> Vec<Addition> {
        let addition = |(counted, group): (&Counted<'_>, &Group)| Addition {
            key: counted.subject().counter(slot),
            runs: group.runs.clone(),
            ttl_seconds: ttl(counted.window, settings),
        };
        self.groups.iter().map(addition).collect()
    }

    #[must_use]
    pub(super) fn sketches(&self, settings: &Settings, slot: u64) -> Vec<Seen> {
        let seen = |(counted, group): (&Counted<'_>, &Group)| Seen {
            key: counted.subject().sketch(slot),
            users: group.users.iter().copied().collect(),
            ttl_seconds: ttl(counted.window, settings),
        };
        self.groups.iter().map(seen).collect()
    }

    /// One a user and window.
    #[must_use]
    pub(super) fn markers(&self, settings: &Settings) -> Vec<Marker> {
        let markers = self.groups.iter().flat_map(|(counted, group)| {
            let subject = counted.subject();
            let ttl_seconds = ttl(counted.window, settings);
            let mut users = group.users.clone();
            users.sort_unstable();
            users.dedup();
            users.into_iter().map(move |user| Marker {
                key: subject.marker(user),
                ttl_seconds,
            })
        });
        markers.collect()
    }
}

impl Counted<'_> {
    fn subject(&self) -> Subject {
        Subject {
            experiment: self.experiment.to_owned(),
            variant: self.variant.to_owned(),
            event_type: self.event_type.to_owned(),
            window: self.window,
        }
    }
}

fn ttl(window: Window, settings: &Settings) -> Option<u64> {
    let lifetime = settings.counter_lifetime_seconds?;
    Some(window.end_seconds() + lifetime)
}
