//! A lake on this machine as a target: the function in this process, `nozzle run`'s delivery and its
//! windows. What an interrupted `nozzle run` has left there stays to be gone on with.

use anyhow::{Error, Result};

use crate::{
    local::{
        clock::epoch_milliseconds,
        firehose::{
            attempts::{Attempts, PAUSES},
            batch::Batch,
            gauge::Gauge,
            in_process::TransformInProcess,
            progress::Unfinished,
            window::{Site, Window},
        },
        random::Random,
    },
    tool::{
        clock::now,
        sink::{Receipt, SendLimits, Sink},
    },
};

/// As Firehose takes them, and below what Lambda does.
const LIMITS: SendLimits = SendLimits {
    records_max: 500,
    bytes_max: 3 * 1024 * 1024,
};
/// After so many records at most files are finished, and what was sent is settled.
const WINDOW_RECORDS_MAX: u64 = 100_000;

pub(super) struct LakeTarget<'a> {
    attempts: Attempts<'a, TransformInProcess<'a>>,
    window: Window<'a>,
    gauge: Gauge<'a>,
    /// What an interrupted run can go on with.
    left: Option<Unfinished>,
    random: Random,
    window_records: u64,
}

impl<'a> LakeTarget<'a> {
    pub(super) fn open(
        site: Site<'a>,
        function: &'a TransformInProcess<'a>,
        window_bytes_max: u64,
    ) -> Result<Self> {
        let gauge = Gauge::new(site.store, window_bytes_max);
        let (window, left) = Window::open(site)?;
        Ok(Self {
            attempts: Attempts::new(function, PAUSES)?,
            window,
            gauge,
            left: left.unfinished,
            random: Random::default(),
            window_records: 0,
        })
    }

    /// Says which records were refused again.
    fn deliver(&mut self, records: &[&[u8]]) -> Result<Vec<usize>> {
        // As in a run, two batches never share a millisecond.
        let arrived = self.window.progress.mark.arrival_milliseconds;
        let arrival = epoch_milliseconds(now()).max(arrived + 1);
        let batch = Batch::of(records.iter().copied(), arrival, &mut self.random);
        self.gauge.add(batch.record_bytes);
        self.window_records += batch.len() as u64;
        let failed = self.window.progress.summary.failed_function;
        let settled = self.attempts.settle(batch, self.window.partition_keys());
        let refused = self.window.put(settled)?;
        let summary = &self.window.progress.summary;
        if let (true, Some(error)) = (summary.failed_function > failed, &summary.function_error) {
            return Err(Error::msg(format!("the function failed: {error}")));
        }
        if self.gauge.is_full()
            || self.window_records >= WINDOW_RECORDS_MAX
            || self.window.is_full()
        {
            self.settle()?;
        }
        Ok(refused)
    }
}

impl Sink for LakeTarget<'_> {
    fn limits(&self) -> SendLimits {
        LIMITS
    }

    fn send(&mut self, records: &[&[u8]]) -> Receipt {
        match self.deliver(records) {
            Ok(refused) => Receipt {
                refused,
                ..Receipt::default()
            },
            Err(error) => Receipt {
                broken: Some(error),
                ..Receipt::default()
            },
        }
    }

    fn is_settled(&self) -> bool {
        self.window_records == 0
    }

    fn settle(&mut self) -> Result<()> {
        if self.is_settled() {
            return Ok(());
        }
        self.gauge.cut();
        let mut closed = self.window.close()?;
        closed.unfinished.clone_from(&self.left);
        let committer = self.window.committer();
        committer.commit(&closed)?;
        committer.forget_names(&closed)?;
        self.window_records = 0;
        Ok(())
    }
}
