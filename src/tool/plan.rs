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
mod float;
mod function;
mod intake;
mod lake;
mod limits;
mod load;
mod measure;
mod options;
mod prices;
mod sample;
mod table;
mod variables;
mod words;

#[cfg(test)]
mod chance;
#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};
use serde::Serialize;

use super::terminal::{Colour, Palette};
use chain::Chain;
use options::Asked;
pub(super) use options::Plan;
use prices::Prices;
use sample::Sample;
use table::{Table, heading};

impl Plan {
    pub(super) fn run(&self) -> Result<()> {
        let stdout = io::stdout();
        let palette = Palette::of(&stdout);
        match self.write(&mut stdout.lock(), palette)? {
            // Whoever stopped reading has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("the plan cannot be written"),
        }
    }

    fn write(&self, out: &mut impl Write, palette: Palette) -> Result<io::Result<()>> {
        if self.show_prices {
            return Ok(write!(out, "{}", prices::OURS));
        }
        let prices = Prices::read(self.prices.as_deref())?;
        let asked = self.read()?;
        let report = Report::of(&asked, &prices);
        Ok(if self.json {
            let json = serde_json::to_string(&report)?;
            writeln!(out, "{json}")
        } else {
            report.write(out, palette)
        })
    }
}

/// What is said. Names are for ever.
#[derive(Serialize)]
struct Report<'a> {
    plans: Vec<Chain>,
    sample: Option<&'a Sample>,
    prices: &'a Prices,
    #[serde(skip)]
    region: &'a str,
    assumptions: Vec<String>,
    not_counted: Vec<&'static str>,
}

impl<'a> Report<'a> {
    fn of(asked: &'a Asked, prices: &'a Prices) -> Self {
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

    fn write(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        let prices = self.prices.named(self.region);
        Table::of(&self.plans, &prices).write(out, palette)?;
        for plan in &self.plans {
            write_advice(plan, out, palette)?;
        }
        self.write_variables(out, palette)?;
        let heading = |text| palette.paint(Colour::Bold, text);
        writeln!(out, "\n{}", heading("Taken for granted"))?;
        for assumption in &self.assumptions {
            write_item(out, assumption)?;
        }
        writeln!(out, "\n{}", heading("Not counted"))?;
        write_item(out, &self.not_counted.join(", "))
    }

    /// All of them for the load as given; of another scale what differs.
    fn write_variables(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        let given = self.plans.iter().find(|plan| heading(plan) == "as given");
        let given = given.map_or(&[][..], |plan| &plan.variables);
        writeln!(
            out,
            "\n{}",
            palette.paint(Colour::Bold, "For terraform/environments/*.tfvars")
        )?;
        for variable in given {
            writeln!(out, "  {} = {}", variable.name, variable.value)?;
        }
        for plan in &self.plans {
            for variable in &plan.variables {
                if !given.contains(variable) {
                    let scale = heading(plan);
                    writeln!(out, "  # {scale}: {} = {}", variable.name, variable.value)?;
                }
            }
        }
        Ok(())
    }
}

fn write_advice(plan: &Chain, out: &mut impl Write, palette: Palette) -> io::Result<()> {
    let title = format!("What to do ({})", heading(plan));
    writeln!(out, "\n{}", palette.paint(Colour::Bold, title))?;
    if plan.advice.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for advice in &plan.advice {
        write_item(
            out,
            &format!("{}: {}", advice.weight.as_str(), advice.sentence),
        )?;
    }
    Ok(())
}

/// A sentence over as many lines as it needs.
fn write_item(out: &mut impl Write, sentence: &str) -> io::Result<()> {
    const WIDTH: usize = 96;
    write!(out, "  -")?;
    let mut width = 3;
    // An amount is not parted from its dollars.
    for word in sentence.replace(" $", "\u{a0}$").split(' ') {
        let word = word.replace('\u{a0}', " ");
        let length = 1 + word.chars().count();
        if width + length > WIDTH {
            write!(out, "\n   ")?;
            width = 3;
        }
        write!(out, " {word}")?;
        width += length;
    }
    writeln!(out)
}
