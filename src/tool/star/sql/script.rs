//! One script that runs.

use super::{
    dialect::{Dialect, LINES, stored_literal, stored_type},
    dictionary::{columns, files_comment, files_name},
    files,
    layout::list,
    packets,
    place::SqlPlace,
    relation::{Relation, ViewColumn, ViewType},
};
use crate::functions::star_schema::description::{Star, StarTable};

/// What the star is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SqlSource {
    /// What the function wrote.
    Files(SqlPlace),
    /// Raw packets of JSON Lines.
    Packets(SqlPlace),
}

impl SqlSource {
    pub(super) fn place(&self) -> &SqlPlace {
        let (Self::Files(place) | Self::Packets(place)) = self;
        place
    }

    pub(super) fn is_bucket(&self) -> bool {
        matches!(self.place(), SqlPlace::Bucket(_))
    }
}

/// What has to be there before the views, then the views.
pub(super) fn script(star: &Star, dialect: Dialect, source: &SqlSource) -> String {
    let mut statements = setup(star, dialect, source);
    statements.extend(
        views(star, dialect, source)
            .iter()
            .map(|view| created(view, dialect)),
    );
    let statements = statements.iter().map(|statement| format!("\n{statement}"));
    format!(
        "{}\n{}",
        head(star, dialect, source),
        statements.collect::<String>()
    )
}

pub(super) fn views(star: &Star, dialect: Dialect, source: &SqlSource) -> Vec<Relation> {
    match (source, dialect) {
        (SqlSource::Packets(packets), _) => packets::views(star, dialect, packets),
        (SqlSource::Files(files), Dialect::Duckdb | Dialect::Dbt) => {
            let folders = star.tables.iter();
            let folders = folders.map(|table| files::duckdb_files(table, dialect, files));
            folders.chain(files::views(star, dialect)).collect()
        }
        (SqlSource::Files(_), Dialect::Athena | Dialect::Spark) => files::views(star, dialect),
    }
}

/// What a reader of the script is to know.
fn head(star: &Star, dialect: Dialect, source: &SqlSource) -> String {
    let of = match source {
        SqlSource::Files(_) => "The star's files as tables and views",
        SqlSource::Packets(_) => "The star of raw packets, a view for each table",
    };
    let mut lines = vec![
        format!("{of}, by `nozzle star sql`."),
        format!("Of the description {}.", star.hash),
    ];
    if dialect == Dialect::Athena {
        lines.push("Athena takes one statement at a time.".to_owned());
    }
    if matches!(source, SqlSource::Packets(_)) {
        lines.extend(
            LIMITS
                .lines()
                .chain(limits(dialect).lines())
                .map(str::to_owned),
        );
    }
    let lines = lines.iter().map(|line| format!("-- {line}\n"));
    lines.collect()
}

/// Where every engine's SQL falls short of the function.
const LIMITS: &str = "\
What the function does otherwise: it reads the other spellings of packets too and says which rows it refused, and
why. Here a row that would be refused is not there, and of two objects with one id the first by name is read. Milliseconds
since 1970 are read whole.";

fn limits(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Athena => "\
Of a column that stands twice in a row one is read, a number is read with 15 digits, a lone surrogate is a question
mark, and of two rows of one packet with one key and one time the greater line is taken for the newer.",
        Dialect::Duckdb | Dialect::Dbt => "\
A row that has any column twice is not there, a number is read with 15 digits, and a comma behind the last member is no fault.",
        Dialect::Spark => "A row that has any column twice is not there. Times of day are text.",
    }
}

/// What `DuckDB` reads a bucket with.
const SECRET: &str = "CREATE OR REPLACE SECRET nozzle_star (TYPE s3, PROVIDER credential_chain);\n";

fn setup(star: &Star, dialect: Dialect, source: &SqlSource) -> Vec<String> {
    match (source, dialect) {
        (_, Dialect::Duckdb) if source.is_bucket() => vec![SECRET.to_owned()],
        (_, Dialect::Duckdb | Dialect::Dbt) => Vec::new(),
        (SqlSource::Files(files), Dialect::Athena | Dialect::Spark) => {
            let tables = star.tables.iter();
            tables
                .map(|table| files_table(table, dialect, files))
                .collect()
        }
        (SqlSource::Packets(packets), Dialect::Athena | Dialect::Spark) => {
            vec![lines_table(dialect, packets)]
        }
    }
}

/// A table over a folder of files of ours. It is external: what is dropped is what is known of it.
fn files_table(table: &StarTable, dialect: Dialect, files: &SqlPlace) -> String {
    let name = files_name(table);
    let comment = stored_literal(&files_comment(table));
    let location = stored_literal(&files.under(&format!("{}/", table.name)));
    let columns = list(columns(table).iter().map(|column| {
        let (name, comment) = (&column.name, stored_literal(&column.comment));
        format!("`{name}` {} COMMENT {comment}", hive_type(column.kind))
    }));
    let how = match dialect {
        Dialect::Spark => format!("USING parquet\nCOMMENT {comment}\nLOCATION {location}"),
        _ => format!("COMMENT {comment}\nSTORED AS PARQUET\nLOCATION {location}"),
    };
    external(dialect, &name, &columns, &how)
}

/// A table of every line of every packet.
fn lines_table(dialect: Dialect, packets: &SqlPlace) -> String {
    let how = match dialect {
        Dialect::Spark => format!(
            "USING text\nOPTIONS (path {}, recursiveFileLookup 'true', pathGlobFilter '*.jsonl*')",
            stored_literal(&packets.under(""))
        ),
        // No JSON has this byte: a line is one column.
        _ => format!(
            "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001'\nSTORED AS TEXTFILE\nLOCATION {}",
            stored_literal(&packets.under(""))
        ),
    };
    external(dialect, LINES, "  `line` string", &how)
}

fn external(dialect: Dialect, name: &str, columns: &str, how: &str) -> String {
    let create = match dialect {
        Dialect::Spark => "CREATE TABLE",
        _ => "CREATE EXTERNAL TABLE",
    };
    format!("DROP TABLE IF EXISTS {name};\n\n{create} {name} (\n{columns}\n)\n{how};\n")
}

/// As tables without a TIME have it.
pub(super) fn hive_type(kind: ViewType) -> String {
    match kind {
        ViewType::Cell(kind) => stored_type(kind),
        ViewType::Count => "bigint".to_owned(),
    }
}

fn created(view: &Relation, dialect: Dialect) -> String {
    let Relation {
        name,
        comment,
        query,
        ..
    } = view;
    let name = dialect.identifier(name);
    match dialect {
        Dialect::Spark => format!(
            "CREATE OR REPLACE VIEW {name}{} COMMENT {} AS\n{query};\n",
            commented_columns(&view.columns, dialect),
            dialect.literal(comment)
        ),
        Dialect::Athena => format!("-- {comment}\nCREATE OR REPLACE VIEW {name} AS\n{query};\n"),
        Dialect::Duckdb | Dialect::Dbt => format!(
            "CREATE OR REPLACE VIEW {name} AS\n{query};\n{}",
            comments(view, &name, dialect)
        ),
    }
}

fn commented_columns(columns: &[ViewColumn], dialect: Dialect) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let columns = columns.iter().map(|column| {
        let comment = dialect.literal(&column.comment);
        format!("{} COMMENT {comment}", dialect.identifier(&column.name))
    });
    format!(" (\n{}\n)", list(columns))
}

fn comments(view: &Relation, name: &str, dialect: Dialect) -> String {
    let of_columns = view.columns.iter().map(|column| {
        let (column, comment) = (dialect.identifier(&column.name), &column.comment);
        format!(
            "COMMENT ON COLUMN {name}.{column} IS {};\n",
            dialect.literal(comment)
        )
    });
    let of_view = format!(
        "COMMENT ON VIEW {name} IS {};\n",
        dialect.literal(&view.comment)
    );
    [of_view].into_iter().chain(of_columns).collect()
}
