//! What became of a batch, in numbers.

use std::{collections::BTreeMap, time::Duration};

use super::{
    batch::{Settled, Verdict},
    event::Refusal,
};
use crate::{
    functions::Counted,
    telemetry::{Metric, Quantity},
};

/// Records of one batch by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub records: usize,
    pub delivered: usize,
    /// With those that differ.
    pub duplicates: usize,
    pub duplicates_differing: usize,
    /// Delivered on a claim that the record itself had made before.
    pub reclaimed: usize,
    pub reclaimed_changed_id: usize,
    pub refused: BTreeMap<Refusal, usize>,
    pub overflow: usize,
    /// Delivered although the store did not answer.
    pub unclaimed: usize,
    pub claim_duration: Duration,
    pub duration: Duration,
    pub request_bytes: usize,
    pub response_bytes: usize,
}

impl Counts {
    pub(super) fn of(settled: &Settled) -> Self {
        let mut counts = Self {
            records: settled.verdicts.len(),
            reclaimed: settled.reclaimed,
            reclaimed_changed_id: settled.reclaimed_changed_id,
            unclaimed: settled.unclaimed,
            ..Self::default()
        };
        settled
            .verdicts
            .iter()
            .for_each(|verdict| counts.add(*verdict));
        counts
    }

    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Delivered => self.delivered += 1,
            Verdict::Duplicate { differing } => {
                self.duplicates += 1;
                self.duplicates_differing += usize::from(differing);
            }
            Verdict::Refused(refusal) => *self.refused.entry(refusal).or_default() += 1,
            Verdict::Overflow => self.overflow += 1,
        }
    }
}

impl Counted for Counts {
    /// One for each number, and one for each reason that occurred.
    fn metrics(&self) -> Vec<Metric> {
        let count = |name: &str, number| Metric::new(name, Quantity::Count(number));
        let bytes = |name: &str, number| Metric::new(name, Quantity::Bytes(number));
        let time = |name: &str, duration| Metric::new(name, Quantity::Milliseconds(duration));
        let mut metrics = vec![
            count("records", self.records),
            count("delivered", self.delivered),
            count("duplicates", self.duplicates),
            count("duplicates_differing", self.duplicates_differing),
            count("reclaimed", self.reclaimed),
            count("reclaimed_changed_id", self.reclaimed_changed_id),
            count("refused", self.refused.values().sum()),
            count("overflow", self.overflow),
            count("unclaimed", self.unclaimed),
            time("claim_milliseconds", self.claim_duration),
            time("total_milliseconds", self.duration),
            bytes("request_bytes", self.request_bytes),
            bytes("response_bytes", self.response_bytes),
        ];
        metrics.extend(
            self.refused
                .iter()
                .map(|(refusal, number)| count(&format!("refused_{refusal}"), *number)),
        );
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::object::Unreadable;

    #[test]
    fn each_number_is_a_metric_and_so_is_each_reason_that_occurred() {
        let counts = Counts {
            records: 1,
            delivered: 2,
            duplicates: 3,
            duplicates_differing: 4,
            reclaimed: 5,
            reclaimed_changed_id: 6,
            refused: [
                (Refusal::Unreadable(Unreadable::NotJson), 7),
                (Refusal::Unreadable(Unreadable::NotUtf8), 8),
            ]
            .into(),
            overflow: 9,
            unclaimed: 10,
            claim_duration: Duration::from_millis(11),
            duration: Duration::from_millis(12),
            request_bytes: 13,
            response_bytes: 14,
        };
        let metrics = counts.metrics();
        let metrics: Vec<_> = metrics
            .iter()
            .map(|metric| format!("{} {:?}", metric.name, metric.quantity))
            .collect();
        let expected = [
            "records Count(1)",
            "delivered Count(2)",
            "duplicates Count(3)",
            "duplicates_differing Count(4)",
            "reclaimed Count(5)",
            "reclaimed_changed_id Count(6)",
            "refused Count(15)",
            "overflow Count(9)",
            "unclaimed Count(10)",
            "claim_milliseconds Milliseconds(11ms)",
            "total_milliseconds Milliseconds(12ms)",
            "request_bytes Bytes(13)",
            "response_bytes Bytes(14)",
            "refused_not_utf8 Count(8)",
            "refused_not_json Count(7)",
        ];
        assert_eq!(metrics, expected);
    }
}
