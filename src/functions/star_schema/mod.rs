//! The star-schema loader: packets of tables into the Parquet files of a star.

pub mod calendar;
pub mod columns;
pub mod decimal;
pub mod description;
pub mod dimension;
pub mod fields;
pub mod load;
pub mod reference;
pub mod refusal;
pub mod rows;
mod source;
pub mod table_file;
pub mod timestamp;
