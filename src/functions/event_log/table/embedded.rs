//! The log in a folder of this machine, for one process at a time. What is written is held in memory
//! and stands for every later write; a commit makes it durable, together with a note of what else is
//! done by then.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Mutex,
};

use fjall::{Guard, Keyspace};
use serde_json::Value;
use tokio::time::Instant;

use super::{Fate, LogTable, Placing, Spent, Written};
use crate::{
    aws::{Asked, Cause, Failure},
    database::{Holding, Noted, OpenError, Opening, SealedFolder, Trouble, lock},
    functions::event_log::item::{
        ITEM_BYTES_MAX, Item, KEY_BYTES_MAX, SEARCH_KEY, TIMESTAMP, text,
    },
};

/// What DynamoDB takes in one request, and the bytes of one unit.
const ITEMS_MAX: usize = 25;
const UNIT_BYTES: usize = 1024;

pub struct EmbeddedLog {
    pending: Mutex<Pending>,
    disk: Disk,
    /// Dropped last: it is free once all else is closed.
    folder: SealedFolder,
}

/// Items that are not durable yet, by their ids, in DynamoDB's JSON.
type Pending = HashMap<String, Vec<u8>>;

/// Which arrivals are looked for: from `since` on, and before `until`, as `timestamp` has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    pub since: Option<String>,
    pub until: Option<String>,
}

impl LogTable for EmbeddedLog {
    /// What it takes is what DynamoDB would take.
    async fn write(&self, items: &[Item], placing: Placing, _deadline: Instant) -> Written {
        let mut pending = lock(&self.pending);
        let mut spent = Spent {
            requests: items.len().div_ceil(ITEMS_MAX),
            write_units: 0.0,
        };
        let mut failure = None;
        let answers = items.iter().map(|item| {
            let fate = self.write_one(&mut pending, item, placing);
            if let Ok(Fate::Stored) = fate {
                spent.write_units += units(item);
            }
            fate.map_err(|trouble| failure.get_or_insert(self.refusal(trouble)).clone())
                .ok()
        });
        let answers = answers.collect();
        Written {
            asked: Asked { answers, failure },
            spent,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an item has no more than 400 units"
)]
fn units(item: &Item) -> f64 {
    item.bytes.div_ceil(UNIT_BYTES).max(1) as f64
}

impl EmbeddedLog {
    /// Opens the log in this folder, or creates it there.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (disk, folder) = SealedFolder::open(folder)?;
        Ok(Self {
            pending: Mutex::default(),
            disk,
            folder,
        })
    }

    /// Makes every item since the last commit durable, together with `note`, in one transaction:
    /// after a crash at any moment either all of them and the note are there, or none.
    pub fn commit(&self, note: &[u8]) -> Result<(), OpenError> {
        self.folder.commit(|number| {
            let mut pending = lock(&self.pending);
            self.disk.commit(&pending, note, number)?;
            pending.clear();
            Ok(())
        })
    }

    /// The note of the last commit.
    pub fn note(&self) -> Result<Option<Vec<u8>>, OpenError> {
        self.said(self.disk.files.last_note())
    }

    /// The durable item of this id, in DynamoDB's JSON.
    pub fn get(&self, id: &str) -> Result<Option<Value>, OpenError> {
        self.said(self.disk.item(id.as_bytes()))
    }

    /// The durable items with this search key, in order of their arrival.
    pub fn search(
        &self,
        search_key: &str,
        span: &Span,
    ) -> impl Iterator<Item = Result<Value, OpenError>> + '_ {
        let range = is_key(search_key.len()).then(|| range(search_key, span));
        let places = range.map(|[start, end]| self.disk.order.range(start..end));
        let places = places.into_iter().flatten();
        places.filter_map(|place| self.said(self.disk.found(place)).transpose())
    }

    /// All durable items, the one that arrived last first.
    pub fn latest(&self) -> impl Iterator<Item = Result<Value, OpenError>> + '_ {
        let [start, end] = range(EVERY, &Span::default());
        let places = self.disk.order.range(start..end).rev();
        places.filter_map(|place| self.said(self.disk.found(place)).transpose())
    }

    fn write_one(
        &self,
        pending: &mut Pending,
        item: &Item,
        placing: Placing,
    ) -> Result<Fate, Trouble> {
        if !is_taken(item) {
            return Ok(Fate::Refused);
        }
        let stood = match placing {
            Placing::Put => None,
            Placing::Insert => match pending.get(&item.id) {
                Some(json) => Some(read(json)?),
                None => self.disk.item(item.id.as_bytes())?,
            },
        };
        match stood {
            Some(stood) if item.says_the_same(&stood) => Ok(Fate::Same),
            Some(_) => Ok(Fate::Other),
            None => {
                pending.insert(item.id.clone(), item.json.clone());
                Ok(Fate::Stored)
            }
        }
    }

    fn said<T>(&self, result: Result<T, Trouble>) -> Result<T, OpenError> {
        self.folder.said(result)
    }

    fn refusal(&self, trouble: Trouble) -> Failure {
        Failure::Lasting(Cause::Refused, self.folder.error(trouble).to_string())
    }
}

/// Whether DynamoDB would take it.
fn is_taken(item: &Item) -> bool {
    let keys = item.attributes().filter(|(name, _)| *name == SEARCH_KEY);
    let mut searched = keys.filter_map(|(_, written)| key_bytes(written));
    item.bytes <= ITEM_BYTES_MAX && is_key(item.id.len()) && searched.all(is_key)
}

/// Whether DynamoDB takes a key of so many bytes.
fn is_key(bytes: usize) -> bool {
    (1..=KEY_BYTES_MAX).contains(&bytes)
}

fn key_bytes(written: &[u8]) -> Option<usize> {
    let value: Value = serde_json::from_slice(written).ok()?;
    Some(value.get("S")?.as_str()?.len())
}

fn read(json: &[u8]) -> Result<Value, Trouble> {
    serde_json::from_slice(json).map_err(|_| Trouble::Damaged("an item makes no sense".into()))
}

const ITEMS: &str = "items";
const ORDER: &str = "order";

// Memory stays below 150 MB and what is pending, however much is durable.
const ITEMS_MEMORY_BYTES: u64 = 16 << 20;
const ORDER_MEMORY_BYTES: u64 = 8 << 20;

/// What is durable: items by their ids, and the order in which they arrived.
struct Disk {
    files: Noted,
    items: Keyspace,
    /// A place a search key, and one among [`EVERY`].
    order: Keyspace,
}

impl Holding for Disk {
    const NAME: &'static str = "event log";
    const FORMAT: u64 = 1;

    fn open_files(path: &Path) -> Result<Self, Trouble> {
        let opening = Opening::at(path, |builder| builder)?;
        Ok(Self {
            items: opening.keyspace(ITEMS, ITEMS_MEMORY_BYTES)?,
            order: opening.keyspace(ORDER, ORDER_MEMORY_BYTES)?,
            files: opening.notes()?,
        })
    }

    fn files(&self) -> &Noted {
        &self.files
    }
}

impl Disk {
    fn item(&self, id: &[u8]) -> Result<Option<Value>, Trouble> {
        // No item has it, and fjall knows neither an empty key nor one without bounds.
        if !is_key(id.len()) {
            return Ok(None);
        }
        let json = self.items.get(id)?;
        json.map(|json| read(&json)).transpose()
    }

    fn found(&self, place: Guard) -> Result<Option<Value>, Trouble> {
        self.item(id_at(&place.key()?))
    }

    fn commit(&self, pending: &Pending, note: &[u8], commits: u64) -> Result<(), Trouble> {
        self.files.wait_for_room(&[&self.items, &self.order])?;
        let mut batch = self.files.batch();
        for (id, json) in pending {
            let places = places(&read(json)?, id);
            if let Some(stood) = self.item(id.as_bytes())? {
                let left: HashSet<_> = places.iter().collect();
                let gone = self::places(&stood, id);
                for place in gone.into_iter().filter(|place| !left.contains(place)) {
                    batch.remove(&self.order, place);
                }
            }
            for place in places {
                batch.insert(&self.order, place, "");
            }
            batch.insert(&self.items, id.as_bytes(), json.as_slice());
        }
        self.files.commit(batch, commits, note)
    }
}

/// In place of a search key: all items, since none is empty.
const EVERY: &str = "";
/// Ends a timestamp, which has no such byte.
const END: u8 = 0;
/// Is beyond every timestamp.
const BEYOND: &str = "\u{7f}";

/// Where an item stands in the order of arrival: among all, and among those of its search key.
fn places(item: &Value, id: &str) -> Vec<Vec<u8>> {
    let Some(timestamp) = text(item, TIMESTAMP) else {
        return Vec::new();
    };
    let keys = [Some(EVERY), text(item, SEARCH_KEY)];
    let place = |key: &str| {
        let mut place = place(key, timestamp);
        place.push(END);
        place.extend_from_slice(id.as_bytes());
        place
    };
    keys.into_iter().flatten().map(place).collect()
}

/// Led by the key's length, so that no key begins another.
fn place(search_key: &str, timestamp: &str) -> Vec<u8> {
    let bytes = u32::try_from(search_key.len()).unwrap_or(u32::MAX);
    [
        &bytes.to_be_bytes(),
        search_key.as_bytes(),
        timestamp.as_bytes(),
    ]
    .concat()
}

fn range(search_key: &str, span: &Span) -> [Vec<u8>; 2] {
    let since = span.since.as_deref().unwrap_or_default();
    let until = span.until.as_deref().unwrap_or(BEYOND);
    [since, until].map(|timestamp| place(search_key, timestamp))
}

/// The id that a place ends with.
fn id_at(place: &[u8]) -> &[u8] {
    let (bytes, rest) = place.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let key_bytes = usize::try_from(u32::from_be_bytes(*bytes)).unwrap_or(usize::MAX);
    let timestamp = rest.get(key_bytes..).unwrap_or_default();
    let mut parts = timestamp.splitn(2, |byte| *byte == END);
    parts.nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;

    fn item(id: &str, timestamp: &str, search_key: Option<&str>) -> Item {
        let mut item = Item::new(id.to_owned());
        item.push_text(TIMESTAMP, timestamp);
        if let Some(key) = search_key {
            item.push_text(SEARCH_KEY, key);
        }
        item
    }

    fn open() -> (TempDir, EmbeddedLog) {
        let folder = tempdir().unwrap();
        let log = EmbeddedLog::open(folder.path()).unwrap();
        (folder, log)
    }

    async fn put(log: &EmbeddedLog, items: &[Item]) {
        let written = log.write(items, Placing::Put, Instant::now()).await;
        assert_eq!(written.asked.answers, vec![Some(Fate::Stored); items.len()]);
    }

    fn ids(found: impl Iterator<Item = Result<Value, OpenError>>) -> Vec<String> {
        found
            .map(|item| text(&item.unwrap(), "eventId").unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn items_are_found_by_key_in_order_of_arrival() {
        let (_folder, log) = open();
        let items = [
            item("3", "2024-01-03", Some("a")),
            item("1", "2024-01-01", Some("a")),
            item("b\0", "2024-01-02", Some("a")),
            item("other", "2024-01-02", Some("aa")),
            item("none", "2024-01-04", None),
        ];
        put(&log, &items).await;
        log.commit(b"").unwrap();
        let span = |since: Option<&str>, until: Option<&str>| Span {
            since: since.map(str::to_owned),
            until: until.map(str::to_owned),
        };
        let found = |key: &str, span: &Span| ids(log.search(key, span));
        assert_eq!(found("a", &Span::default()), ["1", "b\0", "3"]);
        assert_eq!(found("aa", &Span::default()), ["other"]);
        assert!(found("b", &Span::default()).is_empty());
        let first_two = span(Some("2024-01-01"), Some("2024-01-03"));
        assert_eq!(found("a", &first_two), ["1", "b\0"]);
        assert_eq!(found("a", &span(Some("2024-01-02"), None)), ["b\0", "3"]);
        assert_eq!(ids(log.latest()), ["none", "3", "other", "b\0", "1"]);
        for no_key in [String::new(), "a".repeat(70_000)] {
            assert!(found(&no_key, &Span::default()).is_empty());
            assert_eq!(log.get(&no_key).unwrap(), None);
        }
    }

    #[tokio::test]
    async fn what_is_put_again_stands_in_one_place() {
        let (_folder, log) = open();
        put(&log, &[item("1", "2024-01-01", Some("a"))]).await;
        log.commit(b"").unwrap();
        put(&log, &[item("1", "2024-01-02", Some("b"))]).await;
        log.commit(b"").unwrap();
        assert!(ids(log.search("a", &Span::default())).is_empty());
        assert_eq!(ids(log.search("b", &Span::default())), ["1"]);
        assert_eq!(ids(log.latest()), ["1"]);
    }

    #[tokio::test]
    async fn what_is_not_committed_is_gone_and_the_note_is_the_last_commits() {
        let (folder, log) = open();
        assert_eq!(log.note().unwrap(), None);
        put(&log, &[item("1", "2024-01-01", None)]).await;
        assert_eq!(log.get("1").unwrap(), None);
        log.commit(b"first").unwrap();
        put(&log, &[item("2", "2024-01-01", None)]).await;
        drop(log);
        let log = EmbeddedLog::open(folder.path()).unwrap();
        assert!(log.get("1").unwrap().is_some());
        assert_eq!(log.get("2").unwrap(), None);
        assert_eq!(log.note().unwrap().unwrap(), b"first");
    }

    #[test]
    fn one_process_at_a_time_has_it() {
        let (folder, _log) = open();
        let error = EmbeddedLog::open(folder.path()).err().unwrap().to_string();
        assert!(error.starts_with("the event log "), "{error}");
        assert!(
            error.contains("is in use by another process: wait"),
            "{error}"
        );
    }
}
