//! The rows of a source table that are not refused, of the packets' lines, as SQL.

use std::collections::BTreeSet;

use super::{
    dialect::Dialect,
    layout::{all_of, indented, list},
    place::SqlPlace,
    relation::{Relation, ViewLayer},
};
use crate::functions::star_schema::description::{
    Absence, ColumnType, Expression, Star, StarColumn, StarTable,
};

/// A column of the source that is read.
struct ReadField {
    name: String,
    kind: ReadType,
    is_required: bool,
}

/// As what it is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadType {
    Cell(ColumnType),
    Timestamp,
    /// What a join finds rows by: a whole number or a text.
    JoinKey,
}

const DATE: &str = "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$";
const CLOCK: &str = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?";
const OFFSET: &str = "([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?";
const OFFSET_PARTS: &str = "[+-]([0-9]{2}):?([0-9]{2})?$";

/// From 1900 to the end of 2199.
const MILLISECONDS: &str = "BETWEEN -2208988800000 AND 7258118399999";

/// What the view of a source's rows is called.
pub(super) fn name(source: &str) -> String {
    format!("rows_{source}")
}

/// What a column that joins use is called there.
pub(super) fn join_key(column: &str) -> String {
    format!("{column}__key")
}

/// The view of a source's rows: their columns as they are typed, `packet__id` and `packet__order`.
pub(super) fn relation(
    star: &Star,
    source: &str,
    dialect: Dialect,
    packets: &SqlPlace,
) -> Relation {
    let fields = fields(star, source);
    let with = [
        ("named", lines(dialect, packets, source)),
        ("given", given(dialect, &fields)),
        ("typed", typed(dialect, &fields)),
    ];
    let with = with.map(|(name, query)| format!("{name} AS (\n{}\n)", indented(&query)));
    let columns = fields.iter().map(|field| field.alias(dialect));
    Relation {
        name: name(source),
        layer: ViewLayer::Rows,
        comment: format!("The rows of {source} that are not refused, each with its types."),
        columns: Vec::new(),
        query: format!(
            "WITH {}\nSELECT\n{}\nFROM typed\nWHERE {}",
            with.join(",\n"),
            list(own_columns().chain(columns)),
            all_of(fields.iter().map(|field| field.condition(dialect))),
        ),
    }
}

fn own_columns() -> impl Iterator<Item = String> {
    let names = ["packet__id", "packet__order"];
    names.into_iter().map(str::to_owned)
}

/// The lines of a source's packets, of each packet once.
fn lines(dialect: Dialect, packets: &SqlPlace, source: &str) -> String {
    let pattern = format!("(^|/){source}(_packet)?_([0-9]{{1,8}})_[^/_]*[.]jsonl([.]gz)?$");
    let id = |file: &str| format!("CAST(regexp_extract({file}, '{pattern}', 3) AS INTEGER)");
    let (file, files) = dialect.files(packets);
    let is_named = dialect.matches(file, &pattern);
    format!(
        "SELECT {} AS packet__id, packet__order, packet__row\nFROM (\n{}\n) AS lines\n\
         WHERE packet__file IN (\n  SELECT min({file}) FROM {files} WHERE {is_named}\n  GROUP BY {}\n)",
        id("packet__file"),
        indented(&dialect.lines(packets, &pattern)),
        id(file),
    )
}

/// Each field as JSON and as text.
fn given(dialect: Dialect, fields: &[ReadField]) -> String {
    let names: BTreeSet<_> = fields.iter().map(|field| &field.name).collect();
    let of_field = |name: &&String| {
        [
            format!("nullif({}, 'null') AS {name}__json", dialect.json(name)),
            format!("{} AS {name}__text", dialect.text(name)),
        ]
    };
    format!(
        "SELECT\n{}\nFROM named\nWHERE {}",
        list(own_columns().chain(names.iter().flat_map(of_field))),
        dialect.is_row()
    )
}

fn typed(dialect: Dialect, fields: &[ReadField]) -> String {
    let may_be_null = fields.iter().filter(|field| !field.is_required);
    let given: BTreeSet<_> = may_be_null.map(ReadField::json).collect();
    let value = |field: &ReadField| format!("{} AS {}", field.value(dialect), field.alias(dialect));
    let columns = own_columns().chain(fields.iter().map(value)).chain(given);
    format!("SELECT\n{}\nFROM given", list(columns))
}

/// What is read of a source: for its own tables, and for those that it is joined into.
fn fields(star: &Star, source: &str) -> Vec<ReadField> {
    let mut fields = Vec::new();
    let mut add = |name: &str, kind, is_required| {
        let is_it = |field: &&mut ReadField| field.name == name && field.kind == kind;
        match fields.iter_mut().find(is_it) {
            Some(known) => known.is_required |= is_required,
            None => fields.push(ReadField {
                name: name.to_owned(),
                kind,
                is_required,
            }),
        }
    };
    for table in &star.tables {
        let is_own = table.source() == Some(source);
        for column in &table.columns {
            if let Some((name, kind)) = read_by(table, column, source) {
                add(name, kind, is_own && column.absence == Absence::Refused);
            }
        }
        for join in table.joins() {
            if is_own {
                add(&join.column, ReadType::JoinKey, false);
            }
            if join.table == source {
                add(&join.key(), ReadType::JoinKey, true);
            }
        }
    }
    add(&star.version_by, ReadType::Timestamp, true);
    fields
}

/// What a star table's column reads of a source.
fn read_by<'s>(
    table: &StarTable,
    column: &'s StarColumn,
    source: &str,
) -> Option<(&'s str, ReadType)> {
    let (of, name, kind) = match &column.source {
        Expression::Own(name) => (table.source()?, name, ReadType::Cell(column.kind)),
        Expression::DateOf(name) | Expression::TimeOf(name) => {
            (table.source()?, name, ReadType::Timestamp)
        }
        Expression::CurrencyName(name) => (table.source()?, name, ReadType::Cell(ColumnType::Text)),
        Expression::Joined {
            table,
            column: name,
        } => (table.as_str(), name, ReadType::Cell(column.kind)),
    };
    (of == source).then_some((name, kind))
}

impl ReadField {
    fn alias(&self, dialect: Dialect) -> String {
        match self.kind {
            ReadType::JoinKey => join_key(&self.name),
            ReadType::Cell(_) | ReadType::Timestamp => dialect.identifier(&self.name),
        }
    }

    fn json(&self) -> String {
        format!("{}__json", self.name)
    }

    /// Whether the row may stay: what is there was read, and what has to be is there.
    fn condition(&self, dialect: Dialect) -> String {
        let alias = self.alias(dialect);
        match (self.kind, self.is_required) {
            (ReadType::Timestamp, true) => format!("year({alias}) BETWEEN 1900 AND 2199"),
            (ReadType::Timestamp, false) => {
                format!(
                    "({} IS NULL OR year({alias}) BETWEEN 1900 AND 2199)",
                    self.json()
                )
            }
            (_, true) => format!("{alias} IS NOT NULL"),
            (_, false) => format!("({} IS NULL OR {alias} IS NOT NULL)", self.json()),
        }
    }

    /// The value; null where it cannot be read.
    fn value(&self, dialect: Dialect) -> String {
        let (json, text) = (self.json(), format!("{}__text", self.name));
        let is_text = format!("{json} LIKE '\"%'");
        let is_number = dialect.matches(&json, "^-?[0-9]");
        let whole = format!("{is_number} AND TRY_CAST({json} AS DOUBLE) % 1 = 0");
        match self.kind {
            ReadType::Cell(ColumnType::Int) => format!(
                "CASE WHEN {whole} THEN TRY_CAST(TRY_CAST({json} AS DOUBLE) AS INTEGER) END"
            ),
            ReadType::Cell(ColumnType::Text) => format!("CASE WHEN {is_text} THEN {text} END"),
            ReadType::Cell(ColumnType::Bool) => {
                format!("CASE {json} WHEN 'true' THEN true WHEN 'false' THEN false END")
            }
            ReadType::Cell(kind @ ColumnType::Decimal { scale, .. }) => {
                decimal(dialect, &json, &text, &dialect.type_name(kind), scale)
            }
            ReadType::Cell(ColumnType::Date) => format!(
                "CASE WHEN {is_text} AND {} THEN TRY_CAST({text} AS DATE) END",
                dialect.matches(&text, DATE)
            ),
            ReadType::Cell(ColumnType::Time) => format!(
                "CASE WHEN {is_text} AND {} THEN {} END",
                dialect.matches(&text, &format!("^{CLOCK}$")),
                dialect.time_of_text(&text)
            ),
            ReadType::Timestamp => timestamp(dialect, &is_text, &is_number, &json, &text),
            ReadType::JoinKey => format!(
                "CASE WHEN {is_text} THEN {json}\n  WHEN {whole} THEN \
                 CAST(TRY_CAST(TRY_CAST({json} AS DOUBLE) AS BIGINT) AS {}) END",
                dialect.type_name(ColumnType::Text)
            ),
        }
    }
}

/// A number, or a text that is one, of no more digits than the column holds.
fn decimal(dialect: Dialect, json: &str, text: &str, kind: &str, scale: u8) -> String {
    let is_plain = format!("^[+-]?[0-9]*([.][0-9]{{0,{scale}}}0*)?$");
    let rounded = format!("TRY_CAST(TRY_CAST({text} AS DOUBLE) AS {kind})");
    format!(
        "CASE WHEN NOT {} THEN NULL\n  WHEN {} THEN TRY_CAST({text} AS {kind})\n  \
         WHEN {} AND CAST({rounded} AS DOUBLE) = TRY_CAST({text} AS DOUBLE) THEN {rounded} END",
        dialect.matches(json, "^[\"0-9-]"),
        dialect.matches(text, &is_plain),
        dialect.matches(text, "[0-9.][eE][+-]?[0-9]+$"),
    )
}

/// A text in UTC where it has an offset, or milliseconds.
fn timestamp(dialect: Dialect, is_text: &str, is_number: &str, json: &str, text: &str) -> String {
    let pattern = format!("^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{CLOCK}{OFFSET}$");
    let naive = dialect.timestamp_of(&format!(
        "concat(substr({text}, 1, 10), ' ', substr({text}, 12, 8), \
         coalesce(regexp_extract({text}, '[.][0-9]{{1,6}}', 0), ''))"
    ));
    let part = |group| {
        format!(
            "coalesce(TRY_CAST(regexp_extract({text}, '{OFFSET_PARTS}', {group}) AS INTEGER), 0)"
        )
    };
    let sign = format!(
        "CASE WHEN {} THEN -1 ELSE 1 END",
        dialect.matches(text, "-[0-9]{2}:?([0-9]{2})?$")
    );
    let offset = format!("({sign}) * (60 * {} + {})", part(1), part(2));
    let number = format!("TRY_CAST({json} AS DOUBLE)");
    let milliseconds = format!("TRY_CAST({number} - {number} % 1 AS BIGINT)");
    format!(
        "CASE WHEN {is_text} AND {} THEN {}\n  \
         WHEN {is_number} AND {milliseconds} {MILLISECONDS} THEN {} END",
        dialect.matches(text, &pattern),
        dialect.minutes_before(&offset, &naive),
        dialect.timestamp_of_milliseconds(&milliseconds),
    )
}
