//! A plan's figures: a row a thing, a column a scale.

use super::{
    chain::Chain,
    intake::Inflow,
    streams::StreamFunction,
    words::{bytes, dollars, number, percent, times},
};
use crate::tool::table::{Cell, Column, Table};

/// What it is called, and how much it is; no text where there is none of it.
type Figure = (&'static str, String);
type FigureGroup = (&'static str, fn(&Chain) -> Vec<Figure>);

/// What a month comes to, by service.
pub(super) fn totals(chains: &[Chain]) -> Table {
    of_groups(
        chains,
        &[
            ("Events a second", events),
            ("Cost of a month", services),
            ("Claims by the write or the unit", billing),
        ],
    )
}

/// Scales differ in how much there is, never in what is told.
pub(super) fn table(chains: &[Chain]) -> Table {
    of_groups(
        chains,
        &[
            ("Load", load),
            ("Source, at the peak", intake),
            ("Function", function),
            ("Claim table", claims),
            ("Lake", lake),
            ("Cost of a month", cost),
            ("Beside it, on Kinesis", streams),
        ],
    )
}

fn of_groups(chains: &[Chain], groups: &[FigureGroup]) -> Table {
    let scales = chains.iter().map(|chain| Column::right(&heading(chain)));
    let columns: Vec<_> = [Column::left("")].into_iter().chain(scales).collect();
    let mut table = Table::new(columns);
    for (title, figures) in groups {
        let columns: Vec<_> = chains.iter().map(figures).collect();
        if columns.iter().all(Vec::is_empty) {
            continue;
        }
        table.heading(*title);
        let labels = columns.first().into_iter().flatten();
        for (row, (label, _)) in labels.enumerate() {
            let figures = columns.iter().filter_map(|figures| figures.get(row));
            add(
                &mut table,
                label,
                figures.map(|(_, figure)| figure.as_str()),
            );
        }
    }
    table
}

/// A row that is left out where no column has anything in it.
fn add<'f>(table: &mut Table, label: &str, figures: impl Iterator<Item = &'f str> + Clone) {
    if figures.clone().any(|figure| !figure.is_empty()) {
        let label = Cell::from(format!("  {label}"));
        let cells = figures.map(|figure| Cell::from(if figure.is_empty() { "-" } else { figure }));
        table.row([label].into_iter().chain(cells).collect::<Vec<_>>());
    }
}

fn events(chain: &Chain) -> Vec<Figure> {
    let load = &chain.load;
    vec![
        ("on the average", number(load.events_per_second)),
        ("at the peak", number(load.at_peak().events_per_second)),
    ]
}

fn load(chain: &Chain) -> Vec<Figure> {
    let load = &chain.load;
    let at_peak = load.at_peak();
    vec![
        ("events a second", number(load.events_per_second)),
        ("at the peak", number(at_peak.events_per_second)),
        ("bytes a second", bytes(load.bytes_per_second())),
        ("an event", bytes(load.shape.record_bytes)),
        ("... delivered", bytes(load.shape.line_bytes)),
        ("duplicates", percent(load.duplicate_share)),
        ("refused", percent(load.refused_share)),
    ]
}

fn intake(chain: &Chain) -> Vec<Figure> {
    match chain.intake {
        Inflow::DirectPut {
            records_per_second,
            bytes_per_second,
            requests_per_second,
            quota_share,
            ..
        } => vec![
            ("records put in a second", number(records_per_second)),
            ("bytes a second", bytes(bytes_per_second)),
            ("requests, at best", number(requests_per_second)),
            ("of the quota", percent(quota_share)),
        ],
        Inflow::Kinesis { shards, .. } => vec![("Kinesis shards", number(shards))],
    }
}

fn function(chain: &Chain) -> Vec<Figure> {
    let function = &chain.function;
    let batch = |megabytes| format!("{megabytes} MB or {} s", function.batch_seconds);
    let batch = function.batch_megabytes.map(batch);
    let used = function.response_bytes_max / function.response_bytes_allowed;
    let invocations_per_hour = function.mean.invocations_per_second * 3600.0;
    let milliseconds = number(function.mean.milliseconds.ceil());
    let used_max = number(function.memory_megabytes_used_max);
    vec![
        ("batch", batch.unwrap_or("none fits".to_owned())),
        ("events in a batch", number(function.mean.events_each)),
        ("answer to a full batch", bytes(function.response_bytes)),
        ("... of the worst mix", bytes(function.response_bytes_max)),
        ("... of what it may have", percent(used)),
        ("invocations", times(invocations_per_hour)),
        ("duration", format!("{milliseconds} ms")),
        ("at once, at the peak", number(function.peak.at_once)),
        ("... room to have", number(function.concurrency)),
        ("memory", format!("{} MB", function.memory_megabytes)),
        ("... used at most", format!("{used_max} MB")),
    ]
}

fn claims(chain: &Chain) -> Vec<Figure> {
    let claims = &chain.claims;
    vec![
        (
            "write units a second",
            number(claims.write_units_per_second),
        ),
        ("at the peak", number(claims.peak_write_units_per_second)),
        ("table partitions for it", number(claims.table_partitions)),
        ("doublings of a new table", number(claims.doublings)),
        ("claims alive", number(claims.items)),
        ("... stored", bytes(claims.stored_bytes)),
    ]
}

/// Both ways to pay for claims.
fn billing(chain: &Chain) -> Vec<Figure> {
    let billing = &chain.claim_billing;
    vec![
        ("on demand", dollars(billing.on_demand)),
        ("units that follow the load", dollars(billing.provisioned)),
        ("units for the peak", dollars(billing.provisioned_at_peak)),
        ("units pay, if used by", percent(billing.break_even_share)),
        (
            "... used here, for the peak",
            percent(1.0 / chain.load.peak_factor),
        ),
        ("worth choosing", billing.cheaper.as_str().to_owned()),
    ]
}

fn lake(chain: &Chain) -> Vec<Figure> {
    let lake = &chain.lake;
    let (megabytes, seconds) = (lake.buffer_megabytes, lake.buffer_seconds);
    let delay = chain.function.batch_seconds + seconds;
    let at_turn = number(lake.active_partitions_max);
    vec![
        (
            "buffer of a partition",
            format!("{megabytes} MB or {seconds} s"),
        ),
        ("delay by buffers", format!("{delay} s")),
        ("partitions", number(lake.partitions)),
        ("active at the peak", number(lake.active_partitions)),
        ("... as a day or hour turns", at_turn),
        ("files", times(lake.files_per_hour)),
        ("a file", bytes(lake.file_bytes)),
        (
            "originals', errors' files",
            times(lake.other_files_per_hour),
        ),
        ("stored, in the end", bytes(lake.stored_bytes)),
    ]
}

fn cost(chain: &Chain) -> Vec<Figure> {
    with_total(chain, chain.cost.parts())
}

fn services(chain: &Chain) -> Vec<Figure> {
    with_total(chain, chain.cost.services())
}

fn with_total(chain: &Chain, parts: impl IntoIterator<Item = (&'static str, f64)>) -> Vec<Figure> {
    let part = |(label, cost): (_, f64)| {
        let cost = if cost > 0.0 {
            dollars(cost)
        } else {
            String::new()
        };
        (label, cost)
    };
    let mut figures: Vec<_> = parts.into_iter().map(part).collect();
    let per_million = chain.cost_per_million_events.map(dollars);
    figures.push(("together", dollars(chain.cost_total)));
    figures.push(("for a million events", per_million.unwrap_or_default()));
    figures
}

fn streams(chain: &Chain) -> Vec<Figure> {
    let functions = chain.streams.iter();
    functions.flat_map(StreamFunction::figures).collect()
}

pub(super) fn is_given(chain: &Chain) -> bool {
    (chain.scale - 1.0).abs() < f64::EPSILON
}

pub(super) fn heading(chain: &Chain) -> String {
    if is_given(chain) {
        "as given".to_owned()
    } else {
        format!("x {}", number(chain.scale))
    }
}
