//! Which events are accepted, and what is known of them.

use std::time::{Duration, UNIX_EPOCH};

use tokio::time::Instant;

use super::{
    super::{
        Part, Services, Stop,
        batch::{Judged, Segment},
        claiming::Copies,
        enriching::Knowledge,
        event::{Event, Known},
        settings::OnEnrichmentFailure,
    },
    Attempt, Enriched,
};
use crate::dedup::{Answers, ClaimStore, NEVER, StoreError, Terms};

/// How long to try before archiving what could not be looked up.
const KEEP_PATIENCE: Duration = Duration::from_secs(5);

impl<'a, S: Services> Attempt<'a, S> {
    /// The valid events that are no copies of others.
    pub(super) async fn claim<'b>(
        &mut self,
        segment: Segment<'b, 'a>,
    ) -> Result<Vec<&'b Judged<'a>>, Stop> {
        let started = Instant::now();
        let valid = segment.events.iter().filter(|judged| judged.event.is_ok());
        let Some(store) = self.processor.services.claims() else {
            return Ok(valid.collect());
        };
        let copies = Copies::find(segment);
        let Answers {
            claimed,
            failure,
            write_units,
        } = store.claim(&copies.claims(), self.terms()).await;
        self.counts.claim_duration += started.elapsed();
        self.counts.write_units += write_units;
        match failure {
            Some(StoreError::Away(said)) => return Err(Stop::Passing(Part::Claim, said)),
            Some(StoreError::Refused(said)) => return Err(Stop::Lasting(Part::Claim, said)),
            None => {}
        }
        let accepted = copies.accepted(&claimed);
        self.counts.duplicates += valid.count() - accepted.len();
        Ok(accepted)
    }

    fn terms(&self) -> Terms {
        let now = self.moment.now.duration_since(UNIX_EPOCH);
        let now_seconds = now.unwrap_or_default().as_secs();
        let lifetime = self.processor.settings.claim_lifetime_seconds;
        Terms {
            now_seconds,
            ttl_seconds: lifetime.map_or(NEVER, |seconds| now_seconds + seconds),
            deadline: self.deadline,
        }
    }

    pub(super) async fn enrich<'b>(
        &mut self,
        accepted: &[&'b Judged<'a>],
    ) -> Result<Vec<Enriched<'b, 'a>>, Stop> {
        let started = Instant::now();
        let processor = self.processor;
        let keeps = processor.settings.on_enrichment_failure == OnEnrichmentFailure::Keep;
        let deadline = if keeps {
            self.deadline.min(started + KEEP_PATIENCE)
        } else {
            self.deadline
        };
        let lookup = processor.services.lookup();
        let knowledge = Knowledge::gather(lookup, &processor.memory, accepted, deadline).await;
        self.counts.enrich_duration += started.elapsed();
        if let Some(failure) = &knowledge.failure {
            if !keeps || failure.is_lasting() {
                return Err(Stop::of(Part::Enrichment, failure));
            }
            tracing::error!(%failure, "archiving events whose experiment could not be looked up");
            self.counts.failed.insert(Part::Enrichment);
        }
        let enriched = accepted.iter().filter_map(|judged| {
            let event = judged.event.as_ref().ok()?;
            let known = knowledge.of(event);
            self.count_known(&knowledge, event, &known);
            Some(Enriched {
                judged,
                event,
                known,
            })
        });
        Ok(enriched.collect())
    }

    fn count_known(&mut self, knowledge: &Knowledge<'_>, event: &Event<'_>, known: &Known) {
        if event.experiment_id.is_none() || known.failed {
            return;
        }
        let sources = knowledge.sources;
        let counts = &mut self.counts;
        counts.assignments_missing +=
            usize::from(sources.assignments && known.assignment.is_none());
        counts.experiments_missing +=
            usize::from(sources.experiments && known.experiment.is_none());
        counts.enriched += usize::from(known.assignment.is_some() || known.experiment.is_some());
    }
}
