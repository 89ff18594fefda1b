//! How large the response to a batch gets, counted by the code that writes it.

use serde::Serialize;

use super::{
    float::float,
    limits::{BATCH_TENTHS, BATCH_TENTHS_REFUSED, MEBIBYTE},
};
use crate::functions::firehose_transform::{
    draft::FRAME_BYTES,
    wire::{Answer, Slot},
};

/// Longer than Firehose's ids from direct put, which have 56 characters; Kinesis's have more.
const RECORD_ID: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The answers to accepted events, each with the comma before it.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct AnswerSizes {
    pub(super) mean_bytes: f64,
    pub(super) longest_bytes: f64,
    /// Of the event that makes most of its bytes: answer bytes a record byte.
    pub(super) densest: f64,
}

/// Sums up the answers to events.
#[derive(Debug, Default)]
pub(super) struct AnswerGauge {
    count: f64,
    bytes: f64,
    answers: AnswerSizes,
}

impl AnswerGauge {
    pub(super) fn add(&mut self, record_bytes: usize, line: &[u8], partition_keys: &[u8]) {
        self.count += 1.0;
        self.bytes += answer_bytes(line, partition_keys);
        self.answers.mean_bytes = self.bytes / self.count;
        self.allow_for(record_bytes, line, partition_keys);
    }

    /// For an event that may come too, but does not count.
    pub(super) fn allow_for(&mut self, record_bytes: usize, line: &[u8], partition_keys: &[u8]) {
        let bytes = answer_bytes(line, partition_keys);
        let AnswerSizes {
            longest_bytes,
            densest,
            ..
        } = &mut self.answers;
        *longest_bytes = bytes.max(*longest_bytes);
        *densest = (bytes / float(record_bytes)).max(*densest);
    }

    pub(super) fn answers(&self) -> AnswerSizes {
        self.answers
    }
}

impl AnswerSizes {
    /// With so many accepted events.
    pub(super) fn response_bytes(&self, events: f64) -> f64 {
        frame_bytes() + events * self.mean_bytes
    }

    /// The most for a batch of so many record bytes, whatever the mix: all as the densest, and the
    /// longest on top, by which Firehose may exceed its buffer. What is refused is answered in
    /// fewer bytes than it came in, so it never makes a response too large.
    pub(super) fn response_bytes_max(&self, batch_bytes: f64) -> f64 {
        frame_bytes() + batch_bytes * self.densest + self.longest_bytes
    }

    /// The largest buffer, in megabytes, whose response always fits.
    pub(super) fn batch_megabytes_max(&self, response_bytes_max: usize) -> Option<f64> {
        BATCH_TENTHS
            .rev()
            .filter(|tenths| *tenths != BATCH_TENTHS_REFUSED)
            .map(|tenths| f64::from(tenths) / 10.0)
            .find(|megabytes| {
                self.response_bytes_max(megabytes * MEBIBYTE) <= float(response_bytes_max)
            })
    }
}

/// Behind every answer but the last.
const COMMA_BYTES: usize = 1;

fn answer_bytes(line: &[u8], partition_keys: &[u8]) -> f64 {
    let answer = Answer::Ok {
        line,
        partition_keys,
    };
    float(answer.length(Slot::plain(RECORD_ID)) + COMMA_BYTES)
}

fn frame_bytes() -> f64 {
    float(FRAME_BYTES - COMMA_BYTES)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use base64_simd::STANDARD;
    use tokio::time::Instant;

    use super::*;
    use crate::{
        dedup::{Answers, Claim, ClaimStore, Claimed, Terms},
        functions::{
            Function, Moment, Response,
            firehose_transform::{
                Counts, FirehoseTransform, budget::RESPONSE_BYTES_MAX, wire::read_request,
            },
        },
        tool::plan::{
            example::{check_near, load, settings},
            sample::made_up,
        },
    };

    const RECORD_ID_BYTES: usize = RECORD_ID.len();

    struct TakesAll;

    impl ClaimStore for TakesAll {
        async fn claim(&self, claims: &[Claim<'_>], _: Terms) -> Answers {
            Answers {
                claimed: vec![Claimed::Taken; claims.len()],
                ..Answers::default()
            }
        }
    }

    /// So many events of this length, no two alike, as the function answers them.
    fn answered(bytes: usize, events: usize) -> Response<Counts> {
        let event = made_up(bytes, "account:created").unwrap();
        let record = |number: usize| {
            let uuid = format!("{number:08x}");
            let data = STANDARD.encode_to_string(event.replace("2c963f66", &uuid));
            format!(
                r#"{{"recordId":"{number:0RECORD_ID_BYTES$}","approximateArrivalTimestamp":1789014240448,"data":"{data}"}}"#
            )
        };
        let records: Vec<_> = (0..events).map(record).collect();
        let body = format!(r#"{{"records":[{}]}}"#, records.join(","));
        let function = FirehoseTransform::new(settings(), TakesAll);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let moment = Moment {
                now: UNIX_EPOCH + Duration::from_secs(1_789_014_301),
                deadline: Instant::now() + Duration::from_mins(1),
            };
            function.answer(body.as_bytes(), moment).await.unwrap()
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    fn events_in(megabytes: f64, bytes: usize) -> usize {
        ((megabytes * MEBIBYTE) as usize).div_ceil(bytes)
    }

    #[test]
    fn a_response_is_as_long_as_was_counted() {
        for (bytes, events) in [(110, 1), (150, 1_000), (420, 3_000), (100_000, 20)] {
            let answers = load(1.0, bytes).shape.answers;
            let counted = answers.response_bytes(float(events));
            check_near(counted, float(answered(bytes, events).body.len()));
        }
    }

    #[test]
    fn the_largest_batch_that_is_advised_fits_and_a_larger_one_does_not() {
        for bytes in [110, 420, 1_000_000] {
            let answers = load(1.0, bytes).shape.answers;
            let megabytes = answers.batch_megabytes_max(RESPONSE_BYTES_MAX).unwrap();
            let answer = answered(bytes, events_in(megabytes, bytes));
            let bound = answers.response_bytes_max(megabytes * MEBIBYTE);
            assert_eq!(answer.counts.overflow, 0, "{bytes} bytes, {megabytes} MB");
            let unused = bound - float(answer.body.len());
            assert!(
                (0.0..=2.0 * answers.longest_bytes).contains(&unused),
                "{bytes} bytes: {unused} of {bound} are not used"
            );
            if megabytes < 2.9 {
                // One step of 0.1 is left out, around Firehose's default of 1.
                let answer = answered(bytes, events_in(megabytes + 0.2, bytes));
                assert!(answer.counts.overflow > 0, "{bytes} bytes, {megabytes} MB");
            }
        }
    }

    #[test]
    fn the_worst_mix_is_all_of_the_densest_events() {
        let mut gauge = AnswerGauge::default();
        for bytes in [100, 400, 2_000] {
            gauge.add(bytes, &vec![b'x'; bytes + 99], br#"{"k":"v"}"#);
        }
        let all = gauge.answers();
        let mut gauge = AnswerGauge::default();
        gauge.add(100, &[b'x'; 199], br#"{"k":"v"}"#);
        let densest = gauge.answers();
        check_near(all.densest, densest.densest);
        check_near(all.densest, densest.mean_bytes / 100.0);
        assert!(all.response_bytes_max(1e6) > densest.response_bytes(1e4));
        assert!(
            all.batch_megabytes_max(RESPONSE_BYTES_MAX)
                <= densest.batch_megabytes_max(RESPONSE_BYTES_MAX)
        );
    }

    /// So whatever request Firehose can send can be answered, refused records and all.
    #[test]
    fn a_refused_record_is_answered_in_fewer_bytes_than_it_came_in() {
        let entry = r#"{"recordId":"1","approximateArrivalTimestamp":1789014240448,"data":""}"#;
        let request = format!(r#"{{"records":[{entry}]}}"#);
        for record in read_request(request.as_bytes()).unwrap() {
            let length = Answer::ProcessingFailed.length(record.slot);
            assert!(length <= entry.len(), "{length}");
        }
    }

    #[test]
    fn none_fits_where_not_even_the_smallest_does() {
        let answers = load(1.0, 420).shape.answers;
        assert_eq!(answers.batch_megabytes_max(1_000), None);
        assert_eq!(
            answers.batch_megabytes_max(RESPONSE_BYTES_MAX / 2),
            Some(1.3)
        );
    }
}
