//! Items in a folder of this machine, for one process at a time, and a note of how far they are.

use std::{collections::BTreeMap, path::Path, time::Duration};

use fjall::{Guard, Keyspace, OwnedWriteBatch};

use super::{Executed, Item, Key, Outcome, Statement, Table, Value};
use crate::{
    aws::{Cause, Failure},
    database::{Holding, Noted, OpenError, Opening, SealedFolder, Trouble},
};

const ITEMS: &str = "items";
const ITEMS_MEMORY_BYTES: u64 = 16 << 20;
/// No key has one inside: control characters are encoded.
const BETWEEN: char = '\0';

/// What a call has done is durable when it answers.
pub struct EmbeddedTable {
    disk: Disk,
    /// Dropped last: it is free once all else is closed.
    folder: SealedFolder,
}

struct Disk {
    files: Noted,
    items: Keyspace,
}

impl EmbeddedTable {
    /// Opens the table in this folder, or creates it there.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (disk, folder) = SealedFolder::open(folder)?;
        Ok(Self { disk, folder })
    }

    /// Every item, in the order of their keys.
    pub fn items(&self) -> impl Iterator<Item = Result<(Key, Item), OpenError>> {
        let entries = self.disk.items.iter();
        entries.map(|entry| self.folder.said(read_entry(entry)))
    }

    /// What was noted last.
    pub fn note(&self) -> Result<Option<Vec<u8>>, OpenError> {
        self.folder.said(self.disk.files.last_note())
    }

    /// Makes a note durable, beside all that was done before.
    pub fn commit(&self, note: &[u8]) -> Result<(), OpenError> {
        let files = &self.disk.files;
        self.folder
            .commit(|number| files.commit(files.batch(), number, note))
    }

    fn execute_all(&self, statements: &[Statement]) -> Result<Vec<Outcome>, OpenError> {
        let (disk, files) = (&self.disk, &self.disk.files);
        if !statements.iter().any(|statement| statement.action.writes()) {
            let nothing = &mut files.batch();
            return self.folder.said(disk.apply(statements, nothing));
        }
        self.folder.commit(|number| {
            files.wait_for_room(&[&disk.items])?;
            let mut batch = files.batch();
            let outcomes = disk.apply(statements, &mut batch)?;
            files.commit_beside_note(batch, number)?;
            Ok(outcomes)
        })
    }
}

impl Holding for Disk {
    const NAME: &'static str = "table of counters";
    const FORMAT: u64 = 1;

    fn open_files(path: &Path) -> Result<Self, Trouble> {
        let opening = Opening::at(path, |builder| builder)?;
        Ok(Self {
            items: opening.keyspace(ITEMS, ITEMS_MEMORY_BYTES)?,
            files: opening.notes()?,
        })
    }

    fn files(&self) -> &Noted {
        &self.files
    }
}

impl Disk {
    /// What each statement comes to; what it changes is added to the batch.
    fn apply(
        &self,
        statements: &[Statement],
        batch: &mut OwnedWriteBatch,
    ) -> Result<Vec<Outcome>, Trouble> {
        let outcomes = statements.iter().map(|Statement { key, action }| {
            let key = write_key(key);
            let item = self.items.get(&key)?;
            let item = item.map(|bytes| read_item(&bytes).ok_or_else(senseless));
            let (outcome, changed) = action.apply(item.transpose()?);
            if let Some(item) = changed {
                batch.insert(&self.items, key, write_item(&item));
            }
            Ok(outcome)
        });
        outcomes.collect()
    }
}

fn read_entry(entry: Guard) -> Result<(Key, Item), Trouble> {
    let (key, item) = entry.into_inner()?;
    let read = read_key(&key).zip(read_item(&item));
    read.ok_or_else(senseless)
}

fn senseless() -> Trouble {
    Trouble::Damaged("an item makes no sense".into())
}

impl Table for EmbeddedTable {
    /// What is done together waits for the disk once.
    const STATEMENTS_MAX: usize = 10_000;

    async fn execute(&self, statements: &[Statement], _: Duration) -> Executed {
        let outcomes = match self.execute_all(statements) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) => {
                let failure = Failure::Lasting(Cause::Refused, error.to_string());
                vec![Err(failure); statements.len()]
            }
        };
        Executed {
            outcomes,
            write_units: 0.0,
        }
    }
}

fn write_key(key: &Key) -> String {
    format!("{}{BETWEEN}{}", key.partition, key.sort)
}

fn read_key(bytes: &[u8]) -> Option<Key> {
    let (partition, sort) = str::from_utf8(bytes).ok()?.split_once(BETWEEN)?;
    Some(Key {
        partition: partition.to_owned(),
        sort: sort.to_owned(),
    })
}

const NUMBER: u8 = b'N';
const BYTES: u8 = b'B';
const TEXTS: u8 = b'T';

/// Each attribute: its name, a letter for its kind, and what it holds, each led by its length.
fn write_item(item: &Item) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in item {
        push(&mut out, name.as_bytes());
        match value {
            Value::Number(number) => {
                out.push(NUMBER);
                push(&mut out, &number.to_be_bytes());
            }
            Value::Bytes(bytes) => {
                out.push(BYTES);
                push(&mut out, bytes);
            }
            Value::Texts(texts) => {
                out.push(TEXTS);
                let mut inner = Vec::new();
                for text in texts {
                    push(&mut inner, text.as_bytes());
                }
                push(&mut out, &inner);
            }
        }
    }
    out
}

fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend(bytes);
}

fn read_item(mut bytes: &[u8]) -> Option<Item> {
    let mut item = BTreeMap::new();
    while !bytes.is_empty() {
        let name = text(take(&mut bytes)?)?;
        let (kind, rest) = bytes.split_first()?;
        bytes = rest;
        let mut value = take(&mut bytes)?;
        let value = match *kind {
            NUMBER => Value::Number(u64::from_be_bytes(value.try_into().ok()?)),
            BYTES => Value::Bytes(value.to_vec()),
            TEXTS => {
                let texts = std::iter::from_fn(|| take(&mut value)).map(text);
                Value::Texts(texts.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        item.insert(name, value);
    }
    Some(item)
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (taken, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
