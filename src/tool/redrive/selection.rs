//! Which records a redrive is about, and what would become of each: the function's own rules say.

use std::fmt;

use clap::{Args, builder::PossibleValuesParser};

use super::found::{Found, Kind};
use crate::{
    functions::firehose_transform::{
        Settings,
        event::{EventFields, Refusal},
        transform::transform,
    },
    local::firehose::{batch::RECORD_BYTES_MAX, summary::RECORD_TOO_LARGE},
    tool::{claim_key::ClaimKey, criterion::Criterion, letter_fate::LetterFate, times::read_time},
};

/// The reason of what is accepted now.
pub(super) const ACCEPTED: &str = "accepted";

/// ... of a dead letter that would be one again; its own reason stands where an error code would.
pub(super) const REFUSED_AGAIN: &str = "refused_again";

/// What the event processor knows an event by.
const LETTER_ID: &str = "event_id";

/// What a person asked for; what is empty asks for all. Times are of the arrival, in epoch
/// milliseconds: the first that counts, and the first that does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(super) struct Filter {
    /// Only records that would be refused for this reason, or `accepted`; may be given several times
    #[arg(long, value_name = "REASON", value_delimiter = ',', hide_possible_values = true, value_parser = PossibleValuesParser::new(reasons()))]
    reason: Vec<String>,

    /// Only records that failed with this error code, whole or its last word, or dead letters of
    /// this reason; may be given several times
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    code: Vec<String>,

    /// Only records of the event with this uuid, or dead letters whose `event_id` it is
    #[arg(long, value_name = "UUID")]
    uuid: Option<String>,

    /// Only records that arrived then or later: 2026-11-20 or 2026-11-20T23:00:00Z
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    since: Option<i64>,

    /// Only records that arrived before
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    until: Option<i64>,
}

/// What would become of a record if it came again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
    /// Its event would have this claim.
    Accepted(ClaimKey),
    Refused(Refusal),
    TooLarge,
    /// A dead letter whose record may be accepted now, and cannot be claimed.
    Free,
    /// A dead letter that its function would write again.
    RefusedAgain,
}

impl Judged {
    pub(super) fn of(found: &Found, settings: &Settings) -> Self {
        match found.kind {
            Kind::ErrorObject => Self::of_bytes(&found.failed.bytes, settings),
            Kind::DeadLetter(fate) => match fate {
                LetterFate::Free => Self::Free,
                LetterFate::RefusedAgain => Self::RefusedAgain,
                LetterFate::TooLarge => Self::TooLarge,
            },
        }
    }

    fn of_bytes(bytes: &[u8], settings: &Settings) -> Self {
        if bytes.len() > RECORD_BYTES_MAX {
            return Self::TooLarge;
        }
        let event = match transform(bytes, &settings.rules) {
            Ok(event) => event,
            Err(refusal) => return Self::Refused(refusal),
        };
        Self::Accepted(ClaimKey::of(&event, settings.identity))
    }

    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Accepted(_) | Self::Free => ACCEPTED,
            Self::Refused(refusal) => refusal.as_str(),
            Self::TooLarge => RECORD_TOO_LARGE,
            Self::RefusedAgain => REFUSED_AGAIN,
        }
    }

    /// Whether a claim would say that its event was delivered.
    pub(super) fn has_claim(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// The code tells more only where no refusal does.
    pub(super) fn cause(&self, code: &str) -> Cause {
        let code = match self {
            Self::Refused(_) | Self::TooLarge => None,
            Self::Accepted(_) | Self::Free | Self::RefusedAgain => Some(code.to_owned()),
        };
        Cause {
            reason: self.reason(),
            code,
        }
    }
}

/// Why a record lies there, as `--reason` takes it, and with which code it failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cause {
    pub(super) reason: &'static str,
    pub(super) code: Option<String>,
}

impl Cause {
    /// With its code's last word.
    pub(super) fn in_short(&self) -> String {
        let code = self.code.as_deref().map(short).map(str::to_owned);
        Self { code, ..*self }.to_string()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{}: {code}", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

impl Filter {
    pub(super) fn selects(&self, found: &Found, reason: &str, fields: &EventFields) -> bool {
        let Found { failed, kind, .. } = found;
        let asked = |wanted: &[String], word: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted == word)
        };
        let has = |criterion: Criterion| criterion.holds(&failed.bytes);
        let is_of = |uuid: &String| {
            has(Criterion::of_uuid(uuid, fields))
                || *kind != Kind::ErrorObject && has(Criterion::of_member(LETTER_ID, uuid))
        };
        (asked(&self.code, &failed.code) || asked(&self.code, short(&failed.code)))
            && asked(&self.reason, reason)
            && self.covers(failed.arrival_milliseconds)
            && self.uuid.as_ref().is_none_or(is_of)
    }

    /// An arrival that is not known lies in no span.
    fn covers(&self, arrival_milliseconds: Option<i64>) -> bool {
        let Some(arrival) = arrival_milliseconds else {
            return self.since.is_none() && self.until.is_none();
        };
        self.since.is_none_or(|since| arrival >= since)
            && self.until.is_none_or(|until| arrival < until)
    }
}

/// A code's last word: the others say only which part of AWS says it.
pub(super) fn short(code: &str) -> &str {
    code.rsplit('.').next().unwrap_or(code)
}

/// Those that a person may ask for.
fn reasons() -> impl Iterator<Item = &'static str> {
    let ours = [ACCEPTED, RECORD_TOO_LARGE, REFUSED_AGAIN];
    ours.into_iter().chain(Refusal::all().map(Refusal::as_str))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{
        local::firehose::error_object::read::{Failed, Origin},
        tool::redriven::RecordMark,
    };

    #[derive(Parser)]
    struct Selecting {
        #[command(flatten)]
        filter: Filter,
    }

    fn found(code: &str, arrival_milliseconds: Option<i64>) -> Found {
        Found {
            failed: Failed {
                bytes: br#"{"event_id":"e","event_uuid":"u"}"#.to_vec(),
                origin: Origin::Arrived,
                code: code.to_owned(),
                arrival_milliseconds,
                original: None,
            },
            kind: Kind::ErrorObject,
            mark: RecordMark::of(None, 0),
        }
    }

    #[test]
    fn an_event_is_selected_by_its_uuid_and_a_dead_letter_by_its_event_id_too() {
        let letter = Kind::DeadLetter(LetterFate::Free);
        for (kind, uuid, expected) in [
            (Kind::ErrorObject, "u", true),
            (Kind::ErrorObject, "e", false),
            (letter, "u", true),
            (letter, "e", true),
            (letter, "x", false),
        ] {
            let filter = Filter {
                uuid: Some(uuid.to_owned()),
                ..Filter::default()
            };
            let found = Found {
                kind,
                ..found("A", None)
            };
            let selects = filter.selects(&found, ACCEPTED, &EventFields::default());
            assert_eq!(selects, expected, "{kind:?} {uuid}");
        }
    }

    #[test]
    fn a_filter_selects_by_all_it_names() {
        let filter = Filter {
            reason: vec!["not_json".into(), ACCEPTED.into()],
            code: vec!["A".into()],
            since: Some(10),
            until: Some(20),
            uuid: None,
        };
        let fields = EventFields::default();
        for (code, arrival, reason, expected) in [
            ("A", Some(10), "not_json", true),
            ("A", Some(19), ACCEPTED, true),
            ("Lambda.A", Some(19), ACCEPTED, true),
            ("A.Lambda", Some(19), ACCEPTED, false),
            ("A", Some(20), ACCEPTED, false),
            ("A", Some(9), ACCEPTED, false),
            ("A", None, ACCEPTED, false),
            ("B", Some(10), ACCEPTED, false),
            ("A", Some(10), "too_deep", false),
        ] {
            let selects = filter.selects(&found(code, arrival), reason, &fields);
            assert_eq!(selects, expected, "{code} {arrival:?} {reason}");
        }
        assert!(Filter::default().selects(&found("B", None), "too_deep", &fields));
    }

    #[test]
    fn a_reason_must_be_one() {
        let filter = |reason| Selecting::try_parse_from(["redrive", "--reason", reason]);
        let given = filter("event_uuid_missing,accepted").unwrap().filter;
        assert_eq!(given.reason, ["event_uuid_missing", "accepted"]);
        let Err(error) = filter("event_uid_missing") else {
            panic!("it is no reason");
        };
        assert!(
            error.to_string().contains("'event_uuid_missing'"),
            "{error}"
        );
    }
}
