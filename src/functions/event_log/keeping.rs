//! A batch's events on their way to where each is kept.

use std::{
    cell::LazyCell,
    collections::{HashMap, HashSet},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tokio::time::Instant;

use super::{
    counts::Counts,
    entry::{Entry, Kept, Reason, Traits, second_id},
    failure::Unavailable,
    item::{Item, Said},
    settings::{EventId, OnConflict, Settings},
    table::{Fate, LogTable, Placing},
};
use crate::{
    aws::Failure,
    kinesis::{
        Sequence,
        contents::Arrived,
        dead_letter::{Data, DeadLetter},
        depot::{Depot, Nowhere, Object, set_aside},
    },
};

/// Of events and their items, in memory. Most batches have less.
const BYTES_AT_ONCE: usize = 8 * 1024 * 1024;

/// How the function names itself in a dead letter.
const FUNCTION: &str = "event-log";

pub(super) struct Keeping<'a> {
    settings: &'a Settings,
    events: Vec<(Arrived<'a>, Stage)>,
    counts: Counts,
    /// What a person has to mend.
    lasting: Option<Failure>,
}

/// An item, and whose.
type Placed = (usize, Item);

/// How far an event is.
enum Stage {
    /// Its bytes are to be an object, then its item refers to them.
    Object(Item, String),
    /// They are none for now: what has the same id and came later waits too.
    NoObject(Item),
    Item(Item),
    /// Other data stands under its id.
    Conflict(Item),
    DeadLetter(Reason),
    Kept,
    /// Not for now.
    Failed,
}

impl<'a> Keeping<'a> {
    /// Makes each event's entry. One whose handling panics is a dead letter of its own.
    ///
    /// As many as memory has room for: what is left comes next.
    pub(super) fn of(
        events: &mut impl Iterator<Item = Arrived<'a>>,
        settings: &'a Settings,
        mut counts: Counts,
        keep: impl Fn(&Arrived<'_>) -> Kept,
    ) -> Self {
        let mut bytes = 0;
        let mut made = Vec::new();
        while bytes < BYTES_AT_ONCE
            && let Some(event) = events.next()
        {
            let kept = catch_unwind(AssertUnwindSafe(|| keep(&event)));
            let Kept { entry, traits } = kept.unwrap_or(Kept {
                entry: Entry::DeadLetter(Reason::Panicked),
                traits: Traits::default(),
            });
            counts.events += 1;
            counts.unreadable += usize::from(traits.is_unreadable);
            counts.raw += usize::from(traits.is_raw);
            counts.text_numbers += traits.text_numbers;
            counts.id_missing += usize::from(traits.absent.id);
            counts.search_key_missing += usize::from(traits.absent.search_key);
            bytes += event.bytes.len() + entry.json_bytes();
            made.push((event, Stage::of(entry)));
        }
        Self {
            settings,
            events: made,
            counts,
            lasting: None,
        }
    }

    /// Puts what is too large for an item.
    pub(super) async fn put_objects(&mut self, depot: &impl Depot, deadline: Instant) {
        let objects = self
            .events
            .iter()
            .enumerate()
            .filter_map(|(place, (event, stage))| {
                let Stage::Object(_, key) = stage else {
                    return None;
                };
                let object = Object {
                    key: key.clone(),
                    bytes: event.bytes.into(),
                    content_type: "application/octet-stream",
                };
                Some((place, object))
            });
        let (places, objects): (Vec<_>, Vec<_>) = objects.unzip();
        if objects.is_empty() {
            return;
        }
        let put = depot.put(&objects, deadline).await;
        self.blame(put.failure);
        for (place, answer) in places.into_iter().zip(put.answers) {
            self.counts.overflow += usize::from(answer.is_some());
            self.advance(place, |stage| match (stage, answer) {
                (Stage::Object(item, _), Some(())) => Stage::Item(item),
                (Stage::Object(item, _), None) => Stage::NoObject(item),
                (stage, _) => stage,
            });
        }
    }

    /// Writes what has an item.
    pub(super) async fn write_items(&mut self, table: &impl LogTable, deadline: Instant) {
        let placing = match self.settings.event_id {
            EventId::Record => Placing::Put,
            EventId::At(_) => Placing::Insert,
        };
        self.write(table, placing, deadline).await;
    }

    /// What has other data under its id is a dead letter, or an item of another id.
    pub(super) async fn keep_conflicts(&mut self, table: &impl LogTable, deadline: Instant) {
        let keep = self.settings.on_conflict;
        for (event, stage) in &mut self.events {
            let Stage::Conflict(item) = stage else {
                continue;
            };
            self.counts.conflicts += 1;
            *stage = match keep {
                OnConflict::KeepFirst => Stage::DeadLetter(Reason::Conflict),
                OnConflict::KeepBoth => Stage::Item(item.renamed(second_id(item, event))),
            };
        }
        self.write(table, Placing::Insert, deadline).await;
        for (_, stage) in &mut self.events {
            if matches!(stage, Stage::Conflict(_)) {
                *stage = Stage::DeadLetter(Reason::Conflict);
            }
        }
    }

    /// Keeps what cannot be an item, with the reason.
    pub(super) async fn set_aside(
        &mut self,
        depot: &impl Depot,
        stream: &str,
        deadline: Instant,
    ) -> Result<(), Nowhere> {
        let letters = self
            .events
            .iter()
            .enumerate()
            .filter_map(|(place, (event, stage))| {
                let Stage::DeadLetter(reason) = stage else {
                    return None;
                };
                let letter = DeadLetter {
                    reason: reason.as_str().into(),
                    id: event.id,
                    stream: stream.into(),
                    arrival: event.arrival,
                    function: FUNCTION.into(),
                    data: Data::Here(event.bytes.into()),
                };
                Some((place, letter))
            });
        let (places, letters): (Vec<_>, Vec<_>) = letters.unzip();
        if letters.is_empty() {
            return Ok(());
        }
        let prefix = &self.settings.dead_letter_prefix;
        let kept = set_aside(depot, prefix, &letters, deadline).await?;
        self.blame(kept.failure);
        for (place, answer) in places.into_iter().zip(kept.answers) {
            self.counts.dead_letters += usize::from(answer.is_some());
            self.advance(place, |_| match answer {
                Some(()) => Stage::Kept,
                None => Stage::Failed,
            });
        }
        Ok(())
    }

    /// The first record that is not kept, and what became of all.
    pub(super) fn end(mut self) -> Result<(Option<Sequence>, Counts), Unavailable> {
        if let Some(failure) = self.lasting {
            return Err(Unavailable::Refused(failure.to_string()));
        }
        let failed = |(event, stage): &(Arrived<'_>, Stage)| {
            matches!(stage, Stage::Failed | Stage::NoObject(_)).then_some(event.id.sequence)
        };
        let mut failed = self.events.iter().filter_map(failed);
        let first = failed.next();
        self.counts.failures += usize::from(first.is_some()) + failed.count();
        Ok((first, self.counts))
    }

    /// Items of one id go one after the other, so that the first stays: what became of it decides
    /// what becomes of the others.
    async fn write(&mut self, table: &impl LogTable, placing: Placing, deadline: Instant) {
        let mut waiting = self.take_items();
        while !waiting.is_empty() {
            let (firsts, twins) = first_of_each_id(waiting);
            let (places, items): (Vec<_>, Vec<_>) = firsts.into_iter().unzip();
            let written = table.write(&items, placing, deadline).await;
            self.counts.spent.add(written.spent);
            self.blame(written.asked.failure);
            let fates = written.asked.answers;
            waiting = self.settle_twins(twins, &items, &fates);
            for ((place, item), fate) in places.into_iter().zip(items).zip(fates) {
                self.settle(place, item, fate);
            }
        }
    }

    /// Those for which the first decides nothing are left.
    fn settle_twins(
        &mut self,
        twins: Vec<Placed>,
        firsts: &[Item],
        fates: &[Option<Fate>],
    ) -> Vec<Placed> {
        if twins.is_empty() {
            return twins;
        }
        let decided = firsts.iter().zip(fates);
        let decided: HashMap<_, _> = decided
            .map(|(item, fate)| (item.id.as_str(), (LazyCell::new(|| item.said()), *fate)))
            .collect();
        let mut left = Vec::new();
        for (place, twin) in twins {
            let known = decided.get(twin.id.as_str());
            match known.map(|(said, fate)| beside(&twin, said, *fate)) {
                Some(Beside::Known(fate)) => self.settle(place, twin, fate),
                Some(Beside::Unknown) | None => left.push((place, twin)),
            }
        }
        left
    }

    fn settle(&mut self, place: usize, item: Item, fate: Option<Fate>) {
        self.counts.stored += usize::from(fate == Some(Fate::Stored));
        self.counts.duplicates += usize::from(fate == Some(Fate::Same));
        self.advance(place, |_| match fate {
            Some(Fate::Stored | Fate::Same) => Stage::Kept,
            Some(Fate::Other) => Stage::Conflict(item),
            Some(Fate::Refused) => Stage::DeadLetter(Reason::ItemRefused),
            None => Stage::Failed,
        });
    }

    /// Until its fate is known, an item is not kept.
    fn take_items(&mut self) -> Vec<Placed> {
        let mut held_up = HashSet::new();
        let events = self.events.iter_mut().enumerate();
        let items = events.filter_map(|(place, (_, stage))| {
            if let Stage::NoObject(item) = stage {
                held_up.insert(item.id.clone());
            }
            if !matches!(stage, Stage::Item(_)) {
                return None;
            }
            match mem::replace(stage, Stage::Failed) {
                Stage::Item(item) if !held_up.contains(&item.id) => Some((place, item)),
                _ => None,
            }
        });
        items.collect()
    }

    fn advance(&mut self, place: usize, next: impl FnOnce(Stage) -> Stage) {
        if let Some((_, stage)) = self.events.get_mut(place) {
            *stage = next(mem::replace(stage, Stage::Failed));
        }
    }

    fn blame(&mut self, failure: Option<Failure>) {
        match failure {
            Some(failure) if failure.is_lasting() => {
                self.lasting.get_or_insert(failure);
            }
            Some(failure) => tracing::warn!(%failure, "not all is kept, and comes again"),
            None => {}
        }
    }
}

impl Stage {
    fn of(entry: Entry) -> Self {
        match entry {
            Entry::Item(item) => Self::Item(item),
            Entry::TooLarge { item, key } => Self::Object(item, key),
            Entry::DeadLetter(reason) => Self::DeadLetter(reason),
        }
    }
}

/// What the first item of an id says of a later one.
enum Beside {
    Known(Option<Fate>),
    /// The table has to be asked.
    Unknown,
}

fn beside(twin: &Item, first_said: &Said, first_fate: Option<Fate>) -> Beside {
    let Some(fate) = first_fate else {
        // It is still to come first.
        return Beside::Known(None);
    };
    let is_same = twin.said() == *first_said;
    match fate {
        Fate::Stored | Fate::Same if is_same => Beside::Known(Some(Fate::Same)),
        Fate::Stored | Fate::Same => Beside::Known(Some(Fate::Other)),
        Fate::Other if is_same => Beside::Known(Some(Fate::Other)),
        Fate::Other | Fate::Refused => Beside::Unknown,
    }
}

/// Parts those whose ids no earlier one has from the others.
fn first_of_each_id(items: Vec<Placed>) -> (Vec<Placed>, Vec<Placed>) {
    let mut seen = HashSet::with_capacity(items.len());
    let ids = items.iter().map(|(_, item)| item.id.as_str());
    let are_first: Vec<_> = ids.map(|id| seen.insert(id)).collect();
    let (mut firsts, mut twins) = (Vec::with_capacity(items.len()), Vec::new());
    for (item, is_first) in items.into_iter().zip(are_first) {
        if is_first {
            firsts.push(item);
        } else {
            twins.push(item);
        }
    }
    (firsts, twins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinesis::{Tag, contents::Contents};

    #[test]
    fn an_event_whose_handling_panics_is_a_dead_letter_and_its_neighbours_are_not_touched() {
        let record = |number: u8| {
            format!(
                r#"{{"eventID":"shardId-000000000003:{number}","kinesis":{{"sequenceNumber":"{number}","data":"e30="}}}}"#
            )
        };
        let body = format!(
            r#"{{"Records":[{},{},{}]}}"#,
            record(1),
            record(2),
            record(3)
        );
        let contents = Contents::read(body.as_bytes()).unwrap();
        let settings = Settings::read(|_| None).unwrap();
        let poisoned = Sequence::parse("2").unwrap();
        let events = &mut contents.events();
        let keeping = Keeping::of(events, &settings, Counts::default(), |event| {
            assert_ne!(event.id.sequence, poisoned);
            Kept::of(event, Tag::of(""), &settings)
        });
        let stages = keeping.events.iter().map(|(_, stage)| match stage {
            Stage::Item(_) => "item",
            Stage::DeadLetter(reason) => reason.as_str(),
            _ => "other",
        });
        assert_eq!(stages.collect::<Vec<_>>(), ["item", "panicked", "item"]);
        assert_eq!(keeping.counts.events, 3);
    }
}
