//! An event on its way into the log: its item, or why it has none. A pure function of the record
//! and the settings.

use std::{borrow::Cow, fmt::Write};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{
    data::{self, NoMap},
    item::{DATA_REF, ITEM_BYTES_MAX, Item, KEY_BYTES_MAX, SEARCH_KEY, TIMESTAMP, TTL},
    settings::{DataAs, EventId, OnUnreadable, Search, Settings},
};
use crate::{
    json::{object::read_text, pointer::Pointer},
    kinesis::{
        Tag,
        contents::{Arrived, Unread},
    },
};

/// `#` and 16 hexadecimal digits more are a key still.
const SECOND_ID_BYTES_MAX: usize = 2031;

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    Item(Item),
    /// Its bytes are to be an object; the item refers to them.
    TooLarge {
        item: Item,
        key: String,
    },
    /// It goes to the dead letters.
    DeadLetter(Reason),
}

/// Why an event is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Unread(Unread),
    ItemTooLarge,
    ItemRefused,
    Conflict,
}

impl Reason {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread(why) => why.as_str(),
            Self::ItemTooLarge => "item_too_large",
            Self::ItemRefused => "item_refused",
            Self::Conflict => "conflict",
        }
    }
}

/// What is counted of an event by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    pub is_unreadable: bool,
    pub text_numbers: usize,
    /// Kept as text, because no map could say it.
    pub is_raw: bool,
}

/// An event, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    pub entry: Entry,
    pub traits: Traits,
}

impl Kept {
    #[must_use]
    pub fn of(event: &Arrived<'_>, stream: Tag, settings: &Settings) -> Self {
        let mut content = Content::read(event, settings);
        let traits = content.traits();
        let entry = match &content {
            Content::Refused(why) if settings.on_unreadable == OnUnreadable::DeadLetter => {
                Entry::DeadLetter(Reason::Unread(*why))
            }
            _ => content.enter(event, stream, settings),
        };
        Self { entry, traits }
    }
}

/// What an event's bytes are.
enum Content<'a> {
    Map {
        text: &'a str,
        written: Vec<u8>,
        mapped: data::Mapped,
    },
    /// JSON that stays as it is spelled; a map could not say it, or was not wanted.
    Raw {
        text: &'a str,
        is_unsayable: bool,
    },
    Refused(Unread),
}

impl<'a> Content<'a> {
    fn read(event: &Arrived<'a>, settings: &Settings) -> Self {
        if let Some(why) = event.unread {
            return Self::Refused(why);
        }
        let text = match read_text(event.bytes) {
            Ok(text) => text,
            Err(why) => return Self::Refused(Unread::Data(why)),
        };
        let mut written = Vec::new();
        let mapped = match settings.data {
            DataAs::Text => data::check(text).map(|()| None).map_err(NoMap::Unreadable),
            DataAs::Map => {
                written.reserve(2 * text.len());
                data::write_map(text, &mut written).map(Some)
            }
        };
        match mapped {
            Ok(Some(mapped)) => Self::Map {
                text,
                written,
                mapped,
            },
            Ok(None) => Self::Raw {
                text,
                is_unsayable: false,
            },
            Err(NoMap::Unsayable) => Self::Raw {
                text,
                is_unsayable: true,
            },
            Err(NoMap::Unreadable(why)) => Self::Refused(Unread::Data(why)),
        }
    }

    fn traits(&self) -> Traits {
        let none = Traits::default();
        match self {
            Self::Map { mapped, .. } => Traits {
                text_numbers: mapped.text_numbers.len(),
                ..none
            },
            Self::Raw { is_unsayable, .. } => Traits {
                is_raw: *is_unsayable,
                ..none
            },
            Self::Refused(_) => Traits {
                is_unreadable: true,
                ..none
            },
        }
    }

    fn text(&self) -> Option<&'a str> {
        match self {
            Self::Map { text, .. } | Self::Raw { text, .. } => Some(text),
            Self::Refused(_) => None,
        }
    }

    fn enter(&mut self, event: &Arrived<'_>, stream: Tag, settings: &Settings) -> Entry {
        let frame = Frame::of(self.text(), event, settings);
        let mut item = frame.item();
        self.push_data(&mut item, event.bytes);
        if item.bytes <= ITEM_BYTES_MAX {
            return Entry::Item(item);
        }
        let Some(bucket) = &settings.bucket else {
            return Entry::DeadLetter(Reason::ItemTooLarge);
        };
        let key = format!("overflow/{stream}/{}/{}", event.id.shard, event.id.place());
        let mut item = frame.item();
        push_reference(&mut item, bucket, &key, event.bytes);
        if let Self::Refused(why) = self {
            item.push_text("refused", why.as_str());
        }
        Entry::TooLarge { item, key }
    }

    fn push_data(&self, item: &mut Item, bytes: &[u8]) {
        match self {
            Self::Map {
                written, mapped, ..
            } => {
                item.push_written("data", written, mapped.bytes);
                if !mapped.text_numbers.is_empty() {
                    push_list(item, "textNumbers", &mapped.text_numbers);
                }
            }
            Self::Raw { text, .. } => item.push_text("raw", text),
            Self::Refused(why) => {
                item.push_binary("raw", bytes);
                item.push_text("refused", why.as_str());
            }
        }
    }
}

/// What an item has beside its data.
struct Frame<'a> {
    id: Id,
    timestamp: Option<String>,
    search_key: Option<String>,
    ttl: Option<u64>,
    partition_key: Option<Cow<'a, str>>,
}

/// An item's key, and whether the event had none of its own.
struct Id {
    text: String,
    is_missing: bool,
}

impl<'a> Frame<'a> {
    fn of(text: Option<&str>, event: &'a Arrived<'a>, settings: &Settings) -> Self {
        let id = Id::of(text, event, &settings.event_id);
        let search = settings.search.as_ref().zip(text);
        let seconds = |arrival: &crate::kinesis::Arrival| {
            u64::try_from(arrival.0.nanoseconds() / 1_000_000_000).ok()
        };
        let arrived = event.arrival.as_ref().and_then(seconds);
        Self {
            timestamp: event.arrival.map(|arrival| arrival.to_string()),
            search_key: search.and_then(|(search, text)| search_key(search, text, &id.text)),
            ttl: settings
                .ttl_seconds
                .zip(arrived)
                .map(|(ttl, arrived)| arrived + ttl),
            partition_key: event.partition_key.clone(),
            id,
        }
    }

    fn item(&self) -> Item {
        let mut item = Item::new(self.id.text.clone());
        if self.id.is_missing {
            item.push_true("idMissing");
        }
        for (name, text) in [
            (TIMESTAMP, self.timestamp.as_deref()),
            (SEARCH_KEY, self.search_key.as_deref()),
            ("partitionKey", self.partition_key.as_deref()),
        ] {
            if let Some(text) = text {
                item.push_text(name, text);
            }
        }
        if let Some(ttl) = self.ttl {
            item.push_number(TTL, ttl);
        }
        item
    }
}

impl Id {
    fn of(text: Option<&str>, event: &Arrived<'_>, settings: &EventId) -> Self {
        let own = match settings {
            EventId::Record => None,
            EventId::At(pointer) => text.and_then(|text| key_at(pointer, text)),
        };
        match own {
            Some(id) => Self {
                text: id.into_owned(),
                is_missing: false,
            },
            None => Self {
                text: event.id.to_string(),
                is_missing: *settings != EventId::Record,
            },
        }
    }
}

/// Text or a number that can be a key; a number by its spelling.
fn key_at<'a>(pointer: &Pointer, text: &'a str) -> Option<Cow<'a, str>> {
    let key = pointer.find_text(text)?;
    (1..=KEY_BYTES_MAX).contains(&key.len()).then_some(key)
}

fn search_key(search: &Search, text: &str, id: &str) -> Option<String> {
    let mut key = key_at(&search.pointer, text)?.into_owned();
    if search.buckets > 1 {
        push_bucket(&mut key, xxh3_64(id.as_bytes()) % search.buckets);
    }
    (key.len() <= KEY_BYTES_MAX).then_some(key)
}

fn push_bucket(key: &mut String, bucket: u64) {
    // Writing to memory does not fail.
    let _ = write!(key, "#{bucket}");
}

/// All keys that a search for one has to ask for.
pub fn search_keys(key: &str, buckets: u64) -> impl Iterator<Item = String> {
    (0..buckets.max(1)).map(move |bucket| {
        let mut key = key.to_owned();
        if buckets > 1 {
            push_bucket(&mut key, bucket);
        }
        key
    })
}

fn push_list(item: &mut Item, name: &'static str, texts: &[String]) {
    let mut written = br#"{"L":["#.to_vec();
    for (index, text) in texts.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let text = serde_json::Value::from(text.as_str());
        written.extend_from_slice(format!("{comma}{{\"S\":{text}}}").as_bytes());
    }
    written.extend_from_slice(b"]}");
    let bytes = texts.iter().map(|text| text.len() + 1).sum::<usize>() + 3;
    item.push_written(name, &written, bytes);
}

/// A map of four: where the bytes are, how many, and which.
fn push_reference(item: &mut Item, bucket: &str, key: &str, bytes: &[u8]) {
    let mut sha256 = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to memory does not fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    let length = bytes.len();
    let written = format!(
        r#"{{"M":{{"bucket":{{"S":"{bucket}"}},"key":{{"S":"{key}"}},"bytes":{{"N":"{length}"}},"sha256":{{"S":"{sha256}"}}}}}}"#
    );
    let names = "bucketkeybytessha256".len();
    let values = bucket.len() + key.len() + length.to_string().len() + sha256.len();
    item.push_written(DATA_REF, written.as_bytes(), names + values + 8);
}

/// The id of an event whose own is taken by other data: nothing but its bytes decides it. An id
/// that has no room for it gives way to the record's.
#[must_use]
pub fn second_id(item: &Item, event: &Arrived<'_>) -> String {
    if item.id.len() > SECOND_ID_BYTES_MAX {
        return event.id.to_string();
    }
    let hash = format!("{:032x}", xxh3_128(event.bytes));
    let (beginning, _) = hash.split_at(16);
    format!("{}#{beginning}", item.id)
}
