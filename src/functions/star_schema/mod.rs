//! The star-schema loader: packets of tables into the Parquet files of a star.

pub mod calendar;
pub mod columns;
pub mod description;
pub mod dimension;
pub mod load;
pub mod reference;
pub mod refusal;
pub mod rows;
pub mod table_file;
pub mod timestamp;
