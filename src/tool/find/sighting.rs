//! One finding: where the event is, and as what.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::days::in_words;
use crate::tool::plain::Plain;

/// As what an event was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SightingKind {
    Event,
    /// In an archive of the event processor, by rules of its own.
    Archived,
    /// A record that is no event as the settings have it.
    Record,
    ErrorObject,
    /// For repair, of a redrive.
    ExportLine,
    DeadLetter,
    Claim,
    Log,
}

/// Whether an error object or a dead letter was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Redriven {
    No,
    AsItWas,
    /// Another record of the same bytes.
    Copy,
    Mended,
}

/// Names are for ever. What is not known is left out.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sighting {
    pub(super) found: SightingKind,
    pub(super) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_datetime: Option<String>,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<&'static str>,
    /// Firehose's error code, or a dead letter's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arrival_milliseconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redriven: Option<Redriven>,
    /// Of a claim: until when, in epoch seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_seconds: Option<u64>,
}

impl Sighting {
    pub(super) fn new(found: SightingKind, at: String) -> Self {
        Self {
            found,
            at,
            identity: None,
            created_datetime: None,
            refused: None,
            code: None,
            arrival_milliseconds: None,
            redriven: None,
            expires_seconds: None,
        }
    }

    fn label(&self) -> &'static str {
        match self.found {
            SightingKind::Event => "event",
            SightingKind::Archived => "archived",
            SightingKind::Record => "record",
            SightingKind::ErrorObject => "error object",
            SightingKind::ExportLine => "for repair",
            SightingKind::DeadLetter => "dead letter",
            SightingKind::Claim => "claim",
            SightingKind::Log => "log",
        }
    }

    /// Whose claim it is: an identity begins with the event's uuid.
    fn claimed_uuid(&self) -> Option<String> {
        let identity = self.identity.as_deref();
        let identity = identity.filter(|_| self.found == SightingKind::Claim)?;
        let parts: Vec<Value> = serde_json::from_str(identity).ok()?;
        Some(parts.first()?.as_str()?.to_owned())
    }

    fn words(&self) -> Vec<String> {
        let arrived = |time| format!("arrived {}", in_words(time));
        let expires = |seconds: u64| {
            let milliseconds = i64::try_from(seconds)
                .ok()
                .and_then(|seconds| seconds.checked_mul(1000));
            let until = milliseconds.map(|time| format!("until {}", in_words(time)));
            until.unwrap_or_else(|| "for ever".to_owned())
        };
        let redriven = self.redriven.map(|redriven| match redriven {
            Redriven::No => "not sent again",
            Redriven::AsItWas => "sent again",
            Redriven::Copy => "a copy of it was sent again",
            Redriven::Mended => "mended and sent again",
        });
        [
            self.claimed_uuid().map(|uuid| format!("of event {uuid}")),
            self.created_datetime
                .as_ref()
                .map(|time| format!("of {time}")),
            self.code.clone(),
            self.refused
                .map(|reason| format!("would be refused: {reason}")),
            self.arrival_milliseconds.map(arrived),
            redriven.map(str::to_owned),
            self.expires_seconds.map(expires),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A line for a person.
impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words().join(", ");
        let (label, at, words) = (self.label(), Plain(&self.at), Plain(&words));
        writeln!(f, "{label:<14}{at}  {words}")
    }
}
