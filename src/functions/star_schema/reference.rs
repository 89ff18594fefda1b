//! The rows of a source table that dimensions are made of, the newest of each key: of one packet, or
//! folded from many. It is what joins look in, and a checkpoint is its lines.

use std::io;

use super::{description::Star, rows::PacketUnreadable};

/// The newest row of each key by (version, packet, line), with the columns that dimensions need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {}

impl Reference {
    /// Takes the other's rows where they are newer; in which order does not matter.
    pub fn merge(&mut self, other: Self) {
        let _ = other;
    }

    /// The lines of a checkpoint, in the order of the keys.
    pub fn write_checkpoint(&self, out: &mut impl io::Write) -> io::Result<()> {
        let _ = out;
        Ok(())
    }
}

/// Folds a packet that was loaded before, or a checkpoint, fed piece by piece. A row that is refused
/// is passed over.
#[derive(Debug)]
pub struct Folding<'s> {
    _star: &'s Star,
}

/// Why what stands there is no checkpoint of this description: it is as good as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no checkpoint of this description")]
pub struct CheckpointStale;

impl<'s> Folding<'s> {
    /// Of a packet's bytes.
    #[must_use]
    pub fn of_packet(star: &'s Star, source: &str, packet: u64) -> Self {
        let _ = (source, packet);
        Self { _star: star }
    }

    pub fn feed(&mut self, piece: &[u8]) -> Result<(), PacketUnreadable> {
        let _ = piece;
        Ok(())
    }

    pub fn finish(self) -> Result<Reference, PacketUnreadable> {
        Ok(Reference::default())
    }
}

/// Reads a checkpoint's lines, whole.
pub fn read_checkpoint(
    star: &Star,
    source: &str,
    lines: &[u8],
) -> Result<Reference, CheckpointStale> {
    let _ = (star, source, lines);
    Err(CheckpointStale)
}
