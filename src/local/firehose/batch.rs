//! Records cut into batches by size, as Firehose cuts them, and the request a batch becomes.
//! What is too long for Firehose comes in pieces instead, so that it need not be held.

use std::{
    ops::Range,
    time::{Duration, Instant, SystemTime},
};

use base64_simd::STANDARD;
use serde::{Deserialize, Serialize};

use super::{answer::Asked, names::STREAM_ARN};
use crate::local::{
    clock::epoch_milliseconds,
    input::{Fingerprint, Fingerprinter, InputError, Lines, Part, Position},
    names::REGION,
    random::Random,
};

/// A batch that has waited so long for more goes as it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// A longer record no stream takes.
pub const RECORD_BYTES_MAX: usize = 1_000 * 1024;

/// How much goes where.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A longer record cannot be sent to Firehose.
    pub record_bytes_max: usize,
    /// Firehose's buffer hint, counted in record bytes.
    pub batch_bytes_max: usize,
    /// What Lambda takes.
    pub request_bytes_max: usize,
    /// A piece of a record that is too long; a multiple of 3, so that pieces join as base64.
    pub piece_bytes: usize,
}

impl Limits {
    /// Firehose's and Lambda's, with a buffer of this size.
    #[must_use]
    pub const fn with_batch(batch_bytes_max: usize) -> Self {
        Self {
            record_bytes_max: RECORD_BYTES_MAX,
            batch_bytes_max,
            request_bytes_max: 6 * 1024 * 1024,
            piece_bytes: 768 * 1024,
        }
    }
}

/// What the input becomes.
#[derive(Debug)]
pub enum Intake {
    Batch(Batch),
    Piece(Piece),
}

/// Records that go to the function together, and the request that carries them.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Record>,
    ids: Ids,
    request: String,
    /// Counted in its records, as Firehose's buffer does.
    pub record_bytes: usize,
    pub arrival_milliseconds: i64,
    /// What stands between a record's id and its data.
    arrival: String,
    pub after: Mark,
}

/// Part of a record that is too long.
#[derive(Debug)]
pub struct Piece {
    pub bytes: Vec<u8>,
    pub is_first: bool,
    pub place: Place,
    pub arrival_milliseconds: i64,
    /// On its last piece.
    pub after: Option<Mark>,
}

/// A point that a run can go on from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub position: Position,
    pub fingerprint: Fingerprint,
    /// No record of an earlier batch arrived later.
    pub arrival_milliseconds: i64,
}

/// Where a record stands in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub source: usize,
    pub line: u64,
}

#[derive(Debug)]
struct Record {
    bytes: Range<usize>,
    place: Place,
}

/// The `recordId`s of a batch: the run's random number, and the record's.
#[derive(Debug, Clone)]
struct Ids {
    run: String,
    first: u64,
}

/// Cuts lines into batches.
pub struct Cutter {
    lines: Lines,
    limits: Limits,
    clock: fn() -> SystemTime,
    random: Random,
    fingerprinter: Fingerprinter,
    ids: Ids,
    arrival_milliseconds: i64,
    /// A line that did not fit into the batch before.
    carried: Option<Vec<u8>>,
    long: Option<Long>,
    failed: Option<InputError>,
}

/// A line that is too long, as far as it has been read.
struct Long {
    held: Vec<u8>,
    ended: bool,
    begun: bool,
    place: Place,
}

impl Cutter {
    /// Goes on with `lines` after what `fingerprinter` has seen; nothing arrives before
    /// `arrived_milliseconds`.
    #[must_use]
    pub fn new(
        lines: Lines,
        fingerprinter: Fingerprinter,
        arrived_milliseconds: i64,
        limits: Limits,
        clock: fn() -> SystemTime,
    ) -> Self {
        let mut random = Random::default();
        let run = format!("{:016x}", random.number());
        Self {
            lines,
            limits,
            clock,
            random,
            fingerprinter,
            ids: Ids { run, first: 0 },
            arrival_milliseconds: arrived_milliseconds,
            carried: None,
            long: None,
            failed: None,
        }
    }

    /// What comes next; `None` at the end. When a source fails, what came before it comes first.
    pub fn take_in(&mut self) -> Result<Option<Intake>, InputError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if let Some(long) = self.long.take() {
            return self
                .next_piece(long)
                .map(|piece| Some(Intake::Piece(piece)));
        }
        let mut batch = self.begin();
        if let Err(error) = self.fill(&mut batch) {
            self.failed = Some(error);
        }
        if !batch.bytes.is_empty() {
            return Ok(Some(Intake::Batch(self.close(batch))));
        }
        if self.long.is_some() || self.failed.is_some() {
            self.take_in()
        } else {
            Ok(None)
        }
    }

    fn begin(&mut self) -> Batch {
        // Two batches never share a millisecond: the same bytes at the same time would be taken
        // for the same record, sent again.
        self.arrival_milliseconds =
            epoch_milliseconds((self.clock)()).max(self.arrival_milliseconds + 1);
        let mut batch = Batch::begin(
            self.ids.clone(),
            self.arrival_milliseconds,
            &mut self.random,
        );
        batch.request.reserve(self.limits.batch_bytes_max * 2);
        batch
            .bytes
            .reserve(self.limits.batch_bytes_max + self.limits.record_bytes_max);
        batch.after.position = self.lines.position;
        batch
    }

    fn fill(&mut self, batch: &mut Batch) -> Result<(), InputError> {
        let mut begun = None;
        loop {
            if begun.is_some_and(|begun| self.is_late(begun)) {
                return Ok(());
            }
            let start = batch.bytes.len();
            let part = match self.carried.take() {
                Some(line) => {
                    batch.bytes.extend_from_slice(&line);
                    Part::Last
                }
                None => match self.lines.read(&mut batch.bytes)? {
                    Some(part) => part,
                    None => return Ok(()),
                },
            };
            let line = trim_line_end(batch.bytes.split_at(start).1);
            let record = start..start + line.len();
            if part == Part::Open || line.len() > self.limits.record_bytes_max {
                self.long = Some(Long {
                    held: batch.bytes.split_off(start),
                    ended: part == Part::Last,
                    begun: false,
                    place: self.place(part),
                });
                return Ok(());
            }
            if !line.iter().all(|byte| is_white_space(*byte)) {
                if !self.fits(batch, record.len()) {
                    self.carried = Some(batch.bytes.split_off(start));
                    return Ok(());
                }
                batch.push(record, self.place(part));
                begun.get_or_insert_with(Instant::now);
                self.ids.first += 1;
            }
            batch.after.position = self.lines.position;
            if batch.bytes.len() > 2 * self.limits.batch_bytes_max {
                return Ok(());
            }
        }
    }

    /// Whether the next line is not there, and a batch begun then has waited enough for it.
    fn is_late(&mut self, begun: Instant) -> bool {
        let mut waits = |most| !self.lines.wait(most);
        waits(Duration::ZERO) && waits(PATIENCE.saturating_sub(begun.elapsed()))
    }

    /// Firehose closes a batch before the record that would make it too large.
    fn fits(&self, batch: &Batch, record_bytes: usize) -> bool {
        let request_bytes = batch.request.len() + ENTRY_BYTES_MAX + record_bytes.div_ceil(3) * 4;
        batch.records.is_empty()
            || (batch.record_bytes + record_bytes <= self.limits.batch_bytes_max
                && request_bytes <= self.limits.request_bytes_max)
    }

    fn close(&mut self, mut batch: Batch) -> Batch {
        batch.request.push_str(REQUEST_END);
        self.fingerprinter.update(&batch.bytes);
        batch.after = self.mark(batch.after.position);
        batch
    }

    fn next_piece(&mut self, mut long: Long) -> Result<Piece, InputError> {
        // A line end is never torn apart.
        let held_bytes_max = self.limits.piece_bytes + b"\r\n".len();
        while !long.ended && long.held.len() <= held_bytes_max {
            let part = self.lines.read(&mut long.held)?;
            long.ended = part != Some(Part::Open);
        }
        let is_first = !long.begun;
        let place = long.place;
        long.begun = true;
        let rest = if long.held.len() > held_bytes_max {
            long.held.split_off(self.limits.piece_bytes)
        } else {
            Vec::new()
        };
        self.fingerprinter.update(&long.held);
        let mut bytes = std::mem::replace(&mut long.held, rest);
        let is_last = long.ended && long.held.is_empty();
        if is_last {
            bytes.truncate(trim_line_end(&bytes).len());
        } else {
            self.long = Some(long);
        }
        Ok(Piece {
            bytes,
            is_first,
            place,
            arrival_milliseconds: self.arrival_milliseconds,
            after: is_last.then(|| self.mark(self.lines.position)),
        })
    }

    fn mark(&self, position: Position) -> Mark {
        Mark {
            position,
            fingerprint: self.fingerprinter.digest(),
            arrival_milliseconds: self.arrival_milliseconds,
        }
    }

    /// Of the line whose part was just read.
    fn place(&self, part: Part) -> Place {
        let position = self.lines.position;
        let line = match part {
            Part::Last => position.line,
            Part::Open => position.line + 1,
        };
        Place {
            source: position.source,
            line,
        }
    }
}

/// An entry of the request without its data: braces, names, an id and a time.
const ENTRY_BYTES_MAX: usize = 128;

impl Batch {
    /// Records that came another way than as lines. Their number and size are for the caller to bound.
    #[must_use]
    pub fn of<'r>(
        records: impl IntoIterator<Item = &'r [u8]>,
        arrival_milliseconds: i64,
        random: &mut Random,
    ) -> Self {
        let ids = Ids {
            run: format!("{:016x}", random.number()),
            first: 0,
        };
        let mut batch = Self::begin(ids, arrival_milliseconds, random);
        for (line, record) in (1..).zip(records) {
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(record);
            batch.push(start..batch.bytes.len(), Place { source: 0, line });
        }
        batch.request.push_str(REQUEST_END);
        batch
    }

    fn begin(ids: Ids, arrival_milliseconds: i64, random: &mut Random) -> Self {
        let mut request = String::new();
        open_request(&mut request, &random.uuid());
        Self {
            bytes: Vec::new(),
            records: Vec::new(),
            ids,
            request,
            record_bytes: 0,
            arrival_milliseconds,
            arrival: format!(r#"","approximateArrivalTimestamp":{arrival_milliseconds},"data":""#),
            after: Mark {
                arrival_milliseconds,
                ..Mark::default()
            },
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The bytes of each record and where it stands.
    pub fn records(&self) -> impl Iterator<Item = (&[u8], Place)> {
        self.records.iter().map(|record| {
            let bytes = self.bytes.get(record.bytes.clone()).unwrap_or_default();
            (bytes, record.place)
        })
    }

    #[must_use]
    pub fn request(&self) -> &[u8] {
        self.request.as_bytes()
    }

    /// Each attempt is an invocation of its own.
    pub fn renew_invocation(&mut self, random: &mut Random) {
        let start = REQUEST_START.len();
        let uuid = random.uuid();
        self.request.replace_range(start..start + uuid.len(), &uuid);
    }

    fn push(&mut self, bytes: Range<usize>, place: Place) {
        if !self.records.is_empty() {
            self.request.push(',');
        }
        let number = self.ids.first + self.records.len() as u64;
        self.request.push_str(r#"{"recordId":""#);
        self.request.push_str(&self.ids.run);
        self.request.push('-');
        self.request.push_str(itoa::Buffer::new().format(number));
        self.request.push_str(&self.arrival);
        let data = self.bytes.get(bytes.clone()).unwrap_or_default();
        STANDARD.encode_append(data, &mut self.request);
        self.request.push_str("\"}");
        self.record_bytes += bytes.len();
        self.records.push(Record { bytes, place });
    }
}

impl Asked for Batch {
    fn count(&self) -> usize {
        self.records.len()
    }

    fn position_of(&self, record_id: &str) -> Option<usize> {
        let digits = record_id.strip_prefix(&self.ids.run)?.strip_prefix('-')?;
        let number: u64 = digits.parse().ok()?;
        let position = usize::try_from(number.checked_sub(self.ids.first)?).ok()?;
        let canonical = digits.starts_with(|c: char| c.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        (canonical && position < self.records.len()).then_some(position)
    }
}

const REQUEST_START: &str = r#"{"invocationId":""#;
const REQUEST_END: &str = "]}";

fn open_request(request: &mut String, invocation_id: &str) {
    for part in [
        REQUEST_START,
        invocation_id,
        r#"","deliveryStreamArn":""#,
        STREAM_ARN,
        r#"","region":""#,
        REGION,
        r#"","records":["#,
    ] {
        request.push_str(part);
    }
}

/// JSON's: what else looks blank is a record, and refused.
fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let trimmed = line.strip_suffix(b"\n");
    trimmed.map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use std::{io::Write, path::Path, sync::Arc, time::Duration};

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::local::input::{Input, Skipped};

    const LIMITS: Limits = Limits {
        record_bytes_max: 20,
        batch_bytes_max: 50,
        request_bytes_max: 600,
        piece_bytes: 9,
    };

    fn clock() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_495_072_949_453)
    }

    fn lines(file: &Path) -> Lines {
        let input = Input::find(&[file.to_owned()], Path::new("no lake")).expect("an input");
        Lines::new(input, LIMITS.record_bytes_max + 2, Arc::default())
    }

    fn cutter(file: &Path) -> Cutter {
        Cutter::new(lines(file), Fingerprinter::default(), 0, LIMITS, clock)
    }

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    /// The one batch that this input is.
    fn batch(bytes: &[u8]) -> Batch {
        let file = file(bytes);
        match cutter(file.path()).take_in().expect("readable") {
            Some(Intake::Batch(batch)) => batch,
            other => panic!("not a batch: {other:?}"),
        }
    }

    fn take_in_all(cutter: &mut Cutter) -> Vec<Intake> {
        std::iter::from_fn(|| cutter.take_in().expect("readable")).collect()
    }

    /// Records and their lines, in order, those of pieces joined.
    fn records(intakes: &[Intake]) -> Vec<(u64, Vec<u8>)> {
        let mut records: Vec<(u64, Vec<u8>)> = Vec::new();
        for intake in intakes {
            match intake {
                Intake::Batch(batch) => records.extend(
                    batch
                        .records()
                        .map(|(bytes, place)| (place.line, bytes.to_vec())),
                ),
                Intake::Piece(piece) if piece.is_first => {
                    records.push((piece.place.line, piece.bytes.clone()));
                }
                Intake::Piece(piece) => {
                    records
                        .last_mut()
                        .expect("begun")
                        .1
                        .extend_from_slice(&piece.bytes);
                }
            }
        }
        records
    }

    #[track_caller]
    fn check(input: &str, expected: &[(u64, &str)]) {
        let file = file(input.as_bytes());
        let records = records(&take_in_all(&mut cutter(file.path())));
        let records: Vec<(u64, &str)> = records
            .iter()
            .map(|(line, bytes)| (*line, std::str::from_utf8(bytes).expect("text")))
            .collect();
        assert_eq!(records, expected, "{input:?}");
    }

    #[test]
    fn a_line_is_a_record() {
        check("", &[]);
        check("\n\n", &[]);
        check("a\nb\n", &[(1, "a"), (2, "b")]);
        check("a\r\nb\r\n", &[(1, "a"), (2, "b")]);
        check("a\nb", &[(1, "a"), (2, "b")]);
        check("a\rb\n", &[(1, "a\rb")]);
        check("\n \t\r\n a \n\n", &[(3, " a ")]);
    }

    #[test]
    fn a_record_that_is_too_long_comes_in_pieces() {
        let exact = "x".repeat(20);
        check(&format!("{exact}\r\n"), &[(1, &exact)]);
        for length in [21, 22, 23, 26, 27, 28, 29, 30, 54, 100] {
            let long = "x".repeat(length);
            check(
                &format!("a\n{long}\nb\n"),
                &[(1, "a"), (2, &long), (3, "b")],
            );
            check(&format!("{long}\r\n\n{long}"), &[(1, &long), (3, &long)]);
        }
    }

    #[test]
    fn a_request_is_what_firehose_sends() {
        let batch = batch(b"{\"a\":1}\nbb\n");
        let request: Value = serde_json::from_slice(batch.request()).expect("JSON");
        let id = |position: usize| {
            request["records"][position]["recordId"]
                .as_str()
                .expect("an id")
        };
        assert_eq!(
            std::str::from_utf8(batch.request()).expect("text"),
            format!(
                "{{\"invocationId\":{},\"deliveryStreamArn\":\"{STREAM_ARN}\",\
                 \"region\":\"us-east-1\",\"records\":[\
                 {{\"recordId\":\"{}\",\"approximateArrivalTimestamp\":1495072949453,\"data\":\"eyJhIjoxfQ==\"}},\
                 {{\"recordId\":\"{}\",\"approximateArrivalTimestamp\":1495072949453,\"data\":\"YmI=\"}}]}}",
                request["invocationId"],
                id(0),
                id(1),
            )
        );
        assert_eq!(batch.position_of(id(0)), Some(0));
        assert_eq!(batch.position_of(id(1)), Some(1));
        for other in [
            "",
            "x",
            &format!("{}0", id(0)),
            &id(0).replace('-', "-0"),
            &id(0).replace('-', "-+"),
        ] {
            assert_eq!(batch.position_of(other), None, "{other}");
        }
    }

    #[test]
    fn each_attempt_is_an_invocation_of_its_own() {
        let mut batch = batch(b"a\n");
        let before: Value = serde_json::from_slice(batch.request()).expect("JSON");
        batch.renew_invocation(&mut Random::default());
        let after: Value = serde_json::from_slice(batch.request()).expect("JSON");
        assert_ne!(before["invocationId"], after["invocationId"]);
        assert_eq!(before["records"], after["records"]);
    }

    #[test]
    fn two_batches_never_share_a_millisecond() {
        let file = file(&[b'x'; 20]);
        let file = [file.path(), file.path()].map(Path::to_owned);
        let input = Input::find(&file, Path::new("no lake")).expect("an input");
        let lines = Lines::new(input, 22, Arc::default());
        let limits = Limits {
            batch_bytes_max: 20,
            ..LIMITS
        };
        let mut cutter = Cutter::new(lines, Fingerprinter::default(), 0, limits, clock);
        let arrivals: Vec<i64> = take_in_all(&mut cutter)
            .iter()
            .map(|intake| match intake {
                Intake::Batch(batch) => batch.arrival_milliseconds,
                Intake::Piece(piece) => piece.arrival_milliseconds,
            })
            .collect();
        assert_eq!(arrivals, [1_495_072_949_453, 1_495_072_949_454]);
    }

    proptest! {
        #[test]
        fn cutting_loses_nothing_and_fills_each_batch(
            input in prop::collection::vec(prop_oneof![
                4 => "[a-z]{1,20}", 1 => "[a-z]{21,60}", 1 => "[ \t]{0,3}",
            ], 0..40),
            line_end in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let text: String = input.iter().flat_map(|line| [line, line_end]).collect();
            let file = file(text.as_bytes());
            let intakes = take_in_all(&mut cutter(file.path()));
            let expected: Vec<(u64, Vec<u8>)> = (1..)
                .zip(&input)
                .filter(|(_, line)| !line.trim().is_empty())
                .map(|(number, line)| (number, line.clone().into_bytes()))
                .collect();
            prop_assert_eq!(records(&intakes), expected);
            for pair in intakes.windows(2) {
                if let [Intake::Batch(batch), next] = pair {
                    prop_assert!(batch.len() <= 1 || batch.record_bytes <= LIMITS.batch_bytes_max);
                    prop_assert!(batch.request().len() <= LIMITS.request_bytes_max);
                    if let Intake::Batch(next) = next && !batch.is_empty() {
                        let (first, _) = next.records().next().expect("not empty");
                        prop_assert!(
                            batch.record_bytes + first.len() > LIMITS.batch_bytes_max
                                || batch.request().len() + ENTRY_BYTES_MAX + first.len() * 4 / 3 + 4
                                    > LIMITS.request_bytes_max
                                || batch.bytes.len() > 2 * LIMITS.batch_bytes_max
                        );
                    }
                }
            }
        }

        #[test]
        fn a_run_goes_on_after_any_mark(
            input in prop::collection::vec("[a-z]{0,30}", 1..30),
            chosen in any::<prop::sample::Index>(),
        ) {
            let file = file(input.join("\n").as_bytes());
            let all = take_in_all(&mut cutter(file.path()));
            let marks: Vec<(usize, Mark)> = all
                .iter()
                .enumerate()
                .filter_map(|(position, intake)| match intake {
                    Intake::Batch(batch) => Some((position, batch.after)),
                    Intake::Piece(piece) => piece.after.map(|mark| (position, mark)),
                })
                .collect();
            prop_assume!(!marks.is_empty());
            let (position, mark) = marks[chosen.index(marks.len())];

            let mut lines = lines(file.path());
            let mut fingerprinter = Fingerprinter::default();
            let skipped = lines.skip(&mark.position, mark.fingerprint, &mut fingerprinter);
            prop_assert_eq!(skipped.expect("readable"), Skipped::Same);
            let arrived = mark.arrival_milliseconds;
            let mut cutter = Cutter::new(lines, fingerprinter, arrived, LIMITS, clock);
            let rest = take_in_all(&mut cutter);
            prop_assert_eq!(records(&rest), records(&all[position + 1..]));
            if let (Some(Intake::Batch(last)), Some(Intake::Batch(again))) = (all.last(), rest.last()) {
                prop_assert_eq!(last.after.fingerprint, again.after.fingerprint);
                prop_assert_eq!(last.after.position, again.after.position);
            }
        }
    }
}
