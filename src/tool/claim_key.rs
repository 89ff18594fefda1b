//! The claim that an event would have, whoever makes it.

use crate::{
    dedup::{Claim, Owner},
    functions::firehose_transform::{
        event::Event,
        transform::{Identity, write_identity},
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimKey {
    pub(super) identity: String,
    pub(super) led_by: Option<i128>,
}

impl ClaimKey {
    pub(super) fn of(event: &Event<'_>, identity: Identity) -> Self {
        let mut text = String::new();
        write_identity(event, identity, &mut text);
        Self {
            identity: text,
            led_by: (identity == Identity::Event).then(|| event.created_at.nanoseconds()),
        }
    }

    pub(super) fn claim(&self, owner: Owner) -> Claim<'_> {
        Claim {
            identity: &self.identity,
            led_by: self.led_by,
            owner,
        }
    }
}
