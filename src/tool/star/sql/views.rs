//! What is read of facts and dimensions wherever they come from: the latest version of each fact,
//! and keys that no dimension has.

use std::collections::BTreeSet;

use super::{
    dialect::Dialect,
    dictionary::{columns, current_comment, current_name, record_id},
    layout::{indented, list},
    relation::{Relation, ViewColumn, ViewLayer, ViewType},
};
use crate::functions::star_schema::description::{ColumnType, Star, StarTable, TableKind};

/// The rank of a row among those of its key; the newest has 1.
pub(super) const RANK: &str = "packet__rank";

/// The rows of a relation, each with its rank among those of its key.
pub(super) fn ranked(from: &str, key: &str, newest_first: &[String]) -> String {
    let order: Vec<_> = newest_first.iter().map(|by| format!("{by} DESC")).collect();
    let order = order.join(", ");
    format!(
        "SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS {RANK}\nFROM {from}"
    )
}

/// The latest version of each row of a fact.
pub(super) fn current(star: &Star, table: &StarTable, dialect: Dialect) -> Option<Relation> {
    let key = table.columns.first()?;
    let versions = table
        .columns
        .iter()
        .filter(|column| star.is_version(column));
    let versions = versions.map(|column| dialect.identifier(&column.name));
    let newest_first: Vec<_> = versions.chain([record_id(table).name]).collect();
    let key = dialect.identifier(&key.name);
    let ranked = ranked(&dialect.relation(&table.name), &key, &newest_first);
    let names = table
        .columns
        .iter()
        .map(|column| dialect.identifier(&column.name));
    Some(Relation {
        name: current_name(table),
        layer: ViewLayer::Star,
        comment: current_comment(table),
        columns: columns(table),
        query: format!(
            "SELECT\n{}\nFROM (\n{}\n) AS versions\nWHERE {RANK} = 1",
            list(names),
            indented(&ranked)
        ),
    })
}

/// Each key that a table has and its dimension has not.
pub(super) fn orphans(star: &Star, dialect: Dialect) -> Option<Relation> {
    let tables = star.tables.iter();
    let wanted: Vec<_> = tables
        .filter_map(|table| wanted_by(table, dialect))
        .collect();
    let references = star.tables.iter().flat_map(|table| &table.columns);
    let referred: BTreeSet<_> = references
        .filter_map(|column| column.refers_to.as_deref())
        .collect();
    let dimensions = referred.iter().filter_map(|name| star.table(name));
    let found: Vec<_> = dimensions.map(|table| keys_of(table, dialect)).collect();
    let column = |(name, kind, comment): (&str, ViewType, &str)| ViewColumn {
        name: name.to_owned(),
        kind,
        comment: comment.to_owned(),
    };
    let text = ViewType::Cell(ColumnType::Text);
    let columns = [
        ("table_name", text, "where the key stands"),
        ("column_name", text, "in which column"),
        ("dimension", text, "where it is missing"),
        ("missing_key", text, "the key"),
        ("row_count", ViewType::Count, "in how many rows it stands"),
    ];
    (!wanted.is_empty()).then(|| Relation {
        name: "orphans".to_owned(),
        layer: ViewLayer::Star,
        comment: "Keys that no row of their dimension has: they heal when it comes.".to_owned(),
        columns: columns.map(column).into(),
        query: format!(
            "SELECT wanted.*\nFROM (\n{}\n) AS wanted\nLEFT JOIN (\n{}\n) AS found\n  \
             ON found.dimension = wanted.dimension AND found.dimension_key = wanted.missing_key\n\
             WHERE wanted.missing_key IS NOT NULL AND found.dimension_key IS NULL",
            indented(&wanted.join("\nUNION ALL\n")),
            indented(&found.join("\nUNION ALL\n")),
        ),
    })
}

/// The keys of dimensions that a table has, each with its count, read once.
fn wanted_by(table: &StarTable, dialect: Dialect) -> Option<String> {
    let refers = table.columns.iter().filter_map(|column| {
        let dimension = column.refers_to.as_deref()?;
        Some((column, dimension))
    });
    let references: Vec<_> = refers.collect();
    let names = references
        .iter()
        .map(|(column, _)| format!("'{}'", column.name));
    let dimensions = references
        .iter()
        .map(|(_, dimension)| format!("'{dimension}'"));
    let keys = references
        .iter()
        .map(|(column, _)| key_text(&column.name, dialect));
    (!references.is_empty()).then(|| {
        format!(
            "SELECT '{}' AS table_name, {} AS column_name,\n  {} AS dimension,\n  \
             {} AS missing_key, count(*) AS row_count\n\
             FROM {} CROSS JOIN {}\nGROUP BY 1, 2, 3, 4",
            table.name,
            each(names),
            each(dimensions),
            each(keys),
            dialect.relation(&table.name),
            numbers(references.len()),
        )
    })
}

fn keys_of(dimension: &StarTable, dialect: Dialect) -> String {
    let key = dimension.columns.first().map_or("", |key| &key.name);
    format!(
        "SELECT '{}' AS dimension, {} AS dimension_key FROM {}",
        dimension.name,
        key_text(key, dialect),
        dialect.relation(&dimension.name)
    )
}

fn key_text(column: &str, dialect: Dialect) -> String {
    let (column, text) = (
        dialect.identifier(column),
        dialect.type_name(ColumnType::Text),
    );
    format!("CAST({column} AS {text})")
}

/// The first for the first of the numbers, and so on.
pub(super) fn each(values: impl Iterator<Item = String>) -> String {
    let cases = values
        .zip(1..)
        .map(|(value, n)| format!(" WHEN {n} THEN {value}"));
    format!("CASE nth.n{} END", cases.collect::<String>())
}

/// As many rows as there are values, so that all are of one reading.
pub(super) fn numbers(count: usize) -> String {
    let rows: Vec<_> = (1..=count).map(|n| format!("({n})")).collect();
    format!("(VALUES {}) AS nth (n)", rows.join(", "))
}

/// What is made of each table, and what follows from all.
pub(super) fn with_what_follows(
    star: &Star,
    dialect: Dialect,
    view: impl Fn(&StarTable) -> Option<Relation>,
) -> Vec<Relation> {
    let of_table = |table: &StarTable| {
        let current = match table.kind {
            TableKind::Fact { .. } => current(star, table, dialect),
            TableKind::Dimension { .. } | TableKind::Calendar(_) => None,
        };
        view(table).into_iter().chain(current)
    };
    // A calendar is made of what facts touch.
    let is_calendar = |table: &&StarTable| matches!(table.kind, TableKind::Calendar(_));
    let (calendars, others): (Vec<_>, Vec<_>) = star.tables.iter().partition(is_calendar);
    let tables = others.into_iter().chain(calendars);
    tables
        .flat_map(of_table)
        .chain(orphans(star, dialect))
        .collect()
}
