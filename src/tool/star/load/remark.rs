//! What may be a mistake, though nothing has failed: packets whose tables nobody reads, and none.

use std::path::Path;

use super::sum::LoadSum;
use crate::functions::star_schema::description::Star;

/// None where every packet is of the star, or every table of the star has packets.
pub(super) fn remark(star: &Star, sum: &LoadSum, packets: &Path) -> Option<String> {
    let alone: Vec<_> = sum.tables_left_alone().into_iter().collect();
    let missed = sum.tables_missed(star);
    match (alone.as_slice(), missed.as_slice()) {
        (_, []) => None,
        ([], _) => sum.tables_found.is_empty().then(|| no_packets(packets)),
        ([alone], [missed]) => Some(format!(
            "no fact or dimension is made of {alone}, and {missed}, which the description reads, has \
             no packet: did you mean `from = \"{alone}\"`?"
        )),
        (alone, missed) => Some(format!(
            "no fact or dimension is made of {}, and of what the description reads these have no \
             packet: {}; is a `from` or a `join` misspelt, or --star FILE forgotten?",
            alone.join(", "),
            missed.join(", ")
        )),
    }
}

fn no_packets(folder: &Path) -> String {
    format!(
        "there is no packet in `{}`: a packet is a file TABLE_ID_TIME.jsonl, gzip or not",
        folder.display()
    )
}
