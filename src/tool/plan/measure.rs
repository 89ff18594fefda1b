//! What records measure: each is read by the function's own code, none is kept.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Result, ensure};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    answers::{AnswerGauge, AnswerSizes},
    float::{float, float_count},
    limits::{BILLED_STEP_BYTES, KINESIS_STEP_BYTES, PUT_UNIT_BYTES, WRITE_UNIT_BYTES},
    partitions::PartitionGroups,
};
use crate::{
    dedup::Owner,
    functions::firehose_transform::{
        Settings,
        event::{Event, Refusal},
        partition::{Key, PartitionKeys},
        transform::{transform, write_delivered, write_identity},
    },
    local::{field_names::FieldNames, firehose::name_forms::NameForms},
    tool::other_names::has_instead,
};

/// The sizes that decide what a load costs; each is a mean, over what stands at its head.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EventShape {
    /// A record.
    pub(super) record_bytes: f64,
    /// A record in Firehose's steps of 5 KB.
    pub(super) billed_bytes: f64,
    /// A record in Kinesis's steps of 25 KB, as shards are billed.
    pub(super) put_units: f64,
    /// A record in Kinesis's steps of 1 KB, as a stream on demand is billed.
    pub(super) kinesis_bytes: f64,
    /// An accepted event as it is delivered.
    pub(super) line_bytes: f64,
    /// An accepted event's claim.
    pub(super) claim_bytes: f64,
    /// Writing or looking at that claim once.
    pub(super) claim_write_units: f64,
    pub(super) answers: AnswerSizes,
}

/// Measures records.
pub(super) struct ShapeGauge<'a> {
    settings: &'a Settings,
    /// The keys by which live events differ: all but time.
    live_keys: Option<PartitionKeys>,
    pub(super) records: u64,
    pub(super) duplicates: u64,
    pub(super) refused: BTreeMap<Refusal, u64>,
    /// What the first record has that lacks a field.
    lacking: Option<FieldNames>,
    sums: Sums,
    answers: AnswerGauge,
    identities: HashSet<u128>,
    /// In order, so that what is summed up is always the same.
    live_partitions: BTreeMap<Vec<u8>, u64>,
    partitions: HashSet<u128>,
    texts: EventTexts,
}

/// Over all records, and over accepted events from `line_bytes` on.
#[derive(Default)]
struct Sums {
    record_bytes: usize,
    billed_bytes: usize,
    put_units: usize,
    kinesis_bytes: usize,
    line_bytes: usize,
    claim_bytes: usize,
    claim_write_units: usize,
}

/// What is written of one event.
#[derive(Default)]
struct EventTexts {
    line: Vec<u8>,
    keys: Vec<u8>,
    identity: String,
}

impl<'a> ShapeGauge<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        let is_time = |key: &Key| matches!(key, Key::Year | Key::Month | Key::Day | Key::Hour);
        let live = settings.rules.partition_keys.iter();
        let live: Vec<_> = live.filter(|key| !is_time(key)).map(Key::as_str).collect();
        Self {
            settings,
            live_keys: live.join(",").parse().ok(),
            records: 0,
            duplicates: 0,
            refused: BTreeMap::new(),
            lacking: None,
            sums: Sums::default(),
            answers: AnswerGauge::default(),
            identities: HashSet::new(),
            live_partitions: BTreeMap::new(),
            partitions: HashSet::new(),
            texts: EventTexts::default(),
        }
    }

    /// Takes in a record, and returns the line it becomes where it is delivered.
    pub(super) fn add(&mut self, record: &[u8]) -> Option<&[u8]> {
        self.records += 1;
        self.sums.record_bytes += record.len();
        self.sums.billed_bytes += steps(record.len(), BILLED_STEP_BYTES) * BILLED_STEP_BYTES;
        self.sums.put_units += steps(record.len(), PUT_UNIT_BYTES);
        self.sums.kinesis_bytes += steps(record.len(), KINESIS_STEP_BYTES) * KINESIS_STEP_BYTES;
        match transform(record, &self.settings.rules) {
            Ok(event) => self.accept(&event, record),
            Err(refusal) => {
                *self.refused.entry(refusal).or_default() += 1;
                if let Refusal::Missing(_) = refusal {
                    self.lacking.get_or_insert_with(|| FieldNames::of(record));
                }
                None
            }
        }
    }

    /// Allows for an event that may come too: batches of nothing else are to fit.
    pub(super) fn allow_for(&mut self, record: &[u8]) {
        if let Ok(event) = transform(record, &self.settings.rules) {
            self.texts.write(&event, self.settings);
            let EventTexts { line, keys, .. } = &self.texts;
            self.answers.allow_for(record.len(), line, keys);
        }
    }

    fn accept(&mut self, event: &Event<'_>, record: &[u8]) -> Option<&[u8]> {
        self.texts.write(event, self.settings);
        let EventTexts {
            line,
            keys,
            identity,
        } = &self.texts;
        let claim_bytes = claim_bytes(identity, record);
        self.sums.line_bytes += line.len();
        self.sums.claim_bytes += claim_bytes;
        self.sums.claim_write_units += steps(claim_bytes, WRITE_UNIT_BYTES);
        self.answers.add(record.len(), line, keys);
        if !self.identities.insert(xxh3_128(identity.as_bytes())) {
            self.duplicates += 1;
            return None;
        }
        self.partitions.insert(xxh3_128(keys));
        let mut live = Vec::new();
        if let Some(keys) = &self.live_keys {
            keys.write_json(event, &mut live);
        }
        *self.live_partitions.entry(live).or_default() += 1;
        Some(&self.texts.line)
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    /// With the time keys' values, as a backfill of these events would have them.
    pub(super) fn partitions_with_time(&self) -> usize {
        self.partitions.len()
    }

    /// Among them the events of any one hour are taken to be shared out as these are.
    pub(super) fn partitions(&self) -> PartitionGroups {
        PartitionGroups::of_counts(self.live_partitions.values().copied())
    }

    fn live_keys(&self) -> impl Iterator<Item = BTreeMap<String, String>> {
        let partitions = self.live_partitions.keys();
        partitions.filter_map(|keys| serde_json::from_slice(keys).ok())
    }

    pub(super) fn name_forms(&self) -> NameForms {
        let mut forms = NameForms::default();
        for keys in self.live_keys() {
            forms.add(keys.iter().map(|(key, value)| (&**key, &**value)));
        }
        forms
    }

    /// The keys without which live events would be in as many partitions.
    pub(super) fn idle_keys(&self) -> Vec<Key> {
        let partitions: Vec<_> = self.live_keys().collect();
        let is_idle = |key: &Key| {
            let without = partitions.iter().map(|keys| {
                let others = keys.iter().filter(|(name, _)| *name != key.as_str());
                others.collect::<Vec<_>>()
            });
            without.collect::<HashSet<_>>().len() == partitions.len()
        };
        Key::ALL.into_iter().filter(is_idle).collect()
    }

    pub(super) fn shape(&self) -> Result<EventShape> {
        let accepted = self.records - self.refused();
        let most = self.refused.iter().max_by_key(|(_, count)| **count);
        let most = most.map_or("there is none", |(refusal, _)| refusal.as_str());
        let lacking = self.lacking.as_ref().map(has_instead);
        let lacking =
            lacking.map(|has| format!("; the first without a field that is needed {has}"));
        ensure!(
            accepted > 0,
            "none of its {} records is an event that is accepted (most refused: {most}){}",
            self.records,
            lacking.unwrap_or_default()
        );
        let mean = |sum: usize, count: u64| float(sum) / float_count(count);
        Ok(EventShape {
            record_bytes: mean(self.sums.record_bytes, self.records),
            billed_bytes: mean(self.sums.billed_bytes, self.records),
            put_units: mean(self.sums.put_units, self.records),
            kinesis_bytes: mean(self.sums.kinesis_bytes, self.records),
            line_bytes: mean(self.sums.line_bytes, accepted),
            claim_bytes: mean(self.sums.claim_bytes, accepted),
            claim_write_units: mean(self.sums.claim_write_units, accepted),
            answers: self.answers.answers(),
        })
    }
}

impl EventTexts {
    fn write(&mut self, event: &Event<'_>, settings: &Settings) {
        self.line.clear();
        self.keys.clear();
        self.identity.clear();
        write_delivered(event, &mut self.line);
        settings
            .rules
            .partition_keys
            .write_json(event, &mut self.keys);
        write_identity(event, settings.identity, &mut self.identity);
    }
}

/// Names and values of the item, as DynamoDB counts them: text in bytes, of a number half its
/// digits and one.
fn claim_bytes(identity: &str, record: &[u8]) -> usize {
    const TTL_DIGITS: usize = 10;
    let arrival_milliseconds = 1_789_014_240_448;
    let owner = Owner::of("", Some(arrival_milliseconds), record).to_string();
    let names = "id".len() + "owner".len() + "ttl".len();
    names + identity.len() + owner.len() + TTL_DIGITS / 2 + 1
}

/// How many steps are begun; an empty record begins one too.
fn steps(bytes: usize, step: usize) -> usize {
    bytes.div_ceil(step).max(1)
}
