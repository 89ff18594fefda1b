//! The claims that a redrive looks at and gives back, whichever store they are in.

use std::{collections::HashMap, rc::Rc, time::Duration};

use anyhow::Result;
use tokio::{runtime::Runtime, time::Instant};

use super::decision::{Age, Decision, Known, Why, decide};
use crate::{
    dedup::{Claim, Held, Owner, ReleaseStore, Released},
    tool::claim_key::ClaimKey,
};

/// How long a store may take for one batch.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where claims are looked up.
pub(super) enum View<S> {
    Store(S),
    /// A lake that is not there yet: nobody has claimed anything.
    Empty,
    /// Nobody said where claims are.
    Unnamed,
}

pub(super) struct ClaimAccess<S> {
    pub(super) view: View<S>,
    pub(super) runtime: Rc<Runtime>,
}

/// A record whose event is accepted, and what is decided about it.
pub(super) struct Case<'a> {
    pub(super) sought: &'a ClaimKey,
    pub(super) known: Known,
    /// Not decided until somebody has looked.
    pub(super) decision: Decision,
    /// The claim that was found alive or expired.
    pub(super) held: Option<Held>,
}

impl<'a> Case<'a> {
    pub(super) fn new(sought: &'a ClaimKey, known: Known) -> Self {
        Self {
            sought,
            known,
            decision: Decision::Unknown(Why::NoTable),
            held: None,
        }
    }
}

impl<S: ReleaseStore> ClaimAccess<S> {
    /// Looks up whose the claims are, and decides.
    pub(super) fn decide(&self, cases: &mut [&mut Case<'_>], age: Age) -> Result<()> {
        let held = match &self.view {
            View::Store(store) => self.look_up(store, cases)?,
            View::Empty => HashMap::new(),
            View::Unnamed => return Ok(()),
        };
        for case in cases {
            case.held = held.get(&case.sought.identity).copied();
            case.decision = decide(&case.known, case.held.as_ref(), age);
        }
        Ok(())
    }

    fn look_up(&self, store: &S, cases: &[&mut Case<'_>]) -> Result<HashMap<String, Held>> {
        // Copies share an identity, and a store is asked for each once.
        let sought: HashMap<&str, &ClaimKey> = cases
            .iter()
            .map(|case| (case.sought.identity.as_str(), case.sought))
            .collect();
        let claims: Vec<Claim<'_>> = sought
            .into_values()
            .map(|sought| sought.claim(Owner::NOBODY))
            .collect();
        let held = store.look_up(&claims, Instant::now() + PATIENCE);
        let held = self.runtime.block_on(held)?;
        let found = claims.iter().zip(held);
        Ok(found
            .filter_map(|(claim, held)| Some((claim.identity.to_owned(), held?)))
            .collect())
    }

    /// Gives back the claims of these owners, distinct in their identities. Says of each whether it
    /// is free now.
    pub(super) fn release(&self, claims: &[(&ClaimKey, Owner)]) -> Result<Vec<Released>> {
        let View::Store(store) = &self.view else {
            return Ok(vec![Released::Free; claims.len()]);
        };
        let claims: Vec<_> = claims
            .iter()
            .map(|(sought, owner)| sought.claim(*owner))
            .collect();
        let released = store.release(&claims, Instant::now() + PATIENCE);
        Ok(self.runtime.block_on(released)?)
    }
}
