//! How long a test under faults goes on, and from which seed.

use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;

/// As `make soak` asks, or as briefly as can be.
pub(crate) struct Soak {
    until: Instant,
    seed: u64,
    pub(crate) is_long: bool,
}

impl Soak {
    pub(crate) fn read() -> Self {
        let seconds = number("NOZZLE_SOAK_SECONDS").unwrap_or(0);
        Self {
            until: Instant::now() + Duration::from_secs(seconds),
            seed: number("NOZZLE_SOAK_SEED").unwrap_or(1),
            is_long: seconds > 0,
        }
    }

    /// So many at least, and then as many as there is time for.
    pub(crate) fn seeds(&self, at_least: u64) -> impl Iterator<Item = Seed> {
        let usual = self.seed..self.seed + at_least;
        let seeds = (self.seed..)
            .take_while(move |seed| usual.contains(seed) || Instant::now() < self.until);
        seeds.map(Seed)
    }
}

/// What every fault of a round is drawn from. It says so where the round fails, for whatever reason.
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn random(&self) -> Rng {
        Rng::with_seed(self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            // The harness would keep what is printed to itself.
            let _ = writeln!(io::stderr(), "to see it again: NOZZLE_SOAK_SEED={}", self.0);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's length is no setting of the program"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
