//! Asking a service until a deadline: questions go together as far as it takes them, requests side
//! by side, and whatever was not answered is asked again alone.

use std::{future::Future, mem, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, timeout_at};

use super::failure::Failure;

/// The longest pause after the first round in which something failed; doubles with every other.
/// Half of it or more is waited, at random, so that functions which failed together come back
/// apart.
const PAUSE: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How questions of one kind are put to a service.
pub trait Inquiry {
    type Question: Clone + Send + Sync;
    type Answer: Send;

    fn manner(&self) -> Manner;

    /// Asks once; one reply a question, in order. It may take so long.
    fn ask(
        &self,
        questions: &[Self::Question],
        patience: Duration,
    ) -> impl Future<Output = Vec<Reply<Self::Question, Self::Answer>>> + Send;
}

#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How many questions go in one request.
    pub together: usize,
    /// How many requests are under way at once, each on its own connection.
    pub requests_at_once: usize,
    /// How long a request may take until it is asked again; doubles after every round in which
    /// nothing was answered, so that a service which is merely slow is waited for.
    pub patience: Duration,
}

/// What became of one question.
#[derive(Debug)]
pub enum Reply<Q, A> {
    Answered(A),
    /// Leads to another question, to be asked at once.
    Next(Q),
    /// To be asked again later, if that may help.
    Failed(Q, Failure),
}

/// What is known of each question, in order, and why something is not.
#[derive(Debug)]
pub struct Asked<A> {
    pub answers: Vec<Option<A>>,
    /// Set exactly when an answer is missing: the last failure, or the first that is lasting.
    pub failure: Option<Failure>,
}

impl<A: Default + Clone> Asked<A> {
    /// Everything is answered.
    #[must_use]
    pub fn all(questions: usize) -> Self {
        Self {
            answers: vec![Some(A::default()); questions],
            failure: None,
        }
    }
}

/// Asks until everything is answered, asking again would not help, or it is too late. What was
/// answered by then counts.
pub async fn ask_until<I: Inquiry>(
    inquiry: &I,
    questions: Vec<I::Question>,
    deadline: Instant,
) -> Asked<I::Answer> {
    let mut asking = Asking {
        answers: questions.iter().map(|_| None).collect(),
        open: Open {
            indices: (0..questions.len()).collect(),
            questions,
        },
        failed: Open::default(),
        failure: None,
    };
    // Late is no failure by itself: what is open then says so.
    let _ = timeout_at(deadline, asking.settle(inquiry)).await;
    asking.end()
}

/// Asks one question until it is answered, asking again would not help, or it is too late.
pub async fn ask_one<A, F>(
    patience: Duration,
    deadline: Instant,
    ask: impl Fn(Duration) -> F + Sync,
) -> Result<A, Failure>
where
    A: Send,
    F: Future<Output = Result<A, Failure>> + Send,
{
    let asked = ask_until(&One { ask, patience }, vec![()], deadline).await;
    let answer = asked.answers.into_iter().flatten().next();
    answer.ok_or_else(|| {
        asked
            .failure
            .unwrap_or_else(|| Failure::senseless("neither an answer nor a failure"))
    })
}

/// The one question there is.
struct One<F> {
    ask: F,
    patience: Duration,
}

impl<A, F, R> Inquiry for One<F>
where
    A: Send,
    F: Fn(Duration) -> R + Sync,
    R: Future<Output = Result<A, Failure>> + Send,
{
    type Question = ();
    type Answer = A;

    fn manner(&self) -> Manner {
        Manner {
            together: 1,
            requests_at_once: 1,
            patience: self.patience,
        }
    }

    async fn ask(&self, _: &[()], patience: Duration) -> Vec<Reply<(), A>> {
        vec![match (self.ask)(patience).await {
            Ok(answer) => Reply::Answered(answer),
            Err(failure) => Reply::Failed((), failure),
        }]
    }
}

struct Asking<Q, A> {
    answers: Vec<Option<A>>,
    /// To be asked in the next round.
    open: Open<Q>,
    /// Asked in vain in this round.
    failed: Open<Q>,
    failure: Option<Failure>,
}

/// Questions, and where their answers go.
struct Open<Q> {
    indices: Vec<usize>,
    questions: Vec<Q>,
}

impl<Q> Default for Open<Q> {
    fn default() -> Self {
        Self {
            indices: Vec::new(),
            questions: Vec::new(),
        }
    }
}

impl<Q> Open<Q> {
    fn push(&mut self, index: usize, question: Q) {
        self.indices.push(index);
        self.questions.push(question);
    }
}

impl<Q: Clone + Send + Sync, A: Send> Asking<Q, A> {
    async fn settle<I: Inquiry<Question = Q, Answer = A>>(&mut self, inquiry: &I) {
        let mut manner = inquiry.manner();
        let mut pause_max = PAUSE;
        while self.is_open() {
            let asked = self.open.indices.len();
            self.ask_once(inquiry, manner).await;
            let failed = self.failed.indices.len();
            self.open.indices.append(&mut self.failed.indices);
            self.open.questions.append(&mut self.failed.questions);
            if failed == asked {
                manner.patience = manner.patience.saturating_mul(2);
            }
            if failed > 0 && self.is_open() {
                sleep(pause_max.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                pause_max = PAUSE_MAX.min(pause_max * 2);
            }
        }
    }

    /// Asks everything that is open, once. What was answered counts, even when this is dropped
    /// before the rest is.
    async fn ask_once<I: Inquiry<Question = Q, Answer = A>>(
        &mut self,
        inquiry: &I,
        manner: Manner,
    ) {
        let open = mem::take(&mut self.open);
        let indices = open.indices.chunks(manner.together);
        let mut requests = indices.zip(open.questions.chunks(manner.together));
        let mut under_way = FuturesUnordered::new();
        while !self.is_hopeless() {
            let free = manner.requests_at_once - under_way.len();
            under_way.extend(
                requests
                    .by_ref()
                    .take(free)
                    .map(|(indices, questions)| async move {
                        (
                            indices,
                            questions.len(),
                            inquiry.ask(questions, manner.patience).await,
                        )
                    }),
            );
            match under_way.next().await {
                Some((indices, asked, replies)) if replies.len() == asked => {
                    self.read(indices, replies);
                }
                Some((_, asked, replies)) => {
                    self.failure = Some(Failure::miscounted(replies.len(), asked));
                }
                None => break,
            }
        }
    }

    fn read(&mut self, indices: &[usize], replies: Vec<Reply<Q, A>>) {
        for (index, reply) in indices.iter().zip(replies) {
            match reply {
                Reply::Answered(answer) => {
                    if let Some(known) = self.answers.get_mut(*index) {
                        *known = Some(answer);
                    }
                }
                Reply::Next(question) => self.open.push(*index, question),
                Reply::Failed(question, failure) => {
                    self.failed.push(*index, question);
                    self.blame(failure);
                }
            }
        }
    }

    fn blame(&mut self, failure: Failure) {
        if !self.is_hopeless() {
            self.failure = Some(failure);
        }
    }

    /// Whether there is something to ask that may be answered.
    fn is_open(&self) -> bool {
        !self.open.indices.is_empty() && !self.is_hopeless()
    }

    fn is_hopeless(&self) -> bool {
        self.failure.as_ref().is_some_and(Failure::is_lasting)
    }

    fn end(self) -> Asked<A> {
        let is_complete = self.answers.iter().all(Option::is_some);
        let failure = match self.failure {
            _ if is_complete => None,
            Some(failure) => Some(failure),
            None => Some(Failure::Passing("no answer yet".to_owned())),
        };
        Asked {
            answers: self.answers,
            failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{super::Cause, *};

    type Told = Reply<u32, u32>;

    /// Answers as told, in order of its requests; then every question with itself.
    struct Script {
        together: usize,
        told: Mutex<Vec<Vec<Told>>>,
        asked: Mutex<Vec<(Vec<u32>, Duration)>>,
    }

    impl Script {
        fn new(together: usize, told: Vec<Vec<Told>>) -> Self {
            Self {
                together,
                told: Mutex::new(told.into_iter().rev().collect()),
                asked: Mutex::default(),
            }
        }

        fn asked(&self) -> Vec<Vec<u32>> {
            let asked = self.asked.lock().unwrap();
            asked.iter().map(|(asked, _)| asked.clone()).collect()
        }
    }

    impl Inquiry for Script {
        type Question = u32;
        type Answer = u32;

        fn manner(&self) -> Manner {
            Manner {
                together: self.together,
                requests_at_once: 1,
                patience: Duration::from_secs(1),
            }
        }

        async fn ask(&self, questions: &[u32], patience: Duration) -> Vec<Told> {
            self.asked
                .lock()
                .unwrap()
                .push((questions.to_vec(), patience));
            let told = self.told.lock().unwrap().pop();
            told.unwrap_or_else(|| {
                questions
                    .iter()
                    .map(|asked| Reply::Answered(*asked))
                    .collect()
            })
        }
    }

    fn away() -> Failure {
        Failure::Passing("away".to_owned())
    }

    async fn ask(script: &Script, questions: &[u32]) -> Asked<u32> {
        let deadline = Instant::now() + Duration::from_mins(1);
        ask_until(script, questions.to_vec(), deadline).await
    }

    #[tokio::test(start_paused = true)]
    async fn questions_go_together_as_far_as_the_service_takes_them() {
        let script = Script::new(2, vec![]);
        let asked = ask(&script, &[1, 2, 3]).await;
        assert_eq!(asked.answers, [Some(1), Some(2), Some(3)]);
        assert_eq!(script.asked(), [vec![1, 2], vec![3]]);
        assert!(asked.failure.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_asked_again_alone_and_answers_where_it_stood() {
        let told = vec![vec![
            Reply::Failed(1, away()),
            Reply::Answered(20),
            Reply::Next(4),
        ]];
        let script = Script::new(3, told);
        let asked = ask(&script, &[1, 2, 3]).await;
        assert_eq!(asked.answers, [Some(1), Some(20), Some(4)]);
        assert_eq!(script.asked(), [vec![1, 2, 3], vec![4, 1]]);
        assert!(asked.failure.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_is_slow_is_given_longer() {
        let failed = || vec![Reply::Failed(1, away())];
        let script = Script::new(1, vec![failed(), failed()]);
        ask(&script, &[1]).await;
        let asked = script.asked.lock().unwrap();
        let patience: Vec<_> = asked
            .iter()
            .map(|(_, patience)| patience.as_secs())
            .collect();
        assert_eq!(patience, [1, 2, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_ends_it_and_what_was_answered_counts() {
        let denied = Failure::Lasting(Cause::NoPermission, "denied".to_owned());
        let told = vec![
            vec![Reply::Failed(1, away()), Reply::Answered(20)],
            vec![Reply::Failed(3, denied)],
        ];
        let script = Script::new(2, told);
        let asked = ask(&script, &[1, 2, 3, 4, 5]).await;
        assert_eq!(asked.answers, [None, Some(20), None, None, None]);
        assert!(asked.failure.unwrap().is_lasting());
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_deadline_what_is_open_has_failed_for_now() {
        let failed = |_| vec![Reply::Failed(1, away())];
        let script = Script::new(1, (0..10_000).map(failed).collect());
        let started = Instant::now();
        let asked = ask(&script, &[1, 2]).await;
        assert_eq!(started.elapsed(), Duration::from_mins(1));
        assert!(matches!(asked.failure, Some(Failure::Passing(why)) if why == "away"));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_are_too_few_make_no_sense() {
        let script = Script::new(2, vec![vec![Reply::Answered(1)]]);
        let asked = ask(&script, &[1, 2]).await;
        assert_eq!(asked.answers, [None, None]);
        assert!(asked.failure.unwrap().is_lasting());
    }

    /// What comes of these replies, the last of which is repeated, and how often was asked.
    async fn ask_for_one(replies: &[Result<u32, Failure>]) -> (String, usize) {
        let times = Mutex::new(0);
        let ask = |_| {
            let mut times = times.lock().unwrap();
            let reply = replies.get(*times).or(replies.last());
            *times += 1;
            std::future::ready(reply.unwrap().clone())
        };
        let deadline = Instant::now() + Duration::from_secs(9);
        let answer = ask_one(Duration::from_secs(1), deadline, ask).await;
        let said = answer.map_or_else(|why| why.to_string(), |answer| answer.to_string());
        (said, times.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_is_asked_until_there_is_an_answer_or_no_hope() {
        let passing = || Err(Failure::Passing("busy".to_owned()));
        let lasting = || Err(Failure::Lasting(Cause::Missing, "gone".to_owned()));
        assert_eq!(ask_for_one(&[Ok(7)]).await, ("7".to_owned(), 1));
        assert_eq!(
            ask_for_one(&[passing(), passing(), Ok(7)]).await,
            ("7".to_owned(), 3)
        );
        assert_eq!(
            ask_for_one(&[passing(), lasting(), Ok(7)]).await,
            ("gone".to_owned(), 2)
        );
        let (said, times) = ask_for_one(&[passing()]).await;
        assert!(said == "busy" && times > 5, "{said} {times}");
    }
}
