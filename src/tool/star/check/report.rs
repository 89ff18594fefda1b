//! What a check has found, for a person or for a program.

use anyhow::Result;
use indicatif::HumanCount;
use serde_json::json;

use super::{fault::Faults, table::TableRead};
use crate::tool::{
    table::{Cell, Column, Table},
    terminal::{Format, GREEN, YELLOW, print, print_json},
};

pub(super) struct CheckedStar {
    /// That have a receipt.
    pub(super) packets: u64,
    pub(super) tables: Vec<TableRead>,
    pub(super) faults: Faults,
}

impl CheckedStar {
    pub(super) fn print(&self, format: Format) -> Result<()> {
        match format {
            Format::Human => self.print_human(),
            // Names are for ever.
            Format::Json => print_json(&json!({
                "holds": self.faults.is_empty(),
                "packets": self.packets,
                "tables": self.tables,
                "faults": self.faults.sorted(),
            })),
        }
    }

    fn print_human(&self) -> Result<()> {
        let columns = [
            Column::left("table"),
            Column::right("files"),
            Column::right("rows"),
        ];
        let mut tables = Table::new(columns);
        for TableRead { table, files, rows } in &self.tables {
            let [files, rows] = [files, rows].map(|number| HumanCount(*number).to_string());
            tables.row([table.into(), files.into(), rows.into()]);
        }
        tables.print()?;
        let packets = HumanCount(self.packets);
        if self.faults.is_empty() {
            return print(format!(
                "\n{GREEN}the star holds together{GREEN:#}: {packets} packets\n"
            ));
        }
        print(format!("\n{packets} packets, and this is wrong:\n"))?;
        self.faults().print()
    }

    fn faults(&self) -> Table {
        let mut table = Table::new([
            Column::left("fault"),
            Column::left("where"),
            Column::right("count"),
            Column::prose("what"),
        ]);
        for fault in self.faults.sorted() {
            table.row([
                Cell::styled(YELLOW, fault.kind.as_str()),
                fault.place.as_str().into(),
                HumanCount(fault.count).to_string().into(),
                fault.what.as_str().into(),
            ]);
        }
        table
    }
}
