//! A row's values as the typed cells of a star table.
