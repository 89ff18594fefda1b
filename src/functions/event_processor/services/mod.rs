//! Everything that the function keeps or looks up elsewhere: with AWS, or in a folder.

#[cfg(feature = "event-processor")]
pub mod aws;
#[cfg(feature = "tool")]
pub mod folder;

use super::{archive::Objects, enrichment::Lookup, table::Table};
use crate::{dedup::ClaimStore, kinesis::depot::Depot};

/// Where everything is kept that outlives an invocation. Failures are in words for the person who has
/// to act.
pub trait Services: Sync {
    type Claims: ClaimStore + Sync;
    type Table: Table + Sync;
    type Archive: Objects + Sync;
    type Depot: Depot + Sync;
    type Lookup: Lookup + Sync;

    /// None where copies are not looked for.
    fn claims(&self) -> Option<&Self::Claims>;
    fn table(&self) -> &Self::Table;
    fn archive(&self) -> &Self::Archive;
    fn depot(&self) -> &Self::Depot;
    fn lookup(&self) -> &Self::Lookup;
}

impl<S: Services> Services for &S {
    type Claims = S::Claims;
    type Table = S::Table;
    type Archive = S::Archive;
    type Depot = S::Depot;
    type Lookup = S::Lookup;

    fn claims(&self) -> Option<&S::Claims> {
        (**self).claims()
    }

    fn table(&self) -> &S::Table {
        (**self).table()
    }

    fn archive(&self) -> &S::Archive {
        (**self).archive()
    }

    fn depot(&self) -> &S::Depot {
        (**self).depot()
    }

    fn lookup(&self) -> &S::Lookup {
        (**self).lookup()
    }
}
