//! One packet of a source table into its facts' Parquet, written while it is read, and the rows that
//! dimensions are made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{
    description::{Star, StarTable},
    reference::Reference,
    refusal::RefusedRows,
    rows::PacketUnreadable,
    table_file::TableWritten,
    timestamp::Timestamp,
};

/// What a packet came to.
#[derive(Debug)]
pub struct Loaded<W> {
    /// Rows that were loaded.
    pub rows: u64,
    pub refused: RefusedRows,
    /// The newest version of all rows whose version can be read, refused ones too.
    pub newest: Option<Timestamp>,
    /// Of each fact, by the star table's name.
    pub facts: BTreeMap<String, TableWritten<W>>,
    /// What the source's dimensions are made of.
    pub reference: Reference,
    /// Columns that the description does not name; no more than the first hundred.
    pub unknown_columns: BTreeSet<String>,
    /// Where the lines of refused rows were written.
    pub refused_lines: W,
}

/// Why a packet could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Unreadable(#[from] PacketUnreadable),
    #[error("cannot write what the packet becomes: {0}")]
    Write(#[from] io::Error),
}

/// A packet that is being loaded.
#[derive(Debug)]
pub struct Load<'s, W> {
    _star: &'s Star,
    refused_lines: W,
}

impl<'s, W: io::Write + Send> Load<'s, W> {
    /// Of a packet with this id; `sink` gives a place to write to for each fact and for refused rows
    /// (none: the refused rows).
    pub fn new(
        star: &'s Star,
        source: &str,
        packet: u64,
        mut sink: impl FnMut(Option<&StarTable>) -> W,
    ) -> Result<Self, LoadError> {
        let _ = (source, packet);
        Ok(Self {
            _star: star,
            refused_lines: sink(None),
        })
    }

    /// Takes the next bytes of the packet, any number of them.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), LoadError> {
        let _ = piece;
        Ok(())
    }

    /// Ends what is written. Where a table has no rows, what its sink got is of no use.
    pub fn finish(self) -> Result<Loaded<W>, LoadError> {
        Ok(Loaded {
            rows: 0,
            refused: RefusedRows::new(),
            newest: None,
            facts: BTreeMap::new(),
            reference: Reference::default(),
            unknown_columns: BTreeSet::new(),
            refused_lines: self.refused_lines,
        })
    }
}
