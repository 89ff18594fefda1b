//! What speaks against a run, said before any work: the lake would not have what one expects of it.

use anyhow::{Result, bail};

use super::options::RunTask;
use crate::{
    dedup::embedded::EmbeddedStore,
    local::{
        clock::epoch_milliseconds,
        files::holds_nothing,
        firehose::{prefixes, progress::Unfinished},
        journal::Wrote,
    },
    tool::{clock::now, places::Places},
};

/// Finishes what the last run left half-done before it looks at the lake.
pub(super) fn check(task: &RunTask, places: &Places, store: &EmbeddedStore) -> Result<()> {
    let left = places.journal(store).recover::<Unfinished>()?;
    let prefix = &task.layout.prefix;
    let events = places.lake.join(prefix.literal_folder());
    let now_seconds = u64::try_from(epoch_milliseconds(now()) / 1000)?;
    if left.wrote == Wrote::Here && holds_nothing(&events) && store.remembers_any(now_seconds)? {
        bail!(
            "the claims `{}` remember events that were delivered into this lake, but `{}` holds none: \
             they would be dropped as duplicates; move the claims away to have them delivered \
             again, or give --anyway",
            places.claims.display(),
            events.display()
        );
    }
    if let Some(other) = prefixes::conflicting(&places.lake, prefix)? {
        bail!(
            "the lake `{}` is laid out by `{}`, and this run would add `{}`: readers fail on \
             both in one folder; give the same --partition-keys and --prefix as before, another \
             --lake, or --anyway",
            places.lake.display(),
            other.text,
            prefix.text
        );
    }
    Ok(())
}
