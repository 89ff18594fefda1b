//! The star of raw packets: what the function does, as views.

use std::collections::BTreeMap;

use super::{
    dialect::Dialect,
    dictionary::{columns, comment, record_id},
    layout::{all_of, indented, list},
    place::SqlPlace,
    relation::{Relation, ViewLayer},
    rows::{self, join_key},
    views::{RANK, each, numbers, ranked, with_what_follows},
};
use crate::functions::star_schema::{
    calendar::{DAY_NAMES, MONTH_NAMES},
    description::{
        Absence, DayOfWeek, Expression, Join, Star, StarColumn, StarTable, TableKind, currency,
    },
};

const CURRENCY_NAMES: &str = "currency_names";

/// A view for each source, then one for each star table.
pub(super) fn views(star: &Star, dialect: Dialect, packets: &SqlPlace) -> Vec<Relation> {
    let sources = star.sources.iter();
    let rows = sources.map(|source| rows::relation(star, source, dialect, packets));
    let names = has_currencies(star).then(|| currency_names(star, dialect));
    let views = with_what_follows(star, dialect, |table| Some(view(star, table, dialect)));
    names.into_iter().chain(rows).chain(views).collect()
}

fn view(star: &Star, table: &StarTable, dialect: Dialect) -> Relation {
    let (number, query) = match &table.kind {
        TableKind::Fact { source } => (Some(record_id(table)), fact(table, source, dialect)),
        TableKind::Dimension { source, joins } => {
            (None, dimension(star, table, source, joins, dialect))
        }
        TableKind::Calendar(numbered) => (None, calendar(star, table, *numbered, dialect)),
    };
    Relation {
        name: table.name.clone(),
        layer: ViewLayer::Star,
        comment: comment(table),
        columns: number.into_iter().chain(columns(table)).collect(),
        query,
    }
}

fn fact(table: &StarTable, source: &str, dialect: Dialect) -> String {
    let number = format!(
        "row_number() OVER (ORDER BY own.packet__id, own.packet__order) AS {}",
        record_id(table).name
    );
    format!(
        "SELECT\n{}\nFROM {} AS own{}",
        list([number].into_iter().chain(cells(table, dialect))),
        dialect.relation(&rows::name(source)),
        name_joins(table, dialect),
    )
}

fn dimension(
    star: &Star,
    table: &StarTable,
    source: &str,
    joins: &[Join],
    dialect: Dialect,
) -> String {
    let version = dialect.identifier(&star.version_by);
    let ages = ["packet__id", &version, "packet__order"];
    // Files of a joined dimension are made of all that came, those of others of one packet.
    let folded = [&version, "packet__id", "packet__order"].map(str::to_owned);
    let own = if joins.is_empty() {
        ages.map(str::to_owned)
    } else {
        folded.clone()
    };
    let newest = |source: &str, key: &str, newest_first: &[String]| {
        let from = dialect.relation(&rows::name(source));
        indented(&ranked(&from, key, newest_first))
    };
    let joined = joins.iter().map(|join| {
        let (alias, key) = (joined(&join.table), join_key(&join.key()));
        let conditions = [
            format!("{alias}.{key} = own.{}", join_key(&join.column)),
            format!("{alias}.{RANK} = 1"),
        ];
        let newest = newest(&join.table, &key, &folded);
        format!(
            "\nLEFT JOIN (\n{newest}\n) AS {alias} ON {}",
            all_of(conditions)
        )
    });
    let key = dialect.identifier(table.key().unwrap_or_default());
    format!(
        "SELECT\n{}\nFROM (\n{}\n) AS own{}{}\nWHERE own.{RANK} = 1",
        list(cells(table, dialect)),
        newest(source, &key, &own),
        joined.collect::<String>(),
        name_joins(table, dialect),
    )
}

fn joined(table: &str) -> String {
    format!("joined_{table}")
}

/// What the currency names of this column are called.
fn names_of(column: &str) -> String {
    format!("names_of_{column}")
}

fn cells(table: &StarTable, dialect: Dialect) -> impl Iterator<Item = String> {
    table.columns.iter().map(move |column| {
        format!(
            "{} AS {}",
            cell(column, dialect),
            dialect.identifier(&column.name)
        )
    })
}

fn cell(column: &StarColumn, dialect: Dialect) -> String {
    let own = |name: &str| format!("own.{}", dialect.identifier(name));
    let value = match &column.source {
        Expression::Own(name) => own(name),
        Expression::DateOf(name) => format!("CAST({} AS DATE)", own(name)),
        Expression::TimeOf(name) => dialect.time_of(&own(name)),
        Expression::CurrencyName(name) => format!("{}.name", names_of(name)),
        Expression::Joined { table, column } => {
            format!("{}.{}", joined(table), dialect.identifier(column))
        }
    };
    match &column.absence {
        Absence::Text(text) => format!("coalesce({value}, {})", dialect.literal(text)),
        Absence::Refused | Absence::Null => value,
    }
}

fn name_joins(table: &StarTable, dialect: Dialect) -> String {
    let mut codes: Vec<_> = table.columns.iter().filter_map(code).collect();
    codes.dedup();
    let join = |code: &&str| {
        let alias = names_of(code);
        format!(
            "\nLEFT JOIN {} AS {alias} ON {alias}.code = own.{}",
            dialect.relation(CURRENCY_NAMES),
            dialect.identifier(code)
        )
    };
    codes.iter().map(join).collect()
}

/// The column of the source that has a currency's code.
fn code(column: &StarColumn) -> Option<&str> {
    match &column.source {
        Expression::CurrencyName(code) => Some(code),
        _ => None,
    }
}

fn has_currencies(star: &Star) -> bool {
    let mut columns = star.tables.iter().flat_map(|table| &table.columns);
    columns.any(|column| code(column).is_some())
}

fn currency_names(star: &Star, dialect: Dialect) -> Relation {
    let mut names: BTreeMap<&str, &str> = currency::names().collect();
    names.extend(
        star.names
            .iter()
            .map(|(code, name)| (code.as_str(), name.as_str())),
    );
    let rows = names
        .iter()
        .map(|(code, name)| format!("({}, {})", dialect.literal(code), dialect.literal(name)));
    Relation {
        name: CURRENCY_NAMES.to_owned(),
        layer: ViewLayer::Rows,
        comment: "What currencies are called, by ISO 4217 and by the description.".to_owned(),
        columns: Vec::new(),
        query: format!(
            "SELECT code, name\nFROM (\n  VALUES\n{}\n) AS names (code, name)",
            indented(&list(rows))
        ),
    }
}

/// Every day of each year that a fact's columns touch which refer to this calendar.
fn calendar(star: &Star, table: &StarTable, numbered: DayOfWeek, dialect: Dialect) -> String {
    let is_fact = |table: &&StarTable| matches!(table.kind, TableKind::Fact { .. });
    let facts = star.tables.iter().filter(is_fact);
    let touched = facts.filter_map(|fact| years_of(fact, &table.name, dialect));
    let mut years = touched.collect::<Vec<_>>().join("\nUNION\n");
    if years.is_empty() {
        "SELECT CAST(NULL AS INTEGER) AS year WHERE false".clone_into(&mut years);
    }
    let of_day = |column: &StarColumn| {
        let value = of_day(column, numbered, dialect);
        format!("{value} AS {}", column.name)
    };
    format!(
        "SELECT\n{}\nFROM (\n{}\n) AS days",
        list(table.columns.iter().map(of_day)),
        indented(&dialect.days_of(&indented(&years)))
    )
}

/// The years that a fact's dates touch, where they refer to this calendar.
fn years_of(fact: &StarTable, calendar: &str, dialect: Dialect) -> Option<String> {
    let columns = fact.columns.iter();
    let refers = columns.filter(|column| column.refers_to.as_deref() == Some(calendar));
    let dates: Vec<_> = refers
        .map(|column| dialect.identifier(&column.name))
        .collect();
    (!dates.is_empty()).then(|| {
        let (count, fact) = (dates.len(), dialect.relation(&fact.name));
        let date = each(dates.into_iter());
        format!(
            "SELECT DISTINCT year({date}) AS year\nFROM {fact} CROSS JOIN {}\nWHERE {date} IS NOT NULL",
            numbers(count)
        )
    })
}

/// What a calendar's column has of a day.
fn of_day(column: &StarColumn, numbered: DayOfWeek, dialect: Dialect) -> String {
    match column.name.as_str() {
        "date_id" => "date_id".to_owned(),
        "day_of_week" => dialect.day_of_week(numbered),
        "day_name" => named(&dialect.day_of_week(DayOfWeek::Iso), &DAY_NAMES),
        "month_name" => named("month(date_id)", &MONTH_NAMES),
        part => format!("CAST({part}(date_id) AS INTEGER)"),
    }
}

fn named(number: &str, names: &[&str]) -> String {
    let cases = names.iter().zip(1..);
    let cases = cases.map(|(name, number)| format!(" WHEN {number} THEN '{name}'"));
    format!("CASE {number}{} END", cases.collect::<String>())
}
