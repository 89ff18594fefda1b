//! A whole project of dbt's, for `DuckDB`.

use std::{fs, io, path::Path};

use super::{
    dialect::Dialect,
    dictionary::record_id,
    relation::{Relation, ViewLayer},
    script::{SqlSource, views},
};
use crate::functions::star_schema::description::{Absence, Star, StarTable, TableKind};

const PROJECT: &str = "\
name: star
version: '1.0.0'
profile: star
require-dbt-version: '>=1.10.5'
models:
  star:
    +persist_docs:
      relation: true
      columns: true
    rows:
      +materialized: view
    star:
      +materialized: table
";

const PROFILES: &str = "\
star:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: star.duckdb
";

/// What a bucket is read with.
const BUCKET: &str = "\
      secrets:
        - type: s3
          provider: credential_chain
";

/// Writes the project into a folder: what stands there under its names is replaced.
pub(super) fn write(star: &Star, source: &SqlSource, into: &Path) -> io::Result<()> {
    let models = into.join("models");
    for layer in [ViewLayer::Rows, ViewLayer::Star] {
        fs::create_dir_all(models.join(folder(layer)))?;
    }
    let views = views(star, Dialect::Dbt, source);
    for view in &views {
        let file = models
            .join(folder(view.layer))
            .join(format!("{}.sql", view.name));
        fs::write(file, format!("{}\n", view.query))?;
    }
    let profiles = if source.is_bucket() {
        format!("{PROFILES}{BUCKET}")
    } else {
        PROFILES.to_owned()
    };
    fs::write(into.join("dbt_project.yml"), PROJECT)?;
    fs::write(into.join("profiles.yml"), profiles)?;
    fs::write(models.join("schema.yml"), schema(star, &views))
}

fn folder(layer: ViewLayer) -> &'static str {
    match layer {
        ViewLayer::Rows => "rows",
        ViewLayer::Star => "star",
    }
}

/// What the models are, and what dbt tests of them.
fn schema(star: &Star, views: &[Relation]) -> String {
    let models = views.iter().flat_map(|view| {
        let columns = view.columns.iter().flat_map(|column| {
            let table = star.table(&view.name);
            let tests = table.map(|table| tests(star, table, &column.name));
            let head = [
                format!("      - name: {}", column.name),
                format!("        description: {}", quoted(&column.comment)),
            ];
            head.into_iter().chain(tests.into_iter().flatten())
        });
        let head = [
            format!("  - name: {}", view.name),
            format!("    description: {}", quoted(&view.comment)),
        ];
        let has_columns = (!view.columns.is_empty()).then(|| "    columns:".to_owned());
        head.into_iter().chain(has_columns).chain(columns)
    });
    let head = ["version: 2", "models:"].map(str::to_owned);
    let lines: Vec<_> = head.into_iter().chain(models).collect();
    lines.join("\n") + "\n"
}

/// A text as YAML has it: JSON's is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The lines of what a column is tested for.
fn tests(star: &Star, table: &StarTable, name: &str) -> Vec<String> {
    let column = table.columns.iter().find(|column| column.name == name);
    let is_key = match table.kind {
        TableKind::Fact { .. } => record_id(table).name == name,
        _ => table.columns.first().is_some_and(|key| key.name == name),
    };
    let is_required = column.is_none_or(|column| column.absence != Absence::Null);
    let dimension = column.and_then(|column| star.table(column.refers_to.as_deref()?));
    let unique = is_key.then(|| "          - unique".to_owned());
    let not_null = is_required.then(|| "          - not_null".to_owned());
    let tests = unique.into_iter().chain(not_null);
    let tests: Vec<_> = tests.chain(dimension.and_then(relationship)).collect();
    let head = (!tests.is_empty()).then(|| "        data_tests:".to_owned());
    head.into_iter().chain(tests).collect()
}

/// That each key is there; it heals when the dimension comes.
fn relationship(dimension: &StarTable) -> Option<String> {
    let (name, key) = (&dimension.name, &dimension.columns.first()?.name);
    let indent = " ".repeat(10);
    Some(format!(
        "{indent}- relationships:\n\
         {indent}    arguments: {{to: ref('{name}'), field: {key}}}\n\
         {indent}    config: {{severity: warn}}"
    ))
}
