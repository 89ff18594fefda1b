//! A question that `DuckDB` answers of a star, as lines to be typed.

use std::path::Path;

use crate::functions::star_schema::description::{Star, StarTable, TableKind};

/// Of the first fact that has files; none where no fact has. `named` is the folder as a person knows
/// it.
pub(super) fn lines(star: &Star, folder: &Path, named: &Path) -> Option<[String; 3]> {
    let mut tables = star.tables.iter();
    let fact = tables.find(|table| {
        matches!(table.kind, TableKind::Fact { .. }) && folder.join(&table.name).is_dir()
    })?;
    let query =
        by_month(star, fact).unwrap_or_else(|| format!("SELECT count(*) FROM {}", fact.name));
    let quoted = named.display().to_string().replace('\'', r"'\''");
    Some([
        "pip install duckdb-cli".to_owned(),
        format!("nozzle star sql --engine duckdb --files '{quoted}' | duckdb star.duckdb"),
        format!("duckdb star.duckdb '{query}'"),
    ])
}

fn by_month(star: &Star, fact: &StarTable) -> Option<String> {
    let mut columns = fact.columns.iter();
    let (column, calendar) = columns.find_map(|column| {
        let calendar = column.refers_to.as_deref()?;
        star.is_calendar(calendar)
            .then_some((&column.name, calendar))
    })?;
    let key = &star.table(calendar)?.columns.first()?.name;
    Some(format!(
        "SELECT year, month, count(*) FROM {fact} JOIN {calendar} ON {column} = {key} GROUP BY ALL ORDER BY ALL",
        fact = fact.name
    ))
}
