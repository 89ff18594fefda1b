//! The chain for one load, from the source to the bill.

use serde::Serialize;

use super::{
    advice::{Advice, Weight, advise},
    billing::ClaimBilling,
    claims::ClaimTable,
    cost::{Cost, Planned},
    function::FunctionSizing,
    intake::Inflow,
    lake::LakeSizing,
    limits::{PutQuota, SECONDS_A_MONTH},
    load::Load,
    options::Wishes,
    prices::Prices,
    streams::StreamFunction,
    variables::{Variable, variables},
};

/// All that a load needs and costs.
#[derive(Debug, Serialize)]
pub(super) struct Chain {
    pub(super) scale: f64,
    pub(super) load: Load,
    pub(super) intake: Inflow,
    pub(super) function: FunctionSizing,
    pub(super) claims: ClaimTable,
    pub(super) claim_billing: ClaimBilling,
    pub(super) lake: LakeSizing,
    pub(super) streams: Vec<StreamFunction>,
    /// Dollars a month.
    pub(super) cost: Cost,
    pub(super) cost_total: f64,
    /// None where nothing comes, or as good as nothing.
    pub(super) cost_per_million_events: Option<f64>,
    pub(super) advice: Vec<Advice>,
    pub(super) variables: Vec<Variable>,
}

impl Chain {
    pub(super) fn of(load: &Load, scale: f64, wishes: &Wishes, prices: &Prices) -> Self {
        let load = load.scaled(scale);
        let region = wishes.region(prices);
        let intake = Inflow::of(&load, PutQuota::of(region));
        let function = FunctionSizing::of(&load, intake.buffers(), wishes);
        let claims = ClaimTable::of(&load, wishes.claim_hours);
        let lake = LakeSizing::of(&load, wishes);
        let planned = Planned {
            load: &load,
            intake: &intake,
            function: &function,
            claims: &claims,
            lake: &lake,
            wishes,
        };
        let cost = Cost::of(&planned, prices);
        let claim_billing = ClaimBilling::of(&claims, prices);
        let events = load.events_per_second * SECONDS_A_MONTH;
        let advice = advise(&planned, &cost, &claim_billing, region);
        let variables = variables(&planned);
        Self {
            scale,
            streams: StreamFunction::all(&load, wishes.streams, prices),
            cost_total: cost.total(),
            cost_per_million_events: Some(cost.total() / events * 1e6)
                .filter(|cost| cost.is_finite()),
            cost,
            claim_billing,
            advice,
            variables,
            load,
            intake,
            function,
            claims,
            lake,
        }
    }

    pub(super) fn advice_of(&self, weight: Weight) -> impl Iterator<Item = &Advice> {
        let advice = self.advice.iter();
        advice.filter(move |advice| advice.weight == weight)
    }
}
