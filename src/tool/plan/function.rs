//! The function: its batches, how often and how long it runs, how many of it at once.

use serde::Serialize;

use super::{
    buffer::{Buffer, Flow, Rhythm},
    float::float,
    limits::{
        MEBIBYTE, REQUEST_BYTES_MAX, REQUESTS_AT_ONCE, STATEMENTS_A_REQUEST,
        WHOLE_PROCESSOR_MEGABYTES,
    },
    load::Load,
    options::Wishes,
};

/// By `benches/RESULTS.md` an event of 420 bytes takes 1 µs, and its claim over TLS 4. Rounded up, and
/// taken three times, for a processor slower than the one measured on.
const MICROSECONDS_A_CLAIM: f64 = 3.0 * 5.0;
const MICROSECONDS_A_BYTE: f64 = 3.0 * 1.1 / 420.0;

/// Program, runtime and open connections; beside them a batch takes up to four times its request's
/// size (`tests/allocations.rs`) and the request itself.
const MEGABYTES_AT_REST: f64 = 40.0;

/// Larger ones only shorten what is waited for anyway.
const MEMORY_MEGABYTES: [u32; 4] = [256, 512, 1024, 1769];
/// A batch should be done in this.
const SECONDS_WANTED: f64 = 1.0;

/// Seconds of Terraform's default.
const BATCH_SECONDS: u32 = 30;

#[derive(Debug, Clone, Serialize)]
pub(super) struct FunctionSizing {
    /// None fits where the response may have less than usual.
    pub(super) batch_megabytes: Option<f64>,
    pub(super) batch_seconds: u32,
    pub(super) memory_megabytes: u32,
    pub(super) memory_megabytes_used_max: f64,
    pub(super) microseconds_per_event: f64,
    /// A full batch of events like these, and of the densest.
    pub(super) response_bytes: f64,
    pub(super) response_bytes_max: f64,
    pub(super) response_bytes_allowed: f64,
    pub(super) mean: Running,
    pub(super) peak: Running,
    /// How many at once are enough nearly always.
    pub(super) concurrency: f64,
}

/// How a load runs through the function.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Running {
    pub(super) invocations_per_second: f64,
    pub(super) events_each: f64,
    pub(super) milliseconds: f64,
    /// Invocations at once, on the average.
    pub(super) at_once: f64,
}

/// What a batch takes its time for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) microseconds_per_event: f64,
    /// One request of claims, there and back.
    pub(super) claim_milliseconds: f64,
    pub(super) requests_at_once: f64,
}

impl FunctionSizing {
    pub(super) fn of(load: &Load, buffers: f64, wishes: &Wishes) -> Self {
        let answers = &load.shape.answers;
        let fitting = answers.batch_megabytes_max(wishes.response_bytes_max);
        let batch_megabytes = wishes.batch_megabytes.or(fitting);
        let buffer = Buffer {
            bytes_max: batch_megabytes.unwrap_or(0.2) * MEBIBYTE,
            seconds_max: f64::from(wishes.batch_seconds.unwrap_or(BATCH_SECONDS)),
        };
        let timing = Timing::of(load, wishes);
        let full = buffer.bytes_max / load.shape.record_bytes.max(1.0);
        let memory_megabytes = wishes.memory_megabytes.unwrap_or_else(|| {
            let is_quick =
                |memory: &u32| timing.milliseconds(load, full, *memory) <= SECONDS_WANTED * 1000.0;
            let [.., largest] = MEMORY_MEGABYTES;
            MEMORY_MEGABYTES
                .into_iter()
                .find(is_quick)
                .unwrap_or(largest)
        });
        let run = |load: &Load| Running::of(load, buffers, buffer, timing, memory_megabytes);
        let peak = run(&load.at_peak());
        Self {
            batch_megabytes,
            batch_seconds: wishes.batch_seconds.unwrap_or(BATCH_SECONDS),
            memory_megabytes,
            memory_megabytes_used_max: MEGABYTES_AT_REST + 5.0 * REQUEST_BYTES_MAX / MEBIBYTE,
            microseconds_per_event: timing.microseconds_per_event,
            response_bytes: answers.response_bytes(full.ceil()),
            response_bytes_max: answers.response_bytes_max(buffer.bytes_max),
            response_bytes_allowed: float(wishes.response_bytes_max),
            mean: run(load),
            peak,
            concurrency: enough_at_once(peak.at_once),
        }
    }

    pub(super) fn fits(&self) -> bool {
        self.batch_megabytes.is_some() && self.response_bytes_max <= self.response_bytes_allowed
    }
}

impl Running {
    fn of(
        load: &Load,
        buffers: f64,
        buffer: Buffer,
        timing: Timing,
        memory_megabytes: u32,
    ) -> Self {
        let Rhythm {
            closings_per_second,
            events_each,
            ..
        } = buffer.pace(Flow {
            events_per_second: load.events_per_second / buffers,
            event_bytes: load.shape.record_bytes,
        });
        let invocations_per_second = closings_per_second * buffers;
        let milliseconds = timing.milliseconds(load, events_each, memory_megabytes);
        Self {
            invocations_per_second,
            events_each,
            milliseconds,
            at_once: invocations_per_second * milliseconds / 1000.0,
        }
    }
}

impl Timing {
    fn of(load: &Load, wishes: &Wishes) -> Self {
        let usual = MICROSECONDS_A_CLAIM + MICROSECONDS_A_BYTE * load.shape.record_bytes;
        Self {
            microseconds_per_event: wishes.microseconds_per_event.unwrap_or(usual),
            claim_milliseconds: wishes.claim_milliseconds,
            requests_at_once: REQUESTS_AT_ONCE,
        }
    }

    /// A batch of so many events: first the processor's time, then that of claiming, and for what
    /// exists that of looking again.
    pub(super) fn milliseconds(self, load: &Load, events: f64, memory_megabytes: u32) -> f64 {
        let processor_share = (f64::from(memory_megabytes) / WHOLE_PROCESSOR_MEGABYTES).min(1.0);
        let processor = events * self.microseconds_per_event / 1000.0 / processor_share;
        let claims = events * (1.0 - load.refused_share);
        let looked_at_again = events * load.duplicate_share;
        processor + (self.rounds(claims) + self.rounds(looked_at_again)) * self.claim_milliseconds
    }

    /// How often all requests that may be under way at once are answered. Less than one claim is
    /// one in some batches.
    fn rounds(self, claims: f64) -> f64 {
        let at_once = STATEMENTS_A_REQUEST * self.requests_at_once;
        if claims < 1.0 {
            claims
        } else {
            (claims / at_once).ceil()
        }
    }
}

/// Invocations that begin at random are as many at once as a Poisson distribution says, whatever
/// they take; more than four deviations above its mean hardly happens.
fn enough_at_once(mean: f64) -> f64 {
    (mean + 4.0 * mean.sqrt() + 1.0).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::{
        chance::Chance,
        example::{check_near, load, wishes},
    };

    /// `benches/RESULTS.md`: 6,000 claims over TLS at 8 ms, on open connections.
    #[test]
    fn a_batch_takes_about_as_long_as_was_measured() {
        for (requests_at_once, processor_milliseconds, measured) in
            [(16.0, 31.1, 155.0), (32.0, 29.2, 89.3), (64.0, 30.7, 59.5)]
        {
            let timing = Timing {
                microseconds_per_event: processor_milliseconds / 6.0,
                claim_milliseconds: 8.0,
                requests_at_once,
            };
            let counted = timing.milliseconds(&load(1.0, 420), 6_000.0, 1_769);
            assert!(
                (counted / measured - 1.0).abs() < 0.1,
                "{counted}, {measured}"
            );
        }
    }

    /// 1,600 claims are under way at once. 2,000 events at 10 µs are 20 ms on a whole processor, 40 on
    /// half of one. 5 % refused leave 1,900 claims: 2 rounds of 20 ms. 10 % duplicates are 200
    /// second looks: 1 round.
    #[test]
    fn a_batch_takes_its_processor_time_and_its_waits() {
        let timing = Timing {
            microseconds_per_event: 10.0,
            claim_milliseconds: 20.0,
            requests_at_once: REQUESTS_AT_ONCE,
        };
        let mut load = load(1.0, 420);
        check_near(timing.milliseconds(&load, 1_600.0, 1_769), 16.0 + 20.0);
        (load.refused_share, load.duplicate_share) = (0.05, 0.1);
        check_near(timing.milliseconds(&load, 2_000.0, 1_769), 20.0 + 60.0);
        check_near(timing.milliseconds(&load, 2_000.0, 3_538), 20.0 + 60.0);
        let half = timing.milliseconds(&load, 2_000.0, 885);
        assert!((half - (40.0 + 60.0)).abs() < 0.1, "{half}");
    }

    /// 1,000 events of 1,024 bytes a second fill 0.5 MB with 512 of them, each 0.512 s. At the
    /// peak, three times as often. 100 µs an event are 51.2 ms, the claims 20 ms.
    #[test]
    fn batches_are_as_many_as_the_load_fills() {
        let wishes = Wishes {
            batch_megabytes: Some(0.5),
            memory_megabytes: Some(1_769),
            microseconds_per_event: Some(100.0),
            ..wishes()
        };
        let FunctionSizing { mean, peak, .. } =
            FunctionSizing::of(&load(1_000.0, 1_024), 1.0, &wishes);
        check_near(mean.events_each, 512.0);
        check_near(mean.invocations_per_second, 1_000.0 / 512.0);
        check_near(mean.milliseconds, 71.2);
        check_near(mean.at_once, 1_000.0 / 512.0 * 0.0712);
        check_near(peak.invocations_per_second, 3_000.0 / 512.0);
        check_near(peak.milliseconds, 71.2);
    }

    /// 60 events a second over 30 s are 1,800 after the first; 60 shards with one a second each
    /// have 30 after the first each.
    #[test]
    fn a_shard_fills_batches_of_its_own() {
        let load = load(60.0, 420);
        let one = FunctionSizing::of(&load, 1.0, &wishes()).mean;
        let sixty = FunctionSizing::of(&load, 60.0, &wishes()).mean;
        check_near(one.events_each, 1_801.0);
        check_near(sixty.events_each, 31.0);
        check_near(sixty.invocations_per_second, 60.0 / 31.0);
    }

    #[test]
    fn memory_is_the_least_that_is_quick_enough() {
        let memory = |microseconds| {
            let wishes = Wishes {
                batch_megabytes: Some(0.5),
                microseconds_per_event: Some(microseconds),
                ..wishes()
            };
            FunctionSizing::of(&load(1.0, 1_024), 1.0, &wishes).memory_megabytes
        };
        // 512 events: at 256 MB a µs each takes 3.5 ms in all, at 1,769 MB half a ms.
        let chosen = [100.0, 400.0, 800.0, 1_500.0, 1e6].map(memory);
        assert_eq!(chosen, [256, 512, 1_024, 1_769, 1_769]);
    }

    /// Batches that come at random and take their time: as many at once as Little's law says, and
    /// more than there is room for in less than a thousandth of the time.
    #[track_caller]
    fn check_at_once(per_second: f64, seconds: f64) {
        let mut chance = Chance::new(3);
        let (mut now, mut busy, mut crowded) = (0.0, 0.0, 0.0);
        let mut ends = std::collections::VecDeque::new();
        let mean = per_second * seconds;
        for _ in 0..200_000 {
            let next = now + chance.wait(per_second);
            while ends.front().is_some_and(|end| *end < next) {
                let end = ends.pop_front().unwrap();
                let at_once = float(ends.len() + 1);
                busy += at_once * (end - now);
                crowded += if at_once > enough_at_once(mean) {
                    end - now
                } else {
                    0.0
                };
                now = end;
            }
            let at_once = float(ends.len());
            busy += at_once * (next - now);
            crowded += if at_once > enough_at_once(mean) {
                next - now
            } else {
                0.0
            };
            now = next;
            ends.push_back(now + seconds);
        }
        assert!(
            (busy / now / mean - 1.0).abs() < 0.02,
            "{}, not {mean}",
            busy / now
        );
        assert!(crowded / now < 0.001, "{} of the time", crowded / now);
    }

    #[test]
    fn a_simulated_queue_has_as_many_at_once() {
        check_at_once(0.5, 0.2);
        check_at_once(2.0, 0.5);
        check_at_once(150.0, 0.2);
        check_at_once(1_000.0, 0.5);
    }
}
