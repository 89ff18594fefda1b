//! A buffer of Firehose's: it opens with an event, and closes when it is full or old.

/// When a buffer closes, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffer {
    pub(super) bytes_max: f64,
    pub(super) seconds_max: f64,
}

/// What comes to one buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) events_per_second: f64,
    pub(super) event_bytes: f64,
}

/// How often a buffer closes, and with how much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    pub(super) closings_per_second: f64,
    pub(super) events_each: f64,
    /// The share of time in which the buffer is open.
    pub(super) open_share: f64,
}

impl Buffer {
    /// For events that come one by one, at random. After closing, the next event is waited for: so
    /// where events are rarer than the interval, each closes a buffer of its own.
    pub(super) fn pace(self, flow: Flow) -> Rhythm {
        let until_old = flow.events_per_second * self.seconds_max;
        let until_full = (self.bytes_max / flow.event_bytes.max(1.0) - 1.0).max(0.0);
        let more_events = until_old.min(until_full);
        let events_each = 1.0 + more_events;
        Rhythm {
            closings_per_second: flow.events_per_second / events_each,
            events_each,
            open_share: more_events / events_each,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::plan::chance::Chance;

    /// Events at random times into one buffer: closings and seconds open, as shares of the time.
    fn simulated(buffer: Buffer, flow: Flow, closings: u32) -> (f64, f64) {
        let mut chance = Chance::new(7);
        let (mut now, mut open_seconds) = (0.0, 0.0);
        for _ in 0..closings {
            now += chance.wait(flow.events_per_second);
            let (opened, mut bytes) = (now, flow.event_bytes);
            loop {
                if bytes + flow.event_bytes > buffer.bytes_max {
                    break;
                }
                let next = now + chance.wait(flow.events_per_second);
                if next > opened + buffer.seconds_max {
                    // Waiting has no memory, so what is left of the wait is as long as a new one.
                    now = opened + buffer.seconds_max;
                    break;
                }
                (now, bytes) = (next, bytes + flow.event_bytes);
            }
            open_seconds += now - opened;
        }
        (f64::from(closings) / now, open_seconds / now)
    }

    #[track_caller]
    fn check(events_per_second: f64, event_bytes: f64, tolerance: f64) {
        let buffer = Buffer {
            bytes_max: 1_000_000.0,
            seconds_max: 300.0,
        };
        let flow = Flow {
            events_per_second,
            event_bytes,
        };
        let pace = buffer.pace(flow);
        let (closings_per_second, open_share) = simulated(buffer, flow, 4_000);
        let near = |left: f64, right: f64| (left / right - 1.0).abs() < tolerance;
        assert!(
            near(pace.closings_per_second, closings_per_second)
                && near(pace.open_share, open_share),
            "{pace:?}, simulated {closings_per_second} and {open_share}"
        );
    }

    #[test]
    fn closings_are_those_of_a_simulated_buffer() {
        check(0.000_1, 500.0, 0.06); // by age, nearly each event alone
        check(0.01, 500.0, 0.03); // by age, four at a time
        check(2.0, 500.0, 0.03); // by age, 601 at a time
        check(100.0, 5_000.0, 0.03); // full after 2 s
        check(5_000.0, 500.0, 0.03);
        check(0.68, 5_000.0, 0.06); // full and old at the same time: either, by chance
    }

    /// 10 events a second of 1,000 bytes: 3,000 come in 300 s after the first; 128,000 would fit.
    /// 1,000 events a second: 127,999 after the first, every 128 s.
    #[test]
    fn a_buffer_closes_when_it_is_old_or_full() {
        let buffer = Buffer {
            bytes_max: 128_000_000.0,
            seconds_max: 300.0,
        };
        let pace = |events_per_second| {
            buffer.pace(Flow {
                events_per_second,
                event_bytes: 1_000.0,
            })
        };
        assert!((pace(10.0).events_each - 3_001.0).abs() < 1e-6);
        assert!((pace(1_000.0).events_each - 128_000.0).abs() < 1e-6);
        assert!((pace(1_000.0).closings_per_second - 1.0 / 128.0).abs() < 1e-9);
        assert!(pace(0.0).closings_per_second.abs() < 1e-12);
    }

    #[test]
    fn an_event_larger_than_the_buffer_closes_it_alone() {
        let buffer = Buffer {
            bytes_max: 1_000.0,
            seconds_max: 300.0,
        };
        let pace = buffer.pace(Flow {
            events_per_second: 5.0,
            event_bytes: 2_000.0,
        });
        assert!((pace.closings_per_second - 5.0).abs() < 1e-9);
    }
}
