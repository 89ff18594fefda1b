//! The tables and views as Terraform makes them in Glue.

use serde::Serialize;

use super::{
    dialect::Dialect,
    dictionary::{columns, files_comment, files_name},
    files,
    relation::{Relation, ViewColumn, ViewType},
    script::hive_type,
};
use crate::functions::star_schema::description::{Star, StarTable};

/// What Terraform reads.
#[derive(Debug, Serialize)]
pub(super) struct Catalog {
    tables: Vec<CatalogTable>,
    views: Vec<CatalogView>,
}

#[derive(Debug, Serialize)]
struct CatalogTable {
    name: String,
    /// Under the bucket.
    folder: String,
    comment: String,
    columns: Vec<TableColumn>,
}

#[derive(Debug, Serialize)]
struct TableColumn {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    comment: String,
}

#[derive(Debug, Serialize)]
struct CatalogView {
    name: String,
    comment: String,
    sql: String,
    columns: Vec<CatalogViewColumn>,
}

#[derive(Debug, Serialize)]
struct CatalogViewColumn {
    name: String,
    /// As the engine has it.
    #[serde(rename = "type")]
    kind: String,
}

impl Catalog {
    pub(super) fn new(star: &Star) -> Self {
        let views = files::views(star, Dialect::Athena);
        Self {
            tables: star.tables.iter().map(CatalogTable::new).collect(),
            views: views.into_iter().map(CatalogView::new).collect(),
        }
    }
}

impl CatalogTable {
    fn new(table: &StarTable) -> Self {
        let column = |column: ViewColumn| TableColumn {
            name: column.name,
            kind: hive_type(column.kind),
            comment: column.comment,
        };
        Self {
            name: files_name(table),
            folder: table.name.clone(),
            comment: files_comment(table),
            columns: columns(table).into_iter().map(column).collect(),
        }
    }
}

impl CatalogView {
    fn new(view: Relation) -> Self {
        let column = |column: ViewColumn| CatalogViewColumn {
            name: column.name,
            kind: athena_type(column.kind),
        };
        Self {
            name: view.name,
            comment: view.comment,
            sql: view.query,
            columns: view.columns.into_iter().map(column).collect(),
        }
    }
}

fn athena_type(kind: ViewType) -> String {
    match kind {
        ViewType::Cell(kind) => Dialect::Athena.type_name(kind).to_lowercase(),
        ViewType::Count => hive_type(kind),
    }
}
