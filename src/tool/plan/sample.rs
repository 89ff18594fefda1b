//! A load's shape, from a sample of real events or from an event made up to size.

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use super::{
    float::{float, float_count},
    measure::{EventShape, ShapeGauge},
    partitions::PartitionGroups,
};
use crate::{
    functions::firehose_transform::{Settings, partition::Key, transform::Rules},
    local::{
        firehose::{batch::RECORD_BYTES_MAX, name_forms::NameForms},
        input::{Input, Lines},
    },
};

/// What a sample says of the load it is taken from.
#[derive(Debug, Serialize)]
pub(super) struct LoadSample {
    pub(super) records: u64,
    pub(super) refused: u64,
    pub(super) duplicates: u64,
    /// Lines that Firehose would not take; they are not measured.
    pub(super) too_long: u64,
    pub(super) duplicate_share: f64,
    pub(super) refused_share: f64,
    /// How many times smaller gzip makes the delivered lines.
    pub(super) compression: f64,
    pub(super) partitions_with_time: usize,
    #[serde(skip)]
    pub(super) partitions: PartitionGroups,
    /// The keys that make no partition more.
    #[serde(skip)]
    pub(super) idle_keys: Vec<Key>,
    #[serde(skip)]
    pub(super) name_forms: NameForms,
    #[serde(skip)]
    pub(super) shape: EventShape,
}

impl LoadSample {
    /// Reads a file or folder of JSON Lines, gzip or not, or standard input.
    pub(super) fn read(path: &Path, settings: &Settings) -> Result<Self> {
        Self::measure(path, settings).with_context(|| format!("--sample `{}`", path.display()))
    }

    fn measure(path: &Path, settings: &Settings) -> Result<Self> {
        let input = Input::find(&[path.to_owned()], Path::new(""))?;
        let mut records = SampleRecords::new(input);
        let mut measure = ShapeGauge::new(settings);
        let mut packed = GzEncoder::new(ByteCounter::default(), Compression::default());
        let mut lines_bytes = 0;
        while let Some(record) = records.next()? {
            if let Some(line) = measure.add(record) {
                packed.write_all(line)?;
                lines_bytes += line.len();
            }
        }
        let shape = measure.shape()?;
        let of_records = |count| float_count(count) / float_count(measure.records);
        Ok(Self {
            records: measure.records,
            refused: measure.refused(),
            duplicates: measure.duplicates,
            too_long: records.too_long,
            duplicate_share: of_records(measure.duplicates),
            refused_share: of_records(measure.refused()),
            compression: float(lines_bytes) / float(packed.finish()?.bytes.max(1)),
            partitions_with_time: measure.partitions_with_time(),
            partitions: measure.partitions(),
            idle_keys: measure.idle_keys(),
            name_forms: measure.name_forms(),
            shape,
        })
    }
}

/// What is known of events that nobody has measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    pub(super) bytes: usize,
    pub(super) name: &'a str,
    /// Where it is not known, as few as an event can have.
    pub(super) smallest_bytes: Option<usize>,
}

/// No event makes more of its bytes: no byte of it can be spared, and one takes three in a key.
const DENSEST: &str = r#"{"event_uuid":"u","event_name":"{","created_at":0}"#;

impl Described<'_> {
    /// The shape of events that are all of this length and name, with room for smaller ones.
    pub(super) fn shape(self, settings: &Settings) -> Result<EventShape> {
        let bytes = self.bytes;
        ensure!(
            bytes <= RECORD_BYTES_MAX,
            "--bytes is {bytes}; a record has at most {RECORD_BYTES_MAX} (1,000 KiB)"
        );
        let event = made_up(bytes, self.name).context("--bytes")?;
        let settings = with_keys_only(settings);
        let mut measure = ShapeGauge::new(&settings);
        measure.add(event.as_bytes());
        measure.allow_for(self.smallest()?.as_bytes());
        measure
            .shape()
            .with_context(|| format!("--event-name is {:?}", self.name))
    }

    fn smallest(self) -> Result<String> {
        let Some(bytes) = self.smallest_bytes else {
            return Ok(DENSEST.to_owned());
        };
        ensure!(
            bytes <= self.bytes,
            "--smallest-bytes is {bytes}, but --bytes is {}",
            self.bytes
        );
        made_up(bytes, self.name).context("--smallest-bytes")
    }
}

/// What is made up is not to be refused for its year or type.
fn with_keys_only(settings: &Settings) -> Settings {
    Settings {
        rules: Rules {
            partition_keys: settings.rules.partition_keys.clone(),
            ..Rules::default()
        },
        ..settings.clone()
    }
}

/// An event of so many bytes: the uuid is as long as one is, where there is room, and what is left
/// goes into a field that is passed through.
pub(super) fn made_up(bytes: usize, name: &str) -> Result<String> {
    const UUID: &str = "2c963f66-5717-4562-b3fc-3f66afa6a51d";
    const TIME: &str = "1712511721.022075";
    let name = serde_json::to_string(name)?;
    let event = |uuid: &str, time: &str, more: &str| {
        format!(r#"{{"event_uuid":"{uuid}","event_name":{name},"created_at":{time}{more}}}"#)
    };
    let padded = |length| event(UUID, TIME, &format!(r#","page":"{}""#, "x".repeat(length)));
    if let Some(length) = bytes.checked_sub(padded(0).len()) {
        return Ok(padded(length));
    }
    // Spaces before the last brace stand where there is no room for a field.
    let shortest = event("u", "0", "");
    let Some(room) = bytes.checked_sub(shortest.len()) else {
        bail!(
            "{bytes} are too few; an event with this name has at least {}",
            shortest.len()
        );
    };
    let more_uuid = UUID.get(..room.min(UUID.len() - 1)).unwrap_or_default();
    let rest = room - more_uuid.len();
    let more_time = if rest >= TIME.len() - 1 { TIME } else { "0" };
    let spaces = " ".repeat(rest + 1 - more_time.len());
    Ok(event(&format!("u{more_uuid}"), more_time, &spaces))
}

/// The records of an input: lines without their ends, but for those of white space.
struct SampleRecords {
    lines: Lines,
    line: Vec<u8>,
    too_long: u64,
}

impl SampleRecords {
    fn new(input: Input) -> Self {
        let read_bytes = Arc::new(AtomicU64::new(0));
        Self {
            // A longer one's first part cannot be taken for a record.
            lines: Lines::new(input, RECORD_BYTES_MAX + "\r\n".len() + 1, read_bytes),
            line: Vec::new(),
            too_long: 0,
        }
    }

    fn next(&mut self) -> Result<Option<&[u8]>> {
        while self.lines.read_line(&mut self.line)?.is_some() {
            self.line.pop_if(|end| *end == b'\r');
            if self.line.len() > RECORD_BYTES_MAX {
                self.too_long += 1;
            } else if !self.line.trim_ascii().is_empty() {
                return Ok(Some(&self.line));
            }
        }
        Ok(None)
    }
}

/// Counts what is written, and forgets it.
#[derive(Default)]
struct ByteCounter {
    bytes: usize,
}

impl Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tool::plan::example::{check_near, settings};

    fn shape(bytes: usize, name: &str, smallest_bytes: Option<usize>) -> Result<EventShape> {
        let described = Described {
            bytes,
            name,
            smallest_bytes,
        };
        described.shape(&settings())
    }

    #[test]
    fn an_event_is_made_up_to_the_byte() {
        for bytes in (64..400).chain([10_000, RECORD_BYTES_MAX]) {
            let event = made_up(bytes, "account:created").unwrap();
            assert_eq!(event.len(), bytes);
            assert!(shape(bytes, "account:created", None).is_ok(), "{event}");
        }
        let error = made_up(63, "account:created").unwrap_err().to_string();
        assert_eq!(
            error,
            "63 are too few; an event with this name has at least 64"
        );
        assert_eq!(made_up(51, "n").unwrap().len(), 51);
    }

    #[test]
    fn a_name_that_is_refused_is_told() {
        let error = shape(420, ":", None).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("event_type_empty"), "{told}");
        let error = shape(2_000_000, "a", None).unwrap_err();
        assert!(error.to_string().contains("1024000 (1,000 KiB)"), "{error}");
    }

    /// By default a batch may hold nothing but the smallest events there can be, whatever their mean.
    #[test]
    fn there_is_room_for_smaller_events() {
        let megabytes = |smallest_bytes| {
            let shape = shape(420, "account:created", smallest_bytes).unwrap();
            assert!((shape.record_bytes - 420.0).abs() < 1e-9);
            shape
                .answers
                .batch_megabytes_max(settings().response_bytes_max)
        };
        assert_eq!(megabytes(None), Some(0.7));
        assert_eq!(megabytes(Some(64)), Some(0.8));
        assert_eq!(megabytes(Some(200)), Some(1.9));
        assert_eq!(megabytes(Some(420)), Some(2.7));
        let told = shape(420, "a", Some(421)).unwrap_err().to_string();
        assert_eq!(told, "--smallest-bytes is 421, but --bytes is 420");
    }

    #[test]
    fn an_event_that_is_made_up_is_not_refused_for_its_year_or_type() {
        let settings = Settings {
            rules: Rules {
                event_years: "2030-2040".parse().unwrap(),
                event_types: "login".parse().unwrap(),
                ..Rules::default()
            },
            ..settings()
        };
        let described = Described {
            bytes: 420,
            name: "account:created",
            smallest_bytes: None,
        };
        let megabytes = described.shape(&settings).unwrap().answers;
        let megabytes = megabytes.batch_megabytes_max(settings.response_bytes_max);
        assert_eq!(megabytes, Some(0.7));
    }

    #[test]
    fn no_event_makes_more_of_its_bytes_than_the_densest() {
        let densest = shape(420, "a", None).unwrap().answers.densest;
        for name in [
            "n",
            "{",
            "{:{",
            "{{",
            "{:",
            "{:unknown",
            "a:b:c",
            "{{{{{{{{{{:{{{{{{{{{{",
        ] {
            for bytes in 51..120 {
                let dense = shape(bytes, name, Some(bytes));
                assert!(
                    dense.is_err() || dense.unwrap().answers.densest <= densest,
                    "{name}, {bytes}"
                );
            }
        }
    }

    /// Three alike, one of another type, one refused, one of another day.
    const LINES: &str = concat!(
        r#"{"event_uuid":"1","event_name":"a:b","created_at":1712511721}"#,
        "\n",
        r#"{"event_uuid":"1","event_name":"a:b","created_at":1712511721}"#,
        "\r\n   \n",
        r#"{"event_uuid":"1","event_name":"a:b","created_at":1712511721}"#,
        "\n",
        r#"{"event_uuid":"2","event_name":"c:d","created_at":1712511721}"#,
        "\n",
        r#"{"event_uuid":"3","event_name":"a:b"}"#,
        "\n",
        r#"{"event_uuid":"4","event_name":"a:b","created_at":1712611721}"#,
    );

    fn sample(lines: &str) -> Result<LoadSample> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, lines).unwrap();
        LoadSample::read(&path, &settings())
    }

    #[test]
    fn a_sample_says_what_the_function_would_do() {
        let sample = sample(LINES).unwrap();
        let counts = (sample.records, sample.duplicates, sample.refused);
        assert_eq!(counts, (6, 2, 1));
        check_near(sample.duplicate_share, 2.0 / 6.0);
        check_near(sample.shape.record_bytes, (5.0 * 61.0 + 37.0) / 6.0);
        check_near(sample.shape.billed_bytes, 5_120.0);
        // The line has `,"event_type":"a","event_subtype":"b","created_datetime":"…"` and its end.
        check_near(sample.shape.line_bytes, 61.0 + 17.0 + 20.0 + 49.0 + 1.0);
    }

    #[test]
    fn partitions_are_counted_with_and_without_their_day() {
        let sample = sample(LINES).unwrap();
        assert_eq!(sample.partitions_with_time, 3);
        check_near(sample.partitions.count(), 2.0);
        check_near(sample.partitions.largest_share(), 2.0 / 3.0);
    }

    #[test]
    fn lines_that_firehose_does_not_take_are_counted_apart() {
        for more in [1, 2, 3, 100, 3 * RECORD_BYTES_MAX] {
            let long = "x".repeat(RECORD_BYTES_MAX + more);
            let sample = sample(&format!("{long}\n{LINES}\n{long}\r\n{long}")).unwrap();
            assert_eq!((sample.records, sample.too_long), (6, 3), "{more}");
        }
        let sample = sample(&format!("{}\r\n{LINES}", "x".repeat(RECORD_BYTES_MAX))).unwrap();
        assert_eq!((sample.records, sample.too_long), (7, 0));
    }

    #[test]
    fn a_sample_of_no_event_is_none() {
        let error = format!("{:#}", sample("{}\n{}\nx\n").unwrap_err());
        assert!(
            error.contains("none of its 3 records is an event that is accepted (most refused: event_uuid_missing)"),
            "{error}"
        );
        assert!(sample("").is_err());
    }

    /// A half of its bytes are of events that do not repeat: gzip cannot make them much smaller.
    #[test]
    fn compression_is_that_of_the_delivered_lines() {
        let line = |uuid: &str| {
            format!(r#"{{"event_uuid":"{uuid}","event_name":"a","created_at":0}}"#) + "\n"
        };
        let alike: String = (0..2_000).map(|number| line(&number.to_string())).collect();
        assert!(sample(&alike).unwrap().compression > 10.0);
        let alone = sample(&line("1")).unwrap().compression;
        assert!((0.5..2.0).contains(&alone), "{alone}");
    }
}
