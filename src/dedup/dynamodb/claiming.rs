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
    /// An answer was lost on the way here: the claim may have been made.
    is_lost: bool,
}

impl Open<'_> {
    fn to(self, ask: Ask) -> Self {
        Self { ask, ..self }
    }
}

impl<'a> Claiming<'a> {
    pub(super) fn of(claims: &'a [Claim<'a>]) -> Self {
        let open = claims.iter().enumerate().map(|(index, claim)| Open {
            index,
            claim,
            ask: Ask::Insert,
            is_lost: false,
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
            Ok(responses) => self.blame(Failure::miscounted(responses.len(), asked.len())),
            Err(failure) => {
                let lost = asked.iter().map(|open| Open {
                    is_lost: true,
                    ..*open
                });
                self.failed.extend(lost);
                self.blame(failure);
            }
        }
    }

    fn note(&mut self, open: Open<'a>, reply: Reply) {
        match reply {
            Reply::Settled(claimed) => self.settle(open, claimed),
            Reply::Exists => self.open.push(open.to(Ask::Take)),
            Reply::Gone => {
                self.failed.push(open.to(Ask::Insert));
                self.blame(Failure::Passing("an item came and went".to_owned()));
            }
            Reply::Failed(failure) => {
                self.failed.push(open);
                self.blame(failure);
            }
        }
    }

    fn settle(&mut self, open: Open<'a>, claimed: Claimed) {
        if let Some(answer) = self.claimed.get_mut(open.index) {
            *answer = match claimed {
                Claimed::Held(owner) if open.is_lost && owner == open.claim.owner => Claimed::Taken,
                told => told,
            };
        }
    }

    fn blame(&mut self, failure: Failure) {
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
