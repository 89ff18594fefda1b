//! From a request's bytes to its batch: each record is judged as it is read, while it is at hand.

use base64_simd::STANDARD;

use super::{
    OnDifferingDuplicate, Settings,
    batch::{Batch, Candidate, Entry, Stage},
    draft::Draft,
    event::{Event, Refusal},
    identities::Identities,
    partitions::Partitions,
    transform::{Identity, transform, write_delivered, write_identity},
    wire::{Answer, EnvelopeUnreadable, RECORD_BYTES, Record, Slot, read_request},
};
use crate::{dedup::Owner, json::object::Unreadable};

impl<'a> Batch<'a> {
    /// Judges each record by itself, and finds the copies among them.
    pub(super) fn read(body: &'a [u8], settings: &'a Settings) -> Result<Self, EnvelopeUnreadable> {
        let requested = read_request(body)?;
        let records = requested.len();
        let response_bytes = (body.len() / 2 * 3).min(settings.response_bytes_max);
        let mut reading = Reading {
            batch: Batch {
                entries: Vec::with_capacity(records),
                identities: Identities::with_capacity(records, body.len() / 4),
                draft: Draft::with_capacity(response_bytes, records),
                settings,
            },
            partitions: Partitions::new(settings.batch_partitions_max),
            partition_keys: Vec::with_capacity(RECORD_BYTES),
            line: Vec::with_capacity(2 * RECORD_BYTES),
        };
        let mut bytes = Vec::with_capacity(2 * RECORD_BYTES);
        for record in &requested {
            reading.take(record, &mut bytes);
        }
        Ok(reading.batch)
    }
}

/// A batch that is being read, and room for what one record becomes.
struct Reading<'a> {
    batch: Batch<'a>,
    partitions: Partitions,
    partition_keys: Vec<u8>,
    line: Vec<u8>,
}

impl<'a> Reading<'a> {
    fn take(&mut self, record: &Record<'a>, bytes: &mut Vec<u8>) {
        let slot = record.slot;
        let stage = decode(record, bytes)
            .map_err(Refusal::from)
            .and_then(|()| transform(bytes, &self.batch.settings.rules))
            .map_or_else(Stage::Refused, |event| self.judge(&event, slot));
        if !matches!(stage, Stage::Candidate(_)) {
            self.batch.draft.push(slot, &self.answer(&stage));
        }
        let id = slot.record_id.decode();
        let id = id.unwrap_or(slot.record_id.text.into());
        self.batch.entries.push(Entry {
            slot,
            owner: Owner::of(&id, record.arrival_milliseconds, bytes),
            stage,
        });
    }

    /// Drafts the answer to a candidate while its texts are at hand.
    fn judge(&mut self, event: &Event<'_>, slot: Slot<'_>) -> Stage {
        let Settings {
            identity, rules, ..
        } = self.batch.settings;
        let index = self.batch.entries.len();
        let added = self
            .batch
            .identities
            .add(index, |out| write_identity(event, *identity, out));
        let text = match added {
            Ok(text) => text,
            Err(first) => return Stage::CopyOf(first),
        };
        self.partition_keys.clear();
        rules
            .partition_keys
            .write_json(event, &mut self.partition_keys);
        if !self.partitions.admit(&self.partition_keys) {
            return Stage::Overflow;
        }
        self.line.clear();
        write_delivered(event, &mut self.line);
        let answer = Answer::Ok {
            line: &self.line,
            partition_keys: &self.partition_keys,
        };
        self.batch.draft.push(slot, &answer);
        Stage::Candidate(Candidate {
            identity: text,
            led_by: (*identity == Identity::Event).then(|| event.created_at.nanoseconds()),
        })
    }

    /// To what is no candidate. Which of several copies differ is not known yet.
    fn answer(&self, stage: &Stage) -> Answer<'static> {
        let drops = self.batch.settings.on_differing_duplicate == OnDifferingDuplicate::Drop;
        match stage {
            Stage::CopyOf(_) if drops => Answer::Dropped,
            _ => Answer::ProcessingFailed,
        }
    }
}

/// Reads a record's data into `bytes`; leaves them empty if it cannot be read.
fn decode(record: &Record<'_>, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
    bytes.clear();
    let data = record.data.ok_or(Unreadable::DataMissing)?;
    let data = data.decode().ok_or(Unreadable::NotBase64)?;
    STANDARD.decode_append(data.as_bytes(), bytes).map_err(|_| {
        bytes.clear();
        Unreadable::NotBase64
    })
}
