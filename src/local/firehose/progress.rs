//! How far a run is, so that the next one can go on from there.

use serde::{Deserialize, Serialize};

use super::{batch::Mark, picture::Picture, summary::Summary};

/// A run that has not reached its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Unfinished {
    /// A hash of what the run was asked to do with its input.
    pub task: u64,
    pub mark: Mark,
    pub summary: Summary,
    /// Where somebody wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Box<Picture>>,
}
