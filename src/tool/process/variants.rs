//! What was counted of each experiment's variants, over all time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    counted::{Counted, Counter, Users},
    rate::Rate,
};
use crate::tool::{
    plain::Plain,
    table::{Cell, Column, Table},
    terminal::{BOLD, GREEN},
};

/// So many event types are named; the rest is a number.
const TYPES_SHOWN: usize = 8;

/// By experiment and variant.
pub(super) struct Variants<'a> {
    experiments: BTreeMap<&'a str, BTreeMap<&'a str, Variant<'a>>>,
    /// The event type that a variant is for.
    pub(super) conversion: Option<&'a str>,
}

/// A variant, in a line.
pub(super) struct Line<'a> {
    pub(super) experiment: &'a str,
    pub(super) variant: &'a str,
    pub(super) users: u64,
    pub(super) rate: Option<Rate>,
}

#[derive(Default)]
struct Variant<'a> {
    users: Users,
    event_types: BTreeMap<&'a str, Counter>,
}

impl<'a> Variants<'a> {
    pub(super) fn of(counted: &'a Counted, conversion: Option<&'a str>) -> Self {
        let span = counted.span();
        let mut experiments: BTreeMap<_, BTreeMap<_, Variant<'_>>> = BTreeMap::new();
        for (subject, counter) in &counted.0 {
            if subject.window.span() == span {
                let variants = experiments.entry(&*subject.experiment).or_default();
                let variant = variants.entry(&*subject.variant).or_default();
                variant.add(&subject.event_type, counter);
            }
        }
        Self {
            experiments,
            conversion,
        }
    }

    /// A row for each variant, and one for each of its event types.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([
            Column::left("variant"),
            Column::left("event type"),
            Column::right("events"),
            Column::right("users"),
            Column::left("conversion"),
        ]);
        for (experiment, variants) in &self.experiments {
            table.heading(format!("experiment {}", Plain(experiment)));
            for (name, variant) in variants {
                let users = variant.users.number();
                let conversion = self.rate(variant).map(|rate| rate.to_string());
                table.row([
                    Cell::styled(BOLD, Plain(name).to_string()),
                    "all".into(),
                    grouped(variant.events()).into(),
                    grouped(users).into(),
                    Cell::styled(GREEN, conversion.unwrap_or_default()),
                ]);
                for (event_type, counter) in &variant.event_types {
                    table.row([
                        "".into(),
                        Plain(event_type).to_string().into(),
                        grouped(counter.events).into(),
                        grouped(counter.users.number()).into(),
                        "".into(),
                    ]);
                }
            }
        }
        table
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'a>> {
        let experiments = self.experiments.iter();
        experiments.flat_map(|(experiment, variants)| {
            variants.iter().map(|(name, variant)| Line {
                experiment,
                variant: name,
                users: variant.users.number(),
                rate: self.rate(variant),
            })
        })
    }

    /// Names are for ever.
    pub(super) fn json(&self) -> Value {
        let variants = self.experiments.iter().flat_map(|(experiment, variants)| {
            variants
                .iter()
                .map(move |(name, variant)| self.variant_json(experiment, name, variant))
        });
        variants.collect()
    }

    fn variant_json(&self, experiment: &str, name: &str, variant: &Variant<'_>) -> Value {
        let types: Map<_, _> = variant
            .event_types
            .iter()
            .map(|(event_type, counter)| {
                let numbers = json!({"events": counter.events, "users": counter.users.number()});
                ((*event_type).to_owned(), numbers)
            })
            .collect();
        json!({
            "experiment": experiment,
            "variant": name,
            "events": variant.events(),
            "users": variant.users.number(),
            "event_types": types,
            "conversion": self.rate(variant).map(|rate| json!({
                "event_type": self.conversion,
                "rate": rate.value,
                "low": rate.low,
                "high": rate.high,
            })),
        })
    }

    /// That no event which is counted is of the type that a variant is for.
    pub(super) fn conversion_missed(&self) -> Option<String> {
        let conversion = self.conversion?;
        let variants = self.experiments.values().flat_map(BTreeMap::values);
        let types: BTreeSet<_> = variants
            .flat_map(|variant| variant.event_types.keys().copied())
            .collect();
        if types.is_empty() || types.contains(conversion) {
            return None;
        }
        let shown = types.iter().take(TYPES_SHOWN);
        let shown: Vec<_> = shown.map(|name| Plain(name).to_string()).collect();
        let more = match types.len().saturating_sub(TYPES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!(
            "no event that is counted has the type `{}` of --conversion, so its rate says nothing; \
             there are {}{more}",
            Plain(conversion),
            shown.join(", ")
        ))
    }

    /// Which part of a variant's users did what it is for.
    fn rate(&self, variant: &Variant<'_>) -> Option<Rate> {
        let converted = variant.event_types.get(self.conversion?);
        let converted = converted.map(|counter| counter.users.number());
        Rate::of(converted.unwrap_or_default(), variant.users.number())
    }
}

impl<'a> Variant<'a> {
    fn add(&mut self, event_type: &'a str, counter: &Counter) {
        self.users.merge(&counter.users);
        let of_type = self.event_types.entry(event_type).or_default();
        of_type.events += counter.events;
        of_type.users.merge(&counter.users);
    }

    fn events(&self) -> u64 {
        self.event_types
            .values()
            .map(|counter| counter.events)
            .sum()
    }
}

fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
