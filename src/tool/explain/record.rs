//! The record that is asked about: a file or an object in S3, one of its lines, or what an error
//! object or a dead letter there holds.

use std::{
    io::{self, BufRead, IsTerminal},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use tokio::runtime::Builder;

use crate::{
    functions::firehose_transform::event::EventFields,
    kinesis::dead_letter::DeadLetter,
    local::{
        firehose::error_object,
        input::{Source, form::Form, reader::Unpacked},
        shell::quoted,
    },
    tool::{
        aws::Aws,
        terminal::tell,
        wrapped::{Contained, has_event_fields},
    },
};

/// Where a record is, and in which line there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AskedRecord {
    place: RecordPlace,
    line: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum RecordPlace {
    Here(Source),
    Object { bucket: String, key: String },
}

impl AskedRecord {
    /// As a person gives it, or as a summary names a place: `FILE:LINE`. A file that is called so is
    /// the whole of it.
    pub(super) fn of(text: Option<&str>, line: Option<usize>) -> Result<Self> {
        let Some(text) = text.filter(|text| *text != "-") else {
            let place = RecordPlace::Here(Source::StandardInput);
            return Ok(Self { place, line });
        };
        let named = text.rsplit_once(':').and_then(|(before, number)| {
            let number = number.parse::<usize>().ok()?;
            (!before.is_empty()).then_some((before, number))
        });
        let (text, line) = match (named, line) {
            (Some((before, number)), None) if !Path::new(text).exists() => (before, Some(number)),
            _ => (text, line),
        };
        let place = match text.strip_prefix("s3://") {
            None => RecordPlace::Here(Source::File(PathBuf::from(text))),
            Some(address) => {
                ensure!(!address.ends_with('/'), "{}", is_folder(text));
                let (bucket, key) = address
                    .split_once('/')
                    .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
                    .with_context(|| format!("`{text}` names no object: write s3://BUCKET/KEY"))?;
                RecordPlace::Object {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                }
            }
        };
        Ok(Self { place, line })
    }

    /// Reads it.
    pub(super) fn read(&self, fields: &EventFields) -> Result<Contained> {
        match &self.place {
            RecordPlace::Here(source) => {
                let name = match source {
                    Source::File(path) => format!("`{}`", path.display()),
                    Source::StandardInput => source.name(),
                };
                if *source == Source::StandardInput && io::stdin().is_terminal() {
                    tell("reading one event from the terminal; Ctrl-D ends it");
                }
                if let Source::File(path) = source {
                    ensure!(!path.is_dir(), "{}", is_folder(&path.display().to_string()));
                }
                let opened = source.open(&Arc::default());
                let input = opened.with_context(|| format!("{name} cannot be read"))?;
                self.read_from(input, source, fields).context(name)
            }
            RecordPlace::Object { bucket, key } => {
                let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
                let objects = Aws::connect(runtime)?.bucket(bucket, key)?;
                let name = format!("s3://{bucket}/{key}");
                let input = Unpacked::open(objects.open(&name)?, &Arc::default())?;
                self.read_from(input, &Source::StandardInput, fields)
                    .context(name)
            }
        }
    }

    /// `source` is a file of this machine, or none that a command can name.
    fn read_from(
        &self,
        mut input: impl BufRead,
        source: &Source,
        fields: &EventFields,
    ) -> Result<Contained> {
        let mut bytes = Vec::new();
        match self.line {
            Some(number) => read_line(input, number, &mut bytes)?,
            None => read_whole(&mut input, source, &mut bytes, fields)?,
        }
        // The line end behind a record is not part of it.
        for end in [b'\n', b'\r'] {
            bytes.pop_if(|last| *last == end);
        }
        Contained::of(bytes, fields)
    }
}

fn is_folder(place: &str) -> String {
    format!(
        "`{place}` is a folder: name a file in it, or a line as FILE:LINE; of error objects `nozzle \
         redrive {} --to TARGET --places` names them",
        quoted(place)
    )
}

/// An event may stand on many lines; many events on many lines are no record.
fn read_whole(
    mut input: impl BufRead,
    source: &Source,
    bytes: &mut Vec<u8>,
    fields: &EventFields,
) -> Result<()> {
    input.read_to_end(bytes)?;
    if let Some(form) = Form::of_whole(bytes) {
        bail!("it {}", source.in_form(form));
    }
    let count = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let count = count.split(|byte| *byte == b'\n').count();
    if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
        if count > 1 {
            tell(&format!(
                "one event on {count} lines: as it is a record of Firehose's; `nozzle run` takes an event a line"
            ));
        }
        return Ok(());
    }
    // An object within a record that is no JSON may have a line to itself, and is no record.
    let is_record = |line: &[u8]| {
        line.starts_with(b"{")
            && (has_event_fields(line, fields)
                || error_object::read::read(line).is_ok()
                || DeadLetter::read(line).is_ok())
    };
    let lines = || bytes.split(|byte| *byte == b'\n');
    let first = lines().filter(|line| !line.trim_ascii().is_empty()).take(2);
    let objects = first.filter(|line| is_object(line)).count();
    let holds_records = objects == 2 || lines().any(is_record);
    ensure!(
        count == 1 || !holds_records,
        "it has {count} lines, and each line is a record: say which one with --line NUMBER"
    );
    Ok(())
}

fn is_object(line: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(line).is_ok()
}

/// Reads one line, counted from 1.
fn read_line(mut input: impl BufRead, number: usize, line: &mut Vec<u8>) -> Result<()> {
    ensure!(number > 0, "--line is 0; lines are counted from 1");
    for current in 0..number {
        let length = if current + 1 < number {
            input.skip_until(b'\n')?
        } else {
            input.read_until(b'\n', line)?
        };
        ensure!(length > 0, "--line is {number}; there are {current} lines");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_a_summary_names() {
        #[track_caller]
        fn check(text: &str, line: Option<usize>, place: RecordPlace, expected: Option<usize>) {
            let asked = AskedRecord::of(Some(text), line).unwrap();
            assert_eq!(
                asked,
                AskedRecord {
                    place,
                    line: expected
                }
            );
        }
        let file = |name: &str| RecordPlace::Here(Source::File(name.into()));
        let object = |key: &str| RecordPlace::Object {
            bucket: "b".to_owned(),
            key: key.to_owned(),
        };
        check(
            "-",
            Some(2),
            RecordPlace::Here(Source::StandardInput),
            Some(2),
        );
        check("a.jsonl", None, file("a.jsonl"), None);
        check("a.jsonl:17", None, file("a.jsonl"), Some(17));
        check("a.jsonl:17", Some(2), file("a.jsonl:17"), Some(2));
        check("a:b", None, file("a:b"), None);
        check(":1", None, file(":1"), None);
        check("s3://b/k/x", None, object("k/x"), None);
        check("s3://b/k/x:3", None, object("k/x"), Some(3));
        for text in ["s3://", "s3://b", "s3:///k", "s3://b/k/"] {
            assert!(AskedRecord::of(Some(text), None).is_err(), "{text}");
        }
    }
}
