//! What joins look in: all rows of the source tables, folded from the packets that have a receipt.
//! A checkpoint spares reading them all; it can be lost and made again.

use std::io::Write;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    description::Star,
    failure::Problem,
    names::{self, Packet},
    reading, receipt,
    reference::{Folding, Reference, read_checkpoint},
    store::{ObjectStore, Origin, read_whole, spool::Spool},
};

/// When more packets than this were folded, a checkpoint is written.
const FOLDED_MAX: usize = 32;

/// So many packets are read at once.
const TOGETHER: usize = 8;

/// A source table's rows, and of how many packets they are.
#[derive(Debug)]
pub(super) struct State {
    pub reference: Reference,
    pub packets: usize,
    /// Whether a checkpoint was written.
    pub checkpoint: bool,
}

/// The packets that are in a checkpoint, each run of ids as its first and last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Held {
    packets: Vec<(u64, u64)>,
}

impl Held {
    fn of(ids: &[u64]) -> Self {
        let mut packets: Vec<(u64, u64)> = Vec::new();
        for id in ids {
            match packets.last_mut() {
                Some((_, last)) if *last + 1 == *id => *last = *id,
                _ => packets.push((*id, *id)),
            }
        }
        Self { packets }
    }

    fn holds(&self, id: u64) -> bool {
        let mut runs = self.packets.iter();
        runs.any(|(first, last)| (*first..=*last).contains(&id))
    }
}

/// Folds all packets of a source table that have a receipt.
pub(super) async fn fold<O: ObjectStore>(
    star: &Star,
    (packets, processed): (&O, &O),
    source: &str,
    origin: &Origin,
    deadline: Instant,
) -> Result<State, Problem> {
    let ids = receipt::ids_after(processed, source, None, deadline).await?;
    let (held, mut reference) = latest_checkpoint(star, processed, source, deadline).await?;
    let rest: Vec<u64> = ids.iter().copied().filter(|id| !held.holds(*id)).collect();
    for some in rest.chunks(TOGETHER) {
        let folding = some.iter().map(|id| {
            let table = source.to_owned();
            fold_packet(
                star,
                (packets, processed),
                Packet { table, id: *id },
                deadline,
            )
        });
        for packet in try_join_all(folding).await? {
            reference.merge(packet);
        }
    }
    let checkpoint = rest.len() > FOLDED_MAX;
    if checkpoint {
        put_checkpoint(processed, source, &ids, &reference, origin, deadline).await?;
    }
    Ok(State {
        reference,
        packets: ids.len(),
        checkpoint,
    })
}

async fn fold_packet<O: ObjectStore>(
    star: &Star,
    (packets, processed): (&O, &O),
    packet: Packet,
    deadline: Instant,
) -> Result<Reference, Problem> {
    let receipt = receipt::read(processed, &packet, deadline).await?;
    let receipt = receipt.ok_or_else(|| Problem::Missing(packet.receipt_key()))?;
    let key = receipt.source.key;
    let mut folding = Folding::of_packet(star, &packet.table, packet.id);
    let feed = |piece: &[u8]| folding.feed(piece);
    let (_, taken) = reading::feed(packets, &key, feed, deadline).await?;
    let folded = taken.and_then(|()| folding.finish());
    folded.map_err(|why| Problem::unreadable(&key, why))
}

/// What the last checkpoint holds; nothing where there is none that can be read.
async fn latest_checkpoint<O: ObjectStore>(
    star: &Star,
    processed: &O,
    source: &str,
    deadline: Instant,
) -> Result<(Held, Reference), Problem> {
    let prefix = names::checkpoints_prefix(source);
    let keys = processed.list(&prefix, "", deadline).await?;
    let bytes = match keys.last() {
        Some(last) => read_whole(processed, last, deadline).await?,
        None => None,
    };
    let lines = bytes.and_then(|bytes| read_lines(star, source, &bytes));
    Ok(lines.unwrap_or_default())
}

fn read_lines(star: &Star, source: &str, bytes: &[u8]) -> Option<(Held, Reference)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (held, lines) = bytes.split_at_checked(end + 1)?;
    let held = serde_json::from_slice(held).ok()?;
    let reference = read_checkpoint(star, source, lines).ok()?;
    Some((held, reference))
}

/// Whatever stands there is ours: of other packets, and so the next one is.
async fn put_checkpoint<O: ObjectStore>(
    processed: &O,
    source: &str,
    ids: &[u64],
    reference: &Reference,
    origin: &Origin,
    deadline: Instant,
) -> Result<(), Problem> {
    let mut spool = Spool::default();
    let held = serde_json::to_string(&Held::of(ids)).map_err(std::io::Error::from)?;
    writeln!(spool, "{held}")?;
    reference.write_checkpoint(&mut spool)?;
    let last = ids.last().copied().unwrap_or_default();
    let key = names::checkpoint_key(source, last);
    processed.put(&key, &mut spool, origin, deadline).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_ids_hold_each_id_and_no_other() {
        let ids = [1, 2, 3, 7, 9, 10];
        let held = Held::of(&ids);
        assert_eq!(held.packets, [(1, 3), (7, 7), (9, 10)]);
        for id in 0..12 {
            assert_eq!(held.holds(id), ids.contains(&id), "{id}");
        }
    }
}
