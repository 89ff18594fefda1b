//! What there is to say of the star's tables and columns, as the description has them.

use super::relation::{ViewColumn, ViewType};
use crate::functions::star_schema::description::{
    Absence, DayOfWeek, Expression, StarColumn, StarTable, TableKind,
};

/// What a table over a folder of files is called.
pub(super) fn files_name(table: &StarTable) -> String {
    format!("{}_files", table.name)
}

/// What a view of the newest version of each fact is called.
pub(super) fn current_name(table: &StarTable) -> String {
    format!("{}_current", table.name)
}

pub(super) fn files_comment(table: &StarTable) -> String {
    let name = &table.name;
    match &table.kind {
        TableKind::Fact { source } => format!(
            "The files of {name}: every version of each row of {source}, a file for each packet."
        ),
        TableKind::Dimension { .. } => format!(
            "The files of {name}: the rows of {} that changed, a file for each packet that did it.",
            sources(table)
        ),
        TableKind::Calendar(_) => format!("The files of {name}: a whole year each."),
    }
}

pub(super) fn comment(table: &StarTable) -> String {
    match &table.kind {
        TableKind::Fact { source } => {
            format!("Every version of each row of {source}, numbered.")
        }
        TableKind::Dimension { .. } => {
            format!("The latest version of each row of {}.", sources(table))
        }
        TableKind::Calendar(_) => "Every day of each year that a fact touches.".to_owned(),
    }
}

pub(super) fn current_comment(table: &StarTable) -> String {
    format!("The latest version of each row of {}.", sources(table))
}

fn sources(table: &StarTable) -> String {
    table.sources().collect::<Vec<_>>().join(" joined with ")
}

/// A table's columns, as the description has them.
pub(super) fn columns(table: &StarTable) -> Vec<ViewColumn> {
    let column = |column: &StarColumn| ViewColumn {
        name: column.name.clone(),
        kind: ViewType::Cell(column.kind),
        comment: column_comment(table, column),
    };
    table.columns.iter().map(column).collect()
}

/// What numbers a fact's rows.
pub(super) fn record_id(table: &StarTable) -> ViewColumn {
    let is_taken = table
        .columns
        .iter()
        .any(|column| column.name == "record_id");
    let name = if is_taken {
        format!("{}_record_id", table.name)
    } else {
        "record_id".to_owned()
    };
    ViewColumn {
        name,
        kind: ViewType::Count,
        comment: "numbers the rows, in the order in which they came".to_owned(),
    }
}

/// Where a column comes from, as a description says it.
pub(super) fn column_comment(table: &StarTable, column: &StarColumn) -> String {
    let source = table.source().unwrap_or_default();
    let from = match &column.source {
        Expression::Own(_) if table.source().is_none() => return calendar_comment(table, column),
        Expression::Own(name) => format!("{source}.{name}"),
        Expression::DateOf(name) => format!("date({source}.{name})"),
        Expression::TimeOf(name) => format!("time({source}.{name})"),
        Expression::CurrencyName(name) => format!("names({source}.{name})"),
        Expression::Joined { table, column } => format!("{table}.{column}"),
    };
    let absent = match &column.absence {
        Absence::Text(text) => format!(" or '{text}'"),
        Absence::Refused | Absence::Null => String::new(),
    };
    let refers_to = column
        .refers_to
        .iter()
        .map(|dimension| format!(" -> {dimension}"));
    [from, absent].into_iter().chain(refers_to).collect()
}

fn calendar_comment(table: &StarTable, column: &StarColumn) -> String {
    let comment = match (column.name.as_str(), &table.kind) {
        ("year", _) => "1900 to 2199",
        ("month", _) => "1 to 12",
        ("day", _) => "1 to 31",
        ("day_of_week", TableKind::Calendar(DayOfWeek::Iso)) => "Monday 1 to Sunday 7",
        ("day_of_week", TableKind::Calendar(DayOfWeek::Monday0)) => "Monday 0 to Sunday 6",
        ("day_of_week", TableKind::Calendar(DayOfWeek::Sunday0)) => "Sunday 0 to Saturday 6",
        ("day_name", _) => "Monday to Sunday",
        ("month_name", _) => "January to December",
        ("quarter", _) => "1 to 4",
        _ => "the day",
    };
    comment.to_owned()
}
