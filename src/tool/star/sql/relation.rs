//! What a script makes: views and their columns.

use crate::functions::star_schema::description::ColumnType;

/// A view, or a model of dbt's project.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) layer: ViewLayer,
    pub(super) comment: String,
    /// None are told of what only other views read.
    pub(super) columns: Vec<ViewColumn>,
    pub(super) query: String,
}

/// For whom a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewLayer {
    /// For other views.
    Rows,
    /// For whoever asks.
    Star,
}

#[derive(Debug, Clone)]
pub(super) struct ViewColumn {
    pub(super) name: String,
    pub(super) kind: ViewType,
    pub(super) comment: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewType {
    Cell(ColumnType),
    /// A whole number of 64 bits.
    Count,
}
