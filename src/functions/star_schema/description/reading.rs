//! A description's TOML into tables, all that is wrong with it noted on the way.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{
    column,
    model::{
        Absence, ColumnType, DayOfWeek, Expression, Join, Mistake, Mistakes, Star, StarColumn,
        StarTable, TableKind,
    },
};

const VERSION_BY: &str = "last_updated";

/// Reads a description; it has a hash already.
pub(super) fn read(text: &str, hash: String) -> Result<Star, Mistakes> {
    let file: Table = text.parse().map_err(|error: toml::de::Error| {
        let what = format!("it is no TOML: {}", error.to_string().trim_end());
        Mistakes(vec![Mistake {
            table: None,
            column: None,
            what,
        }])
    })?;
    let mut reading = Reading::default();
    let version_by = reading.version_by(&file);
    let names = reading.names(&file);
    for (name, value) in &file {
        if !matches!(name.as_str(), "version_by" | "names") {
            reading.table(name, value);
        }
    }
    reading.check(&version_by);
    if reading.mistakes.is_empty() {
        let sources = sources(&reading.tables);
        let tables = reading.tables;
        Ok(Star {
            tables,
            version_by,
            names,
            hash,
            sources,
        })
    } else {
        Err(Mistakes(reading.mistakes))
    }
}

#[derive(Default)]
struct Reading {
    tables: Vec<StarTable>,
    mistakes: Vec<Mistake>,
}

impl Reading {
    fn note(&mut self, table: &str, column: Option<&str>, what: impl Into<String>) {
        self.mistakes.push(Mistake {
            table: (!table.is_empty()).then(|| table.to_owned()),
            column: column.map(str::to_owned),
            what: what.into(),
        });
    }

    fn version_by(&mut self, file: &Table) -> String {
        match file.get("version_by") {
            None => VERSION_BY.to_owned(),
            Some(Value::String(name)) if column::is_name(name) => name.clone(),
            Some(_) => {
                self.note(
                    "",
                    None,
                    "`version_by` is to be the name of a column of every source",
                );
                VERSION_BY.to_owned()
            }
        }
    }

    fn names(&mut self, file: &Table) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        let given = match file.get("names") {
            None => return names,
            Some(Value::Table(given)) => given,
            Some(_) => {
                self.note("", None, "`names` is to be a table of codes and names");
                return names;
            }
        };
        for (code, name) in given {
            match name.as_str() {
                Some(name) => drop(names.insert(code.clone(), name.to_owned())),
                None => self.note("", None, format!("the name of `{code}` is to be text")),
            }
        }
        names
    }

    fn table(&mut self, name: &str, value: &Value) {
        let kind = name
            .split_once('_')
            .map(|(kind, rest)| (kind, !rest.is_empty()));
        let (Value::Table(given), true) = (value, column::is_name(name)) else {
            return self.note(name, None, "it is to be a table, `[fact_…]` or `[dim_…]`");
        };
        match kind {
            Some(("dim", true)) if given.contains_key("calendar") => self.calendar(name, given),
            Some(("fact", true)) => self.rows(name, given, &["from", "columns"]),
            Some(("dim", true)) => self.rows(name, given, &["from", "join", "columns"]),
            _ => self.note(name, None, "a table's name begins with `fact_` or `dim_`"),
        }
    }

    fn calendar(&mut self, name: &str, given: &Table) {
        self.check_keys(name, given, &["calendar"]);
        let days = match given.get("calendar").and_then(Value::as_str) {
            Some("iso") => DayOfWeek::Iso,
            Some("monday0") => DayOfWeek::Monday0,
            Some("sunday0") => DayOfWeek::Sunday0,
            _ => {
                return self.note(
                    name,
                    None,
                    "`calendar` is \"iso\", \"monday0\" or \"sunday0\"",
                );
            }
        };
        let columns = StarTable::calendar_columns();
        self.tables.push(StarTable {
            name: name.to_owned(),
            kind: TableKind::Calendar(days),
            columns,
        });
    }

    fn rows(&mut self, name: &str, given: &Table, keys: &[&str]) {
        self.check_keys(name, given, keys);
        let source = self.source(name, given);
        let joins = self.joins(name, given);
        let columns = self.columns(name, given);
        let kind = if name.starts_with("fact_") {
            TableKind::Fact { source }
        } else {
            TableKind::Dimension { source, joins }
        };
        self.tables.push(StarTable {
            name: name.to_owned(),
            kind,
            columns,
        });
    }

    fn check_keys(&mut self, name: &str, given: &Table, known: &[&str]) {
        for key in given.keys().filter(|key| !known.contains(&key.as_str())) {
            let known = known.join("`, `");
            self.note(
                name,
                None,
                format!("`{key}` is not understood: it has `{known}`"),
            );
        }
    }

    fn source(&mut self, name: &str, given: &Table) -> String {
        match given.get("from").and_then(Value::as_str) {
            Some(source) if column::is_name(source) => source.to_owned(),
            _ => {
                self.note(name, None, "`from` is to be the name of a source table");
                String::new()
            }
        }
    }

    fn joins(&mut self, name: &str, given: &Table) -> Vec<Join> {
        let joins = match given.get("join") {
            None => return Vec::new(),
            Some(Value::Table(joins)) => joins,
            Some(_) => {
                self.note(
                    name,
                    None,
                    "`join` is to be written `{ table = \"column\" }`",
                );
                return Vec::new();
            }
        };
        let mut read = Vec::new();
        for (table, own) in joins {
            match own
                .as_str()
                .filter(|own| column::is_name(own) && column::is_name(table))
            {
                Some(own) => read.push(Join {
                    table: table.clone(),
                    column: own.to_owned(),
                }),
                None => self.note(
                    name,
                    None,
                    format!("what `{table}` is joined by is to be the name of a column"),
                ),
            }
        }
        read
    }

    fn columns(&mut self, name: &str, given: &Table) -> Vec<StarColumn> {
        let lines = match given.get("columns") {
            Some(Value::Array(lines)) if !lines.is_empty() => lines,
            _ => {
                self.note(name, None, "`columns` is to be a list of one line a column");
                return Vec::new();
            }
        };
        let mut read = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            match line.as_str().map(|line| (line, column::read(line))) {
                Some((_, Ok(column))) => read.push(column),
                Some((line, Err(what))) => self.note(name, Some(&column::name(line)), what),
                None => self.note(
                    name,
                    None,
                    format!("line {} of `columns` is to be text", index + 1),
                ),
            }
        }
        read
    }

    /// What is wrong between columns and between tables.
    fn check(&mut self, version_by: &str) {
        let mut mistakes = Vec::new();
        if self.tables.is_empty() && self.mistakes.is_empty() {
            self.note(
                "",
                None,
                "it describes no table: write `[fact_…]` and `[dim_…]`",
            );
        }
        let mut kinds = Kinds::default();
        for table in &self.tables {
            let mut note = |column: &str, what: String| {
                mistakes.push(Mistake {
                    table: Some(table.name.clone()),
                    column: Some(column.to_owned()),
                    what,
                });
            };
            check_key(table, &mut note);
            for twin in twins(table.columns.iter().map(|column| &column.name)) {
                note(twin, TWIN.to_owned());
            }
            for column in &table.columns {
                check_join(table, column, &mut note);
                check_reference(&self.tables, column, &mut note);
                if let Some(what) = kinds.differ(table, column, version_by) {
                    note(&column.name, what);
                }
            }
        }
        mistakes.extend(
            twins(self.tables.iter().map(|table| &table.name)).map(|name| Mistake {
                table: Some(name.clone()),
                column: None,
                what: TWIN.to_owned(),
            }),
        );
        self.mistakes.extend(mistakes);
    }
}

/// The key is of the source's own, always there, and compared.
fn check_key(table: &StarTable, note: &mut impl FnMut(&str, String)) {
    let Some(key) = table.columns.first().filter(|_| table.source().is_some()) else {
        return;
    };
    let is_own = matches!(key.source, Expression::Own(_));
    let is_plain = matches!(key.kind, ColumnType::Int | ColumnType::Text);
    if !is_own || !is_plain || key.absence != Absence::Refused {
        let what = "the first column is the key: a column of the source, int or text, without \
                    `?` and `or`";
        note(&key.name, what.to_owned());
    }
}

const TWIN: &str = "it stands twice: names differ by more than capitals";

/// The names that stand twice where capitals do not count.
fn twins<'n>(names: impl Iterator<Item = &'n String>) -> impl Iterator<Item = &'n String> {
    let mut met = BTreeSet::new();
    names.filter(move |name| !met.insert(name.to_lowercase()))
}

fn check_join(table: &StarTable, column: &StarColumn, note: &mut impl FnMut(&str, String)) {
    if let Expression::Joined { table: joined, .. } = &column.source
        && !table.joins().iter().any(|join| join.table == *joined)
    {
        let what = if table.name.starts_with("fact_") {
            format!("a fact is joined with nothing: make `{joined}` a dimension")
        } else {
            format!("`{joined}` is not joined: add `join = {{ {joined} = \"{joined}_id\" }}`")
        };
        note(&column.name, what);
    }
}

fn check_reference(tables: &[StarTable], column: &StarColumn, note: &mut impl FnMut(&str, String)) {
    let Some(name) = &column.refers_to else {
        return;
    };
    let dimension = tables.iter().find(|table| table.name == *name);
    let key = dimension.and_then(|table| table.columns.first());
    match (dimension.map(|table| &table.kind), key) {
        (None, _) => note(&column.name, format!("`{name}` is not described")),
        (Some(TableKind::Fact { .. }), _) => {
            note(
                &column.name,
                format!("`{name}` is a fact: `->` names a dimension"),
            );
        }
        (Some(_), Some(key)) if key.kind != column.kind => note(
            &column.name,
            format!(
                "the key of `{name}` is of the type {}, not {}",
                key.kind, column.kind
            ),
        ),
        _ => {}
    }
}

/// How each column of a source is read: one that is read in two ways would refuse every row.
#[derive(Default)]
struct Kinds<'t>(BTreeMap<(&'t str, &'t str), (&'static str, &'t str)>);

impl<'t> Kinds<'t> {
    fn differ(
        &mut self,
        table: &'t StarTable,
        column: &'t StarColumn,
        version_by: &str,
    ) -> Option<String> {
        let own = table.source()?;
        let (source, field, kind) = match &column.source {
            Expression::Own(field) => (own, field, column.kind.as_str()),
            Expression::DateOf(field) | Expression::TimeOf(field) => (own, field, "timestamp"),
            Expression::CurrencyName(field) => (own, field, "text"),
            Expression::Joined {
                table,
                column: field,
            } => (table.as_str(), field, column.kind.as_str()),
        };
        let (other, place) = if field == version_by {
            ("timestamp", "version_by")
        } else {
            *self.0.entry((source, field)).or_insert((kind, &table.name))
        };
        (other != kind).then(|| {
            format!("`{source}.{field}` is read as {kind} here, and as {other} in `{place}`")
        })
    }
}

/// The sources in the order in which their packets go.
fn sources(tables: &[StarTable]) -> Vec<String> {
    let mut sources = Vec::new();
    let is_dimension = |table: &&StarTable| matches!(table.kind, TableKind::Dimension { .. });
    for table in tables.iter().filter(is_dimension) {
        if let Some(source) = table.source() {
            push_after_joined(tables, source, &mut BTreeSet::new(), &mut sources);
        }
    }
    for source in tables.iter().filter_map(StarTable::source) {
        push_after_joined(tables, source, &mut BTreeSet::new(), &mut sources);
    }
    sources
}

/// Adds a source behind those that are joined with it. Sources that are joined in a ring are in no
/// such order: what comes too early is written again.
fn push_after_joined<'t>(
    tables: &'t [StarTable],
    source: &'t str,
    on_the_way: &mut BTreeSet<&'t str>,
    sources: &mut Vec<String>,
) {
    if !on_the_way.insert(source) {
        return;
    }
    let of_it = tables.iter().filter(|table| table.source() == Some(source));
    for joined in of_it.flat_map(StarTable::joins) {
        push_after_joined(tables, &joined.table, on_the_way, sources);
    }
    if !sources.iter().any(|known| known == source) {
        sources.push(source.to_owned());
    }
}
