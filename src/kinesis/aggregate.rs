//! Many events in one record, as the Kinesis Producer Library puts them together:
//!
//! ```text
//! F3 89 9A C2 | protobuf | MD5 of the protobuf
//! protobuf: 1 partition keys, 2 explicit hash keys, 3 records {1 key's index, 2 hash key's index, 3 data}
//! ```

use md5::{Digest, Md5};

/// What it begins with.
pub const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const MD5_BYTES: usize = 16;

/// The most events, and the most keys, that one record may hold: some bytes each would do.
pub const EVENTS_MAX: usize = 65_536;

/// What a record's bytes are.
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An event by themselves.
    Plain,
    /// These events, in order; none loses nothing.
    Aggregate(Vec<Event<'a>>),
    /// An aggregate that cannot be taken apart, or has too many events: none of them is known.
    Broken,
}

/// An event that came in an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    pub partition_key: &'a str,
    pub data: &'a [u8],
}

impl<'a> Content<'a> {
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Self {
        match protobuf(bytes) {
            None => Self::Plain,
            Some(message) => read_events(message).map_or(Self::Broken, Self::Aggregate),
        }
    }
}

/// What stands between the magic and its matching sum.
fn protobuf(bytes: &[u8]) -> Option<&[u8]> {
    let (message, sum) = bytes
        .strip_prefix(&MAGIC)?
        .split_last_chunk::<MD5_BYTES>()?;
    (Md5::digest(message).as_slice() == sum).then_some(message)
}

/// The record cannot be taken apart.
struct Broken;

fn read_events(message: &[u8]) -> Result<Vec<Event<'_>>, Broken> {
    let (mut keys, mut hash_keys, mut events) = (Vec::new(), 0, Vec::new());
    for field in Fields(message) {
        match field? {
            (1, Field::Bytes(key)) => keys.push(str::from_utf8(key).map_err(|_| Broken)?),
            (2, Field::Bytes(_)) => hash_keys += 1,
            (3, Field::Bytes(record)) => events.push(Indexed::read(record)?),
            _ => {}
        }
        if keys.len().max(events.len()) > EVENTS_MAX {
            return Err(Broken);
        }
    }
    let found = events.iter().map(|event| event.look_up(&keys, hash_keys));
    found.collect::<Option<_>>().ok_or(Broken)
}

/// An event as it is written: its keys may come after it.
struct Indexed<'a> {
    key: u64,
    hash_key: Option<u64>,
    data: &'a [u8],
}

impl<'a> Indexed<'a> {
    /// Key and data are required, though data may be empty.
    fn read(record: &'a [u8]) -> Result<Self, Broken> {
        let (mut key, mut hash_key, mut data) = (None, None, None);
        for field in Fields(record) {
            match field? {
                (1, Field::Number(index)) => key = Some(index),
                (2, Field::Number(index)) => hash_key = Some(index),
                (3, Field::Bytes(bytes)) => data = Some(bytes),
                _ => {}
            }
        }
        Ok(Self {
            key: key.ok_or(Broken)?,
            hash_key,
            data: data.ok_or(Broken)?,
        })
    }

    fn look_up(&self, keys: &[&'a str], hash_keys: u64) -> Option<Event<'a>> {
        let hash_key_is_there = self.hash_key.is_none_or(|index| index < hash_keys);
        let partition_key = keys.get(usize::try_from(self.key).ok()?)?;
        hash_key_is_there.then_some(Event {
            partition_key,
            data: self.data,
        })
    }
}

/// A message's fields, each with its number.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a width that no field of ours has.
    Other,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| self.field().ok_or(Broken))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    /// Seven bits a byte, the lowest first, up to 64.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = *self.take(1)? else { return None };
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Deserializer};

    use super::*;

    /// A record that `fixtures/make_aggregates.py` made, and what is in it.
    #[derive(Deserialize)]
    pub(crate) struct Situation {
        pub(crate) name: String,
        /// AWS's own library writes the same.
        pub(crate) of_library: bool,
        #[serde(deserialize_with = "bytes")]
        pub(crate) record: Vec<u8>,
        content: Expected,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Expected {
        Word(String),
        Events(Vec<ExpectedEvent>),
    }

    #[derive(Deserialize)]
    struct ExpectedEvent(String, #[serde(deserialize_with = "bytes")] Vec<u8>);

    /// Of hexadecimal digits.
    fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let pairs = digits.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16);
        Ok(pairs.map(|pair| byte(pair).expect("a byte")).collect())
    }

    pub(crate) fn situations() -> Vec<Situation> {
        let situations = include_str!("../../fixtures/aggregates.json");
        serde_json::from_str(situations).expect("situations")
    }

    fn record(message: &[u8]) -> Vec<u8> {
        [&MAGIC, message, &Md5::digest(message)].concat()
    }

    #[test]
    fn every_situation_is_read() {
        let situations = situations();
        assert!(situations.len() > 40);
        for Situation {
            name,
            record,
            content,
            ..
        } in situations
        {
            match (content, Content::read(&record)) {
                (Expected::Word(word), read) => {
                    assert_eq!(format!("{read:?}").to_lowercase(), word, "{name}");
                }
                (Expected::Events(expected), Content::Aggregate(found)) => {
                    let expected = expected.iter().map(|ExpectedEvent(key, data)| Event {
                        partition_key: key,
                        data,
                    });
                    assert_eq!(found, expected.collect::<Vec<_>>(), "{name}");
                }
                (Expected::Events(_), read) => panic!("{name}: {read:?}"),
            }
        }
    }

    #[test]
    fn a_record_holds_so_many_events_and_no_more() {
        let message = |events: usize| {
            let event = [0x1a, 4, 8, 0, 0x1a, 0].repeat(events);
            [b"\x0a\x01k", event.as_slice()].concat()
        };
        let most = record(&message(EVENTS_MAX));
        let Content::Aggregate(events) = Content::read(&most) else {
            panic!("they are not read")
        };
        assert_eq!(events.len(), EVENTS_MAX);
        let more = record(&message(EVENTS_MAX + 1));
        assert_eq!(Content::read(&more), Content::Broken);
        let keys = record(&b"\x0a\x00".repeat(EVENTS_MAX + 1));
        assert_eq!(Content::read(&keys), Content::Broken);
    }

    proptest! {
        #[test]
        fn any_bytes_are_something(message in prop::collection::vec(any::<u8>(), 0..64)) {
            let sound = record(&message);
            prop_assert_ne!(Content::read(&sound), Content::Plain);
            prop_assert_eq!(Content::read(&message), Content::Plain);
        }

        #[test]
        fn a_record_that_was_changed_is_none_of_ours(
            message in prop::collection::vec(any::<u8>(), 0..64),
            place in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let mut changed = record(&message);
            let place = place.index(changed.len());
            changed[place] ^= 1_u8 << bit;
            prop_assert_eq!(Content::read(&changed), Content::Plain);
        }
    }
}
