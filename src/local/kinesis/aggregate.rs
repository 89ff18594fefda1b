//! Events put together into one record, as the Kinesis Producer Library does it.

use md5::{Digest, Md5};

use crate::kinesis::aggregate::{Event, MAGIC};

/// The record that holds these events.
#[must_use]
pub fn write(events: &[Event<'_>]) -> Vec<u8> {
    let mut keys: Vec<&str> = Vec::new();
    let mut records = Vec::new();
    for event in events {
        let known = keys.iter().position(|key| *key == event.partition_key);
        let index = known.unwrap_or(keys.len());
        if known.is_none() {
            keys.push(event.partition_key);
        }
        let mut record = Vec::with_capacity(event.data.len() + 16);
        record.push(KEY_INDEX);
        push_varint(index, &mut record);
        push_bytes(DATA, event.data, &mut record);
        push_bytes(RECORD, &record, &mut records);
    }
    let mut aggregate = MAGIC.to_vec();
    for key in keys {
        push_bytes(KEY, key.as_bytes(), &mut aggregate);
    }
    aggregate.append(&mut records);
    let sum = Md5::digest(aggregate.split_at(MAGIC.len()).1);
    aggregate.extend_from_slice(&sum);
    aggregate
}

// A field's number, and whether bytes follow (2) or a number (0).
const KEY: u8 = 1 << 3 | 2;
const RECORD: u8 = 3 << 3 | 2;
const KEY_INDEX: u8 = 1 << 3;
const DATA: u8 = 3 << 3 | 2;

fn push_bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    push_varint(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn push_varint(number: usize, out: &mut Vec<u8>) {
    let mut rest = number as u64;
    while rest > 0x7f {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push((rest & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kinesis::aggregate::{Content, tests::situations};

    #[test]
    fn it_is_the_librarys_to_the_byte() {
        let mut compared = 0;
        for situation in situations()
            .into_iter()
            .filter(|situation| situation.of_library)
        {
            let record = &situation.record;
            let Content::Aggregate(events) = Content::read(record) else {
                panic!("{}", situation.name)
            };
            assert_eq!(write(&events), *record, "{}", situation.name);
            compared += 1;
        }
        assert!(compared > 5);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            events in prop::collection::vec(("[a-cé]{0,2}", prop::collection::vec(any::<u8>(), 0..200)), 0..40),
        ) {
            let events: Vec<_> = events
                .iter()
                .map(|(partition_key, data)| Event { partition_key, data })
                .collect();
            let written = write(&events);
            prop_assert_eq!(Content::read(&written), Content::Aggregate(events));
        }
    }
}
