//! What a function's answer means for its batch, as Lambda's mapping takes it.

use serde_json::Value;

use crate::kinesis::Sequence;

/// `FunctionResponseTypes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporting {
    /// `ReportBatchItemFailures`: the answer says what failed.
    BatchItemFailures,
    /// Nobody reads the answer.
    Off,
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Done,
    /// All before this record are done; it comes again, and all after it.
    From(usize),
    /// Nothing is done.
    Failed,
}

impl Meaning {
    /// Of an answer to these records, which are in order.
    #[must_use]
    pub fn of(answer: &[u8], batch: &[Sequence], reporting: Reporting) -> Self {
        if reporting == Reporting::Off || answer.trim_ascii().is_empty() {
            return Self::Done;
        }
        match serde_json::from_slice(answer) {
            Ok(Value::Null) => Self::Done,
            Ok(Value::String(text)) if text.is_empty() => Self::Done,
            Ok(Value::Object(object)) => match object.get("batchItemFailures") {
                None | Some(Value::Null) => Self::Done,
                Some(Value::Array(failures)) => Self::of_failures(failures, batch),
                Some(_) => Self::Failed,
            },
            // AWS does not say, so nothing is taken for done.
            _ => Self::Failed,
        }
    }

    /// The lowest is the checkpoint. One that names no record of the batch fails all of it.
    fn of_failures(failures: &[Value], batch: &[Sequence]) -> Self {
        let positions = failures.iter().map(|failure| position(failure, batch));
        match positions.collect::<Option<Vec<_>>>() {
            None => Self::Failed,
            Some(positions) => positions.into_iter().min().map_or(Self::Done, Self::From),
        }
    }
}

fn position(failure: &Value, batch: &[Sequence]) -> Option<usize> {
    let identifier = failure.get("itemIdentifier")?.as_str()?;
    let position = batch.binary_search(&Sequence::parse(identifier)?).ok()?;
    let found = batch.get(position)?;
    (found.to_string() == identifier).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Meaning::{Done, Failed, From};

    /// Of a batch of three, 10 to 12.
    fn meaning(answer: &str, reporting: Reporting) -> Meaning {
        let batch = ["10", "11", "12"].map(|text| Sequence::parse(text).expect(text));
        Meaning::of(answer.as_bytes(), &batch, reporting)
    }

    #[track_caller]
    fn check(answer: &str, expected: Meaning) {
        let reported = meaning(answer, Reporting::BatchItemFailures);
        assert_eq!(reported, expected, "{answer}");
        assert_eq!(meaning(answer, Reporting::Off), Done, "{answer}, not read");
    }

    #[track_caller]
    fn check_items(items: &str, expected: Meaning) {
        check(&format!(r#"{{"batchItemFailures":[{items}]}}"#), expected);
    }

    #[test]
    fn nothing_said_is_all_done() {
        for answer in [
            "",
            " \n",
            r#""""#,
            "null",
            "{}",
            r#"{"statusCode":200}"#,
            r#"{"batchItemFailures":null}"#,
            r#"{"batchItemFailures":[]}"#,
        ] {
            check(answer, Done);
        }
    }

    #[test]
    fn the_lowest_identifier_is_the_checkpoint() {
        check_items(r#"{"itemIdentifier":"10"}"#, From(0));
        check_items(r#"{"itemIdentifier":"11"}"#, From(1));
        check_items(
            r#"{"itemIdentifier":"12"},{"itemIdentifier":"11"}"#,
            From(1),
        );
        check_items(
            r#"{"itemIdentifier":"12"},{"itemIdentifier":"12"}"#,
            From(2),
        );
        check_items(r#"{"itemIdentifier":"12","more":1}"#, From(2));
    }

    #[test]
    fn an_identifier_that_names_no_record_fails_the_batch() {
        for item in [
            r#"{"itemIdentifier":""}"#,
            r#"{"itemIdentifier":null}"#,
            r#"{"itemIdentifier":11}"#,
            r#"{"itemIdentifier":"9"}"#,
            r#"{"itemIdentifier":"13"}"#,
            r#"{"itemIdentifier":"011"}"#,
            r#"{"itemIdentifier":"shardId-000000000000:11"}"#,
            r#"{"itemIdentifier":"x"}"#,
            r#"{"bad":"11"}"#,
            "{}",
            "null",
            r#""11""#,
        ] {
            check_items(item, Failed);
            check_items(&format!(r#"{{"itemIdentifier":"11"}},{item}"#), Failed);
        }
    }

    #[test]
    fn what_nobody_has_told_the_meaning_of_is_a_failure() {
        for answer in [
            "no json",
            "7",
            "[]",
            "true",
            r#""done""#,
            r#"{"batchItemFailures":{}}"#,
            r#"{"batchItemFailures":"11"}"#,
            "\u{feff}{}",
        ] {
            check(answer, Failed);
        }
    }
}
