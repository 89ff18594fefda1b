//! What stands in a star's Parquet files, as a reader sees it.

use std::collections::BTreeMap;

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
};
use serde_json::Value;

/// The rows of a file, in order; none of what is no Parquet.
pub(crate) fn rows(parquet: &[u8]) -> Option<Vec<Value>> {
    let bytes = hyper::body::Bytes::copy_from_slice(parquet);
    let reader = SerializedFileReader::new(bytes).ok()?;
    let rows = reader.get_row_iter(None).unwrap();
    let values = rows.map(|row: Result<Row, _>| {
        let row = row.unwrap();
        let cells = row.get_column_iter();
        cells
            .map(|(name, field)| (name.clone(), value(field)))
            .collect()
    });
    Some(values.collect())
}

/// Dates, times and decimals as text.
fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(truth) => (*truth).into(),
        Field::Int(number) => (*number).into(),
        Field::Str(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

/// The star tables of a bucket: of a fact every row, of a dimension the newest row of each key.
pub(crate) fn star(objects: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<String>> {
    let mut star: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (key, parquet) in objects.iter().filter(|(key, _)| key.ends_with(".parquet")) {
        let table = key.split('/').next().unwrap();
        let newest = star.entry(table.to_owned()).or_default();
        for (number, row) in rows(parquet).into_iter().flatten().enumerate() {
            let columns = row.as_object().unwrap();
            let key_name = columns
                .keys()
                .find(|name| table == format!("dim_{}", name.trim_end_matches("_id")));
            let first = key_name.map_or_else(String::new, |name| row[name].to_string());
            let name = if table.starts_with("dim_") {
                first
            } else {
                format!("{key} {number:06}")
            };
            newest.insert(name, row.to_string());
        }
    }
    let rows = |(table, newest): (String, BTreeMap<String, String>)| {
        (table, newest.into_values().collect())
    };
    star.into_iter().map(rows).collect()
}
