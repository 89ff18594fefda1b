//! What lies in a source: error objects of Firehose, and dead letters of functions on a Kinesis
//! stream. A dead letter was never claimed nor counted, so nothing has to be given back first.

use crate::{
    kinesis::{
        Arrival,
        dead_letter::{Data, DeadLetter},
    },
    local::firehose::error_object::read::{Failed, NotErrorObject, Origin, read},
    tool::{letter_fate::LetterFate, redriven::RecordMark},
};

/// A record that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) failed: Failed,
    pub(super) kind: Kind,
    pub(super) mark: RecordMark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ErrorObject,
    DeadLetter(LetterFate),
}

impl Found {
    pub(super) fn read(line: &[u8]) -> Result<Self, NotErrorObject> {
        match read(line) {
            Ok(failed) => Ok(Self {
                mark: RecordMark::of_failed(&failed),
                failed,
                kind: Kind::ErrorObject,
            }),
            Err(why) => Self::read_letter(line).ok_or(why),
        }
    }

    /// None where its data is elsewhere: only a queue knows where.
    fn read_letter(line: &[u8]) -> Option<Self> {
        let letter = DeadLetter::read(line).ok()?;
        let fate = LetterFate::of(&letter)?;
        let mark = RecordMark::of_letter(&letter)?;
        let Data::Here(bytes) = letter.data else {
            return None;
        };
        Some(Self {
            mark,
            failed: Failed {
                bytes: bytes.into_owned(),
                origin: Origin::Arrived,
                code: letter.reason.into_owned(),
                arrival_milliseconds: letter.arrival.map(Arrival::milliseconds),
                original: None,
            },
            kind: Kind::DeadLetter(fate),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kinesis::{RecordId, Sequence, ShardId},
        local::kinesis::record::RECORD_BYTES_MAX,
    };

    fn letter(reason: &str, data: Data<'_>, sequence: &str) -> String {
        let letter = DeadLetter {
            reason: reason.into(),
            id: RecordId {
                shard: ShardId(6),
                sequence: Sequence::parse(sequence).unwrap(),
                sub: None,
            },
            stream: "arn".into(),
            arrival: None,
            function: "f".into(),
            data,
        };
        letter.to_json()
    }

    #[test]
    fn a_dead_letter_goes_again_unless_its_bytes_are_still_refused() {
        #[track_caller]
        fn check(reason: &str, bytes: &[u8], expected: LetterFate) {
            let line = letter(reason, Data::Here(bytes.into()), "1");
            let found = Found::read(line.as_bytes()).unwrap();
            assert_eq!(found.failed.code, reason);
            assert_eq!(found.failed.bytes, bytes);
            let Kind::DeadLetter(fate) = found.kind else {
                panic!("{found:?}");
            };
            assert_eq!(fate, expected, "{reason}");
        }
        use LetterFate::{Free, RefusedAgain, TooLarge};
        let valid = br#"{"event_id":"e","event_type":"view","user_id":"u","timestamp":0}"#;
        check("panicked", valid, Free);
        check("conflict", valid, RefusedAgain);
        // A later version accepts it.
        check("event_id_missing", valid, Free);
        check("event_id_missing", b"{}", RefusedAgain);
        check("not_json", b"no", RefusedAgain);
        check("not_base64", b"%", RefusedAgain);
        check("aggregate_broken", b"", RefusedAgain);
        check("panicked", &vec![b' '; RECORD_BYTES_MAX + 1], TooLarge);
    }

    #[test]
    fn records_of_the_same_bytes_are_told_apart() {
        let mark = |sequence| {
            let line = letter("panicked", Data::Here(b"x".into()), sequence);
            Found::read(line.as_bytes()).unwrap().mark
        };
        assert_eq!(mark("1"), mark("1"));
        assert_ne!(mark("1").record, mark("2").record);
        assert_eq!(mark("1").bytes, mark("2").bytes);
    }

    #[test]
    fn what_is_neither_is_named_as_before() {
        let elsewhere = letter("panicked", Data::At("s3://b/k".into()), "1");
        for line in [b"{}".as_slice(), elsewhere.as_bytes()] {
            assert_eq!(Found::read(line), Err(NotErrorObject::NoRawData));
        }
        assert_eq!(Found::read(b""), Err(NotErrorObject::Empty));
    }
}
