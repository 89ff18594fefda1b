//! A claim store that forgets with the test, and fails when told to.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nozzle::dedup::{Answers, Claim, ClaimStore, Claimed, Owner, StoreError, Terms};

#[derive(Default)]
pub(crate) struct Memory {
    held: Mutex<HashMap<String, (Owner, u64)>>,
    /// How many claims of each call are answered; the store is away for the rest.
    answers_max: Option<usize>,
}

impl Memory {
    pub(crate) fn answering(answers_max: usize) -> Self {
        Self {
            answers_max: Some(answers_max),
            ..Self::default()
        }
    }

    pub(crate) fn hold(&self, identity: &str, owner: Owner, ttl_seconds: u64) {
        self.lock()
            .insert(identity.to_owned(), (owner, ttl_seconds));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Owner, u64)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClaimStore for Memory {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let mut held = self.lock();
        let answers_max = self.answers_max.unwrap_or(claims.len());
        let mut take = |claim: &Claim<'_>| match held.get(claim.identity) {
            Some((owner, ttl_seconds)) if *ttl_seconds > terms.now_seconds => Claimed::Held(*owner),
            _ => {
                held.insert(claim.identity.to_owned(), (claim.owner, terms.ttl_seconds));
                Claimed::Taken
            }
        };
        let claimed = claims.iter().enumerate().map(|(index, claim)| {
            if index < answers_max {
                take(claim)
            } else {
                Claimed::Unanswered
            }
        });
        let claimed = claimed.collect();
        let failure =
            (answers_max < claims.len()).then(|| StoreError::Away("told to be".to_owned()));
        Answers {
            claimed,
            failure,
            write_units: 0.0,
        }
    }
}
