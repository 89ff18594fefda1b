//! What may be a mistake, though nothing has failed: packets whose tables nobody reads, and none.

use std::path::Path;

use super::sum::LoadSum;
use crate::{functions::star_schema::description::Star, tool::presets::similar};

/// None where every packet is of the star, or every table of the star has packets.
pub(super) fn remark(star: &Star, sum: &LoadSum, packets: &Path) -> Option<String> {
    let alone: Vec<_> = sum.tables_left_alone().into_iter().collect();
    let missed = sum.tables_missed(star);
    if missed.is_empty() {
        return None;
    }
    if alone.is_empty() {
        return sum.tables_found.is_empty().then(|| no_packets(packets));
    }
    Some(format!(
        "no fact or dimension is made of {}, and of what the description reads these have no packet: \
         {}; {}",
        alone.join(", "),
        missed.join(", "),
        meant(&alone, &missed)
    ))
}

fn meant(alone: &[&str], missed: &[&str]) -> String {
    let there: Vec<_> = alone.iter().map(ToString::to_string).collect();
    let meant = missed.iter().filter_map(|table| {
        let similar = similar(table, &there)?;
        Some(format!("`{similar}` in place of `{table}`"))
    });
    let meant: Vec<_> = meant.collect();
    if meant.is_empty() {
        return "is a `from` or a `join` misspelt, or --star FILE forgotten?".to_owned();
    }
    format!(
        "did you mean {}, or another description with --star FILE?",
        meant.join(", ")
    )
}

fn no_packets(folder: &Path) -> String {
    format!(
        "there is no packet in `{}`: a packet is a file TABLE_ID_TIME.jsonl, gzip or not",
        folder.display()
    )
}
