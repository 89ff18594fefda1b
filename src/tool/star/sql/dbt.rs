//! A whole project of dbt's, for DuckDB.

use std::{fs, io, path::Path};

use super::{
    dialect::Dialect,
    dictionary::record_id,
    relation::{Layer, Relation},
    script::{Source, views},
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
pub(super) fn write(star: &Star, source: &Source, into: &Path) -> io::Result<()> {
    let models = into.join("models");
    for layer in [Layer::Rows, Layer::Star] {
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

fn folder(layer: Layer) -> &'static str {
    match layer {
        Layer::Rows => "rows",
        Layer::Star => "star",
    }
}

/// What the models are, and what dbt tests of them.
fn schema(star: &Star, views: &[Relation]) -> String {
    let models = views.iter().map(|view| {
        let (name, comment) = (&view.name, quoted(&view.comment));
        let columns: String = view
            .columns
            .iter()
            .map(|column| {
                let (name, comment) = (&column.name, quoted(&column.comment));
                let tests = star.table(&view.name).map(|table| tests(star, table, name));
                let tests = tests.unwrap_or_default();
                format!("      - name: {name}\n        description: {comment}\n{tests}")
            })
            .collect();
        let columns = if columns.is_empty() {
            columns
        } else {
            format!("    columns:\n{columns}")
        };
        format!("  - name: {name}\n    description: {comment}\n{columns}")
    });
    format!("version: 2\nmodels:\n{}", models.collect::<String>())
}

/// A text as YAML has it: JSON's is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn tests(star: &Star, table: &StarTable, name: &str) -> String {
    let column = table.columns.iter().find(|column| column.name == name);
    let is_key = match table.kind {
        TableKind::Fact { .. } => record_id(table).name == name,
        _ => table.columns.first().is_some_and(|key| key.name == name),
    };
    let is_required = column.is_none_or(|column| column.absence != Absence::Null);
    let dimension = column.and_then(|column| star.table(column.refers_to.as_deref()?));
    let mut tests = String::new();
    if is_key {
        tests.push_str("          - unique\n");
    }
    if is_required {
        tests.push_str("          - not_null\n");
    }
    if let Some((dimension, key)) =
        dimension.and_then(|table| Some((table, table.columns.first()?)))
    {
        // It heals when the dimension comes.
        tests.push_str(&format!(
            "          - relationships:\n              arguments:\n                to: ref('{}')\n                field: {}\n              config:\n                severity: warn\n",
            dimension.name, key.name
        ));
    }
    if tests.is_empty() {
        return tests;
    }
    format!("        data_tests:\n{tests}")
}
