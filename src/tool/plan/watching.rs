//! What CloudWatch bills: the alarms that Terraform makes, the function's metrics, its log.

use super::{billing::ClaimCapacity, float::float, load::Load, options::Wishes};
use crate::functions::{Counted, firehose_transform::Counts};

/// The line of counts, of which CloudWatch makes the metrics, and Lambda's own two lines.
pub(super) const LOG_BYTES_A_CALL: f64 = 2_000.0;

/// The stream's three and the function's three; claims failing, unclaimed, or throttled; the two metrics
/// of the refused share.
const ALARM_METRICS: f64 = 3.0 + 3.0 + 3.0 + 2.0;

pub(super) fn alarm_metrics(wishes: &Wishes) -> f64 {
    let originals_late = f64::from(u8::from(wishes.keeps_originals()));
    let claims_at_maximum = f64::from(u8::from(wishes.claim_capacity == ClaimCapacity::Auto));
    ALARM_METRICS + originals_late + claims_at_maximum
}

/// Those of any batch, and one for a reason to refuse where something is refused.
pub(super) fn metrics(load: &Load) -> f64 {
    let of_reason = f64::from(u8::from(load.refused_share > 0.0));
    float(Counts::default().metrics().len()) + of_reason
}

#[cfg(test)]
mod tests {
    #[test]
    fn terraform_makes_these_alarms_and_no_others() {
        for (source, alarms) in [
            // Originals late, and the source behind or throttled, are there as they are wished for.
            (include_str!("../../../terraform/delivery/watching.tf"), 5),
            (
                include_str!("../../../terraform/claim_table/watching.tf"),
                2,
            ),
            (include_str!("../../../terraform/alarms.tf"), 2),
        ] {
            let is_limit = |line: &&str| line.trim_start().starts_with("limit ");
            assert_eq!(source.lines().filter(is_limit).count(), alarms, "{source}");
        }
    }
}
