//! A plan's figures: a row a thing, a column a scale.

use super::{
    chain::Chain,
    intake::Inflow,
    words::{bytes, dollars, number, percent, times},
};
use crate::tool::table::{Cell, Column, Table};

/// What it is called, and how it is told; none where a chain has no such thing.
type Figure = (&'static str, fn(&Chain) -> Option<String>);

pub(super) fn table(chains: &[Chain], prices: &str) -> Table {
    let scales = chains.iter().map(|chain| Column::right(&heading(chain)));
    let columns: Vec<_> = [Column::left("")].into_iter().chain(scales).collect();
    let mut table = Table::new(columns);
    for (title, figures) in GROUPS {
        table.heading(*title);
        for (label, figure) in *figures {
            add(&mut table, label, chains.iter().map(figure).collect());
        }
    }
    table.heading(format!("Cost of a month ({prices})"));
    let parts = chains.first().map(|chain| chain.cost.parts());
    for (index, (label, _)) in parts.into_iter().flatten().enumerate() {
        let cost = |chain: &Chain| {
            let cost = chain.cost.parts().get(index).map(|(_, cost)| *cost);
            cost.filter(|cost| *cost > 0.0).map(dollars)
        };
        add(&mut table, label, chains.iter().map(cost).collect());
    }
    for (label, figure) in TOTALS {
        add(&mut table, label, chains.iter().map(figure).collect());
    }
    table
}

/// A row that is left out where no column has anything in it.
fn add(table: &mut Table, label: &str, figures: Vec<Option<String>>) {
    if figures.iter().any(Option::is_some) {
        let cells = figures.into_iter();
        let cells = cells.map(|figure| Cell::from(figure.unwrap_or("-".to_owned())));
        let label = Cell::from(format!("  {label}"));
        table.row([label].into_iter().chain(cells).collect::<Vec<_>>());
    }
}

const GROUPS: &[(&str, &[Figure])] = &[
    ("Load", LOAD),
    ("Source, at the peak", INTAKE),
    ("Function", FUNCTION),
    ("Claim table", CLAIMS),
    ("Lake", LAKE),
];

const LOAD: &[Figure] = &[
    ("events a second", |chain| {
        Some(number(chain.load.events_per_second))
    }),
    ("at the peak", |chain| {
        Some(number(chain.load.at_peak().events_per_second))
    }),
    ("bytes a second", |chain| {
        Some(bytes(chain.load.bytes_per_second()))
    }),
    ("an event", |chain| {
        Some(bytes(chain.load.shape.record_bytes))
    }),
    ("... delivered", |chain| {
        Some(bytes(chain.load.shape.line_bytes))
    }),
    ("duplicates", |chain| {
        Some(percent(chain.load.duplicate_share))
    }),
    ("refused", |chain| Some(percent(chain.load.refused_share))),
];

const INTAKE: &[Figure] = &[
    ("direct put: records a second", |chain| match chain.intake {
        Inflow::DirectPut {
            records_per_second, ..
        } => Some(number(records_per_second)),
        Inflow::Kinesis { .. } => None,
    }),
    ("bytes a second", |chain| match chain.intake {
        Inflow::DirectPut {
            bytes_per_second, ..
        } => Some(bytes(bytes_per_second)),
        Inflow::Kinesis { .. } => None,
    }),
    ("requests a second, at best", |chain| match chain.intake {
        Inflow::DirectPut {
            requests_per_second,
            ..
        } => Some(number(requests_per_second)),
        Inflow::Kinesis { .. } => None,
    }),
    ("of the quota", |chain| match chain.intake {
        Inflow::DirectPut { quota_share, .. } => Some(percent(quota_share)),
        Inflow::Kinesis { .. } => None,
    }),
    ("Kinesis shards", |chain| match chain.intake {
        Inflow::DirectPut { .. } => None,
        Inflow::Kinesis { shards, .. } => Some(number(shards)),
    }),
];

const FUNCTION: &[Figure] = &[
    ("batch", |chain| {
        let function = &chain.function;
        let batch = |megabytes| format!("{megabytes} MB or {} s", function.batch_seconds);
        Some(
            function
                .batch_megabytes
                .map_or("none fits".to_owned(), batch),
        )
    }),
    ("events in a batch", |chain| {
        Some(number(chain.function.mean.events_each))
    }),
    ("answer to a full batch", |chain| {
        Some(bytes(chain.function.response_bytes))
    }),
    ("... of the worst mix", |chain| {
        Some(bytes(chain.function.response_bytes_max))
    }),
    ("... of what it may have", |chain| {
        let function = &chain.function;
        Some(percent(
            function.response_bytes_max / function.response_bytes_allowed,
        ))
    }),
    ("invocations", |chain| {
        Some(times(chain.function.mean.invocations_per_second * 3600.0))
    }),
    ("duration", |chain| {
        Some(format!(
            "{} ms",
            number(chain.function.mean.milliseconds.ceil())
        ))
    }),
    ("at once, at the peak", |chain| {
        Some(number(chain.function.peak.at_once))
    }),
    ("... room to have", |chain| {
        Some(number(chain.function.concurrency))
    }),
    ("memory", |chain| {
        Some(format!("{} MB", chain.function.memory_megabytes))
    }),
    ("... used at most", |chain| {
        Some(format!(
            "{} MB",
            number(chain.function.memory_megabytes_used_max)
        ))
    }),
];

const CLAIMS: &[Figure] = &[
    ("write units a second", |chain| {
        Some(number(chain.claims.write_units_per_second))
    }),
    ("at the peak", |chain| {
        Some(number(chain.claims.peak_write_units_per_second))
    }),
    ("table partitions for it", |chain| {
        Some(number(chain.claims.table_partitions))
    }),
    ("doublings of a new table", |chain| {
        Some(number(chain.claims.doublings))
    }),
    ("claims alive", |chain| Some(number(chain.claims.items))),
    ("... stored", |chain| Some(bytes(chain.claims.stored_bytes))),
    ("provisioned instead", |chain| {
        Some(dollars(chain.claim_billing.provisioned_at_peak))
    }),
];

const LAKE: &[Figure] = &[
    ("buffer of a partition", |chain| {
        let lake = &chain.lake;
        Some(format!(
            "{} MB or {} s",
            lake.buffer_megabytes, lake.buffer_seconds
        ))
    }),
    ("delay by buffers", |chain| {
        let seconds = chain.function.batch_seconds + chain.lake.buffer_seconds;
        Some(format!("{seconds} s"))
    }),
    ("partitions", |chain| Some(number(chain.lake.partitions))),
    ("active at the peak", |chain| {
        Some(number(chain.lake.active_partitions))
    }),
    ("... when a day or hour turns", |chain| {
        Some(number(chain.lake.active_partitions_max))
    }),
    ("files", |chain| Some(times(chain.lake.files_per_hour))),
    ("a file", |chain| Some(bytes(chain.lake.file_bytes))),
    ("originals' and errors' files", |chain| {
        Some(times(chain.lake.other_files_per_hour))
    }),
    ("stored, in the end", |chain| {
        Some(bytes(chain.lake.stored_bytes))
    }),
];

const TOTALS: &[Figure] = &[
    ("together", |chain| Some(dollars(chain.cost_total))),
    ("for a million events", |chain| {
        chain.cost_per_million_events.map(dollars)
    }),
];

pub(super) fn heading(chain: &Chain) -> String {
    if (chain.scale - 1.0).abs() < f64::EPSILON {
        "as given".to_owned()
    } else {
        format!("x {}", number(chain.scale))
    }
}
