//! How long faults are drawn: a short round by itself, and on and on where `make soak` asks for it.

use std::time::{Duration, Instant};

/// How long to go on, from which seed, and with how many events.
pub(crate) struct Soak {
    until: Instant,
    seed: u64,
    pub(crate) events: usize,
}

impl Soak {
    pub(crate) fn read() -> Self {
        let seconds = number("NOZZLE_SOAK_SECONDS").unwrap_or(0);
        Self {
            until: Instant::now() + Duration::from_secs(seconds),
            seed: number("NOZZLE_SOAK_SEED").unwrap_or(1),
            events: if seconds == 0 { 10_000 } else { 150_000 },
        }
    }

    /// The first seed always, and then as many as there is time for.
    pub(crate) fn seeds(&self) -> impl Iterator<Item = u64> {
        let is_first = |seed: &u64| *seed == self.seed;
        (self.seed..).take_while(move |seed| is_first(seed) || Instant::now() < self.until)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's length is no setting of the program"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
