//! Looking claims up in the folder, and giving them back.

use tokio::time::Instant;

use super::{
    super::{Claim, Held, ReleaseStore, Released, StoreError},
    EmbeddedStore, key,
};
use crate::database::{Trouble, lock};

impl ReleaseStore for EmbeddedStore {
    async fn look_up(
        &self,
        claims: &[Claim<'_>],
        _deadline: Instant,
    ) -> Result<Vec<Option<Held>>, StoreError> {
        let pending = lock(&self.pending);
        let held = claims
            .iter()
            .map(|claim| self.held(&pending, &key(&self.hasher, claim)));
        Ok(self.folder.said(held.collect())?)
    }

    /// Durable at once, whatever the next commit comes to.
    async fn release(
        &self,
        claims: &[Claim<'_>],
        _deadline: Instant,
    ) -> Result<Vec<Released>, StoreError> {
        Ok(self.folder.said(self.release_all(claims))?)
    }
}

impl EmbeddedStore {
    fn release_all(&self, claims: &[Claim<'_>]) -> Result<Vec<Released>, Trouble> {
        // No commit is under way meanwhile, which could bring a claim back.
        let _ledger = lock(&self.ledger);
        let mut pending = lock(&self.pending);
        let mut keys = Vec::new();
        let mut released = Vec::with_capacity(claims.len());
        for claim in claims {
            let key = key(&self.hasher, claim);
            released.push(match self.held(&pending, &key)? {
                Some(held) if held.owner != claim.owner => Released::Others,
                Some(_) => {
                    keys.push(key);
                    Released::Free
                }
                None => Released::Free,
            });
        }
        self.disk.remove(&keys)?;
        for key in &keys {
            pending.remove(key);
        }
        Ok(released)
    }
}
