//! What would become of a dead letter's record if it came again, as far as its bytes tell.

use crate::{
    functions::event_processor::event::Event,
    kinesis::dead_letter::{Data, DeadLetter},
    local::kinesis::record::RECORD_BYTES_MAX,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetterFate {
    Free,
    RefusedAgain,
    TooLarge,
}

/// Other data is under the event's id in its log.
pub(super) const CONFLICT: &str = "conflict";

/// What a function refuses for again whatever it is told: the bytes are no record of an event at all,
/// or its own log has other data under the event's id.
const FOR_EVER: [&str; 3] = ["not_base64", "aggregate_broken", CONFLICT];

impl LetterFate {
    /// Whoever refused it for what its bytes are does so again; what else was in its way may have gone.
    pub(super) fn of(letter: &DeadLetter<'_>) -> Option<Self> {
        let Data::Here(bytes) = &letter.data else {
            return None;
        };
        let refusal = Event::parse(bytes, letter.arrival).err();
        let is_same = refusal.is_some_and(|refusal| refusal.to_string() == letter.reason);
        Some(if bytes.len() > RECORD_BYTES_MAX {
            Self::TooLarge
        } else if is_same || FOR_EVER.contains(&&*letter.reason) {
            Self::RefusedAgain
        } else {
            Self::Free
        })
    }
}
