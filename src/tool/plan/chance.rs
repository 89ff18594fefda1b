//! Chance for simulations: the same at every run.

/// A linear congruential generator (Knuth's MMIX), of which the upper bits are used.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Self(seed);
        chance.share();
        chance
    }

    /// From 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / 4_294_967_296.0
    }

    /// Seconds until the next of events that come at random.
    pub(super) fn wait(&mut self, per_second: f64) -> f64 {
        -(1.0 - self.share()).ln() / per_second
    }
}
