//! A packet of the built-in star, as it is loaded.

use std::{collections::BTreeMap, sync::LazyLock};

use nozzle::functions::star_schema::{
    description::Star,
    dimension::{Touching, write_touched},
    load::{Load, LoadError, Loaded},
    reference::{Folding, Reference, read_checkpoint},
};
use serde_json::Value;

static STAR: LazyLock<Star> = LazyLock::new(|| Star::built_in().expect("it is tested"));

const SOURCES: [&str; 8] = [
    "sales_order",
    "staff",
    "department",
    "address",
    "currency",
    "design",
    "counterparty",
    "payment",
];

/// Any bytes: a byte chooses the table and how the bytes arrive, the rest are the packet.
pub fn packet(bytes: &[u8]) {
    let Some((choice, packet)) = bytes.split_first() else {
        return;
    };
    let source = SOURCES[usize::from(*choice) % SOURCES.len()];
    let piece_bytes = usize::from(*choice) / SOURCES.len() + 1;
    let whole = load(source, packet, packet.len().max(1));
    let pieces = load(source, packet, piece_bytes);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            check_same(&whole, &pieces);
            check_rows(packet, &whole);
            check_reference(source, packet, &whole.reference);
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{:?} whole, {:?} in pieces", whole.err(), pieces.err()),
    }
}

fn load(source: &str, packet: &[u8], piece_bytes: usize) -> Result<Loaded<Vec<u8>>, LoadError> {
    let mut load = Load::new(&STAR, source, 1, |_| Vec::new())?;
    for piece in packet.chunks(piece_bytes) {
        load.feed(piece)?;
    }
    load.finish()
}

fn check_same(whole: &Loaded<Vec<u8>>, pieces: &Loaded<Vec<u8>>) {
    assert_eq!(whole.rows, pieces.rows);
    assert_eq!(whole.newest, pieces.newest);
    assert_eq!(whole.refused, pieces.refused);
    assert_eq!(whole.refused_lines, pieces.refused_lines);
    assert_eq!(whole.reference, pieces.reference);
    assert_eq!(whole.unknown_columns, pieces.unknown_columns);
    for (table, written) in &whole.facts {
        assert_eq!(written.sink, pieces.facts[table].sink, "{table}");
    }
}

/// Each row is loaded or refused.
fn check_rows(packet: &[u8], loaded: &Loaded<Vec<u8>>) {
    for written in loaded.facts.values() {
        assert_eq!(written.rows, loaded.rows);
    }
    let refused = str::from_utf8(&loaded.refused_lines).expect("it is JSON");
    for line in refused.lines() {
        let line: Value = serde_json::from_str(line).expect("it is JSON");
        assert!(line["row"].is_string() && line["line"].is_u64(), "{line}");
    }
    let told: u64 = loaded.refused.values().sum();
    assert_eq!(told, refused.lines().count() as u64);
    let first = packet.trim_ascii_start().first();
    if !matches!(first, Some(b'[' | b'{' | b'\xef')) {
        let lines = packet.split(|byte| *byte == b'\n');
        let rows = lines.filter(|line| !line.trim_ascii().is_empty()).count();
        assert_eq!(
            loaded.rows + told,
            rows as u64,
            "a row is nowhere, or twice"
        );
    }
}

/// What is folded again is the same, a checkpoint of it too, and dimensions can be made of it.
fn check_reference(source: &str, packet: &[u8], rows: &Reference) {
    let mut folding = Folding::of_packet(&STAR, source, 1);
    folding.feed(packet).expect("it was read before");
    assert_eq!(&folding.finish().expect("it was read before"), rows);
    let mut lines = Vec::new();
    rows.write_checkpoint(&mut lines).expect("it is in memory");
    let recalled = read_checkpoint(&STAR, source, &lines);
    assert_eq!(recalled.as_ref(), Ok(rows));
    let state = BTreeMap::from([(source, rows)]);
    let touching = Touching { source, rows };
    for table in STAR.dimensions(source) {
        let written = write_touched(&STAR, table, touching, &state, Vec::new());
        written.expect("rows that were folded are rows");
    }
}
