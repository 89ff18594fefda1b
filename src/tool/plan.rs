//! `nozzle plan`: a load in; out comes what the chain needs for it, and what that costs.
//!
//! All but reading options, sample and price list is arithmetic without IO, from the source to the
//! bill: [`chain`] is its map.

mod advice;
mod answers;
mod assumptions;
mod billing;
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
mod streams;
mod variables;
mod watching;
mod words;

use anyhow::Result;
use serde::Serialize;

use super::{
    table::{Column, Table},
    terminal::{BOLD, print, print_json, tell},
    undivided,
};
use advice::Weight;
use chain::Chain;
use figures::{heading, is_given};
use options::Given;
pub(super) use options::PlanOptions;
use prices::Prices;
use sample::LoadSample;
use variables::Variable;

/// Of more it would not be short to say what must be done.
const SCALES_TOLD: usize = 3;

impl PlanOptions {
    pub(super) fn run(&self) -> Result<()> {
        if self.show_prices {
            return print(prices::OURS);
        }
        let prices = Prices::read(self.prices.as_deref())?;
        let given = self.read()?;
        let sample = given.sample.as_ref();
        if let Some(remark) = sample.and_then(|sample| undivided::remark(sample.name_forms)) {
            tell(remark);
        }
        let report = PlanReport::of(&given, &prices);
        if self.json {
            print_json(&report)
        } else if self.all {
            report.print_all()
        } else {
            report.print_first()
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
    fn of(given: &'a Given, prices: &'a Prices) -> Self {
        let chain = |scale: &f64| Chain::of(&given.load, *scale, &given.wishes, prices);
        let plans: Vec<_> = given.scales.iter().map(chain).collect();
        let function = plans.first().map(|plan| &plan.function);
        Self {
            assumptions: assumptions::of(given, prices, function),
            plans,
            sample: given.sample.as_ref(),
            prices,
            region: given.wishes.region(prices),
            not_counted: assumptions::NOT_COUNTED.to_vec(),
        }
    }

    /// What it comes to, and what cannot wait.
    fn print_first(&self) -> Result<()> {
        self.print_totals()?;
        self.print_musts()?;
        let better = self.plans.iter();
        let better = better.flat_map(|plan| plan.advice_of(Weight::Better));
        let noun = match better.count() {
            0 => String::new(),
            count => format!(", {} that had better be done", things(count)),
        };
        print_items(
            "Beside that",
            [format!(
                "every figure{noun}, lines for a .tfvars file, what is taken for granted: --all"
            )],
        )
    }

    fn print_totals(&self) -> Result<()> {
        figures::totals(&self.plans).print()?;
        let prices = self.prices.named(self.region);
        let foot = format!("prices: {prices}; check them before you quote them");
        let mut table = Table::new([Column::left(""), Column::prose("")]);
        table.row(["".into(), foot.as_str().into()]);
        table.print()
    }

    /// Of many scales one is told, and of the others how much there is to do.
    fn print_musts(&self) -> Result<()> {
        let is_told = |plan: &&Chain| self.plans.len() <= SCALES_TOLD || is_given(plan);
        let (told, counted): (Vec<_>, Vec<_>) = self.plans.iter().partition(is_told);
        self.print_advice(told, "What must be done first", Weight::Must)?;
        if counted.is_empty() {
            return Ok(());
        }
        let lines = counted.into_iter().map(|plan| {
            let count = plan.advice_of(Weight::Must).count();
            format!("{}: {}", heading(plan), things(count))
        });
        print_items("... and at the other scales; --all says what", lines)
    }

    fn print_all(&self) -> Result<()> {
        self.print_totals()?;
        self.print_advice(&self.plans, "What must be done first", Weight::Must)?;
        self.print_advice(&self.plans, "What had better be done", Weight::Better)?;
        print("\n")?;
        figures::table(&self.plans).print()?;
        self.print_variables()?;
        print_items("Taken for granted", self.assumptions.iter().cloned())?;
        print_items("Not counted", [self.not_counted.join(", ")])
    }

    fn print_advice<'p>(
        &self,
        plans: impl IntoIterator<Item = &'p Chain>,
        title: &str,
        weight: Weight,
    ) -> Result<()> {
        for plan in plans {
            let title = match self.plans.as_slice() {
                [_] => title.to_owned(),
                _ => format!("{title} ({})", heading(plan)),
            };
            let advice = plan.advice_of(weight);
            let mut items: Vec<_> = advice.map(|advice| advice.sentence.clone()).collect();
            if items.is_empty() && weight == Weight::Must {
                let region = self.region;
                items.push(format!("nothing, by the quotas of {region} (--region)"));
            }
            print_items(&title, items)?;
        }
        Ok(())
    }

    /// All of them for the load as given; of another scale what differs.
    fn print_variables(&self) -> Result<()> {
        let given = self.plans.iter().find(|plan| is_given(plan));
        let given = given.map_or(&[][..], |plan| &plan.variables);
        print(format!(
            "\n{BOLD}For terraform/environments/*.tfvars{BOLD:#}\n"
        ))?;
        for Variable { name, value } in given {
            print(format!("  {name} = {value}\n"))?;
        }
        for plan in &self.plans {
            let scale = heading(plan);
            let others = plan.variables.iter();
            for Variable { name, value } in others.filter(|variable| !given.contains(variable)) {
                print(format!("  # {scale}: {name} = {value}\n"))?;
            }
        }
        Ok(())
    }
}

fn things(count: usize) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => "one thing".to_owned(),
        _ => format!("{count} things"),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{
        chain::Chain,
        example::{check_near, load, wishes},
        load::{InflowSource, Load},
        partitions::PartitionGroups,
        prices::Prices,
    };

    fn plan(load: &Load, scale: f64) -> Chain {
        Chain::of(load, scale, &wishes(), &Prices::read(None).unwrap())
    }

    fn numbers(value: &Value, found: &mut Vec<f64>) {
        match value {
            Value::Number(number) => found.extend(number.as_f64()),
            Value::Array(values) => values.iter().for_each(|value| numbers(value, found)),
            Value::Object(values) => values.values().for_each(|value| numbers(value, found)),
            _ => {}
        }
    }

    /// Infinities and what is no number are null in JSON.
    fn nulls(value: &Value) -> usize {
        match value {
            Value::Null => 1,
            Value::Array(values) => values.iter().map(nulls).sum(),
            Value::Object(values) => values.values().map(nulls).sum(),
            _ => 0,
        }
    }

    #[track_caller]
    fn check_sane(load: &Load, scale: f64) {
        let plan = plan(load, scale);
        let json = serde_json::to_value(&plan).unwrap();
        let mut found = Vec::new();
        numbers(&json, &mut found);
        assert!(found.iter().all(|number| *number >= 0.0), "{json}");
        let of_nothing = plan.cost_per_million_events.is_none();
        assert!(!of_nothing || load.events_per_second < 1e-200);
        assert_eq!(nulls(&json), usize::from(of_nothing), "{json}");
    }

    #[test]
    fn absurd_loads_have_plans_of_numbers() {
        for events_per_second in [0.0, 1e-300, 1e-9, 1e12] {
            for (bytes, partitions) in [(64, 1), (1_024_000, 4_000_000_000)] {
                for source in [InflowSource::DirectPut, InflowSource::Kinesis] {
                    let load = Load {
                        source,
                        partitions: PartitionGroups::alike(partitions),
                        ..load(events_per_second, bytes)
                    };
                    for scale in [1e-9, 1.0, 1e9] {
                        check_sane(&load, scale);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_but_what_is_refused_or_copied_has_a_plan_too() {
        for (duplicate_share, refused_share) in [(1.0, 0.0), (0.0, 1.0), (0.3, 0.7)] {
            let load = Load {
                duplicate_share,
                refused_share,
                ..load(1_000.0, 420)
            };
            check_sane(&load, 1.0);
            check_near(plan(&load, 1.0).lake.files_per_hour, 0.0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_paid_by_the_event_grows_with_the_events(
            events_per_second in 1e-3..1e6, scale in 1e-3..1e3, bytes in 64_usize..5_000, duplicate_share in 0.0..0.5,
        ) {
            let load = Load { duplicate_share, ..load(events_per_second, bytes) };
            let (given, scaled) = (plan(&load, 1.0), plan(&load, scale));
            for (given, scaled) in [
                (given.cost.firehose_ingest, scaled.cost.firehose_ingest),
                (given.cost.dynamic_partitioning_bytes, scaled.cost.dynamic_partitioning_bytes),
                (given.cost.claims, scaled.cost.claims),
                (given.cost.s3_storage, scaled.cost.s3_storage),
                (given.claims.items, scaled.claims.items),
                (given.claims.peak_write_units_per_second, scaled.claims.peak_write_units_per_second),
            ] {
                check_near(scaled, given * scale);
            }
        }

        #[test]
        fn more_events_never_cost_less_nor_need_less(
            events_per_second in 1e-3..1e6, more in 1.0..1e3, bytes in 64_usize..5_000,
        ) {
            // Buffers are chosen by the load; with others files may be fewer, and so may their cost.
            let wishes = super::options::Wishes {
                buffer_megabytes: Some(64), buffer_seconds: Some(300), memory_megabytes: Some(512), ..wishes()
            };
            let prices = Prices::read(None).unwrap();
            let load = load(events_per_second, bytes);
            let (less, more) = (Chain::of(&load, 1.0, &wishes, &prices), Chain::of(&load, more, &wishes, &prices));
            let no_less = |less: f64, more: f64| more >= less * (1.0 - 1e-9);
            prop_assert!(no_less(less.cost_total, more.cost_total));
            prop_assert!(no_less(less.function.mean.invocations_per_second, more.function.mean.invocations_per_second));
            prop_assert!(no_less(less.function.concurrency, more.function.concurrency));
            prop_assert!(no_less(less.lake.files_per_hour, more.lake.files_per_hour));
            prop_assert!(no_less(less.lake.active_partitions, more.lake.active_partitions));
            prop_assert!(more.lake.active_partitions <= more.lake.partitions * (1.0 + 1e-9));
        }

        #[test]
        fn every_answer_of_a_batch_that_is_advised_fits(bytes in 64_usize..100_000) {
            prop_assert!(plan(&load(1_000.0, bytes), 1.0).function.fits());
        }
    }
}

/// A load and what was decided about it, for tests.
#[cfg(test)]
mod example {
    use super::{
        billing::ClaimCapacity,
        intake::KinesisCapacity,
        load::{InflowSource, Load},
        options::{FileFormat, Wishes},
        partitions::PartitionGroups,
        sample::Described,
        streams::StreamWishes,
    };
    use crate::functions::firehose_transform::Settings;

    pub(super) fn settings() -> Settings {
        Settings::read(|_| None).unwrap()
    }

    /// Direct put to a hundred partitions; the peak is three times the mean, no event smaller than it.
    pub(super) fn load(events_per_second: f64, bytes: usize) -> Load {
        let described = Described {
            bytes,
            name: "account:created",
            smallest_bytes: Some(bytes),
        };
        Load {
            source: InflowSource::DirectPut,
            events_per_second,
            peak_factor: 3.0,
            duplicate_share: 0.0,
            refused_share: 0.0,
            shape: described.shape(&settings()).unwrap(),
            compression: 5.0,
            partitions: PartitionGroups::alike(100),
        }
    }

    /// Nothing but what has a default.
    pub(super) fn wishes() -> Wishes {
        Wishes {
            format: FileFormat::Json,
            originals_backup: false,
            claim_hours: 24,
            claim_capacity: ClaimCapacity::OnDemand,
            kinesis_capacity: KinesisCapacity::OnDemand,
            retention_days: 365,
            region: None,
            streams: StreamWishes::default(),
            partition_keys: settings().rules.partition_keys.to_string(),
            idle_keys: Vec::new(),
            event_fields: settings().rules.event_fields,
            partitioned_by_time: true,
            response_bytes_max: settings().response_bytes_max,
            batch_megabytes: None,
            batch_seconds: None,
            buffer_megabytes: None,
            buffer_seconds: None,
            memory_megabytes: None,
            microseconds_per_event: None,
            claim_milliseconds: 20.0,
        }
    }

    /// Equal but for what floats round.
    #[track_caller]
    pub(super) fn check_near(actual: f64, expected: f64) {
        let tolerance = 1e-9 * expected.abs().max(1e-9);
        assert!(
            (actual - expected).abs() <= tolerance,
            "{actual}, not {expected}"
        );
    }
}

/// Chance for simulations: the same at every run.
#[cfg(test)]
mod chance {
    /// A linear congruential generator (Knuth's MMIX), of which the upper bits are used.
    pub(super) struct Chance(u64);

    impl Chance {
        pub(super) fn new(seed: u64) -> Self {
            let mut chance = Self(seed);
            chance.share();
            chance
        }

        /// From 0 to below 1.
        pub(super) fn share(&mut self) -> f64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(self.0 >> 32).unwrap()) / 4_294_967_296.0
        }

        /// Seconds until the next of events that come at random.
        pub(super) fn wait(&mut self, per_second: f64) -> f64 {
            -(1.0 - self.share()).ln() / per_second
        }
    }
}
