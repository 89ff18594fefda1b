//! An event in an event log: by its id, or by what its data says.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    search::EventSearch,
    sighting::{Sighting, SightingKind},
};
use crate::{
    database::Mirror,
    functions::event_log::{
        item::{EVENT_ID, TIMESTAMP, text},
        table::embedded::EmbeddedLog,
    },
    instant::Instant,
    json::{self, pointer::Pointer},
    tool::{aws::AwsLog, item::plain, places::table_folder, terminal::tell},
};

/// In a folder. Where no item has the id, all are looked at. Nothing is written there.
pub(super) fn find_here(search: &EventSearch<'_>, log: &Path) -> Result<()> {
    let mirror = Mirror::find("event log", &table_folder(log))?;
    let mirror = mirror.with_context(|| format!("there is no event log in `{}`", log.display()))?;
    let table = mirror.open(EmbeddedLog::open)?;
    let place = log.display().to_string();
    if let Some(uuid) = search.options.uuid()
        && let Some(item) = table.get(uuid)?
    {
        note(search, &item, &place);
        return Ok(());
    }
    look_at_all(search, table.latest().map(|item| Ok(item?)), &place)
}

pub(super) fn find_in_table(search: &EventSearch<'_>, table: &AwsLog, name: &str) -> Result<()> {
    let place = format!("table {name}");
    if let Some(uuid) = search.options.uuid() {
        if let Some(item) = table.get(uuid)? {
            note(search, &item, &place);
        }
        search.have_searched(format!("event log {place}"));
        return Ok(());
    }
    tell(&format!(
        "{place} has no key for that, so all of it is read"
    ));
    look_at_all(search, table.scan(), &place)
}

fn look_at_all(
    search: &EventSearch<'_>,
    mut items: impl Iterator<Item = Result<Value>>,
    place: &str,
) -> Result<()> {
    items.try_for_each(|item| -> Result<()> {
        let item = item?;
        if says(search, &plain(&item)) {
            note(search, &item, place);
        }
        Ok(())
    })?;
    search.have_searched(format!("event log {place}"));
    Ok(())
}

/// Whether the event in an item's line is what is looked for: an object, or its text.
fn says(search: &EventSearch<'_>, line: &str) -> bool {
    let values = ["data", "raw"].map(|name| Pointer::to_member(name).find(line));
    values.into_iter().flatten().any(|value| match value {
        json::Value::Object(event) => search.is_sought(event.as_bytes()),
        json::Value::String(event) => event
            .decode()
            .is_some_and(|event| search.is_sought(event.as_bytes())),
        _ => false,
    })
}

fn note(search: &EventSearch<'_>, item: &Value, place: &str) {
    let id = text(item, EVENT_ID).unwrap_or_default();
    let arrival = text(item, TIMESTAMP).and_then(|time| Instant::from_text(time).ok());
    let arrival = arrival.map(Instant::milliseconds);
    if search.options.days.cover(arrival) {
        search.note(&Sighting {
            arrival_milliseconds: arrival,
            ..Sighting::new(SightingKind::Log, format!("{place} {id}"))
        });
    }
}
