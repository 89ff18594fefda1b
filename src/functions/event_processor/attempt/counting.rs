//! What an attempt adds to counters, and which users it adds to theirs.

use tokio::time::Instant;

use super::{
    super::{
        Part, Services, Stop, counters, key,
        settings::UniqueUsers,
        tally::Tally,
        users::{self, Merged},
    },
    Attempt, Enriched,
};

impl<S: Services> Attempt<'_, S> {
    /// Events with an experiment and a variant, by what they are counted by.
    pub(super) fn tally<'e>(&mut self, enriched: &'e [Enriched<'_, '_>]) -> Tally<'e> {
        let mut tally = Tally::default();
        for Enriched {
            judged,
            event,
            known,
        } in enriched
        {
            let experiment = event.experiment_id.as_deref();
            match experiment.zip(event.variant_of(known)) {
                Some(of) if !known.failed => {
                    let windows = &self.processor.settings.windows.0;
                    tally.add(judged.arrived.id.sequence, event, of, windows);
                }
                _ => self.counts.uncounted += 1,
            }
        }
        tally
    }

    fn slot(&self) -> u64 {
        key::slot(self.shard, self.processor.settings.counter_slots)
    }

    pub(super) async fn merge_users(&mut self, tally: &Tally<'_>) -> Result<(), Stop> {
        let started = Instant::now();
        let (settings, table) = (&self.processor.settings, self.processor.services.table());
        let written = match settings.unique_users {
            UniqueUsers::Off => 0,
            UniqueUsers::Sketch => {
                let seen = tally.sketches(settings, self.slot());
                let remembered = &self.processor.sketches;
                let merged = users::merge(table, remembered, &seen, self.deadline).await;
                let merged = self.settle(Part::User, merged)?;
                let is_written = |merged: &&Merged| matches!(merged, Merged::Written(_));
                merged.iter().filter(is_written).count()
            }
            UniqueUsers::Exact => {
                let markers = tally.markers(settings);
                let marked = users::mark(table, &markers, self.deadline).await;
                let marked = self.settle(Part::User, marked)?;
                marked.into_iter().filter(|is_new| *is_new).count()
            }
        };
        self.counts.users_written += written;
        self.counts.count_duration += started.elapsed();
        Ok(())
    }

    pub(super) async fn count(&mut self, tally: &Tally<'_>) -> Result<(), Stop> {
        let started = Instant::now();
        let additions = tally.additions(&self.processor.settings, self.slot());
        let table = self.processor.services.table();
        let mark = key::mark(self.tag, self.shard);
        let added = counters::add(table, &mark, &additions, self.deadline).await;
        for added in self.settle(Part::Counter, added)? {
            self.counts.counted += added.counted;
            self.counts.already_counted += added.already_counted;
        }
        self.counts.count_duration += started.elapsed();
        Ok(())
    }
}
