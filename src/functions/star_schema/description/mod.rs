//! What the star is: its tables, what they are made of, and in which order their packets go. Read
//! from TOML and checked whole; a star that exists can be loaded.

pub(super) mod column;
pub mod currency;
mod reading;

use std::{collections::BTreeMap, fmt};

use xxhash_rust::xxh3::xxh3_128;

/// The star that was asked for.
const BUILT_IN: &str = include_str!("star.toml");

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
    fn as_str(self) -> &'static str {
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
    /// Reads a description; all that is wrong with it at once.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        reading::read(text, format!("{:032x}", xxh3_128(text.as_bytes())))
    }

    /// The seven tables that were asked for, and the purchase and payment stars with them.
    pub fn built_in() -> Result<Self, Mistakes> {
        Self::parse(BUILT_IN)
    }

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
    fn calendar_columns() -> Vec<StarColumn> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = Star::parse(text).unwrap_err();
        mistakes.0.iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn the_built_in_star_is_sound() {
        let star = Star::built_in().unwrap();
        let names: Vec<_> = star
            .tables
            .iter()
            .map(|table| table.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "fact_sales_order",
                "dim_date",
                "dim_staff",
                "dim_location",
                "dim_currency",
                "dim_design",
                "dim_counterparty",
                "fact_purchase_order",
                "fact_payment",
                "dim_transaction",
                "dim_payment_type",
            ]
        );
        assert_eq!(
            star.sources,
            [
                "department",
                "staff",
                "address",
                "currency",
                "design",
                "counterparty",
                "transaction",
                "payment_type",
                "sales_order",
                "purchase_order",
                "payment",
            ]
        );
        assert_eq!(star.version_by, "last_updated");
        assert!(star.reads("department") && !star.reads("suppliers"));
        let of = |source| star.dimensions(source).map(|table| table.name.as_str());
        assert_eq!(
            of("address").collect::<Vec<_>>(),
            ["dim_location", "dim_counterparty"]
        );
        assert_eq!(star.facts("payment").count(), 1);
    }

    #[test]
    fn the_hash_is_of_the_text_and_stays() {
        let hash = |text: &str| Star::parse(text).unwrap().hash;
        let text = "[dim_a]\nfrom = 'a'\ncolumns = ['a_id int']";
        assert_eq!(hash(text), "c468cd93dfdf02b0f572b758d8988b82");
        assert_ne!(hash(text), hash(&format!("{text}\n")));
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let text = r#"
            version_by = 1
            names = { EUR = 7 }
            [fact_a]
            from = "a"
            join = { b = "b_id" }
            columns = ["a_id int ?", "b text = b.x or 'none'", "c integer", "d int -> dim_no", 5]
            [dim_b]
            columns = ["b_id int", "B_ID int", "x text = c.x ?"]
            [dim_c]
            from = "c"
            colums = []
            join = "d"
            [dim_date]
            calendar = "us"
            [other]
            [dim_e]
            from = "e"
            columns = ["e_id int", "f date = date(g)", "h int = g", "i text -> dim_b", "j int -> fact_a"]
        "#;
        let found = mistakes(text);
        for expected in [
            "`version_by` is to be",
            "the name of `EUR` is to be text",
            "fact_a: `join` is not understood",
            "fact_a.a_id: the first column is the key",
            "fact_a.b: a fact is joined with nothing",
            "fact_a.c: `integer` is no type",
            "fact_a.d: `dim_no` is not described",
            "fact_a: line 5 of `columns` is to be text",
            "dim_b: `from` is to be",
            "dim_b.B_ID: it stands twice",
            "dim_b.x: ",
            "dim_c: `colums` is not understood",
            "dim_c: `join` is to be written",
            "dim_c: `columns` is to be a list",
            "dim_date: `calendar` is",
            "other: a table's name begins with",
            "dim_e.h: `e.g` is read as int here, and as timestamp in `dim_e`",
            "dim_e.i: the key of `dim_b` is of the type int, not text",
            "dim_e.j: `fact_a` is a fact",
        ] {
            assert!(
                found.iter().any(|mistake| mistake.starts_with(expected)),
                "{expected}: {found:#?}"
            );
        }
    }

    #[test]
    fn what_is_joined_comes_first_and_a_ring_ends() {
        let text = r#"
            [dim_c]
            from = "c"
            join = { b = "b_id" }
            columns = ["c_id int", "x text = b.x or ''"]
            [dim_b]
            from = "b"
            join = { a = "a_id", c = "c_id" }
            columns = ["b_id int", "x text = a.x or ''", "y text? = c.y"]
        "#;
        assert_eq!(Star::parse(text).unwrap().sources, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_no_toml_or_empty_says_so() {
        for (text, expected) in [
            ("[", "it is no TOML"),
            ("", "it describes no table"),
            ("fact_a = 1", "fact_a: "),
        ] {
            let found = mistakes(text);
            assert!(
                found.iter().any(|mistake| mistake.starts_with(expected)),
                "{text}: {found:?}"
            );
        }
    }
}
