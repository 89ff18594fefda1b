//! Items in a folder of this machine, for one process at a time.

use std::{collections::BTreeMap, path::Path, sync::Mutex, time::Duration};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Executed, Item, Key, Outcome, Statement, Table, Value};
use crate::aws::{Cause, Failure};

const ITEMS: &str = "items";
/// No key has one inside: control characters are encoded.
const BETWEEN: char = '\0';

/// What a call has done is durable when it answers.
pub struct EmbeddedTable {
    database: Database,
    items: Keyspace,
    /// Whoever has it is the one that changes items.
    turn: Mutex<()>,
}

/// The folder holds no table that can be used.
#[derive(Debug, thiserror::Error)]
#[error("the table in {folder} cannot be opened ({said}); is another process using it?")]
pub struct OpenError {
    folder: String,
    said: String,
}

/// What is stored is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the table cannot be used: {0}")]
    Store(#[from] fjall::Error),
    #[error("an item makes no sense")]
    Damaged,
}

impl EmbeddedTable {
    /// Opens the table in this folder, or creates it there.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_files(folder).map_err(|error| OpenError {
            folder: folder.display().to_string(),
            said: error.to_string(),
        })
    }

    fn open_files(folder: &Path) -> fjall::Result<Self> {
        let database = Database::builder(folder).worker_threads(1).open()?;
        let items = database.keyspace(ITEMS, KeyspaceCreateOptions::default)?;
        Ok(Self {
            database,
            items,
            turn: Mutex::default(),
        })
    }

    /// Every item, in the order of their keys.
    pub fn items(&self) -> impl Iterator<Item = Result<(Key, Item), Trouble>> {
        self.items.iter().map(|entry| {
            let (key, item) = entry.into_inner()?;
            let key = read_key(&key).ok_or(Trouble::Damaged)?;
            Ok((key, read_item(&item).ok_or(Trouble::Damaged)?))
        })
    }

    fn execute_all(&self, statements: &[Statement]) -> Result<Vec<Outcome>, Trouble> {
        let _turn = self.turn.lock();
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        let mut outcomes = Vec::with_capacity(statements.len());
        for Statement { key, action } in statements {
            let key = write_key(key);
            let item = match self.items.get(&key)? {
                Some(bytes) => Some(read_item(&bytes).ok_or(Trouble::Damaged)?),
                None => None,
            };
            let (outcome, changed) = action.apply(item);
            if let Some(item) = changed {
                batch.insert(&self.items, key, write_item(&item));
            }
            outcomes.push(outcome);
        }
        if statements.iter().any(|statement| statement.action.writes()) {
            batch.commit()?;
        }
        Ok(outcomes)
    }
}

impl Table for EmbeddedTable {
    /// What is done together waits for the disk once.
    const STATEMENTS_MAX: usize = 10_000;

    async fn execute(&self, statements: &[Statement], _: Duration) -> Executed {
        let outcomes = match self.execute_all(statements) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(trouble) => {
                let failure = Failure::Lasting(Cause::Refused, trouble.to_string());
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
