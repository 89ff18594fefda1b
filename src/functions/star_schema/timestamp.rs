//! Points in time of a source table, to the microsecond: as they are written where they have no
//! offset, else in UTC.

/// Microseconds since 1970, in the years that a DATE may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);
