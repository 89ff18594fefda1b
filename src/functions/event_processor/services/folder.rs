//! The same in a folder of this machine, for one process at a time: `table/`, `archive/`,
//! `dead-letters/` and, where copies are looked for, `claims/`.

use std::path::Path;

use super::{
    super::{archive::folder::Folder, enrichment::listed::Listed, table::embedded::EmbeddedTable},
    Services,
};
use crate::{
    database::OpenError,
    dedup::{Answers, Claim, ClaimStore, Claimed, Terms, embedded::EmbeddedStore},
    kinesis::depot::folder::FolderDepot,
};

pub const TABLE: &str = "table";
const CLAIMS: &str = "claims";
pub const ARCHIVE: &str = "archive";

pub struct FolderServices {
    pub table: EmbeddedTable,
    claims: Option<DurableClaims>,
    archive: Folder,
    depot: FolderDepot,
    lookup: Listed,
}

/// Whether copies of an event are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    Dropped,
    Kept,
}

impl FolderServices {
    /// Opens what is in this folder, or creates it there.
    pub fn open(folder: &Path, copies: Copies, lookup: Listed) -> Result<Self, OpenError> {
        let claims = match copies {
            Copies::Kept => None,
            Copies::Dropped => Some(DurableClaims(EmbeddedStore::open(&folder.join(CLAIMS))?)),
        };
        Ok(Self {
            table: EmbeddedTable::open(&folder.join(TABLE))?,
            claims,
            archive: Folder::new(folder.join(ARCHIVE)),
            depot: FolderDepot::new(folder.to_owned()),
            lookup,
        })
    }
}

/// Claims that are durable when they are answered: what is counted rests on them.
pub struct DurableClaims(EmbeddedStore);

impl ClaimStore for DurableClaims {
    async fn claim(&self, claims: &[Claim<'_>], terms: Terms) -> Answers {
        let answers = self.0.claim(claims, terms).await;
        match self.0.commit(b"") {
            Ok(()) => answers,
            Err(failure) => Answers {
                claimed: vec![Claimed::Unanswered; claims.len()],
                failure: Some(failure),
                ..answers
            },
        }
    }
}

impl Services for FolderServices {
    type Claims = DurableClaims;
    type Table = EmbeddedTable;
    type Archive = Folder;
    type Depot = FolderDepot;
    type Lookup = Listed;

    fn claims(&self) -> Option<&DurableClaims> {
        self.claims.as_ref()
    }

    fn table(&self) -> &EmbeddedTable {
        &self.table
    }

    fn archive(&self) -> &Folder {
        &self.archive
    }

    fn depot(&self) -> &FolderDepot {
        &self.depot
    }

    fn lookup(&self) -> &Listed {
        &self.lookup
    }
}
