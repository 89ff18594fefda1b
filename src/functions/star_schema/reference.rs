//! The rows of a source table that dimensions are made of, folded from packets that were loaded
//! before, or read from a checkpoint.

pub(super) mod newest;

use std::{collections::BTreeSet, io};

use super::{
    description::Star,
    load::{Load, LoadError, Rows},
    rows::{PacketUnreadable, Row},
};
use newest::CheckpointLine;
pub use newest::Reference;

/// Folds a packet that was loaded before, fed piece by piece. A row that is refused is passed over.
pub struct Folding<'s>(Load<'s, io::Sink>);

impl<'s> Folding<'s> {
    #[must_use]
    pub fn of_packet(star: &'s Star, source: &str, packet: u64) -> Self {
        Self(Load::without_files(star, source, packet))
    }

    pub fn feed(&mut self, piece: &[u8]) -> Result<(), PacketUnreadable> {
        self.0.feed(piece).or_else(|error| only_unreadable(&error))
    }

    pub fn finish(self) -> Result<Reference, PacketUnreadable> {
        match self.0.finish() {
            Ok(loaded) => Ok(loaded.reference),
            Err(error) => only_unreadable(&error).map(|()| Reference::default()),
        }
    }
}

/// Nothing is written, so nothing cannot be written.
fn only_unreadable(error: &LoadError) -> Result<(), PacketUnreadable> {
    match *error {
        LoadError::Unreadable(why) => Err(why),
        LoadError::Write(_) => Ok(()),
    }
}

/// Why what stands there is no checkpoint of this description: it is as good as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no checkpoint of this description")]
pub struct CheckpointStale;

/// Reads a checkpoint's lines, whole.
pub fn read_checkpoint(
    star: &Star,
    source: &str,
    lines: &[u8],
) -> Result<Reference, CheckpointStale> {
    let mut rows = Rows::new(star, source);
    let mut reference = Reference::default();
    let mut columns = BTreeSet::new();
    let text = str::from_utf8(lines).map_err(|_| CheckpointStale)?;
    for line in text.lines() {
        let line: CheckpointLine<'_> = serde_json::from_str(line).map_err(|_| CheckpointStale)?;
        let row = Row {
            number: line.line,
            text: Ok(line.row.get()),
            names: None,
        };
        rows.recall(&row, line.packet, &line.by, &mut reference)
            .ok_or(CheckpointStale)?;
        columns.insert(line.by);
    }
    if columns.is_empty() || rows.key_names().all(|name| columns.contains(name)) {
        Ok(reference)
    } else {
        Err(CheckpointStale)
    }
}
