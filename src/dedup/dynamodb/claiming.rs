//! A batch of claims on its way: what is answered, what is still open, and what stands against it.

use super::{
    super::{Claim, Claimed},
    Answer,
    failure::Failure,
    statement::{Ask, Reply},
};

pub(super) struct Claiming<'a> {
    claimed: Vec<Claimed>,
    /// To be asked in the next round.
    pub(super) open: Vec<Open<'a>>,
    /// Asked in vain in this round.
    failed: Vec<Open<'a>>,
    /// The last failure, or the first that is lasting.
    failure: Option<Failure>,
}

/// A claim that is not answered, and what to ask for it.
#[derive(Clone, Copy)]
pub(super) struct Open<'a> {
    index: usize,
    pub(super) claim: &'a Claim<'a>,
    pub(super) ask: Ask,
}

impl<'a> Claiming<'a> {
    pub(super) fn of(claims: &'a [Claim<'a>]) -> Self {
        let open = claims.iter().enumerate().map(|(index, claim)| Open {
            index,
            claim,
            ask: Ask::Insert,
        });
        Self {
            claimed: vec![Claimed::Unanswered; claims.len()],
            open: open.collect(),
            failed: Vec::new(),
            failure: None,
        }
    }

    /// Whether there is something to ask that may be answered.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty() && !self.is_hopeless()
    }

    pub(super) fn is_hopeless(&self) -> bool {
        matches!(self.failure, Some(Failure::Lasting(..)))
    }

    /// Takes in what one request came to.
    pub(super) fn read(&mut self, asked: &[Open<'a>], answer: Answer) {
        match answer {
            Ok(responses) if responses.len() == asked.len() => {
                for (open, response) in asked.iter().zip(&responses) {
                    self.note(*open, Reply::read(open.ask, response));
                }
            }
            Ok(responses) => self.fail(asked, Failure::miscounted(responses.len(), asked.len())),
            Err(failure) => self.fail(asked, failure),
        }
    }

    fn note(&mut self, open: Open<'a>, reply: Reply) {
        match reply {
            Reply::Settled(claimed) => self.answer(open, claimed),
            Reply::Exists => self.open.push(Open {
                ask: Ask::Take,
                ..open
            }),
            Reply::Gone => {
                let again = Open {
                    ask: Ask::Insert,
                    ..open
                };
                self.fail(
                    &[again],
                    Failure::Passing("an item that comes and goes".to_owned()),
                );
            }
            Reply::Failed(failure) => self.fail(&[open], failure),
        }
    }

    fn answer(&mut self, open: Open<'a>, claimed: Claimed) {
        if let Some(answer) = self.claimed.get_mut(open.index) {
            *answer = claimed;
        }
    }

    fn fail(&mut self, asked: &[Open<'a>], failure: Failure) {
        self.failed.extend(asked);
        if !self.is_hopeless() {
            self.failure = Some(failure);
        }
    }

    /// Opens again what failed in the round that ended, and says how many that were.
    pub(super) fn reopen_failed(&mut self) -> usize {
        let failed = self.failed.len();
        self.open.append(&mut self.failed);
        failed
    }

    /// What is known of each claim, and why something is not.
    pub(super) fn end(self) -> (Vec<Claimed>, Option<Failure>) {
        let complete = !self.claimed.contains(&Claimed::Unanswered);
        let failure = match self.failure {
            _ if complete => None,
            Some(failure) => Some(failure),
            None => Some(Failure::Passing("no answer yet".to_owned())),
        };
        (self.claimed, failure)
    }
}
