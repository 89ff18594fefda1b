//! A request's events, each judged by itself, and how many of its records go together.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    archive::plan::Limits,
    event::{Event, Refusal},
    window::{Span, Window},
};
use crate::kinesis::{
    Sequence,
    contents::{Arrived, Contents},
};

/// What is added to an event, at most; more only makes a segment shorter.
const ADDED_BYTES: usize = 512;

/// An event as its stream has it, and what it is.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) arrived: Arrived<'a>,
    pub(super) event: Result<Event<'a>, Refusal>,
}

impl<'a> Judged<'a> {
    fn new(arrived: Arrived<'a>) -> Self {
        Self::by(arrived, Event::parse)
    }

    /// A fault that one event brings out is its own.
    fn by(
        arrived: Arrived<'a>,
        parse: impl FnOnce(&'a [u8], Option<crate::kinesis::Arrival>) -> Result<Event<'a>, Refusal>,
    ) -> Self {
        let parse = || parse(arrived.bytes, arrived.arrival);
        let event = match arrived.unread {
            Some(why) => Err(Refusal::Unread(why)),
            None => catch_unwind(AssertUnwindSafe(parse)).unwrap_or(Err(Refusal::Panicked)),
        };
        Self { arrived, event }
    }

    fn sequence(&self) -> Sequence {
        self.arrived.id.sequence
    }
}

/// The records that are not done, and their events.
#[derive(Debug)]
pub(super) struct Left<'a> {
    sequences: Vec<Sequence>,
    events: Vec<Judged<'a>>,
}

/// Records that are done together: at least one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'b, 'a> {
    pub(super) first: Sequence,
    pub(super) last: Sequence,
    pub(super) events: &'b [Judged<'a>],
}

impl<'a> Left<'a> {
    /// What comes behind `done`, in the order of the stream.
    pub(super) fn read(contents: &'a Contents<'_>, is_done: impl Fn(Sequence) -> bool) -> Self {
        let records = contents.envelope.records.iter();
        let sequences = records.map(|record| record.sequence);
        let mut sequences: Vec<_> = sequences.filter(|sequence| !is_done(*sequence)).collect();
        sequences.sort_unstable();
        sequences.dedup();
        let events = contents
            .events()
            .filter(|event| !is_done(event.id.sequence));
        let mut events: Vec<_> = events.map(Judged::new).collect();
        events.sort_by_key(Judged::sequence);
        Self { sequences, events }
    }

    pub(super) fn records(&self) -> usize {
        self.sequences.len()
    }

    pub(super) fn events(&self) -> &[Judged<'a>] {
        &self.events
    }

    /// The next segment behind so many records; none where all are done. It gets shorter with every
    /// attempt, and has as many objects as may be, as far as one record does not have more.
    pub(super) fn segment(
        &self,
        records_done: usize,
        bounds: impl FnOnce(Sequence) -> Bounds,
    ) -> Option<Segment<'_, 'a>> {
        let left = self.sequences.get(records_done..)?;
        let (first, rest) = left.split_first()?;
        let bounds = bounds(*first);
        let attempts = u32::try_from(bounds.attempts).unwrap_or(u32::MAX);
        let most = left.len().checked_shr(attempts).unwrap_or_default().max(1);
        let start = self
            .events
            .partition_point(|event| event.sequence() < *first);
        let mut objects = Objects::new(bounds.limits);
        let (mut last, mut end) = (*first, start);
        for sequence in std::iter::once(first).chain(rest).take(most) {
            let behind = self
                .events
                .partition_point(|event| event.sequence() <= *sequence);
            let more = self.events.get(end..behind).unwrap_or_default();
            for event in more {
                objects.add(event);
            }
            if objects.count() > bounds.objects_max && sequence != first {
                break;
            }
            (last, end) = (*sequence, behind);
        }
        Some(Segment {
            first: *first,
            last,
            events: self.events.get(start..end).unwrap_or_default(),
        })
    }

    /// How many records are done once this is.
    pub(super) fn records_up_to(&self, last: Sequence) -> usize {
        self.sequences.partition_point(|sequence| *sequence <= last)
    }
}

/// What bounds a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) attempts: u64,
    pub(super) objects_max: usize,
    pub(super) limits: Limits,
}

/// How many objects events may become.
struct Objects {
    limits: Limits,
    hours: BTreeMap<Window, (usize, usize)>,
}

impl Objects {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            hours: BTreeMap::new(),
        }
    }

    fn add(&mut self, judged: &Judged<'_>) {
        if let Ok(event) = &judged.event {
            let hour = Window::of(Span::Hour, &event.calendar);
            let (events, bytes) = self.hours.entry(hour).or_default();
            *events += 1;
            *bytes += judged.arrived.bytes.len() + ADDED_BYTES;
        }
    }

    fn count(&self) -> usize {
        let parts = |(events, bytes): &(usize, usize)| {
            let by_events = events.div_ceil(self.limits.events);
            by_events.max(bytes.div_ceil(self.limits.bytes))
        };
        self.hours.values().map(parts).sum()
    }
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;

    use super::*;

    /// Records with these sequence numbers, each an event of the hour that is named beside it; of
    /// hour 99 there is none, the record is refused.
    fn body(records: &[(u32, u32)]) -> String {
        let record = |(number, hour): &(u32, u32)| {
            let event = format!(
                r#"{{"event_id":"{number}","event_type":"t","user_id":"u","timestamp":{}}}"#,
                hour * 3600
            );
            let event = if *hour == 99 { "{}".to_owned() } else { event };
            let data = STANDARD.encode_to_string(event);
            format!(
                r#"{{"eventID":"shardId-000000000000:{number}","kinesis":{{"sequenceNumber":"{number}","data":"{data}"}}}}"#
            )
        };
        let records: Vec<_> = records.iter().map(record).collect();
        format!(r#"{{"Records":[{}]}}"#, records.join(","))
    }

    const LIMITS: Limits = Limits {
        bytes: 100_000,
        events: 2,
    };

    /// Segments as their first and last records and events, with these bounds all the way.
    fn segments(records: &[(u32, u32)], attempts: u64, objects_max: usize) -> Vec<String> {
        let body = body(records);
        let contents = Contents::read(body.as_bytes()).unwrap();
        let left = Left::read(&contents, |sequence| sequence.to_string() == "1");
        let mut segments = Vec::new();
        let mut records_done = 0;
        let bounds = |_| Bounds {
            attempts,
            objects_max,
            limits: LIMITS,
        };
        while let Some(segment) = left.segment(records_done, bounds) {
            let Segment {
                first,
                last,
                events,
            } = segment;
            segments.push(format!("{first}-{last}: {}", events.len()));
            records_done = left.records_up_to(last);
        }
        segments
    }

    #[test]
    fn a_segment_gets_shorter_with_each_attempt() {
        let records: Vec<_> = (1..=9).map(|number| (number, 0)).collect();
        assert_eq!(segments(&records, 0, 99), ["2-9: 8"]);
        assert_eq!(
            segments(&records, 1, 99),
            ["2-5: 4", "6-7: 2", "8-8: 1", "9-9: 1"]
        );
        assert_eq!(segments(&records, 2, 99)[..2], ["2-3: 2", "4-4: 1"]);
        for attempts in [3, 64, u64::MAX] {
            assert_eq!(segments(&records, attempts, 99).len(), 8);
        }
        assert_eq!(segments(&records[..1], 0, 99), [""; 0]);
    }

    #[test]
    fn a_segment_has_so_many_objects_and_one_record_at_least() {
        let records = [(2, 0), (3, 0), (4, 0), (5, 1), (6, 99), (7, 99), (8, 2)];
        assert_eq!(segments(&records, 0, 4), ["2-8: 7"]);
        assert_eq!(segments(&records, 0, 3), ["2-7: 6", "8-8: 1"]);
        assert_eq!(segments(&records, 0, 2), ["2-4: 3", "5-8: 4"]);
        assert_eq!(
            segments(&records, 0, 1),
            ["2-3: 2", "4-4: 1", "5-7: 3", "8-8: 1"]
        );
        assert_eq!(
            segments(&records, 0, 0)[3..],
            ["5-5: 1", "6-7: 2", "8-8: 1"]
        );
    }

    #[test]
    fn records_are_done_in_the_order_of_the_stream() {
        let records = [(4, 0), (2, 0), (3, 99), (4, 0)];
        assert_eq!(segments(&records, 0, 99), ["2-4: 4"]);
    }

    #[test]
    fn a_fault_that_one_event_brings_out_harms_no_other() {
        let body = body(&[(2, 0), (3, 0)]);
        let contents = Contents::read(body.as_bytes()).unwrap();
        let judged: Vec<_> = contents
            .events()
            .map(|arrived| {
                Judged::by(arrived, |bytes, arrival| {
                    let event = Event::parse(bytes, arrival)?;
                    assert_ne!(event.id, "2", "a fault");
                    Ok(event)
                })
            })
            .collect();
        let refusals = judged.iter().map(|judged| judged.event.as_ref().err());
        let refusals: Vec<_> = refusals.collect();
        assert_eq!(refusals, [Some(&Refusal::Panicked), None]);
    }
}
