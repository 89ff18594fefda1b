//! The two functions on a Kinesis stream, for the same events. The stream itself is billed as a source
//! is.

use clap::Args;
use serde::Serialize;

use super::{
    buffer::{Buffer, Flow, Rhythm},
    float::float,
    intake::Inflow,
    limits::{
        KIBIBYTE, PutQuota, REQUEST_BYTES_MAX, SECONDS_A_MONTH, WHOLE_PROCESSOR_MEGABYTES,
        WRITE_UNIT_BYTES,
    },
    load::{InflowSource, Load},
    prices::Prices,
    words::{dollars, number as amount, times},
};
use crate::tool::numbers::number;

/// What a mapping writes around a record.
const ENVELOPE_BYTES: f64 = 470.0;
/// What an item of the log has beside the event: its names and numbers.
const LOG_ITEM_BYTES: f64 = 250.0;
const WINDOWS: f64 = 2.0;
/// A plan, and the end.
const LEDGER_WRITES: f64 = 2.0;
const OBJECT_EVENTS_MAX: f64 = 1_000.0;
/// Three times what `benches/RESULTS.md` shows (5.4 µs in the log, 4.4 in the event processor), for a processor slower than
/// the one measured on.
const MICROSECONDS_AN_EVENT: f64 = 3.0 * 5.0;
/// What a batch waits for, with the memory it holds meanwhile.
const WAIT_SECONDS: f64 = 0.1;
const MEGABYTES: f64 = 256.0;

/// Which of the two are planned too.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct StreamWishes {
    /// Plan the event log too, on a Kinesis stream
    #[arg(long)]
    pub(super) event_log: bool,

    /// Plan the event processor too, on a Kinesis stream, over so many counters in each window:
    /// an experiment's variants by event types
    #[arg(long, value_name = "NUMBER", value_parser = number(1.0..=1e9))]
    pub(super) counters: Option<f64>,

    /// How long their mappings gather events: 0 to 300 seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = number(0.0..=300.0))]
    pub(super) batching_seconds: f64,
}

impl StreamWishes {
    pub(super) fn count(self) -> f64 {
        f64::from(u8::from(self.event_log) + u8::from(self.counters.is_some()))
    }
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct StreamFunction {
    name: StreamName,
    invocations_per_second: f64,
    events_each: f64,
    write_units_per_second: f64,
    objects_per_second: f64,
    /// A month.
    cost: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum StreamName {
    EventLog,
    EventProcessor,
}

/// What one batch writes.
struct Writes {
    units: f64,
    objects: f64,
}

impl StreamFunction {
    pub(super) fn all(load: &Load, wishes: StreamWishes, prices: &Prices) -> Vec<Self> {
        let rhythm = rhythm(load, wishes.batching_seconds);
        let log = wishes.event_log.then(|| {
            let item = load.shape.record_bytes + LOG_ITEM_BYTES;
            let writes = Writes {
                units: rhythm.events_each * (item / float(WRITE_UNIT_BYTES)).ceil(),
                objects: 0.0,
            };
            Self::of(StreamName::EventLog, &rhythm, &writes, prices)
        });
        let processor = wishes.counters.map(|counters| {
            let writes = Writes {
                units: counters_of(rhythm.events_each, counters) * WINDOWS + LEDGER_WRITES,
                objects: (rhythm.events_each / OBJECT_EVENTS_MAX).ceil(),
            };
            Self::of(StreamName::EventProcessor, &rhythm, &writes, prices)
        });
        log.into_iter().chain(processor).collect()
    }

    fn of(name: StreamName, rhythm: &Rhythm, writes: &Writes, prices: &Prices) -> Self {
        let per_second = rhythm.closings_per_second;
        let invocations = per_second * SECONDS_A_MONTH;
        let working = rhythm.events_each * MICROSECONDS_AN_EVENT / 1e6;
        let gigabyte_seconds = invocations
            * (working * WHOLE_PROCESSOR_MEGABYTES + WAIT_SECONDS * MEGABYTES)
            / KIBIBYTE;
        let cost = [
            gigabyte_seconds * prices.lambda_arm64_per_gigabyte_second,
            invocations / 1e6 * prices.lambda_per_million_requests,
            invocations * writes.units / 1e6 * prices.dynamodb_on_demand_per_million_writes,
            invocations * writes.objects / 1e3 * prices.s3_per_thousand_puts,
        ];
        Self {
            name,
            invocations_per_second: per_second,
            events_each: rhythm.events_each,
            write_units_per_second: per_second * writes.units,
            objects_per_second: per_second * writes.objects,
            cost: cost.iter().sum(),
        }
    }

    /// What it is called, and how much it is.
    pub(super) fn figures(&self) -> [(&'static str, String); 5] {
        let title = match self.name {
            StreamName::EventLog => "event log: calls",
            StreamName::EventProcessor => "event processor: calls",
        };
        [
            (title, times(self.invocations_per_second * 3600.0)),
            ("... events in a batch", amount(self.events_each)),
            (
                "... write units a second",
                amount(self.write_units_per_second),
            ),
            ("... objects", times(self.objects_per_second * 3600.0)),
            ("... cost of a month", dollars(self.cost)),
        ]
    }
}

/// Of all shards together; each has batches of its own.
fn rhythm(load: &Load, batching_seconds: f64) -> Rhythm {
    let stream = Load {
        source: InflowSource::Kinesis,
        ..load.clone()
    };
    let shards = Inflow::of(&stream, PutQuota::of("")).buffers();
    let of_shard = Buffer {
        bytes_max: REQUEST_BYTES_MAX,
        seconds_max: batching_seconds,
    };
    let rhythm = of_shard.pace(Flow {
        events_per_second: load.events_per_second / shards,
        event_bytes: load.shape.record_bytes * 4.0 / 3.0 + ENVELOPE_BYTES,
    });
    Rhythm {
        closings_per_second: rhythm.closings_per_second * shards,
        ..rhythm
    }
}

/// How many counters so many events add to, if each is as likely.
fn counters_of(events: f64, counters: f64) -> f64 {
    counters * (1.0 - (1.0 - 1.0 / counters).powf(events))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::example::{check_near, load};

    fn planned(wishes: StreamWishes) -> Vec<StreamFunction> {
        let prices = Prices::read(None).unwrap();
        StreamFunction::all(&load(278.0, 300), wishes, &prices)
    }

    /// The example of `docs/event-processor.md`: 278 events a second, 300 counters, 10 s.
    #[test]
    fn counters_are_written_by_the_batch() {
        let [processor] = &planned(StreamWishes {
            counters: Some(300.0),
            batching_seconds: 10.0,
            ..StreamWishes::default()
        })[..] else {
            panic!("one function");
        };
        check_near(processor.events_each, 2_781.0);
        let units_an_event = processor.write_units_per_second / 278.0;
        assert!((units_an_event - 0.216).abs() < 0.002, "{units_an_event}");
        check_near(processor.objects_per_second, 278.0 / 2_781.0 * 3.0);
    }

    #[test]
    fn the_log_writes_each_event_by_its_kilobytes() {
        let [log] = &planned(StreamWishes {
            event_log: true,
            batching_seconds: 1.0,
            ..StreamWishes::default()
        })[..] else {
            panic!("one function");
        };
        check_near(log.write_units_per_second, 278.0);
        assert!(log.cost > 278.0 * SECONDS_A_MONTH / 1e6 * 0.625);
    }

    #[test]
    fn few_events_reach_few_counters_and_many_reach_all() {
        check_near(counters_of(1.0, 300.0), 1.0);
        check_near(counters_of(1e6, 300.0), 300.0);
        check_near(counters_of(5.0, 1.0), 1.0);
    }
}
