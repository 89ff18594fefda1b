//! A plan as a table: a row a thing, a column a scale.

use std::io::{self, Write};

use super::{
    chain::Chain,
    intake::Intake,
    words::{bytes, dollars, number, percent, times},
};
use crate::tool::terminal::{Colour, Palette};

/// A heading, or a thing with its value at each scale.
enum Row {
    Heading(String),
    Values(&'static str, Vec<String>),
}

/// Rows over the same columns.
pub(super) struct Table<'a> {
    chains: &'a [Chain],
    rows: Vec<Row>,
}

impl<'a> Table<'a> {
    pub(super) fn of(chains: &'a [Chain], prices: &str) -> Self {
        let mut table = Self {
            chains,
            rows: Vec::new(),
        };
        table.load();
        table.intake();
        table.function();
        table.claims();
        table.lake();
        table.cost(prices);
        table
    }

    pub(super) fn write(&self, out: &mut impl Write, palette: Palette) -> io::Result<()> {
        let scales: Vec<_> = self.chains.iter().map(heading).collect();
        let labels = self.values().map(|(label, _)| label.len());
        let label_width = labels.max().unwrap_or(0);
        let widths = self.widths(&scales);
        let line = |label, cells| line(label, label_width, cells, &widths);
        let scales = line("", &scales);
        writeln!(out, "{}", palette.paint(Colour::Bold, scales))?;
        for row in &self.rows {
            match row {
                Row::Heading(text) => writeln!(out, "{}", palette.paint(Colour::Bold, text))?,
                Row::Values(label, cells) => writeln!(out, "{}", line(label, cells))?,
            }
        }
        Ok(())
    }

    /// Of each column.
    fn widths(&self, scales: &[String]) -> Vec<usize> {
        let widths = scales.iter().enumerate().map(|(column, scale)| {
            let cells = self.values().filter_map(|(_, cells)| cells.get(column));
            cells.map(String::len).fold(scale.len(), usize::max)
        });
        widths.collect()
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        self.rows.iter().filter_map(|row| match row {
            Row::Heading(_) => None,
            Row::Values(label, cells) => Some((*label, cells)),
        })
    }

    fn head(&mut self, text: &str) {
        self.rows.push(Row::Heading(text.to_owned()));
    }

    fn row(&mut self, label: &'static str, cell: impl Fn(&Chain) -> String) {
        let cells = self.chains.iter().map(cell).collect();
        self.rows.push(Row::Values(label, cells));
    }

    /// A row that is left out where no column has anything in it.
    fn row_where(&mut self, label: &'static str, cell: impl Fn(&Chain) -> Option<String>) {
        let cells: Vec<_> = self.chains.iter().map(cell).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or("-".to_owned()));
            self.rows.push(Row::Values(label, cells.collect()));
        }
    }

    fn load(&mut self) {
        self.head("Load");
        self.row("events a second", |chain| {
            number(chain.load.events_per_second)
        });
        self.row("at the peak", |chain| {
            number(chain.load.at_peak().events_per_second)
        });
        self.row("bytes a second", |chain| {
            bytes(chain.load.bytes_per_second())
        });
        self.row("an event", |chain| bytes(chain.load.shape.record_bytes));
        self.row("... delivered", |chain| bytes(chain.load.shape.line_bytes));
        self.row("duplicates", |chain| percent(chain.load.duplicate_share));
        self.row("refused", |chain| percent(chain.load.refused_share));
    }

    fn intake(&mut self) {
        self.head("Source, at the peak");
        self.row_where("direct put: records a second", |chain| match chain.intake {
            Intake::DirectPut {
                records_per_second, ..
            } => Some(number(records_per_second)),
            Intake::Kinesis { .. } => None,
        });
        self.row_where("bytes a second ", |chain| match chain.intake {
            Intake::DirectPut {
                bytes_per_second, ..
            } => Some(bytes(bytes_per_second)),
            Intake::Kinesis { .. } => None,
        });
        self.row_where("requests a second, at best", |chain| match chain.intake {
            Intake::DirectPut {
                requests_per_second,
                ..
            } => Some(number(requests_per_second)),
            Intake::Kinesis { .. } => None,
        });
        self.row_where("of the quota", |chain| match chain.intake {
            Intake::DirectPut { quota_share, .. } => Some(percent(quota_share)),
            Intake::Kinesis { .. } => None,
        });
        self.row_where("Kinesis shards", |chain| match chain.intake {
            Intake::DirectPut { .. } => None,
            Intake::Kinesis { shards, .. } => Some(number(shards)),
        });
    }

    fn function(&mut self) {
        self.head("Function");
        self.row("batch", |chain| {
            let megabytes = chain.function.batch_megabytes;
            megabytes.map_or("none fits".to_owned(), |megabytes| {
                format!("{megabytes} MB or {} s", chain.function.batch_seconds)
            })
        });
        self.row("events in a batch", |chain| {
            number(chain.function.mean.events_each)
        });
        self.row("answer to a full batch", |chain| {
            bytes(chain.function.response_bytes)
        });
        self.row("... of the worst mix", |chain| {
            bytes(chain.function.response_bytes_max)
        });
        self.row("... of what it may have", |chain| {
            percent(chain.function.response_bytes_max / chain.function.response_bytes_allowed)
        });
        self.row("invocations", |chain| {
            times(chain.function.mean.invocations_per_second * 3600.0)
        });
        self.row("duration", |chain| {
            format!("{} ms", number(chain.function.mean.milliseconds.ceil()))
        });
        self.row("at once, at the peak", |chain| {
            number(chain.function.peak.at_once)
        });
        self.row("... room to have", |chain| {
            number(chain.function.concurrency)
        });
        self.row("memory", |chain| {
            format!("{} MB", chain.function.memory_megabytes)
        });
        self.row("... used at most", |chain| {
            format!("{} MB", number(chain.function.memory_megabytes_used_max))
        });
    }

    fn claims(&mut self) {
        self.head("Claim table");
        self.row("write units a second", |chain| {
            number(chain.claims.write_units_per_second)
        });
        self.row("at the peak ", |chain| {
            number(chain.claims.peak_write_units_per_second)
        });
        self.row("table partitions for it", |chain| {
            number(chain.claims.table_partitions)
        });
        self.row("doublings of a new table", |chain| {
            number(chain.claims.doublings)
        });
        self.row("claims alive", |chain| number(chain.claims.items));
        self.row("... stored", |chain| bytes(chain.claims.stored_bytes));
        self.row("provisioned instead", |chain| {
            dollars(chain.claim_billing.provisioned_at_peak)
        });
    }

    fn lake(&mut self) {
        self.head("Lake");
        self.row("buffer of a partition", |chain| {
            let lake = &chain.lake;
            format!("{} MB or {} s", lake.buffer_megabytes, lake.buffer_seconds)
        });
        self.row("delay by buffers", |chain| {
            let seconds = chain.function.batch_seconds + chain.lake.buffer_seconds;
            format!("{seconds} s")
        });
        self.row("partitions", |chain| number(chain.lake.partitions));
        self.row("active at the peak", |chain| {
            number(chain.lake.active_partitions)
        });
        self.row("... when a day or hour turns", |chain| {
            number(chain.lake.active_partitions_max)
        });
        self.row("files", |chain| times(chain.lake.files_per_hour));
        self.row("a file", |chain| bytes(chain.lake.file_bytes));
        self.row("originals' and errors' files", |chain| {
            times(chain.lake.other_files_per_hour)
        });
        self.row("stored, in the end", |chain| bytes(chain.lake.stored_bytes));
    }

    fn cost(&mut self, prices: &str) {
        self.head(&format!("Cost of a month ({prices})"));
        let parts = self.chains.first().map(|chain| chain.cost.parts());
        for (index, (label, _)) in parts.into_iter().flatten().enumerate() {
            self.row_where(label, |chain| {
                let cost = chain.cost.parts().get(index).map(|(_, cost)| *cost);
                cost.filter(|cost| *cost > 0.0).map(dollars)
            });
        }
        self.row("together", |chain| dollars(chain.cost_total));
        self.row_where("for a million events", |chain| {
            chain.cost_per_million_events.map(dollars)
        });
    }
}

fn line(label: &str, label_width: usize, cells: &[String], widths: &[usize]) -> String {
    let mut line = format!("  {label:label_width$}");
    for (cell, width) in cells.iter().zip(widths) {
        line += &" ".repeat(2 + width.saturating_sub(cell.len()));
        line += cell;
    }
    line
}

pub(super) fn heading(chain: &Chain) -> String {
    if (chain.scale - 1.0).abs() < f64::EPSILON {
        "as given".to_owned()
    } else {
        format!("x {}", number(chain.scale))
    }
}
