//! The claims of the events that were found: in a folder or in a table.

use std::{path::Path, time::Duration};

use anyhow::Result;
use tokio::{runtime::Runtime, time::Instant};

use super::{
    search::EventSearch,
    sighting::{Sighting, SightingKind},
};
use crate::{
    database::Mirror,
    dedup::{NEVER, Owner, ReleaseStore, embedded::EmbeddedStore},
    tool::terminal::tell,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// In a folder, where there are any. Nothing is written there.
pub(super) fn find_here(search: &EventSearch<'_>, folder: &Path, runtime: &Runtime) -> Result<()> {
    let Some(mirror) = Mirror::find("claim store", folder)? else {
        return Ok(());
    };
    let store = mirror.open(EmbeddedStore::open)?;
    find(search, &folder.display().to_string(), &store, runtime)
}

pub(super) fn find_in_table(
    search: &EventSearch<'_>,
    table: &str,
    store: &impl ReleaseStore,
    runtime: &Runtime,
) -> Result<()> {
    find(search, &format!("table {table}"), store, runtime)
}

fn find(
    search: &EventSearch<'_>,
    place: &str,
    store: &impl ReleaseStore,
    runtime: &Runtime,
) -> Result<()> {
    let keys = search.claims();
    if keys.is_empty() {
        search.have_not_asked(place);
        return Ok(());
    }
    let claims: Vec<_> = keys.iter().map(|key| key.claim(Owner::NOBODY)).collect();
    let held = runtime.block_on(store.look_up(&claims, Instant::now() + PATIENCE))?;
    let absent = held.iter().filter(|held| held.is_none()).count();
    if absent > 0 {
        let events = keys.len();
        tell(&format!(
            "{place} has no claim on {absent} of {events} events"
        ));
    }
    search.have_searched(format!("claims in {place}"));
    for (key, held) in keys.iter().zip(held) {
        let Some(held) = held else { continue };
        search.note(&Sighting {
            identity: Some(key.identity.clone()),
            arrival_milliseconds: held.owner.arrival_milliseconds,
            expires_seconds: Some(held.ttl_seconds).filter(|seconds| *seconds != NEVER),
            ..Sighting::new(SightingKind::Claim, place.to_owned())
        });
    }
    Ok(())
}
