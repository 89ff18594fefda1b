//! Why a packet is no rows at all.

/// Why a packet cannot be read as a whole: it is to come again, or a person looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketUnreadable {
    #[error("it ends inside its array: it was not written to its end")]
    Unfinished,
    #[error("something stands behind its array, which is to be the last and the only one")]
    ManyValues,
    #[error("`column_names` is no list of texts")]
    NoNames,
    #[error("`data`, an array, is to stand right behind `column_names`")]
    NoData,
}
