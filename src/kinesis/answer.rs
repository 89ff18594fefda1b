//! What a mapping that reports batch item failures wants to hear: the first record that is not done,
//! or that all are.

use super::Sequence;

/// The mapping sends everything from `first_not_done` on again.
#[must_use]
pub fn write(first_not_done: Option<Sequence>) -> Vec<u8> {
    match first_not_done {
        None => br#"{"batchItemFailures":[]}"#.to_vec(),
        Some(sequence) => {
            format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{sequence}"}}]}}"#).into_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::streams::KinesisEventResponse;

    use super::*;

    #[test]
    fn the_official_type_reads_exactly_one_identifier_or_none() {
        #[track_caller]
        fn check(sequence: Option<&str>) {
            let first = sequence.map(|text| Sequence::parse(text).expect("a sequence number"));
            let answer: KinesisEventResponse =
                serde_json::from_slice(&write(first)).expect("an answer");
            let failures = answer.batch_item_failures.into_iter();
            let identifiers: Vec<_> = failures
                .filter_map(|failure| failure.item_identifier)
                .collect();
            assert_eq!(identifiers, Vec::from_iter(sequence));
        }
        check(None);
        check(Some("0"));
        check(Some("007"));
        check(Some(
            "49568167373333333333333333333333333333333333333333333333",
        ));
    }
}
