//! A response while it is written: each record at the longest answer it may still get. What turns
//! out otherwise is taken back in place, so that what stays is encoded once and copied never.

use std::ops::Range;

use super::wire::{Answer, Slot};

const START: &[u8] = br#"{"records":["#;
const END: &[u8] = b"]}";

/// What a response has beside its answers and the commas between them.
pub const FRAME_BYTES: usize = START.len() + END.len();

/// Answers, one a record, in the order of the records.
#[derive(Debug)]
pub struct Draft {
    /// A comma behind each answer.
    out: Vec<u8>,
    /// Where each answer ends, its comma counted.
    ends: Vec<usize>,
}

impl Draft {
    #[must_use]
    pub fn with_capacity(bytes: usize, answers: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(START);
        let ends = Vec::with_capacity(answers);
        Self { out, ends }
    }

    pub fn push(&mut self, slot: Slot<'_>, answer: &Answer<'_>) {
        answer.write(slot, &mut self.out);
        self.out.push(b',');
        self.ends.push(self.out.len());
    }

    /// How many bytes the response has if nothing is taken back.
    #[must_use]
    pub fn response_length(&self) -> usize {
        self.out.len() - self.last_comma() + END.len()
    }

    fn last_comma(&self) -> usize {
        usize::from(!self.ends.is_empty())
    }

    /// How many bytes the answer to this record has.
    #[must_use]
    pub fn answer_length(&self, index: usize) -> usize {
        self.answer(index).len().saturating_sub(1)
    }

    fn answer(&self, index: usize) -> Range<usize> {
        let end_of = |index: usize| self.ends.get(index).copied();
        let start = index.checked_sub(1).and_then(end_of);
        start.unwrap_or(START.len())..end_of(index).unwrap_or(START.len())
    }

    /// The response in which these records have a shorter answer instead, in order of their index.
    #[must_use]
    pub fn settle<'a>(
        mut self,
        shorter: impl Iterator<Item = (usize, Slot<'a>, Answer<'a>)>,
    ) -> Vec<u8> {
        let mut settled = START.len();
        let mut passed = START.len();
        let mut written = Vec::new();
        for (index, slot, answer) in shorter {
            let taken_back = self.answer(index);
            settled = self.move_down(passed..taken_back.start, settled);
            written.clear();
            answer.write(slot, &mut written);
            written.push(b',');
            settled = self.overwrite(&written, settled);
            passed = taken_back.end;
        }
        settled = self.move_down(passed..self.out.len(), settled);
        self.out.truncate(settled - self.last_comma());
        self.out.extend_from_slice(END);
        self.out
    }

    /// Both say where the next answer goes.
    fn move_down(&mut self, answers: Range<usize>, to: usize) -> usize {
        let end = to + answers.len();
        if answers.start != to {
            self.out.copy_within(answers, to);
        }
        end
    }

    fn overwrite(&mut self, answer: &[u8], at: usize) -> usize {
        let end = at + answer.len();
        if let Some(room) = self.out.get_mut(at..end) {
            room.copy_from_slice(answer);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[u8] = br#"{"year":"2024"}"#;

    fn ok(line: &str) -> Answer<'_> {
        Answer::Ok {
            line: line.as_bytes(),
            partition_keys: KEYS,
        }
    }

    /// The same response written straight away.
    fn written(answers: &[(Slot<'_>, Answer<'_>)]) -> Vec<u8> {
        let mut out = START.to_vec();
        for (index, (slot, answer)) in answers.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            answer.write(*slot, &mut out);
        }
        out.extend_from_slice(END);
        out
    }

    #[test]
    fn a_response_without_answers_is_its_frame() {
        let draft = Draft::with_capacity(0, 0);
        assert_eq!(draft.response_length(), FRAME_BYTES);
        assert_eq!(draft.settle(std::iter::empty()).len(), FRAME_BYTES);
    }

    proptest! {
        #[test]
        fn what_is_taken_back_leaves_the_response_that_never_had_it(
            records in prop::collection::vec(("[0-9]{0,9}", "[a-z]{0,40}", 0..4_u8), 0..12),
        ) {
            let mut draft = Draft::with_capacity(0, 0);
            for (id, line, _) in &records {
                draft.push(Slot::plain(id), &ok(line));
                prop_assert_eq!(draft.answer_length(draft.ends.len() - 1), ok(line).length(Slot::plain(id)));
            }
            let all: Vec<_> = records.iter().map(|(id, line, _)| (Slot::plain(id), ok(line))).collect();
            prop_assert_eq!(draft.response_length(), written(&all).len());
            let shorter = |kind: u8| match kind {
                0 => Some(Answer::Dropped),
                1 => Some(Answer::ProcessingFailed),
                _ => None,
            };
            let changes = records.iter().enumerate();
            let changes = changes.filter_map(|(index, (id, _, kind))| Some((index, Slot::plain(id), shorter(*kind)?)));
            let expected: Vec<_> = records
                .iter()
                .map(|(id, line, kind)| (Slot::plain(id), shorter(*kind).unwrap_or(ok(line))))
                .collect();
            let settled = draft.settle(changes);
            prop_assert_eq!(String::from_utf8(settled), String::from_utf8(written(&expected)));
        }
    }
}
