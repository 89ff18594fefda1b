//! What the function is made of.

use super::{description::Star, settings::Settings};

/// The function: its settings, its star, where packets come from and where all else is kept.
#[derive(Debug)]
pub struct StarSchema<O, P> {
    pub settings: Settings,
    pub star: Star,
    pub packets: O,
    pub processed: O,
    pub parameters: P,
}
