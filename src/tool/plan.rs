//! `nozzle plan`: a load in; out comes what the chain needs for it, and what that costs.
//!
//! All but reading options, sample and price list is arithmetic without IO, from the source to the
//! bill: [`chain`] is its map.

mod advice;
mod answers;
mod assumptions;
mod buffer;
mod chain;
mod claims;
mod cost;
mod figures;
mod float;
mod function;
mod intake;
mod lake;
mod limits;
mod load;
mod measure;
mod options;
mod partitions;
mod prices;
mod sample;
mod variables;
mod words;

#[cfg(test)]
mod chance;
#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

use anyhow::Result;
use serde::Serialize;

use super::{
    table::{Column, Table},
    terminal::{BOLD, print, print_json},
};
use chain::Chain;
use figures::heading;
use options::Given;
pub(super) use options::PlanOptions;
use prices::Prices;
use sample::LoadSample;

impl PlanOptions {
    pub(super) fn run(&self) -> Result<()> {
        if self.show_prices {
            return print(prices::OURS);
        }
        let prices = Prices::read(self.prices.as_deref())?;
        let asked = self.read()?;
        let report = PlanReport::of(&asked, &prices);
        if self.json {
            print_json(&report)
        } else {
            report.print()
        }
    }
}

/// What is said. Names are for ever.
#[derive(Serialize)]
struct PlanReport<'a> {
    plans: Vec<Chain>,
    sample: Option<&'a LoadSample>,
    prices: &'a Prices,
    #[serde(skip)]
    region: &'a str,
    assumptions: Vec<String>,
    not_counted: Vec<&'static str>,
}

impl<'a> PlanReport<'a> {
    fn of(asked: &'a Given, prices: &'a Prices) -> Self {
        let chain = |scale: &f64| Chain::of(&asked.load, *scale, &asked.wishes, prices);
        let plans: Vec<_> = asked.scales.iter().map(chain).collect();
        let function = plans.first().map(|plan| &plan.function);
        Self {
            assumptions: assumptions::of(asked, prices, function),
            plans,
            sample: asked.sample.as_ref(),
            prices,
            region: asked.wishes.region(prices),
            not_counted: assumptions::NOT_COUNTED.to_vec(),
        }
    }

    fn print(&self) -> Result<()> {
        let prices = self.prices.named(self.region);
        figures::table(&self.plans, &prices).print()?;
        for plan in &self.plans {
            let title = format!("What to do ({})", heading(plan));
            let advice = plan.advice.iter();
            let advice =
                advice.map(|advice| format!("{}: {}", advice.weight.as_str(), advice.sentence));
            print_items(&title, advice)?;
        }
        self.print_variables()?;
        print_items("Taken for granted", self.assumptions.iter().cloned())?;
        print_items("Not counted", [self.not_counted.join(", ")])
    }

    /// All of them for the load as given; of another scale what differs.
    fn print_variables(&self) -> Result<()> {
        let given = self.plans.iter().find(|plan| heading(plan) == "as given");
        let given = given.map_or(&[][..], |plan| &plan.variables);
        let mut lines = vec![format!(
            "\n{BOLD}For terraform/environments/*.tfvars{BOLD:#}\n"
        )];
        let of_given = given.iter();
        lines
            .extend(of_given.map(|variable| format!("  {} = {}\n", variable.name, variable.value)));
        for plan in &self.plans {
            let others = plan.variables.iter();
            for variable in others.filter(|variable| !given.contains(variable)) {
                let scale = heading(plan);
                lines.push(format!(
                    "  # {scale}: {} = {}\n",
                    variable.name, variable.value
                ));
            }
        }
        print(lines.concat())
    }
}

fn print_items(title: &str, items: impl IntoIterator<Item = String>) -> Result<()> {
    let mut table = Table::new([Column::left(""), Column::prose("")]);
    for item in items {
        table.row(["  -".into(), item.into()]);
    }
    if table.is_empty() {
        table.row(["  -".into(), "nothing".into()]);
    }
    print(format!("\n{BOLD}{title}{BOLD:#}\n"))?;
    table.print()
}
