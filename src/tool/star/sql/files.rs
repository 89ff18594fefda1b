//! The star over the files that the function wrote.

use super::{
    dialect::Dialect,
    dictionary::{columns, comment, files_comment, files_name, record_id},
    layout::{indented, list},
    place::SqlPlace,
    relation::{Relation, ViewLayer},
    views::{RANK, ranked, with_what_follows},
};
use crate::functions::star_schema::description::{
    ColumnType, Star, StarColumn, StarTable, TableKind,
};

/// The views over the tables of files.
pub(super) fn views(star: &Star, dialect: Dialect) -> Vec<Relation> {
    with_what_follows(star, dialect, |table| view(table, dialect))
}

fn view(table: &StarTable, dialect: Dialect) -> Option<Relation> {
    let key = dialect.identifier(&table.columns.first()?.name);
    let cells = table.columns.iter().map(|column| cell(column, dialect));
    let files = dialect.relation(&files_name(table));
    let order = dialect.file_order().iter().copied().map(str::to_owned);
    let query = match table.kind {
        TableKind::Fact { .. } => {
            let order = order.chain([key]).collect::<Vec<_>>().join(", ");
            let number = format!(
                "row_number() OVER (ORDER BY {order}) AS {}",
                record_id(table).name
            );
            format!(
                "SELECT\n{}\nFROM {files}",
                list([number].into_iter().chain(cells))
            )
        }
        TableKind::Dimension { .. } => format!(
            "SELECT\n{}\nFROM (\n{}\n) AS versions\nWHERE {RANK} = 1",
            list(cells),
            indented(&ranked(&files, &key, &order.collect::<Vec<_>>()))
        ),
        TableKind::Calendar(_) => format!("SELECT\n{}\nFROM {files}", list(cells)),
    };
    let is_fact = matches!(table.kind, TableKind::Fact { .. });
    let number = is_fact.then(|| record_id(table));
    Some(Relation {
        name: table.name.clone(),
        layer: ViewLayer::Star,
        comment: comment(table),
        columns: number.into_iter().chain(columns(table)).collect(),
        query,
    })
}

fn cell(column: &StarColumn, dialect: Dialect) -> String {
    let name = dialect.identifier(&column.name);
    match (column.kind, dialect) {
        (ColumnType::Time, Dialect::Athena | Dialect::Spark) => {
            format!("{} AS {name}", dialect.time_of_file(&name))
        }
        _ => name,
    }
}

/// A view of `DuckDB`'s over a folder of files, with `packet__file` and `file_row_number`. Files may be
/// older than a column: it is null in them.
pub(super) fn duckdb_files(table: &StarTable, dialect: Dialect, files: &SqlPlace) -> Relation {
    let no_rows = no_rows(table, dialect);
    // DuckDB reads no folder without files.
    let query = if files.has_no_file_of(&table.name) {
        format!("-- no file yet: write this again when there is one\n{no_rows}")
    } else {
        let pattern = dialect.literal(&files.under(&format!("{}/*.parquet", table.name)));
        format!(
            "SELECT *\nFROM read_parquet({pattern}, filename = 'packet__file', file_row_number = true, \
             union_by_name = true)\nUNION ALL BY NAME\n{no_rows}"
        )
    };
    Relation {
        name: files_name(table),
        layer: ViewLayer::Rows,
        comment: files_comment(table),
        columns: Vec::new(),
        query,
    }
}

/// Each column with its type.
fn no_rows(table: &StarTable, dialect: Dialect) -> String {
    let typed = |column: &StarColumn| {
        let (kind, name) = (
            dialect.type_name(column.kind),
            dialect.identifier(&column.name),
        );
        format!("CAST(NULL AS {kind}) AS {name}")
    };
    let order = [
        "CAST(NULL AS VARCHAR) AS packet__file",
        "CAST(NULL AS BIGINT) AS file_row_number",
    ];
    let order = order.map(str::to_owned);
    format!(
        "SELECT\n{}\nWHERE false",
        list(table.columns.iter().map(typed).chain(order))
    )
}
