//! One call: its packets in the order in which they go, each by itself. A packet that cannot be
//! found or read is told at the end; the others go on.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

use super::{
    attempt::Attempt,
    counts::Counts,
    failure::{NotDone, Problem, Unavailable},
    listing::Listing,
    loader::StarSchema,
    names::Packet,
    parameter, receipt,
    receipt::Receipt,
    store::{ObjectStore, ParameterStore},
    wire::{Answer, Outcome, Status, Wanted},
};

pub(super) struct Call<'f, O, P> {
    function: &'f StarSchema<O, P>,
    now: SystemTime,
    deadline: Instant,
    listing: Listing,
    counts: Counts,
    /// Ids that are missing, by table.
    missing: BTreeMap<String, u64>,
    /// By the packet's place in the call.
    outcomes: BTreeMap<usize, Outcome>,
    not_done: Vec<NotDone>,
}

impl<'f, O: ObjectStore, P: ParameterStore> Call<'f, O, P> {
    pub(super) fn new(function: &'f StarSchema<O, P>, now: SystemTime, deadline: Instant) -> Self {
        Self {
            function,
            now,
            deadline,
            listing: Listing::default(),
            counts: Counts::default(),
            missing: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            not_done: Vec::new(),
        }
    }

    /// Every packet of the star's tables that has an object and no receipt. Parameters are seen to
    /// too: a call may have died before.
    pub(super) async fn sweep(&mut self) -> Result<Vec<Wanted>, Problem> {
        let StarSchema {
            star,
            packets,
            processed,
            ..
        } = self.function;
        let mut loaded = BTreeSet::new();
        for table in &star.sources {
            let ids = receipt::ids_after(processed, table, None, self.deadline).await?;
            let packet = |id| Packet {
                table: table.clone(),
                id,
            };
            loaded.extend(ids.into_iter().map(packet));
            self.advance(table).await?;
        }
        let there = self.listing.packets(packets, self.deadline).await?;
        let new = there.filter(|packet| star.reads(&packet.table) && !loaded.contains(packet));
        let wanted = new.cloned().map(|packet| Wanted { packet, key: None });
        let wanted: Vec<_> = wanted.collect();
        self.counts.swept = wanted.len();
        Ok(wanted)
    }

    /// A table's parameter that cannot be moved keeps no packet from being loaded.
    async fn advance(&mut self, table: &str) -> Result<(), Problem> {
        let StarSchema {
            processed,
            parameters,
            ..
        } = self.function;
        match parameter::advance(processed, parameters, table, self.deadline).await {
            Ok(missing) => drop(self.missing.insert(table.to_owned(), missing)),
            Err(problem) if problem.is_its_own() => self.not_done.push(NotDone {
                packet: None,
                problem,
            }),
            Err(problem) => return Err(problem),
        }
        Ok(())
    }

    /// Loads packets, until the world is away.
    pub(super) async fn load(&mut self, wanted: &[Wanted]) {
        self.counts.packets = wanted.len();
        let mut ordered: Vec<_> = wanted.iter().enumerate().collect();
        let star = &self.function.star;
        ordered.sort_by_key(|(_, wanted)| (star.rank(&wanted.packet.table), wanted.packet.id));
        for (place, wanted) in ordered {
            match self.load_one(wanted).await {
                Ok(outcome) => drop(self.outcomes.insert(place, outcome)),
                Err(problem) => {
                    let others_may_go_on = problem.is_its_own();
                    let packet = Some(wanted.packet.clone());
                    self.not_done.push(NotDone { packet, problem });
                    if !others_may_go_on {
                        break;
                    }
                }
            }
        }
    }

    async fn load_one(&mut self, Wanted { packet, key }: &Wanted) -> Result<Outcome, Problem> {
        if !self.function.star.reads(&packet.table) {
            return Err(Problem::TableUnknown);
        }
        let processed = &self.function.processed;
        let receipt = receipt::read(processed, packet, self.deadline).await?;
        let attempt = Attempt {
            function: self.function,
            packet,
            deadline: self.deadline,
        };
        let outcome = match receipt {
            Some(receipt) => self.done_before(receipt),
            None => self.load_new(&attempt, key.as_deref()).await?,
        };
        if outcome.status != Status::Refused {
            let missing = attempt.advance().await?;
            self.note_missing(packet, missing);
        }
        Ok(outcome)
    }

    fn done_before(&mut self, receipt: Receipt) -> Outcome {
        self.counts.done_before += 1;
        Outcome {
            table: receipt.table,
            id: receipt.id,
            status: Status::DoneBefore,
            rows: receipt.rows,
            refused: receipt.refused,
            files: receipt.files,
        }
    }

    async fn load_new(
        &mut self,
        attempt: &Attempt<'_, O, P>,
        key: Option<&str>,
    ) -> Result<Outcome, Problem> {
        let started = Instant::now();
        let key = if let Some(key) = key {
            key.to_owned()
        } else {
            let (packets, now) = (&self.function.packets, self.now.into());
            let listing = &mut self.listing;
            let found = listing.find(packets, attempt.packet, now, self.deadline);
            found.await?
        };
        let came = attempt.load(&key).await?;
        came.tell(attempt.packet, started.elapsed());
        came.count(&mut self.counts, since_1970(self.now));
        Ok(came.outcome(attempt.packet))
    }

    fn note_missing(&mut self, packet: &Packet, missing: u64) {
        let before = self.missing.insert(packet.table.clone(), missing);
        if missing > before.unwrap_or_default() {
            let Packet { table, id } = packet;
            tracing::warn!(
                table,
                id,
                missing,
                "packets are missing below the table's highest"
            );
        }
    }

    /// The answer, where everything is done.
    pub(super) fn end(mut self, took: Duration) -> Result<(Answer, Counts), Unavailable> {
        self.counts.gap = self.missing.values().sum();
        self.counts.duration = took;
        if !self.not_done.is_empty() {
            return Err(Unavailable::Packets(self.not_done, Box::new(self.counts)));
        }
        let packets = self.outcomes.into_values().collect();
        Ok((Answer { packets }, self.counts))
    }
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
