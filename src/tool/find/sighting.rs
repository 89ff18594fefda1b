//! One finding: where the event is, and as what.

use serde::Serialize;
use serde_json::Value;

use crate::tool::{
    line_breaks::UNBROKEN,
    plain::Plain,
    table::{Column, Table},
    times::in_words,
};

/// Before where it is.
const LABEL_WIDTH: usize = 12;

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

    /// A row for a person: one line where there is room for it, and where it is always whole.
    pub(super) fn table(&self) -> Table {
        let label = Column::left("").at_least(LABEL_WIDTH);
        let mut table = Table::new([label, Column::left(""), Column::value("")]);
        let words = self.words();
        // A line ends between two of them, not within one.
        let words = words.map(|said| Plain(&said).to_string().replace(' ', UNBROKEN));
        let words = words.collect::<Vec<_>>().join(", ");
        let at = Plain(&self.at).to_string();
        table.row([self.label().into(), at.into(), words.into()]);
        table
    }

    fn words(&self) -> impl Iterator<Item = String> {
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(found: SightingKind, at: &str) -> Sighting {
        Sighting {
            identity: Some(r#"["9f31c2","account:created",1644838800000000000]"#.to_owned()),
            arrival_milliseconds: Some(1_644_838_801_000),
            expires_seconds: Some(1_644_925_201),
            ..Sighting::new(found, at.to_owned())
        }
    }

    #[test]
    fn a_finding_is_a_line_or_lines_below_where_it_is() {
        #[track_caller]
        fn check(sighting: &Sighting, width: Option<usize>, expected: &[&str]) {
            let text = sighting.table().text(width);
            assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{width:?}");
        }
        let claim = sighting(SightingKind::Claim, "my lake/.nozzle/claims");
        let line = "claim         my lake/.nozzle/claims  of event 9f31c2, arrived 2022-02-14 \
                    11:40:01 UTC, until 2022-02-15 11:40:01 UTC";
        check(&claim, None, &[line]);
        check(&claim, Some(120), &[line]);
        let beside = [
            "claim         my lake/.nozzle/claims  of event 9f31c2,",
            "                                      arrived 2022-02-14 11:40:01 UTC,",
            "                                      until 2022-02-15 11:40:01 UTC",
        ];
        check(&claim, Some(80), &beside);
        let below = [
            "claim         my lake/.nozzle/claims",
            "    of event 9f31c2, arrived 2022-02-14 11:40:01 UTC,",
            "    until 2022-02-15 11:40:01 UTC",
        ];
        check(&claim, Some(60), &below);
        let folded = [
            "claim",
            "  my lake/.nozzle/claims",
            "  of event 9f31c2,",
            "  arrived 2022-02-14 11:40:01 UTC,",
            "  until 2022-02-15 11:40:01 UTC",
        ];
        check(&claim, Some(34), &folded);
    }
}
