//! The two ways to pay for the claim table's writes, and which is cheaper.

use clap::ValueEnum;
use serde::Serialize;

use super::{
    claims::ClaimTable,
    limits::{HOURS_A_MONTH, SECONDS_A_MONTH, UNITS_USED},
    prices::Prices,
};

/// A saving worth a change.
pub(super) const DOLLARS_WORTHWHILE: f64 = 20.0;

/// As `claim_capacity` in Terraform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ClaimCapacity {
    /// Each write is paid
    OnDemand,
    /// Units are provisioned that follow the load
    Auto,
}

/// Dollars a month.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ClaimBilling {
    pub(super) on_demand: f64,
    /// With units that follow a load whose peaks come and go by the hour.
    pub(super) provisioned: f64,
    /// With as many units as the peak takes, all month: no burst waits.
    pub(super) provisioned_at_peak: f64,
    /// The share of provisioned units that must be used on the average for both ways to cost the same.
    pub(super) break_even_share: f64,
    pub(super) cheaper: CheaperWay,
}

/// Which way is cheaper, by as much as is worth a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CheaperWay {
    OnDemand,
    /// Units are, unless the peaks are bursts that cannot wait.
    ProvisionedForSlowPeaks,
    /// Units are, even as many as the peak takes.
    Provisioned,
}

impl CheaperWay {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on demand",
            Self::ProvisionedForSlowPeaks => "units, no bursts",
            Self::Provisioned => "units",
        }
    }
}

impl ClaimBilling {
    pub(super) fn of(claims: &ClaimTable, prices: &Prices) -> Self {
        let a_million = prices.dynamodb_on_demand_per_million_writes;
        let a_unit_hour = prices.dynamodb_provisioned_per_write_unit_hour;
        let a_month = |units: f64| units.ceil().max(1.0) * HOURS_A_MONTH * a_unit_hour;
        let on_demand = claims.write_units_per_second * SECONDS_A_MONTH / 1e6 * a_million;
        let provisioned = a_month(claims.write_units_per_second / UNITS_USED);
        let provisioned_at_peak = a_month(claims.peak_write_units_per_second);
        let full_hour_on_demand = 3600.0 / 1e6 * a_million;
        let saves = |dollars: f64| on_demand - dollars >= DOLLARS_WORTHWHILE.max(0.1 * on_demand);
        Self {
            on_demand,
            provisioned,
            provisioned_at_peak,
            break_even_share: a_unit_hour / full_hour_on_demand.max(f64::MIN_POSITIVE),
            cheaper: if saves(provisioned_at_peak) {
                CheaperWay::Provisioned
            } else if saves(provisioned) {
                CheaperWay::ProvisionedForSlowPeaks
            } else {
                CheaperWay::OnDemand
            },
        }
    }

    /// As it is wished for.
    pub(super) fn dollars(&self, capacity: ClaimCapacity) -> f64 {
        match capacity {
            ClaimCapacity::OnDemand => self.on_demand,
            ClaimCapacity::Auto => self.provisioned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::{
        example::{check_near, load},
        load::Load,
    };

    #[track_caller]
    fn check(events_per_second: f64, peak_factor: f64, dollars: [f64; 3], cheaper: CheaperWay) {
        let load = Load {
            peak_factor,
            ..load(events_per_second, 420)
        };
        let prices = Prices::read(None).unwrap();
        let billing = ClaimBilling::of(&ClaimTable::of(&load, 24), &prices);
        let ways = [
            billing.on_demand,
            billing.provisioned,
            billing.provisioned_at_peak,
        ];
        for (way, expected) in ways.into_iter().zip(dollars) {
            assert!((way - expected).abs() < 0.005, "{way}, not {expected}");
        }
        assert_eq!(billing.cheaper, cheaper);
        check_near(billing.break_even_share, 0.65 / 2.25);
    }

    /// 1,000 events a second: 2,592 million writes at 0.625 $. 1,429 units, 70 % of them used, over 720
    /// hours at 0.00065 $; for a peak of 3 times the mean 3,000. On demand a unit used all hour costs
    /// 3,600 writes, 0.00225 $: units are cheaper from 28.9 % of use on, a lasting peak of 3.46.
    #[test]
    fn units_are_cheaper_from_the_break_even_share_on() {
        use CheaperWay::{OnDemand, Provisioned, ProvisionedForSlowPeaks};
        check(1_000.0, 3.0, [1_620.0, 668.77, 1_404.0], Provisioned);
        check(
            1_000.0,
            3.4,
            [1_620.0, 668.77, 1_591.2],
            ProvisionedForSlowPeaks,
        );
        check(
            1_000.0,
            10.0,
            [1_620.0, 668.77, 4_680.0],
            ProvisionedForSlowPeaks,
        );
        check(278.0, 1.5, [450.36, 186.26, 195.16], Provisioned);
        check(10.0, 3.0, [16.2, 7.02, 14.04], OnDemand);
        check(0.0, 3.0, [0.0, 0.47, 0.47], OnDemand);
    }
}
