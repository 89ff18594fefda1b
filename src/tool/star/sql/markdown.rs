//! The documentation of the star's tables, as a page.

use super::dictionary::{column_comment, comment};
use crate::functions::star_schema::description::{Absence, Star, StarTable};

/// A section for each table.
pub(super) fn page(star: &Star) -> String {
    let tables = star.tables.iter().map(section);
    format!("# The star's tables\n{}", tables.collect::<String>())
}

fn section(table: &StarTable) -> String {
    let rows = table.columns.iter().map(|column| {
        let absent = match column.absence {
            Absence::Null => "may be null",
            Absence::Refused | Absence::Text(_) => "",
        };
        let comment = column_comment(table, column).replace('|', "\\|");
        format!(
            "| `{}` | {} | {absent} | {comment} |\n",
            column.name, column.kind
        )
    });
    format!(
        "\n## {}\n\n{}\n\n| column | type | null | what it is |\n|---|---|---|---|\n{}",
        table.name,
        comment(table),
        rows.collect::<String>()
    )
}
