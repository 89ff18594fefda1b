//! A lake on this machine as a target: the function in this process, `nozzle run`'s delivery and its
//! windows. What an interrupted `nozzle run` has left there stays to be gone on with.

use std::{path::PathBuf, time::Instant};

use anyhow::{Error, Result};

use super::target::{Limits, Receipt, Target};
use crate::{
    dedup::embedded::EmbeddedStore,
    functions::firehose_transform::Settings,
    local::{
        firehose::{
            batch::{Batch, Mark, epoch_milliseconds},
            delivery::Delivery,
            function::{Invoker, PAUSES},
            in_process::InProcess,
            lake::{self, Lake, Layout},
            summary::Summary,
        },
        journal::{self, Journal, Left, Unfinished},
        random::Random,
    },
    tool::{now, places::Places},
};

/// As Firehose takes them, and below what Lambda does.
const LIMITS: Limits = Limits {
    records_max: 500,
    bytes_max: 3 * 1024 * 1024,
};
/// After so many records at most files are finished, and what was sent is settled.
const WINDOW_RECORDS_MAX: u64 = 100_000;

pub(super) struct LakeTarget<'a> {
    invoker: Invoker<'a, InProcess<'a>>,
    delivery: Delivery<'a>,
    journal: Journal<'a>,
    lake: PathBuf,
    left: Left,
    random: Random,
    window_bytes_max: u64,
    window_bytes: u64,
    window_records: u64,
}

impl<'a> LakeTarget<'a> {
    pub(super) fn open(
        places: &Places,
        store: &'a EmbeddedStore,
        function: &'a InProcess<'a>,
        settings: &'a Settings,
        layout: Layout,
        window_bytes_max: u64,
    ) -> Result<Self> {
        let left = Journal::recover(store, &places.claims)?;
        let writer = journal::writer(&places.claims, &places.lake);
        let lake = Lake::open(&places.lake, &writer, layout)?;
        lake.sweep()?;
        let mark = Mark {
            arrival_milliseconds: left.arrival_milliseconds,
            ..Mark::default()
        };
        Ok(Self {
            invoker: Invoker::new(function, PAUSES)?,
            delivery: Delivery {
                lake,
                rules: &settings.rules,
                sources: Vec::new(),
                clock: now,
                started: Instant::now(),
                progress: Unfinished {
                    task: 0,
                    mark,
                    summary: Summary::default(),
                    picture: None,
                },
                long: None,
            },
            journal: places.journal(store),
            lake: places.lake.clone(),
            left,
            random: Random::default(),
            window_bytes_max,
            window_bytes: 0,
            window_records: 0,
        })
    }

    fn deliver(&mut self, records: &[&[u8]]) -> Result<()> {
        // As in a run, two batches never share a millisecond.
        let arrived = self.delivery.progress.mark.arrival_milliseconds;
        let arrival = epoch_milliseconds(now()).max(arrived + 1);
        let batch = Batch::of(records.iter().copied(), arrival, &mut self.random);
        self.window_bytes += batch.record_bytes as u64;
        self.window_records += batch.len() as u64;
        let failed = self.delivery.progress.summary.failed_function;
        let keys = self.delivery.lake.partition_keys();
        let settled = self.invoker.settle(batch, keys);
        self.delivery.deliver(settled)?;
        let summary = &self.delivery.progress.summary;
        if let (true, Some(error)) = (summary.failed_function > failed, &summary.function_error) {
            return Err(Error::msg(format!("the function failed: {error}")));
        }
        if self.window_bytes >= self.window_bytes_max
            || self.window_records >= WINDOW_RECORDS_MAX
            || self.delivery.lake.is_full()
        {
            self.settle()?;
        }
        Ok(())
    }
}

impl Target for LakeTarget<'_> {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn send(&mut self, records: &[&[u8]]) -> Receipt {
        Receipt {
            failed: Vec::new(),
            broken: self.deliver(records).err(),
        }
    }

    fn is_settled(&self) -> bool {
        self.window_records == 0
    }

    /// In the order of a run's windows: files, then claims and the note, then the files' names.
    fn settle(&mut self) -> Result<()> {
        if self.is_settled() {
            return Ok(());
        }
        let closed = self.delivery.end_window()?;
        let renames = &closed.window.renames;
        lake::sync(&self.lake, renames)?;
        let arrival = closed.progress.mark.arrival_milliseconds;
        self.journal
            .commit(renames, arrival, self.left.unfinished.clone())?;
        lake::publish(&self.lake, renames)?;
        // No names are left to give, so lake and claims may part.
        self.journal
            .commit(&[], arrival, self.left.unfinished.clone())?;
        (self.window_bytes, self.window_records) = (0, 0);
        Ok(())
    }
}
