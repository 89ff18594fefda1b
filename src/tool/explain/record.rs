//! The record that is asked about: a file, one of its lines, or what an error object or a dead letter
//! holds.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Serialize, de::IgnoredAny};
use serde_json::{Map, Value};

use crate::{
    functions::firehose_transform::event::EventFields,
    kinesis::{
        Arrival,
        dead_letter::{Data, DeadLetter, NotDeadLetter},
    },
    local::{
        firehose::error_object::{
            self,
            read::{Failed, NotErrorObject, Origin},
        },
        input::{Source, form::Form},
    },
};

pub(super) struct AskedRecord {
    pub(super) bytes: Vec<u8>,
    pub(super) wrapper: Option<Wrapper>,
}

/// What a record lay in.
#[derive(Debug, Serialize)]
pub(super) struct Wrapper {
    #[serde(flatten)]
    kind: WrapperKind,
    /// Firehose's error code, or a dead letter's reason.
    code: String,
    pub(super) arrival_milliseconds: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum WrapperKind {
    ErrorObject,
    /// For repair, of a redrive.
    ExportLine,
    DeadLetter {
        function: String,
    },
}

/// Reads the whole of a file, or one line of it; without a file, of standard input.
pub(super) fn read(
    file: Option<&Path>,
    line: Option<usize>,
    fields: &EventFields,
) -> Result<AskedRecord> {
    let source = match file {
        Some(path) if path != Path::new("-") => Source::File(PathBuf::from(path)),
        _ => Source::StandardInput,
    };
    let name = match &source {
        Source::File(path) => format!("`{}`", path.display()),
        Source::StandardInput => source.name(),
    };
    let opened = source.open(&Arc::default());
    let mut input = opened.with_context(|| format!("{name} cannot be read"))?;
    let mut bytes = Vec::new();
    match line {
        Some(number) => read_line(input, number, &mut bytes),
        None => read_whole(&mut input, &mut bytes, fields),
    }
    .with_context(|| name.clone())?;
    // The line end behind a record is not part of it.
    for end in [b'\n', b'\r'] {
        bytes.pop_if(|last| *last == end);
    }
    AskedRecord::of(bytes, fields).with_context(|| name)
}

impl AskedRecord {
    fn of(bytes: Vec<u8>, fields: &EventFields) -> Result<Self> {
        if has_event_fields(&bytes, fields) {
            return Ok(Self {
                bytes,
                wrapper: None,
            });
        }
        match error_object::read::read(&bytes) {
            Ok(failed) => Ok(Self::within(failed)),
            Err(NotErrorObject::NotBase64) => {
                bail!("it is an error object, but the record in it is not base64")
            }
            Err(_) => Self::of_letter(bytes),
        }
    }

    fn of_letter(bytes: Vec<u8>) -> Result<Self> {
        let letter = match DeadLetter::read(&bytes) {
            Ok(letter) => letter,
            Err(NotDeadLetter::Form) => {
                return Ok(Self {
                    bytes,
                    wrapper: None,
                });
            }
            Err(why) => bail!("it is like a dead letter, but {why}"),
        };
        let wrapper = Wrapper {
            kind: WrapperKind::DeadLetter {
                function: letter.function.into_owned(),
            },
            code: letter.reason.into_owned(),
            arrival_milliseconds: letter.arrival.and_then(Arrival::milliseconds),
        };
        match letter.data {
            Data::Here(record) => Ok(Self {
                bytes: record.into_owned(),
                wrapper: Some(wrapper),
            }),
            Data::At(place) => {
                bail!("its record is in the dead letter at {place}: explain that one")
            }
        }
    }

    fn within(failed: Failed) -> Self {
        Self {
            bytes: failed.bytes,
            wrapper: Some(Wrapper {
                kind: match failed.origin {
                    Origin::Repaired => WrapperKind::ExportLine,
                    Origin::Arrived | Origin::Later => WrapperKind::ErrorObject,
                },
                code: failed.code,
                arrival_milliseconds: failed.arrival_milliseconds,
            }),
        }
    }
}

impl Wrapper {
    pub(super) fn to_text(&self) -> String {
        let kind = match &self.kind {
            WrapperKind::ErrorObject => "an error object".to_owned(),
            WrapperKind::ExportLine => "a line of redrive's export".to_owned(),
            WrapperKind::DeadLetter { function } => format!("a dead letter of {function}"),
        };
        let code = self.code.escape_debug();
        let arrival = match self.arrival_milliseconds {
            Some(milliseconds) => format!(", arrival {milliseconds}"),
            None => String::new(),
        };
        format!("{kind} ({code}{arrival}); its record:")
    }
}

/// What a record lies in has none of them at its top; what has one is an event, whatever else it has.
fn has_event_fields(bytes: &[u8], fields: &EventFields) -> bool {
    serde_json::from_slice::<Map<String, Value>>(bytes)
        .is_ok_and(|members| fields.names().any(|name| members.contains_key(name)))
}

/// An event may stand on many lines; many events on many lines are no record.
fn read_whole(mut input: impl BufRead, bytes: &mut Vec<u8>, fields: &EventFields) -> Result<()> {
    input.read_to_end(bytes)?;
    if let Some(form) = Form::of_whole(bytes) {
        bail!("it {form}");
    }
    if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
        return Ok(());
    }
    let count = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let count = count.split(|byte| *byte == b'\n').count();
    // An object within a record that is no JSON may have a line to itself, and is no record.
    let is_record = |line: &[u8]| {
        line.starts_with(b"{")
            && (has_event_fields(line, fields)
                || error_object::read::read(line).is_ok()
                || DeadLetter::read(line).is_ok())
    };
    let holds_records = bytes.split(|byte| *byte == b'\n').any(is_record);
    ensure!(
        count == 1 || !holds_records,
        "it has {count} lines, and each line is a record: say which one with --line NUMBER"
    );
    Ok(())
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
