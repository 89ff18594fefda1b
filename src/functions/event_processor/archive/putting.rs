//! Puts a plan's objects, each once.
//!
//! **Why nothing is lost or doubled.** An object says which plan it is of. One that is absent is put
//! on condition that it still is; one of an older plan is replaced on condition that it is still
//! that one; one of a newer plan means that we are superseded, and nothing of ours follows. So
//! whoever has the newest plan has the last word on every object that any older plan named.

use std::time::Duration;

use tokio::time::Instant;

use super::{Head, Object, Objects, Put, PutOn};
use crate::aws::{Asked, Failure, Inquiry, Manner, Reply, ask_until};

/// How many objects are on their way at once: each is whole in memory until then.
pub const PUTS_AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archived {
    Put {
        events: usize,
        bytes: usize,
    },
    /// A newer plan has it.
    Superseded,
}

/// What is to be put, made when its turn comes.
pub trait Content: Sync {
    type Key: Copy + Send + Sync;

    /// The version of the plan that it all belongs to.
    fn plan(&self) -> u64;

    fn name(&self, key: Self::Key) -> String;

    fn object(&self, key: Self::Key) -> Result<Object, Failure>;
}

pub async fn put_all<O: Objects + Sync, C: Content>(
    objects: &O,
    content: &C,
    keys: Vec<C::Key>,
    deadline: Instant,
) -> Asked<Archived> {
    let putting = Putting { objects, content };
    let begin = |key| Question {
        key,
        ask: Ask::Put(PutOn::Absent),
    };
    ask_until(&putting, keys.into_iter().map(begin).collect(), deadline).await
}

struct Putting<'a, O, C> {
    objects: &'a O,
    content: &'a C,
}

#[derive(Clone)]
struct Question<K> {
    key: K,
    ask: Ask,
}

#[derive(Clone)]
enum Ask {
    Put(PutOn),
    Head,
}

impl<O: Objects + Sync, C: Content> Inquiry for Putting<'_, O, C> {
    type Question = Question<C::Key>;
    type Answer = Archived;

    fn manner(&self) -> Manner {
        Manner {
            together: 1,
            requests_at_once: PUTS_AT_ONCE,
            patience: PATIENCE,
        }
    }

    async fn ask(
        &self,
        questions: &[Question<C::Key>],
        patience: Duration,
    ) -> Vec<Reply<Question<C::Key>, Archived>> {
        let mut replies = Vec::with_capacity(questions.len());
        for question in questions {
            let reply = self.ask_one(question, patience).await;
            replies.push(reply.unwrap_or_else(|failure| Reply::Failed(question.clone(), failure)));
        }
        replies
    }
}

impl<O: Objects + Sync, C: Content> Putting<'_, O, C> {
    async fn ask_one(
        &self,
        question: &Question<C::Key>,
        patience: Duration,
    ) -> Result<Reply<Question<C::Key>, Archived>, Failure> {
        let Question { key, ask } = question;
        let name = self.content.name(*key);
        let next = |ask| Reply::Next(Question { key: *key, ask });
        Ok(match ask {
            Ask::Put(on) => {
                let object = self.content.object(*key)?;
                match self.objects.put(&name, &object, on, patience).await? {
                    Put::Written => Reply::Answered(Archived::Put {
                        events: object.events,
                        bytes: object.gzip.len(),
                    }),
                    Put::Refused => next(Ask::Head),
                }
            }
            Ask::Head => match self.objects.head(&name, patience).await? {
                None => next(Ask::Put(PutOn::Absent)),
                Some(Head { plan, .. }) if plan > self.content.plan() => {
                    Reply::Answered(Archived::Superseded)
                }
                Some(Head { etag, .. }) => next(Ask::Put(PutOn::Match(etag))),
            },
        })
    }
}
