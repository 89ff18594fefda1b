//! A line as it lies in a lake or beside one: an event, or an error object or a dead letter with a
//! record in it.

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{letter_fate::LetterFate, redriven::RecordMark};
use crate::{
    functions::firehose_transform::event::EventFields,
    kinesis::{
        Arrival,
        dead_letter::{Data, DeadLetter, NotDeadLetter},
    },
    local::firehose::error_object::{
        self,
        read::{Failed, NotErrorObject, Origin},
    },
};

/// A record, and what it lay in.
pub(super) struct Contained {
    pub(super) bytes: Vec<u8>,
    pub(super) wrapper: Option<Wrapper>,
}

/// What a record lay in.
#[derive(Debug, Serialize)]
pub(super) struct Wrapper {
    #[serde(flatten)]
    pub(super) kind: WrapperKind,
    /// Firehose's error code, or a dead letter's reason.
    pub(super) code: String,
    pub(super) arrival_milliseconds: Option<i64>,
    /// As a redrive knows it.
    #[serde(skip)]
    pub(super) mark: RecordMark,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum WrapperKind {
    ErrorObject,
    /// For repair, of a redrive.
    ExportLine,
    DeadLetter {
        function: String,
        #[serde(skip)]
        fate: LetterFate,
    },
}

impl Contained {
    pub(super) fn of(bytes: Vec<u8>, fields: &EventFields) -> Result<Self> {
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
        let known = RecordMark::of_letter(&letter).zip(LetterFate::of(&letter));
        let wrapper = known.map(|(mark, fate)| Wrapper {
            mark,
            kind: WrapperKind::DeadLetter {
                function: letter.function.into_owned(),
                fate,
            },
            code: letter.reason.into_owned(),
            arrival_milliseconds: letter.arrival.map(Arrival::milliseconds),
        });
        match letter.data {
            Data::Here(record) => Ok(Self {
                bytes: record.into_owned(),
                wrapper,
            }),
            Data::At(place) => {
                bail!("its record is in the dead letter at {place}: explain that one")
            }
        }
    }

    fn within(failed: Failed) -> Self {
        let mark = RecordMark::of_failed(&failed);
        Self {
            bytes: failed.bytes,
            wrapper: Some(Wrapper {
                kind: match failed.origin {
                    Origin::Repaired => WrapperKind::ExportLine,
                    Origin::Arrived | Origin::Later => WrapperKind::ErrorObject,
                },
                code: failed.code,
                arrival_milliseconds: failed.arrival_milliseconds,
                mark,
            }),
        }
    }
}

impl Wrapper {
    pub(super) fn to_text(&self) -> String {
        let kind = match &self.kind {
            WrapperKind::ErrorObject => "an error object".to_owned(),
            WrapperKind::ExportLine => "a line of redrive's export".to_owned(),
            WrapperKind::DeadLetter { function, .. } => format!("a dead letter of {function}"),
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
pub(super) fn has_event_fields(bytes: &[u8], fields: &EventFields) -> bool {
    serde_json::from_slice::<Map<String, Value>>(bytes)
        .is_ok_and(|members| fields.names().any(|name| members.contains_key(name)))
}
