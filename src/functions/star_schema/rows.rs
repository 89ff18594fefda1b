//! A packet's bytes as they arrive, cut into rows, in every spelling that a packet may have.

/// Why a packet cannot be read as a whole: it is to come again, or a person looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketUnreadable {
    #[error("it ends inside its array: it was not written to its end")]
    Unfinished,
    #[error("something stands behind its end: it is more than one array")]
    ManyValues,
    #[error("`data` stands before `column_names`: write the names first")]
    NamesAfterData,
}
