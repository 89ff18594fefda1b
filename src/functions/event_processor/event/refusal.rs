//! Why an event is not accepted.

use std::fmt;

use crate::{
    json::object::{TextProblem, Unreadable},
    kinesis::contents::Unread,
};

/// A text field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    EventId,
    EventType,
    UserId,
    ExperimentId,
}

/// Why an event is not accepted: a pure function of its bytes and its arrival. In the order in which
/// they are looked for; the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    Unread(Unread),
    Missing(Field),
    WrongType(Field),
    Empty(Field),
    TooLong(Field),
    ControlCharacter(Field),
    TimestampWrongType,
    TimestampMissing,
    TimestampUnreadable,
    TimestampOutOfRange,
    PropertiesWrongType,
    MetadataWrongType,
    /// Handling it did: a fault of ours.
    Panicked,
}

impl Refusal {
    pub(super) fn of(field: Field, problem: TextProblem) -> Self {
        match problem {
            TextProblem::Missing => Self::Missing(field),
            TextProblem::WrongType => Self::WrongType(field),
            TextProblem::Empty => Self::Empty(field),
            TextProblem::TooLong => Self::TooLong(field),
            TextProblem::ControlCharacter => Self::ControlCharacter(field),
        }
    }
}

impl From<Unreadable> for Refusal {
    fn from(why: Unreadable) -> Self {
        Self::Unread(Unread::Data(why))
    }
}

/// Its name in metrics, logs and dead letters.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(why) => write!(f, "{why}"),
            Self::Missing(field) => write!(f, "{field}_missing"),
            Self::WrongType(field) => write!(f, "{field}_wrong_type"),
            Self::Empty(field) => write!(f, "{field}_empty"),
            Self::TooLong(field) => write!(f, "{field}_too_long"),
            Self::ControlCharacter(field) => write!(f, "{field}_control_character"),
            Self::TimestampWrongType => f.write_str("timestamp_wrong_type"),
            Self::TimestampMissing => f.write_str("timestamp_missing"),
            Self::TimestampUnreadable => f.write_str("timestamp_unreadable"),
            Self::TimestampOutOfRange => f.write_str("timestamp_out_of_range"),
            Self::PropertiesWrongType => f.write_str("properties_wrong_type"),
            Self::MetadataWrongType => f.write_str("metadata_wrong_type"),
            Self::Panicked => f.write_str("panicked"),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EventId => "event_id",
            Self::EventType => "event_type",
            Self::UserId => "user_id",
            Self::ExperimentId => "experiment_id",
        })
    }
}
