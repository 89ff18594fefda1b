//! A star's tables and columns, and what is asked of them.

use std::{collections::BTreeMap, fmt};

/// A description that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// In the description's order.
    pub tables: Vec<StarTable>,
    /// The source column that says how new a row is.
    pub version_by: String,
    /// What the file says over ISO 4217's names of currencies, by code.
    pub names: BTreeMap<String, String>,
    /// Of the description's text: the same on every machine.
    pub hash: String,
    /// The source tables, in the order in which their packets go: those of dimensions before those
    /// of facts alone, and what is joined before what it is joined with.
    pub sources: Vec<String>,
}

/// A table of the star.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarTable {
    pub name: String,
    pub kind: TableKind,
    /// The first is the key. A calendar has its own.
    pub columns: Vec<StarColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// Every version of every row.
    Fact { source: String },
    /// The newest row of each key.
    Dimension { source: String, joins: Vec<Join> },
    /// Every day of the years that are touched.
    Calendar(DayOfWeek),
}

/// Another table whose columns are taken, found by its own id, `{table}_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    pub table: String,
    /// The column of the dimension's source that has that id.
    pub column: String,
}

impl Join {
    /// The column of the joined table by which its rows are found.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}_id", self.table)
    }
}

/// How the days of a week are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOfWeek {
    /// Monday 1 to Sunday 7.
    Iso,
    Monday0,
    Sunday0,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarColumn {
    pub name: String,
    pub kind: ColumnType,
    pub absence: Absence,
    pub source: Expression,
    /// The dimension whose key it is.
    pub refers_to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Int,
    Text,
    Bool,
    Decimal { precision: u8, scale: u8 },
    Date,
    Time,
}

impl ColumnType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Decimal { .. } => "decimal",
            Self::Date => "date",
            Self::Time => "time",
        }
    }
}

/// As a description has it.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// What becomes of a value that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// The row is refused: `NOT NULL`.
    Refused,
    /// It is null: `?`.
    Null,
    /// This text stands for it: `or 'text'`.
    Text(String),
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    Own(String),
    DateOf(String),
    TimeOf(String),
    /// The name of the currency with this code.
    CurrencyName(String),
    Joined {
        table: String,
        column: String,
    },
}

/// All that is wrong with a description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// None where the file as a whole is meant.
    pub table: Option<String>,
    pub column: Option<String>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{mistake}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.table, &self.column) {
            (None, _) => write!(f, "{}", self.what),
            (Some(table), None) => write!(f, "{table}: {}", self.what),
            (Some(table), Some(column)) => write!(f, "{table}.{column}: {}", self.what),
        }
    }
}

impl Star {
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&StarTable> {
        self.tables.iter().find(|table| table.name == name)
    }

    #[must_use]
    pub fn is_calendar(&self, name: &str) -> bool {
        let table = self.table(name);
        table.is_some_and(|table| matches!(table.kind, TableKind::Calendar(_)))
    }

    /// Whether a star table is made of this source table, or joined with it.
    #[must_use]
    pub fn reads(&self, source: &str) -> bool {
        self.sources.iter().any(|read| read == source)
    }

    /// Where a source's packets stand in the order in which packets go; what is not read, last.
    #[must_use]
    pub fn rank(&self, source: &str) -> usize {
        let rank = self.sources.iter().position(|read| read == source);
        rank.unwrap_or(self.sources.len())
    }

    /// Whether a column tells how new a row is.
    #[must_use]
    pub fn is_version(&self, column: &StarColumn) -> bool {
        match &column.source {
            Expression::DateOf(name) | Expression::TimeOf(name) => *name == self.version_by,
            _ => false,
        }
    }

    /// The facts whose rows this source table's are.
    pub fn facts<'s>(&'s self, source: &str) -> impl Iterator<Item = &'s StarTable> {
        let is_fact = move |table: &&StarTable| matches!(&table.kind, TableKind::Fact { source: own } if own == source);
        self.tables.iter().filter(is_fact)
    }

    /// The dimensions that this source table's rows change: its own and those it is joined into.
    pub fn dimensions<'s>(&'s self, source: &str) -> impl Iterator<Item = &'s StarTable> {
        let changes = move |table: &&StarTable| {
            matches!(table.kind, TableKind::Dimension { .. })
                && table.sources().any(|read| read == source)
        };
        self.tables.iter().filter(changes)
    }
}

impl StarTable {
    /// What a calendar has of each day.
    pub(super) fn calendar_columns() -> Vec<StarColumn> {
        let column = |(name, kind): (&str, ColumnType)| StarColumn {
            name: name.to_owned(),
            kind,
            absence: Absence::Refused,
            source: Expression::Own(name.to_owned()),
            refers_to: None,
        };
        let columns = [
            ("date_id", ColumnType::Date),
            ("year", ColumnType::Int),
            ("month", ColumnType::Int),
            ("day", ColumnType::Int),
            ("day_of_week", ColumnType::Int),
            ("day_name", ColumnType::Text),
            ("month_name", ColumnType::Text),
            ("quarter", ColumnType::Int),
        ];
        columns.map(column).into()
    }

    /// The source table whose rows its own are; none of a calendar.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match &self.kind {
            TableKind::Fact { source } | TableKind::Dimension { source, .. } => Some(source),
            TableKind::Calendar(_) => None,
        }
    }

    /// The column of the source that is the key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match &self.columns.first()?.source {
            Expression::Own(column) => Some(column),
            _ => None,
        }
    }

    #[must_use]
    pub fn joins(&self) -> &[Join] {
        match &self.kind {
            TableKind::Dimension { joins, .. } => joins,
            TableKind::Fact { .. } | TableKind::Calendar(_) => &[],
        }
    }

    /// The source tables it is made of, its own first.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let joined = self.joins().iter().map(|join| join.table.as_str());
        self.source().into_iter().chain(joined)
    }
}
