//! What an input takes, in processor time of the thread, so that other work does not matter: not more
//! than its size explains.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Bytes of a request's part that is made to be slow.
pub(crate) const BYTES: usize = 30_000;

/// Four would be in proportion; what is at fault has sixteen.
const GROWTH_MAX: f64 = 6.0;

/// Of one way to answer.
pub(crate) struct Effort {
    /// The least that a request takes.
    pub(crate) seconds: fn(&[u8]) -> f64,
    /// What a byte of ordinary events takes.
    pub(crate) ordinary: f64,
    /// So many times that are still allowed.
    pub(crate) cost_max: f64,
}

impl Effort {
    /// `make` gives a request of about so many bytes. Four times as much of it is to take about four
    /// times as long, and no byte many times as long as a byte of ordinary events.
    #[track_caller]
    pub(crate) fn check(&self, name: &str, make: impl Fn(usize) -> Vec<u8>) {
        let (small, large) = (make(BYTES), make(4 * BYTES));
        let (fast, slow) = ((self.seconds)(&small), (self.seconds)(&large));
        let growth = slow / fast * 4.0 * size(&small) / size(&large);
        assert!(
            growth < GROWTH_MAX,
            "{name}: {growth:.1} times as long for 4 times as much"
        );
        let cost = slow / size(&large) / self.ordinary;
        assert!(
            cost < self.cost_max,
            "{name}: a byte takes {cost:.1} times as long as an ordinary one"
        );
    }
}

/// The least processor time of some rounds.
pub(crate) fn least_seconds(rounds: usize, mut act: impl FnMut()) -> f64 {
    let rounds = (0..rounds).map(|_| {
        let started = processor_time();
        act();
        processor_time() - started
    });
    rounds.fold(f64::MAX, f64::min)
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap().as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousands")]
pub(crate) fn size(bytes: &[u8]) -> f64 {
    bytes.len() as f64
}

pub(crate) fn many(bytes: usize, unit: &str) -> String {
    unit.repeat(bytes / unit.len())
}

/// Numbered, so that no two are the same.
pub(crate) fn numbered(bytes: usize, write: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        write(&mut text, number);
    }
    text
}
