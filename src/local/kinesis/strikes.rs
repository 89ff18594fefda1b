//! What befalls a function that stands on a stream, drawn from a seed: its process dies at a request
//! to a store, its answer is lost, its poller fails over and another one cuts the records anew, while
//! the older invocation may go on beside the newer ones.
//!
//! A store that is to be struck asks through [`request`].

use std::{
    future::{Future, pending},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use futures_util::future::LocalBoxFuture;
use tokio::{sync::Notify, task_local, time::sleep};

task_local! {
    static ORDEAL: Arc<Ordeal>;
}

/// Asks a store, as part of an invocation that may be struck before its request, or after it.
pub async fn request<T>(asked: impl Future<Output = T>) -> T {
    let Ok(ordeal) = ORDEAL.try_with(Arc::clone) else {
        return asked.await;
    };
    ordeal.pass().await;
    let answer = asked.await;
    ordeal.pass().await;
    answer
}

/// Strikes in an order that the seed decides.
#[derive(Debug)]
pub struct Strikes {
    drawn: Mutex<Drawn>,
}

#[derive(Debug)]
struct Drawn {
    random: Rng,
    tally: Tally,
    /// The most places that an invocation has passed.
    places: usize,
}

/// How often what has befallen invocations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub deaths: usize,
    pub lost_answers: usize,
    pub overtaken: usize,
    pub spared: usize,
}

/// What befalls an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    Spared,
    Death,
    LostAnswer,
    Overtaken,
}

/// What the mapping sees of it.
pub(super) enum Befallen<'f, T> {
    Nothing(T),
    /// The same batch comes again.
    NoAnswer,
    /// All since the checkpoint comes again, cut in another way.
    CutAnew,
    /// The same, while this one goes on.
    Overtaken(LocalBoxFuture<'f, T>),
}

impl Strikes {
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self {
            drawn: Mutex::new(Drawn {
                random: Rng::with_seed(seed),
                tally: Tally::default(),
                places: 1,
            }),
        }
    }

    #[must_use]
    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    /// How many records the next batch may have.
    pub(super) fn cut(&self, records_max: usize) -> usize {
        let random = &mut self.lock().random;
        if random.bool() {
            records_max
        } else {
            random.usize(1..=records_max)
        }
    }

    pub(super) async fn befall<'f, T: 'f>(
        &self,
        invocation: LocalBoxFuture<'f, T>,
    ) -> Befallen<'f, T> {
        let ordeal = Arc::new(self.lock().ordeal());
        let mut invocation: LocalBoxFuture<'f, T> =
            Box::pin(ORDEAL.scope(Arc::clone(&ordeal), invocation));
        let answered = tokio::select! {
            biased;
            answer = &mut invocation => Some(answer),
            () = ordeal.struck.notified() => None,
        };
        let mut drawn = self.lock();
        drawn.places = drawn.places.max(ordeal.passed.load(Ordering::Relaxed));
        match (answered, ordeal.strike) {
            (None, Strike::Overtaken) => {
                drawn.tally.overtaken += 1;
                Befallen::Overtaken(invocation)
            }
            (None, _) => {
                drawn.tally.deaths += 1;
                drawn.no_answer()
            }
            (Some(_), Strike::LostAnswer) => {
                drawn.tally.lost_answers += 1;
                drawn.no_answer()
            }
            (Some(answer), _) => {
                drawn.tally.spared += 1;
                Befallen::Nothing(answer)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawn {
    fn ordeal(&mut self) -> Ordeal {
        let strike = match self.random.u8(..8) {
            0 | 1 => Strike::Death,
            2 => Strike::LostAnswer,
            3 | 4 => Strike::Overtaken,
            _ => Strike::Spared,
        };
        Ordeal {
            strike,
            place: self.random.usize(..self.places),
            passed: AtomicUsize::new(0),
            struck: Notify::new(),
            random: Mutex::new(self.random.fork()),
        }
    }

    fn no_answer<'f, T>(&mut self) -> Befallen<'f, T> {
        if self.random.bool() {
            Befallen::NoAnswer
        } else {
            Befallen::CutAnew
        }
    }
}

/// What an invocation goes through, place by place: before a request and after it.
#[derive(Debug)]
struct Ordeal {
    strike: Strike,
    /// Where it is struck.
    place: usize,
    passed: AtomicUsize,
    struck: Notify,
    random: Mutex<Rng>,
}

impl Ordeal {
    async fn pass(&self) {
        let place = self.passed.fetch_add(1, Ordering::Relaxed);
        if place == self.place {
            match self.strike {
                Strike::Death => {
                    self.struck.notify_one();
                    pending::<()>().await;
                }
                Strike::Overtaken => self.struck.notify_one(),
                Strike::Spared | Strike::LostAnswer => {}
            }
        }
        let is_overtaken = self.strike == Strike::Overtaken && place >= self.place;
        sleep(self.delay(if is_overtaken { LAG } else { JITTER })).await;
    }

    /// Nothing at all, as often as not.
    fn delay(&self, max: Duration) -> Duration {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        max.mul_f64(f64::from(random.bool()) * random.f64())
    }
}

/// By how much requests get out of step with each other's.
const JITTER: Duration = Duration::from_millis(20);
/// How late an overtaken invocation may be at each place.
const LAG: Duration = Duration::from_secs(2);
