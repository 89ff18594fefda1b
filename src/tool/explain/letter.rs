//! A dead letter: why its own function refused the record, by whose rules it is judged, and how it
//! goes on. The rules of a lake say nothing of it.

use serde_json::{Map, Value};

use crate::{
    functions::firehose_transform::event::EventFields,
    tool::{
        criterion::LETTER_ID,
        letter_fate::{CONFLICT, LetterFate},
        wrapped::{Wrapper, WrapperKind},
    },
};

const REFUSED_AGAIN: &str = "these bytes are refused for it again: mend the event and put it into the \
                             stream anew, here with `nozzle process` or `nozzle log`";
const TOO_LARGE: &str = "no record of Kinesis may be so large: make the event smaller and put it into \
                         the stream anew";
const FREE: &str = "what was in its way may have gone: `nozzle redrive DEAD-LETTERS --to kinesis:STREAM` \
                    says what it would send, and sends it with --execute";

/// Who has judged the record; none of what is judged here.
pub(super) fn judge(wrapper: Option<&Wrapper>) -> Option<&str> {
    match &wrapper?.kind {
        WrapperKind::DeadLetter { function, .. } => Some(function),
        WrapperKind::ErrorObject | WrapperKind::ExportLine => None,
    }
}

pub(super) fn advice(wrapper: &Wrapper, record: &[u8], fields: &EventFields) -> Option<String> {
    let WrapperKind::DeadLetter { fate, .. } = &wrapper.kind else {
        return None;
    };
    Some(match fate {
        LetterFate::RefusedAgain if wrapper.code == CONFLICT => conflict(record, fields),
        LetterFate::RefusedAgain => REFUSED_AGAIN.to_owned(),
        LetterFate::TooLarge => TOO_LARGE.to_owned(),
        LetterFate::Free => FREE.to_owned(),
    })
}

/// Which field an event log takes its ids from is not in the letter.
fn conflict(record: &[u8], fields: &EventFields) -> String {
    let members: Map<String, Value> = serde_json::from_slice(record).unwrap_or_default();
    let mut names = [LETTER_ID].into_iter().chain(fields.names());
    let id = names.find_map(|name| Some((name, members.get(name)?.as_str()?)));
    let id = match id {
        Some((name, id)) => format!("its id, `{id}` if that is its `{name}`,"),
        None => "its id, which EVENT_ID of the log points at,".to_owned(),
    };
    format!(
        "{id} has other data in the log: compare it with `nozzle log get ID`. It stays refused while \
         that is there; `nozzle redrive --all` sends it all the same"
    )
}
