//! Counters beside what the archive says of them, and what becomes of those that differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use anyhow::{Context, Result, anyhow};

use super::archive::{Day, Unread};
use crate::{
    functions::event_processor::{
        counters::{COUNT, TTL},
        key::{Named, Spans, Subject},
        ledger::Progress,
        readings::events,
        table::{Action, Change, Condition, Is, Item, Key, Outcome, Statement, Value},
        window::{Span, Window},
    },
    tool::counter_table::CounterTable,
};

/// What is compared, and what may be changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) execute: bool,
    pub(super) now_seconds: u64,
    /// Windows that ended by then are settled.
    pub(super) settled_seconds: u64,
    pub(super) since_seconds: u64,
    pub(super) until_seconds: u64,
    pub(super) lifetime_seconds: Option<u64>,
}

impl Terms {
    /// An expired counter may be gone already.
    fn ask_for(&self, window: Window) -> bool {
        let is_expired = |lifetime| window.end_seconds() + lifetime <= self.now_seconds;
        window.begin_seconds() >= self.since_seconds
            && window.end_seconds() <= self.until_seconds
            && !self.lifetime_seconds.is_some_and(is_expired)
    }
}

/// A counter's items, one a slot.
type Slots = Vec<(Key, u64)>;

/// The counters as they were before the archive was read, by day.
#[derive(Debug, Default)]
pub(super) struct CounterItems {
    days: BTreeMap<Window, BTreeMap<Subject, Slots>>,
    /// Of counters and of users: one kind may be lost.
    spans: BTreeSet<Span>,
    /// By day the hours that have events counted, whichever are asked for.
    hours: BTreeMap<Window, BTreeSet<Window>>,
}

impl CounterItems {
    /// Those that are `asked` for, where that is said.
    pub(super) fn read(counters: &CounterTable, asked: Option<&Spans>) -> Result<Self> {
        let mut table = Self::default();
        for item in counters.items() {
            let (key, item) = item?;
            let Some(named) = Named::read(&key) else {
                continue;
            };
            table.note_hour(&named, &key, &item);
            let span = named.subject().window.span();
            if asked.is_some_and(|Spans(asked)| !asked.contains(&span)) {
                continue;
            }
            table.spans.insert(span);
            if let Named::Counter(subject) = named {
                let events = events(&key, &item)?;
                let day = table.days.entry(subject.window.day()).or_default();
                let slots = day.entry(subject).or_default();
                slots.push((key, events));
            }
        }
        Ok(table)
    }

    fn note_hour(&mut self, named: &Named, key: &Key, item: &Item) {
        if let Named::Counter(Subject { window, .. }) = named
            && window.span() == Span::Hour
            && events(key, item).is_ok_and(|events| events > 0)
        {
            self.hours.entry(window.day()).or_default().insert(*window);
        }
    }

    /// Whether the archive has something of this window, and of a day something of each hour that
    /// has events counted: of a day that lacks an hour it knows less than the counter.
    fn has_archive(&self, window: Window, day: &Day) -> bool {
        let counted = self.hours.get(&window);
        match window.span() {
            Span::Hour => day.hours.contains(&window),
            Span::Day => counted.is_none_or(|hours| hours.is_subset(&day.hours)),
        }
    }

    /// Which counters there should be, as far as nobody says: a table that has none may have lost
    /// them.
    pub(super) fn spans(&self) -> Spans {
        if self.spans.is_empty() {
            Spans::default()
        } else {
            Spans(self.spans.iter().copied().collect())
        }
    }
}

/// What a counter has, what the archive says, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deviation {
    pub(super) subject: Subject,
    /// None where there is no counter.
    pub(super) counter: Option<u64>,
    pub(super) archive: u64,
    pub(super) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not what it should be.
    Differs,
    SetRight,
    /// Others changed it meanwhile.
    Changed,
    /// Its window ended too short a time ago.
    Unsettled,
    /// Events of it are archived and not counted yet.
    UnderWay,
    /// Something that the archive has of its window cannot be read.
    Unread,
    /// There is nothing to compare it with, or of a day not all.
    NoArchive,
}

#[derive(Debug, Default)]
pub(super) struct Deviations {
    pub(super) agreeing: u64,
    /// Those that do not agree.
    pub(super) others: Vec<Deviation>,
}

impl Deviations {
    pub(super) fn count(&self, fate: Fate) -> usize {
        let others = self.others.iter();
        others.filter(|deviation| deviation.fate == fate).count()
    }

    pub(super) fn compared(&self) -> Compared {
        let found = self.others.len();
        let left = [Fate::Differs, Fate::Changed, Fate::UnderWay, Fate::Unread];
        if left.iter().any(|fate| self.count(*fate) > 0) {
            if self.has_no_counter() {
                Compared::NoCounter
            } else {
                Compared::Left
            }
        } else if self.agreeing == 0 && found > 0 && self.count(Fate::NoArchive) == found {
            Compared::Nothing
        } else {
            Compared::Agrees
        }
    }

    fn has_no_counter(&self) -> bool {
        let mut others = self.others.iter();
        self.agreeing == 0 && others.all(|deviation| deviation.counter.is_none())
    }
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Agrees,
    /// A person has to do something yet.
    Left,
    /// The archive has events to count, and no counter is there.
    NoCounter,
    /// There are counters, and none has an archive.
    Nothing,
}

pub(super) struct Comparison<'a> {
    pub(super) table: CounterItems,
    /// Which counters there should be.
    pub(super) spans: Spans,
    pub(super) counters: &'a CounterTable,
    pub(super) terms: Terms,
    pub(super) deviations: Deviations,
}

impl Comparison<'_> {
    pub(super) fn compare(&mut self, day: &Day, unread: &Unread) -> Result<()> {
        let expected = expected(day, &self.spans);
        let under_way = self.under_way(day)?;
        let counters = self.table.days.remove(&day.window).unwrap_or_default();
        let missing = expected
            .keys()
            .filter(|subject| !counters.contains_key(subject));
        let missing: Vec<_> = missing
            .map(|subject| (subject.clone(), Slots::new()))
            .collect();
        for (subject, slots) in counters.into_iter().chain(missing) {
            let archive = expected.get(&subject).copied().unwrap_or_default();
            if !self.terms.ask_for(subject.window) {
                continue;
            }
            if archive == total(&slots) {
                self.deviations.agreeing += 1;
                continue;
            }
            let fate = match self.left_alone(subject.window, day, unread, &under_way) {
                Some(fate) => fate,
                None if self.terms.execute => self.set_right(&subject, &slots, archive)?,
                None => Fate::Differs,
            };
            self.find(subject, &slots, archive, fate);
        }
        Ok(())
    }

    /// Days of which the archive has nothing.
    pub(super) fn compare_rest(&mut self) {
        let counters = mem::take(&mut self.table.days).into_values().flatten();
        for (subject, slots) in counters {
            if self.terms.ask_for(subject.window) {
                self.find(subject, &slots, 0, Fate::NoArchive);
            }
        }
    }

    fn find(&mut self, subject: Subject, slots: &Slots, archive: u64, fate: Fate) {
        self.deviations.others.push(Deviation {
            subject,
            counter: (!slots.is_empty()).then(|| total(slots)),
            archive,
            fate,
        });
    }

    /// Why nothing may be done about a window.
    fn left_alone(
        &self,
        window: Window,
        day: &Day,
        unread: &Unread,
        under_way: &BTreeSet<Window>,
    ) -> Option<Fate> {
        if !self.table.has_archive(window, day) {
            Some(Fate::NoArchive)
        } else if unread.windows.contains(&window) {
            Some(Fate::Unread)
        } else if window.end_seconds() > self.terms.settled_seconds {
            Some(Fate::Unsettled)
        } else if under_way.contains(&window) {
            Some(Fate::UnderWay)
        } else {
            None
        }
    }

    /// The windows with segments that are not done.
    fn under_way(&self, day: &Day) -> Result<BTreeSet<Window>> {
        let mut under_way = BTreeSet::new();
        for (ledger, hours) in &day.segments {
            let outcome = self.ask(Statement {
                key: ledger.clone(),
                action: Action::Read,
            })?;
            let Outcome::Found(item) = outcome else {
                continue;
            };
            let progress = Progress::read(item.as_ref()).map_err(|failure| anyhow!("{failure}"))?;
            let open = hours.iter().filter(|(_, first)| !progress.is_done(**first));
            under_way.extend(open.flat_map(|(hour, _)| [*hour, hour.day()]));
        }
        Ok(under_way)
    }

    fn set_right(&self, subject: &Subject, slots: &Slots, archive: u64) -> Result<Fate> {
        for statement in correction(subject, slots, archive, &self.terms) {
            if self.ask(statement)? != Outcome::Done {
                return Ok(Fate::Changed);
            }
        }
        Ok(Fate::SetRight)
    }

    fn ask(&self, statement: Statement) -> Result<Outcome> {
        let outcome = self.counters.execute(&[statement]).outcomes.pop();
        let outcome = outcome.context("the table gave no answer")?;
        outcome.map_err(|failure| anyhow!("{failure}"))
    }
}

fn total(slots: &Slots) -> u64 {
    slots.iter().map(|(_, events)| events).sum()
}

/// What the archive says of each counter that there should be.
fn expected(day: &Day, Spans(spans): &Spans) -> BTreeMap<Subject, u64> {
    let mut expected = BTreeMap::new();
    for (subject, events) in &day.events {
        for span in spans {
            let window = match span {
                Span::Hour => subject.window,
                Span::Day => subject.window.day(),
            };
            let subject = Subject {
                window,
                ..subject.clone()
            };
            *expected.entry(subject).or_default() += events;
        }
    }
    expected
}

/// Writes that make the counter what it should be, each on condition that its item is as it was. Marks
/// stay: what is counted of a shard is not counted again.
fn correction(subject: &Subject, slots: &Slots, archive: u64, terms: &Terms) -> Vec<Statement> {
    if slots.is_empty() {
        return vec![insertion(subject, archive, terms)];
    }
    let mut missing = archive.saturating_sub(total(slots));
    let mut surplus = total(slots).saturating_sub(archive);
    let mut statements = Vec::new();
    for (key, before) in slots {
        let taken = surplus.min(*before);
        let after = before + mem::take(&mut missing) - taken;
        surplus -= taken;
        if after != *before {
            statements.push(replacement(key, *before, after));
        }
    }
    statements
}

fn replacement(key: &Key, before: u64, after: u64) -> Statement {
    Statement {
        key: key.clone(),
        action: Action::Update {
            changes: vec![(COUNT.to_owned(), Change::Set(Value::Number(after)))],
            on: Condition {
                attribute: COUNT.to_owned(),
                is: Is::Equal(Value::Number(before)),
            },
        },
    }
}

fn insertion(subject: &Subject, archive: u64, terms: &Terms) -> Statement {
    let mut item = Item::from([(COUNT.to_owned(), Value::Number(archive))]);
    let lifetime = terms.lifetime_seconds;
    let ttl = lifetime.map(|lifetime| subject.window.end_seconds() + lifetime);
    item.extend(ttl.map(|ttl| (TTL.to_owned(), Value::Number(ttl))));
    Statement {
        key: subject.counter(0),
        action: Action::Insert(item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        execute: true,
        now_seconds: 0,
        settled_seconds: 0,
        since_seconds: 0,
        until_seconds: u64::MAX,
        lifetime_seconds: None,
    };

    fn subject() -> Subject {
        Subject {
            experiment: "x".to_owned(),
            variant: "B".to_owned(),
            event_type: "view".to_owned(),
            window: "2024-12-19-23".parse().unwrap(),
        }
    }

    #[test]
    fn a_correction_makes_the_slots_what_the_archive_says_and_leaves_their_marks() {
        #[track_caller]
        fn check(slots: &[u64], archive: u64, expected: &[u64]) {
            let key = |slot| subject().counter(slot);
            let before: Slots = (0..).map(key).zip(slots.iter().copied()).collect();
            let item = |(key, events): &(Key, u64)| {
                let mark = ("h00000".to_owned(), Value::Bytes(vec![1]));
                let count = (COUNT.to_owned(), Value::Number(*events));
                (key.clone(), Item::from([count, mark]))
            };
            let mut after: BTreeMap<Key, Item> = before.iter().map(item).collect();
            for statement in correction(&subject(), &before, archive, &TERMS) {
                let item = after.remove(&statement.key);
                let (outcome, written) = statement.action.apply(item);
                assert_eq!(outcome, Outcome::Done);
                after.insert(statement.key, written.unwrap());
            }
            let events = after.values().map(|item| item[COUNT].number().unwrap());
            assert_eq!(events.collect::<Vec<_>>(), expected);
            assert!(
                after
                    .values()
                    .all(|item| item.len() == 2 || slots.is_empty())
            );
        }
        check(&[], 5, &[5]);
        check(&[3], 5, &[5]);
        check(&[7], 5, &[5]);
        check(&[7], 0, &[0]);
        check(&[3, 4], 9, &[5, 4]);
        check(&[3, 4], 5, &[1, 4]);
        check(&[3, 4], 2, &[0, 2]);
        check(&[3, 4], 7, &[3, 4]);
    }

    #[test]
    fn what_was_changed_meanwhile_is_not_set() {
        let slots = vec![(subject().counter(0), 7)];
        let changed = Item::from([(COUNT.to_owned(), Value::Number(8))]);
        let replacing = &correction(&subject(), &slots, 5, &TERMS)[0];
        let (outcome, written) = replacing.action.apply(Some(changed.clone()));
        assert_eq!((outcome, written), (Outcome::Refused(Some(changed)), None));
        let inserting = &correction(&subject(), &Vec::new(), 5, &TERMS)[0];
        let (outcome, written) = inserting.action.apply(Some(Item::new()));
        assert_eq!((outcome, written), (Outcome::Exists, None));
    }

    #[test]
    fn windows_outside_of_what_is_asked_for_are_not_looked_at() {
        #[track_caller]
        fn check(terms: Terms, expected: bool) {
            let window = "1970-01-02-00".parse().unwrap();
            assert_eq!(terms.ask_for(window), expected, "{terms:?}");
        }
        const BEGIN: u64 = 86_400;
        const END: u64 = BEGIN + 3600;
        check(TERMS, true);
        for (since_seconds, expected) in [(BEGIN, true), (BEGIN + 1, false)] {
            let terms = Terms {
                since_seconds,
                ..TERMS
            };
            check(terms, expected);
        }
        for (until_seconds, expected) in [(END, true), (END - 1, false)] {
            let terms = Terms {
                until_seconds,
                ..TERMS
            };
            check(terms, expected);
        }
        for (now_seconds, expected) in [(END + 9, true), (END + 10, false)] {
            let lifetime_seconds = Some(10);
            let terms = Terms {
                now_seconds,
                lifetime_seconds,
                ..TERMS
            };
            check(terms, expected);
        }
    }
}
